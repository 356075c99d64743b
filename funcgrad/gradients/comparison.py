"""The same descent in several metrics, side by side."""

from dataclasses import dataclass

from funcgrad.errors import InvalidInput
from funcgrad.gradients.descent import descend


@dataclass(frozen=True)
class Comparison:
    """The result of `compare_metrics`.

    Attributes
    ----------
    descents : dict of str to Descent
        By the metric's name.

    Examples
    --------
    >>> import funcgrad as fg
    >>> line = fg.models.Polynomial(1)
    >>> loss = fg.EmpiricalLoss([0.0, 0.5, 1.0], [0.0, 1.0, 1.0])
    >>> both = fg.compare_metrics(loss, line, [0.0, 0.0], [fg.L2(), fg.Sobolev(1)], fg.Interval(0, 1))
    >>> [(name, found.success) for name, found in both.descents.items()]
    [('L2', True), ('H^1', True)]
    """

    descents: dict

    def __str__(self):
        rows = [f"{'metric':20}{'steps':>7}{'loss':>14}{'norm':>12}  status"]
        for name, found in self.descents.items():
            norm = found.history["norm"][-1]
            rows.append(
                f"{name:20}{len(found.history) - 1:7d}{found.value:14.6e}{norm:12.2e}  {found.status}"
            )
        return "\n".join(rows)

    def plot(self, ax=None):
        """Draw the loss, above the lowest one reached, against the step; return the matplotlib axes."""
        from funcgrad.plots.comparison import plot_comparison

        return plot_comparison(self, ax)


def compare_metrics(F, model, theta, metrics, domain, **options):
    """Descend from one point in several metrics.

    Parameters
    ----------
    F, model, theta, domain
        As in `descend`.
    metrics : dict of str to Metric, or sequence of Metric
    **options
        Of `descend`, the same for all.

    Returns
    -------
    Comparison

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> model = fg.models.Symbolic("a*sin(x + b) + c", "x", "a b c")
    >>> loss = fg.EmpiricalLoss([0.3, 1.7, 4.0, 5.0], [1.0, -0.5, 0.2, 0.8])
    >>> circle = fg.Circle(2 * np.pi)
    >>> both = fg.compare_metrics(loss, model, [1, 0, 0], [fg.L2(), fg.Sobolev(1)], circle)
    >>> sorted(both.descents)
    ['H^1', 'L2']
    """
    named = metrics if isinstance(metrics, dict) else {str(metric): metric for metric in metrics}
    if len(named) < len(metrics):
        raise InvalidInput("`metrics` has two of one name; pass a dictionary from names to metrics.")
    return Comparison(
        {name: descend(F, model, theta, metric, domain, **options) for name, metric in named.items()}
    )
