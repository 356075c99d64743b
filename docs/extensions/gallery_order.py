"""The order of the gallery: a story, and after it what is not in the story, by name."""

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
    "own_theorem",
)


class Story:
    """A sort key for sphinx-gallery."""

    def __init__(self, source_folder):
        pass

    def __call__(self, filename):
        """Return the key of a script's file name."""
        name = filename.removesuffix(".py")
        return (STORY.index(name) if name in STORY else len(STORY), name)
