"""Layer 7: figures, by matplotlib, which is imported on first use."""

from funcgrad.errors import InvalidInput


def new_axes():
    """Return the axes of a new figure that no window shows."""
    from matplotlib.figure import Figure

    return Figure(figsize=(6.4, 4.4), layout="constrained").subplots()


def save(result, path):
    """Draw an object that has `plot` and write the figure to a file, its format from the name's ending."""
    figure = result.plot(new_axes()).figure
    try:
        figure.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        raise InvalidInput(f"cannot write the figure {path}: {error}") from error
