"""Hypothesis without deadlines (a first call may compile), and the same examples in every run of CI."""

import os

from hypothesis import settings

from funcgrad.testing import strategies  # noqa: F401 - registers the profiles

settings.load_profile("funcgrad-ci" if os.environ.get("CI") else "funcgrad")
