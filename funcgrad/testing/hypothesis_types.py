"""What hypothesis' entry point calls, be it that hypothesis is imported first or the strategies."""

from operator import attrgetter


def hypothesis_setup():
    """Register the strategies of funcgrad's types with hypothesis; its entry point calls this.

    Examples
    --------
    >>> import funcgrad as fg
    >>> from hypothesis import find, strategies as st
    >>> from funcgrad.testing import strategies
    >>> strategies.hypothesis_setup()
    >>> find(st.from_type(fg.Metric), lambda metric: True)
    L2(measure=None)
    """
    from hypothesis import strategies as st

    from funcgrad.functionals import Covector, Functional
    from funcgrad.kernels import Kernel, MatrixValuedKernel
    from funcgrad.metrics import Metric, MetricField
    from funcgrad.models.base import Model
    from funcgrad.spaces import Domain, Function, Grid

    for kind, strategy in (
        (Covector, _drawn("covectors")),
        (Domain, _drawn("domains")),
        (Function, _drawn("functions")),
        (Functional, _drawn("functionals")),
        (Grid, _drawn("grids")),
        (Kernel, _drawn("kernels")),
        (MatrixValuedKernel, _drawn("matrix_kernels")),
        (Metric, _drawn("metrics")),
        (MetricField, _drawn("metric_fields", "field")),
        (Model, _drawn("models", "model")),
    ):
        st.register_type_strategy(kind, strategy)


def _drawn(name, part=None):
    """Return the function of a type that hypothesis asks for its strategy, when that is needed first."""

    def strategy(_kind):
        from funcgrad.testing import strategies

        drawn = getattr(strategies, name)()
        return drawn if part is None else drawn.map(attrgetter(part))

    return strategy
