"""The order of the gallery, a story and after it the rest by name; and which scripts run in quick mode."""

from pathlib import Path

STORY = (
    "threshold",
    "l2_blow_up",
    "six_metrics",
    "sphere",
    "boundary_conditions",
    "kernel_and_boundary",
    "degenerate_model",
    "tangent_kernels",
    "mesh_independence",
    "metric_of_a_fit",
    "nist_thurber",
    "poisson_energy",
    "sobolev_training",
    "digits",
    "own_theorem",
)
# Scripts that take minutes, and seconds with ``--quick``.
LONG = ("poisson_energy", "sobolev_training", "digits")


def quick_mode(gallery_conf, script_vars):
    """Return the arguments with which the gallery runs a script."""
    return ["--quick"] if Path(script_vars["src_file"]).stem in LONG else []


class Story:
    """A sort key for sphinx-gallery."""

    def __init__(self, source_folder):
        pass

    def __call__(self, filename):
        """Return the key of a script's file name."""
        name = filename.removesuffix(".py")
        return (STORY.index(name) if name in STORY else len(STORY), name)
