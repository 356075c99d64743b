"""Faults that `funcgrad audit` puts into the library on purpose, one at a time.

Each replaces one function by a broken one. A catalogue that lets one pass is blind to it.
"""

from funcgrad.theorems.faults.fault import Fault
from funcgrad.theorems.faults.functionals import FUNCTIONALS
from funcgrad.theorems.faults.gradients import GRADIENTS
from funcgrad.theorems.faults.kernels import KERNELS
from funcgrad.theorems.faults.metrics import METRICS
from funcgrad.theorems.faults.models import MODELS
from funcgrad.theorems.faults.spaces import SPACES

FAULTS = METRICS + SPACES + FUNCTIONALS + KERNELS + MODELS + GRADIENTS

__all__ = ["FAULTS", "Fault"]
