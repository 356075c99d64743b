"""Hypothesis without deadlines (a first call may compile), and the same examples in every run of CI.

Failing examples are shrunk but not explained: that traces every line and takes minutes.
"""

import functools
import os

import pytest
from hypothesis import Phase, settings

import funcgrad as fg
from funcgrad.testing import strategies  # noqa: F401 - registers the profiles

settings.register_profile(
    "tests",
    settings.get_profile("funcgrad-ci" if os.environ.get("CI") else "funcgrad"),
    phases=[phase for phase in Phase if phase is not Phase.explain],
)
settings.load_profile("tests")


@pytest.fixture(scope="session")
def verdict_of():
    """Return the verdict on a theorem's built-in instances by its id, checked once for all tests."""
    return functools.cache(fg.verify)
