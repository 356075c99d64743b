"""With what, and on which machine, figures were computed."""

import os
import platform
from functools import cache
from importlib import metadata

# The number of threads of the BLAS libraries is read from these when numpy is imported.
THREAD_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def provenance():
    """Return versions and machine, as text, for the report."""
    import funcgrad

    versions = {name: metadata.version(name) for name in ("numpy", "scipy", "numba", "sympy")}
    return {
        "funcgrad": funcgrad.__version__,
        "python": platform.python_version(),
        **versions,
        "machine": f"{platform.machine()} {platform.system()}",
        "processor": processor(),
        "BLAS threads": os.environ.get(THREAD_VARIABLES[0], "the library's default"),
    }


@cache
def processor():
    """Return the processor's name as the system tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()
