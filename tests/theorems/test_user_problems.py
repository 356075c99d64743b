"""The user's own problems: what applies is checked, what does not says why, and nothing crashes."""

import sys
from pathlib import Path

import numpy as np
import pytest

import funcgrad as fg
from funcgrad import cli, theorems
from funcgrad.errors import InvalidInput
from funcgrad.models import Polynomial
from funcgrad.problems import read_problem
from funcgrad.theorems.registry import catalogue

EXAMPLES = Path(__file__).parents[2] / "examples"
sys.path.insert(0, str(EXAMPLES))
from nist_fits import problem_names, read_problem as read_nist  # noqa: E402, I001

IDS = [theorem.id for theorem in catalogue()]
# Of the reference problems these are checked in CI; all of the catalogue is checked by hand.
QUICK = ("riesz-representation", "natural-gradient-is-projection", "tangent-gradient-exists", "ntk-gradient")


def nist_problem(name):
    """The problem at its second starting point, in H^1 of a box around its data, lengths in the data's units."""
    found = read_nist(name, EXAMPLES / "nist_strd")
    low, high = found.x.min(axis=0), found.x.max(axis=0)
    margin = 0.05 * (high - low)
    bounds = list(zip(low - margin, high + margin, strict=True))
    domain = fg.Interval(*bounds[0]) if len(bounds) == 1 else fg.Box(bounds)
    metric = fg.Sobolev(1.0, float(np.max(high - low)) / 4)
    loss = fg.EmpiricalLoss(found.x, found.y)
    return theorems.Problem(found.model, found.starts[1], loss, domain, metric, label=name)
