"""Hypothesis without deadlines (a first call may compile), and the same examples in every run of CI.

Failing examples are shrunk but not explained: that traces every line and takes minutes.
"""

import os

from hypothesis import Phase, settings

from funcgrad.testing import strategies  # noqa: F401 - registers the profiles

settings.register_profile(
    "tests",
    settings.get_profile("funcgrad-ci" if os.environ.get("CI") else "funcgrad"),
    phases=[phase for phase in Phase if phase is not Phase.explain],
)
settings.load_profile("tests")
