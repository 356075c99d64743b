"""The whitened Jacobian A = SJ of a model in a metric on a grid, in blocks of nodes."""

from functools import cached_property

import numpy as np

from funcgrad.gradients.solvers.matrix import row_blocks
from funcgrad.spaces.function import Function

# A Jacobian of up to this many numbers (1 GiB) is evaluated once and kept; a larger one is evaluated
# again, block by block, whenever a solver passes over it.
LARGEST_HELD = 2**27


class WhitenedJacobian:
    """A = SJ, (M, p) with AᵀA = G: the tangent functions in coordinates where the metric is Euclidean.

    For a model with m outputs the rows of all components are stacked. Where S is diagonal, A is made
    block by block from the Jacobian, which is not held if it is large.

    Parameters
    ----------
    model : Model
    theta : array_like, (p,)
    metric : Metric or MetricField
        One that depends on the base point is taken at f_θ.
    grid : Grid
    held : bool, optional
        Whether to keep what is evaluated; by size if not given. Without a diagonal S, "qr" needs it kept.
    """

    def __init__(self, model, theta, metric, grid, held=None):
        self.model, self.theta, self.grid, self._metric = model, theta, grid, metric
        self.n_parameters = model.n_parameters
        entries = len(grid) * model.n_outputs * self.n_parameters
        self.held = entries <= LARGEST_HELD if held is None else held
        self._node_blocks = row_blocks(len(grid), model.n_outputs * self.n_parameters)

    @cached_property
    def metric(self):
        """The metric, at f_θ if it depends on the base point."""
        if not hasattr(self._metric, "at"):
            return self._metric
        return self._metric.at(Function(self.grid, self.values()))

    @cached_property
    def root(self):
        """S."""
        return self.metric.square_root(self.grid)

    # --- the model -----------------------------------------------------------------------------------

    def values(self):
        """Return f_θ at the nodes, (N,) or (N, m)."""
        nodes = self.grid.nodes
        return np.concatenate([self.model(self.theta, nodes[block]) for block in self._node_blocks])

    def _jacobian(self, nodes):
        """Return J at a slice of the nodes, (b, p) or (b, m, p)."""
        if self.held:
            return self._held_jacobian[nodes]
        return self.model.jacobian(self.theta, self.grid.nodes[nodes])

    @cached_property
    def _held_jacobian(self):
        return self._evaluated_jacobian()

    def _evaluated_jacobian(self):
        # Made by blocks, so that no temporary of a model is as large as the Jacobian.
        outputs = () if self.model.n_outputs == 1 else (self.model.n_outputs,)
        jacobian = np.empty((len(self.grid), *outputs, self.n_parameters), order="F")
        for block in self._node_blocks:
            jacobian[block] = self.model.jacobian(self.theta, self.grid.nodes[block])
        return jacobian

    def pushforward(self, eta):
        """Return dφ(η) = Jη at the nodes, (N,) or (N, m)."""
        if not self.held and hasattr(self.model, "pushforward"):
            return self.model.pushforward(self.theta, self.grid.nodes, eta)
        return np.concatenate([self._jacobian(block) @ eta for block in self._node_blocks])

    def pullback(self, r):
        """Return Jᵀr, (p,), for r at the nodes, (N,) or (N, m)."""
        if not self.held and hasattr(self.model, "pullback"):
            return self.model.pullback(self.theta, self.grid.nodes, r)
        total = np.zeros(self.n_parameters)
        for block in self._node_blocks:
            jacobian = self._jacobian(block)
            total += jacobian.reshape(-1, self.n_parameters).T @ r[block].reshape(-1)
        return total

    # --- a matrix, as the solvers take it (`solvers.matrix`) -----------------------------------------

    @cached_property
    def shape(self):
        """(M, p)."""
        if self.root.is_diagonal:
            return len(self.grid) * self.model.n_outputs, self.n_parameters
        return self._dense.shape

    @property
    def blocks(self):
        """Slices of rows that cover A."""
        if self.root.is_diagonal:
            m = self.model.n_outputs
            return [slice(m * block.start, m * block.stop) for block in self._node_blocks]
        return row_blocks(*self.shape)

    def block(self, rows):
        """Return a block of rows of A, (b, p)."""
        if not self.root.is_diagonal:
            return self._dense[rows]
        m = self.model.n_outputs
        nodes = slice(rows.start // m, rows.stop // m)
        return self.root.part(nodes).apply(self._jacobian(nodes)).reshape(-1, self.n_parameters)

    @cached_property
    def _dense(self):
        """A as an array, whitened a few columns at a time and in the Jacobian's own memory if S is square."""
        jacobian = self._evaluated_jacobian()
        step = max(1, self.n_parameters // 16)
        columns = [slice(start, start + step) for start in range(0, self.n_parameters, step)]
        whitened = None
        for chosen in columns:
            part = self.root.apply(jacobian[..., chosen])
            if whitened is None:
                square = part.shape[:-1] == jacobian.shape[:-1]
                shape = (*part.shape[:-1], self.n_parameters)
                whitened = jacobian if square else np.empty(shape, order="F")
            whitened[..., chosen] = part
        return whitened.reshape(-1, self.n_parameters)

    def matvec(self, x):
        """Return A x, (M,)."""
        return self.root.apply(self.pushforward(x)).reshape(-1)

    def rmatvec(self, y):
        """Return Aᵀ y, (p,)."""
        return self.pullback(self.root.apply_transpose(y.reshape(self._image_shape)))

    @cached_property
    def _image_shape(self):
        """The shape of Su, (M,) or (M, m)."""
        if self.root.is_diagonal:
            return (-1,) if self.model.n_outputs == 1 else (-1, self.model.n_outputs)
        return self.root.apply(self.pushforward(np.zeros(self.n_parameters))).shape

    def toarray(self):
        """Return A, (M, p)."""
        if not self.root.is_diagonal:
            return self._dense
        return np.concatenate([self.block(rows) for rows in self.blocks])
