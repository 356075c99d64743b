"""The whitened Jacobian A = SJ of a model in a metric on a grid, in blocks of nodes."""

from functools import cached_property

import numpy as np

from funcgrad.errors import FuncgradError
from funcgrad.gradients.solvers.matrix import row_blocks
from funcgrad.gradients.solvers.solution import ULP
from funcgrad.operators.jets import require_vanishing
from funcgrad.spaces.function import ExactFunction, Function

# A Jacobian of up to this many numbers (1 GiB) is evaluated once and kept; a larger one is evaluated
# again, block by block, whenever a solver passes over it.
LARGEST_HELD = 2**27
# Samples of rounding that are whitened, and the multiple of their size up to which singular values are cut
# off: rounding adds up in functions of many operations and in transforms.
_NOISE_SAMPLES, _NOISE_FACTOR = 4, 8.0
# Blocks for which a model is asked at once: a model's compiled loops are not worth their start for one.
_BLOCKS_AT_ONCE = 4


class WhitenedJacobian:
    """A = SJ, (M, p) with AᵀA = G: the tangent functions in coordinates where the metric is Euclidean.

    For a model with m outputs the rows of all components are stacked. Where S is diagonal, or takes
    derivatives at points, A is made block by block from the Jacobian and its exact spatial derivatives,
    and is not held if it is large.

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

    # --- the model -----------------------------------------------------------------------------------

    @cached_property
    def f(self):
        """f_θ on the grid, with the model's own derivatives."""
        return ExactFunction(self.grid, _value_of(self.model, self.theta))

    def tangent(self, eta):
        """Return dφ(η) on the grid, with the model's own derivatives."""
        if not hasattr(self.model, "pushforward"):
            return Function(self.grid, self.pushforward(eta))
        return ExactFunction(self.grid, _pushforward_of(self.model, self.theta, eta))

    @cached_property
    def metric(self):
        """The metric, at f_θ if it depends on the base point."""
        return self._metric.at(self.f) if hasattr(self._metric, "at") else self._metric

    @cached_property
    def root(self):
        """S."""
        return self.metric.square_root(self.grid)

    def _jacobian(self, nodes):
        """Return J at a slice of the nodes, (b, p) or (b, m, p)."""
        if self.held:
            return self._held_jacobian[nodes]
        return self.model.jacobian(self.theta, self.grid.nodes[nodes])

    @cached_property
    def _held_jacobian(self):
        return self._evaluated_jacobian()

    @cached_property
    def _held_blocks(self):
        """The blocks of A for a diagonal S, contiguous along columns: BLAS takes them without a copy."""
        # One piece of memory, cut up: the system hands it out in large pages.
        memory, result = np.empty(self.shape[0] * self.n_parameters), []
        for first in range(0, len(self._node_blocks), _BLOCKS_AT_ONCE):
            chosen = self._node_blocks[first : first + _BLOCKS_AT_ONCE]
            start, stop = chosen[0].start, chosen[-1].stop
            jacobian = self.model.jacobian(self.theta, self.grid.nodes[start:stop])
            for nodes in chosen:
                part = jacobian[nodes.start - start : nodes.stop - start]
                rows = (nodes.stop - nodes.start) * self.model.n_outputs
                block = memory[: rows * self.n_parameters].reshape((rows, self.n_parameters), order="F")
                memory = memory[rows * self.n_parameters :]
                block[...] = self.root.part(nodes).apply(part).reshape(-1, self.n_parameters)
                result.append(block)
        return result

    def _evaluated_jacobian(self):
        # Made by blocks, so that no temporary of a model is as large as the Jacobian.
        outputs = () if self.model.n_outputs == 1 else (self.model.n_outputs,)
        jacobian = np.empty((len(self.grid), *outputs, self.n_parameters), order="F")
        for block in self._node_blocks:
            jacobian[block] = self.model.jacobian(self.theta, self.grid.nodes[block])
        return jacobian

    def pushforward(self, eta):
        """Return dφ(η) = Jη at the nodes, (N,) or (N, m)."""
        if (not self.held or self.jets) and hasattr(self.model, "pushforward"):
            return self.model.pushforward(self.theta, self.grid.nodes, eta)
        if self.held and self.root.is_diagonal:
            return self._unwhitened(np.concatenate([block @ eta for block in self._held_blocks]))
        return np.concatenate([self._jacobian(block) @ eta for block in self._node_blocks])

    def _unwhitened(self, rows):
        """S⁻¹ of M rows for a diagonal S, (N,) or (N, m)."""
        m = self.model.n_outputs
        return self.root.solve(rows if m == 1 else rows.reshape(-1, m))

    def pullback(self, r):
        """Return Jᵀr, (p,), for r at the nodes, (N,) or (N, m)."""
        if not self.held and hasattr(self.model, "pullback"):
            return self.model.pullback(self.theta, self.grid.nodes, r)
        if self.held and self.root.is_diagonal:
            return self.rmatvec(self._unwhitened(r.reshape(-1)).reshape(-1))
        total = np.zeros(self.n_parameters)
        for block in self._node_blocks:
            jacobian = self._jacobian(block)
            total += jacobian.reshape(-1, self.n_parameters).T @ r[block].reshape(-1)
        return total

    def pairing(self, c):
        """Return c(φ_i), (p,), of the tangent functions themselves: evaluated and differentiated exactly."""
        total = np.zeros(self.n_parameters)
        for term in c.terms:
            for points, alpha, weights in term.evaluations():
                total += self.model.pullback(self.theta, points, weights, alpha)
        return total

    # --- a matrix, as the solvers take it (`solvers.matrix`) -----------------------------------------

    @cached_property
    def shape(self):
        """(M, p)."""
        if self.root.is_diagonal:
            return len(self.grid) * self.model.n_outputs, self.n_parameters
        if self.jets:
            return sum(self._row_counts), self.n_parameters
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
        if self.jets and not self.held:
            return self._jet_rows(rows)
        if not self.root.is_diagonal:
            return self._dense[rows]
        if self.held:
            return self._held_blocks[rows.start // (self.blocks[0].stop)]
        m = self.model.n_outputs
        nodes = slice(rows.start // m, rows.stop // m)
        return self.root.part(nodes).apply(self._jacobian(nodes)).reshape(-1, self.n_parameters)

    @cached_property
    def _dense(self):
        """A as an array, whitened a few columns at a time and in the Jacobian's own memory if S is square."""
        if self.jets:
            whitened = np.empty(self.shape, order="F")
            for rows in self.blocks:
                whitened[rows] = self._jet_rows(rows)
            return whitened
        jacobian = self._evaluated_jacobian()
        noise = self._whitened_noise(jacobian)
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
        whitened = whitened.reshape(-1, self.n_parameters)
        # Sums of squares without an array of them.
        largest = np.sqrt(np.einsum("ki,ki->i", whitened, whitened).max(initial=0.0))
        self._rounding = noise / largest if largest else 0.0
        return whitened

    def _whitened_noise(self, jacobian):
        """Return |SE|_F for an E of an ulp of each entry of J, and of its column's root mean square.

        S weights high frequencies, in which J may have next to nothing and its rounding, and that of the
        transforms and differences in S, has all there is. The squares of the columns add up, so a
        single column of all their sizes, its signs drawn at random, tells their sum.
        """
        squares = np.einsum("...i,...i->...", jacobian, jacobian)
        sizes = np.sqrt(squares + squares.mean(axis=0))
        signs = np.random.default_rng(0).choice([-1.0, 1.0], (*sizes.shape, _NOISE_SAMPLES))
        columns = ULP * signs * sizes[..., None]
        if self.root.constraints is not None:
            rows = self.root.constraints
            columns = columns - np.tensordot(np.linalg.pinv(rows), np.tensordot(rows, columns, 1), 1)
        try:
            return float(np.linalg.norm(self.root.apply(columns)) / np.sqrt(_NOISE_SAMPLES))
        except FuncgradError:  # S takes none but the functions of a small space, and no noise
            return 0.0

    def cutoff(self):
        """Return the `rcond` below which singular values of A are rounding; None for that of a matrix."""
        if self.root.is_diagonal or self.jets or not self.held:
            return None
        self._dense  # noqa: B018 - the rounding is known with it
        return max(max(self.shape) * ULP, _NOISE_FACTOR * self._rounding)

    @property
    def jets(self):
        """The rows of S, if it takes derivatives at points that the model knows, else None."""
        jets = self.root.jets
        known = jets and all(_knows(self.model, alpha) for jet in jets for _, alpha in jet.slots)
        return jets if known else None

    # --- S that takes derivatives at points ----------------------------------------------------------

    @cached_property
    def _row_counts(self):
        """How many rows of A each of the root's jets gives."""
        return [len(jet) * (self._copies(jet)) for jet in self.jets]

    def _copies(self, jet):
        """How many rows a row of S stands for: the number of outputs, unless S names components."""
        return self.model.n_outputs if jet.slots[0][0] is None else 1

    def _jet_rows(self, rows):
        """A block of rows, cut out of those of the points that they belong to."""
        self._vanishes_on_boundary  # noqa: B018 - raises where the tangent functions do not
        blocks, first = [], 0
        for jet, count in zip(self.jets, self._row_counts, strict=True):
            low, high = max(rows.start - first, 0), min(rows.stop - first, count)
            each = jet.factors.shape[1] * self._copies(jet)  # rows for a point
            first += count
            if low < high:
                points = slice(low // each, -(-high // each))
                block = jet.part(points).apply(
                    lambda x, alpha: self.model.jacobian_derivative(self.theta, x, alpha)
                )
                blocks.append(block.reshape(-1, self.n_parameters)[low - each * points.start :][: high - low])
        return np.concatenate(blocks)

    @cached_property
    def _vanishes_on_boundary(self):
        """True; raises `DomainMismatch` if a tangent function is not zero where the space's functions are."""
        if self.root.boundary_points is not None:
            at_boundary = self.model.jacobian(self.theta, self.root.boundary_points)
            inside = self.model.jacobian(self.theta, self.grid.nodes[:: max(1, len(self.grid) // 64)])
            require_vanishing(at_boundary, inside, self.grid.domain)
        return True

    def _jet_products(self, x):
        """A x from the derivatives of dφ(x)."""

        def derivative(points, alpha):
            return self.model.pushforward(self.theta, points, x, alpha)

        return np.concatenate([jet.apply(derivative).reshape(-1) for jet in self.jets])

    def _jet_transposed(self, y):
        """Aᵀ y by pullbacks of the derivatives."""
        total, first = np.zeros(self.n_parameters), 0
        for jet, count in zip(self.jets, self._row_counts, strict=True):
            part = y[first : first + count].reshape(len(jet), -1)
            first += count
            for alpha, component, weights in jet.pull(part):
                if component is not None:
                    weights = weights * np.eye(self.model.n_outputs)[component]
                elif self.model.n_outputs == 1:
                    weights = weights[:, 0]
                total += self.model.pullback(self.theta, jet.points, weights, alpha)
        return total

    def matvec(self, x):
        """Return A x, (M,)."""
        if self.jets:
            return self._jet_products(x)
        if self.held and self.root.is_diagonal:
            return np.concatenate([block @ x for block in self._held_blocks])
        return self.root.apply(self.pushforward(x)).reshape(-1)

    def rmatvec(self, y):
        """Return Aᵀ y, (p,)."""
        if self.jets:
            return self._jet_transposed(y)
        if self.held and self.root.is_diagonal:
            return sum(block.T @ y[rows] for rows, block in zip(self.blocks, self._held_blocks, strict=True))
        return self.pullback(self.root.apply_transpose(y.reshape(self._image_shape)))

    @cached_property
    def _image_shape(self):
        """The shape of Su, (M,) or (M, m)."""
        if self.root.is_diagonal:
            return (-1,) if self.model.n_outputs == 1 else (-1, self.model.n_outputs)
        return self.root.apply(self.pushforward(np.zeros(self.n_parameters))).shape

    def toarray(self):
        """Return A, (M, p)."""
        if not self.root.is_diagonal and (self.held or not self.jets):
            return self._dense
        return np.concatenate([self.block(rows) for rows in self.blocks])


# These hold the model and θ, and not the Jacobian, which would then outlive its use.


def _knows(model, alpha):
    return not any(alpha) or (hasattr(model, "knows") and model.knows(alpha))


def _value_of(model, theta):
    """Return (x, α) ↦ ∂^α f_θ(x), None where the model does not know it."""

    def derivative(x, alpha):
        if not _knows(model, alpha):
            return None
        if any(alpha):
            return _by_blocks(model, lambda points: model.derivative(theta, points, alpha), x)
        return _by_blocks(model, lambda points: model(theta, points), x)

    return derivative


def _pushforward_of(model, theta, eta):
    """Return (x, α) ↦ ∂^α dφ(η)(x), None where the model does not know it."""

    def derivative(x, alpha):
        if not _knows(model, alpha):
            return None
        return _by_blocks(model, lambda points: model.pushforward(theta, points, eta, alpha), x)

    return derivative


def _by_blocks(model, of_points, x):
    blocks = row_blocks(len(x), model.n_outputs * model.n_parameters)
    return np.concatenate([of_points(x[block]) for block in blocks])
