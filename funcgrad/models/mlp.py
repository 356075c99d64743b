"""Fully connected networks, with exact derivatives in parameters and coordinates up to second order.

The spatial derivatives of a layer's values (its jet) are propagated forward by the chain rule, the
derivatives in the parameters backward through the jets. Points are taken in blocks that stay in the cache.
"""

from itertools import pairwise, product
from math import prod, sqrt
from typing import NamedTuple

import numpy as np

from funcgrad._checks import one_of, whole_number
from funcgrad.errors import InvalidInput
from funcgrad.models.activations import ACTIVATIONS, activation_derivatives
from funcgrad.models.base import Model, random_generator
from funcgrad.models.chain_rule import composed, composed_tangent, partitions

# Entries of a layer's values that one block of points holds: 256 kB, so that a block's few arrays stay in
# the second-level cache.
_BLOCK_VALUES = 1 << 15
# Jacobians of fewer entries are not worth the compiled loops' start.
_FEW_ENTRIES = 1 << 20
# Activations from which numpy's tanh takes longer than those loops' start.
_MANY_ACTIVATIONS = 1 << 21


class MLP(Model):
    """A fully connected network: z_l = s_l W_l a_{l-1} + b_l, a_l = σ(z_l), linear in the last layer.

    Parameters
    ----------
    widths : sequence of int
        (n, hidden widths ..., m): the coordinates, the units of each hidden layer, the outputs.
    activation : {"tanh", "sin", "softplus", "gelu", "relu"}
        relu has one derivative (relu'(0) = 0 by convention): a second one, in x or of the Jacobian in x, is
        refused.
    parameterisation : {"standard", "ntk"}
        "standard": s_l = 1. "ntk": s_l = √(g/fan-in) with the gain g = 2 for relu after the first layer and 1
        otherwise, so that the tangent kernel of standard normal weights has a limit at infinite width.
    biases : bool
        Whether layers have the terms b_l.

    Notes
    -----
    θ holds W_1 (rows are units), b_1, W_2, b_2, ... `initial` draws every number of the "ntk" form from the
    standard normal; the "standard" form draws the same functions, with W_l of variance s_l².

    Without biases and with relu, n times the tangent kernel tends to `kernels.ReLUTangent` (A. Jacot, F.
    Gabriel, C. Hongler, *Neural tangent kernel*, 2018).

    Examples
    --------
    >>> from funcgrad.models import MLP
    >>> network = MLP((2, 8, 1))
    >>> theta = network.initial(seed=0)
    >>> network.jacobian_derivative(theta, [[0.1, 0.2], [0.3, 0.4]], (2, 0)).shape
    (2, 33)
    """

    def __init__(self, widths, activation="tanh", parameterisation="standard", biases=True):
        if np.ndim(widths) != 1 or len(widths) < 2:
            raise InvalidInput(f"`widths` must be (inputs, hidden widths ..., outputs); got {widths!r}.")
        self.widths = tuple(whole_number(width, "widths", least=1) for width in widths)
        self.activation = one_of(activation, sorted(ACTIVATIONS), "activation")
        self.parameterisation = one_of(parameterisation, ("standard", "ntk"), "parameterisation")
        self.biases = bool(biases)
        names = []
        for layer, (fan_in, fan_out) in enumerate(pairwise(self.widths), start=1):
            names += [f"W{layer}_{i}_{j}" for i in range(1, fan_out + 1) for j in range(1, fan_in + 1)]
            names += [f"b{layer}_{i}" for i in range(1, fan_out + 1)] if self.biases else []
        super().__init__(self.widths[0], names, self.widths[-1])

    def __repr__(self):
        options = (
            "" if self.parameterisation == "standard" else f", parameterisation='{self.parameterisation}'"
        )
        options += "" if self.biases else ", biases=False"
        return f"MLP({self.widths}, activation='{self.activation}'{options})"

    def initial(self, seed):
        """Draw parameters: see the notes of the class. `seed` is an int or a numpy Generator."""
        theta = random_generator(seed).standard_normal(self.n_parameters)
        if self.parameterisation == "standard":
            for (weights, _), scale in zip(self.layers(theta), self._fan_in_scales(), strict=True):
                weights *= scale
        return theta

    def layers(self, theta):
        """Return the views [(W_1, b_1), ...] of θ; b_l is None without biases."""
        views, start = [], 0
        for fan_in, fan_out in pairwise(self.widths):
            end = start + fan_in * fan_out
            weights, start = theta[start:end].reshape(fan_out, fan_in), end
            bias = None
            if self.biases:
                bias, start = theta[start : start + fan_out], start + fan_out
            views.append((weights, bias))
        return views

    def jacobian_factors(self, theta, x):
        """Return the two factors of each layer's columns of the Jacobian at the points x.

        As the layer is z = s W a + b, a row of the Jacobian is a Kronecker product in each layer:
        ∂f_k/∂[W b]_ij = adjoints_ki inputs_j, with the inputs [s a, 1] and the adjoints ∂f_k/∂z.

        Returns
        -------
        list of (ndarray (N, n_inputs + 1), ndarray (N, m, n_units)), one pair a layer
            (N, n_inputs) without biases; (N, n_units) for one output.

        Examples
        --------
        >>> import numpy as np
        >>> network = MLP((1, 3, 1))
        >>> theta, x = network.initial(seed=0), np.array([0.1, 0.2])
        >>> inputs, adjoints = network.jacobian_factors(theta, x)[-1]
        >>> rows = np.einsum("ki,kj->kij", adjoints, inputs).reshape(2, -1)
        >>> bool(np.allclose(rows, network.jacobian(theta, x)[:, -4:], rtol=1e-14))
        True
        """
        theta, x, zero = self._arguments(theta, x, (0,) * self.dimension)
        layers = self._scaled_layers(theta)
        factors = [
            (np.ones((len(x), n + self.biases)), np.empty((len(x), self.n_outputs, units)))
            for n, units in pairwise(self.widths)
        ]
        for rows, tape in self._tapes(layers, x, zero, extra=1):
            for scale, layer, (inputs, _) in zip(self._scales(), tape, factors, strict=True):
                inputs[rows, : layer.inputs[zero].shape[1]] = scale * layer.inputs[zero]
            for k in range(self.n_outputs):
                cotangent = np.zeros((len(x[rows]), self.n_outputs))
                cotangent[:, k] = 1.0
                for layer, adjoint in self._backward(layers, tape, zero, cotangent):
                    factors[layer][1][rows, k] = adjoint[zero]
        return [
            (inputs, adjoints.reshape(len(x), *self._outputs, adjoints.shape[-1]))
            for inputs, adjoints in factors
        ]

    def _fan_in_scales(self):
        gain = 2.0 if self.activation == "relu" else 1.0
        return [sqrt((gain if layer else 1.0) / n) for layer, n in enumerate(self.widths[:-1])]

    def _scales(self):
        standard = self.parameterisation == "standard"
        return [1.0] * (len(self.widths) - 1) if standard else self._fan_in_scales()

    def _tapes(self, layers, x, alpha, extra):
        """Yield (rows, tape): the forward passes of blocks of points."""
        step = max(16, _BLOCK_VALUES // max(self.widths))
        many = len(x) * sum(self.widths[1:-1]) >= _MANY_ACTIVATIONS
        for start in range(0, len(x), step):
            rows = slice(start, start + step)
            yield rows, self._forward(layers, x[rows], alpha, extra, many)

    def _scaled_layers(self, theta):
        return [
            (s * weights, bias) for s, (weights, bias) in zip(self._scales(), self.layers(theta), strict=True)
        ]

    # The four products. Each goes over blocks of points.

    def _value(self, theta, x, alpha):
        layers, value = self._scaled_layers(theta), np.empty((len(x), self.n_outputs))
        for rows, tape in self._tapes(layers, x, alpha, extra=0):
            value[rows] = tape[-1].jet[alpha]
        return value.reshape(len(x), *self._outputs)

    def _jacobian(self, theta, x, alpha):
        jacobian = np.empty((len(x), *self._outputs, self.n_parameters))
        self._fill(theta, x, alpha, jacobian)
        return jacobian

    def _checked_jacobian(self, theta, x, alpha, out):
        shape = (len(x), *self._outputs, self.n_parameters)
        contiguous = out if out is not None and out.flags.c_contiguous else np.empty(shape)
        if not self._fill(theta, x, alpha, contiguous):
            self._checked("Jacobian", contiguous, shape, theta, x, alpha)
        if out is None or out is contiguous:
            return contiguous
        out[...] = contiguous
        return out

    def _fill(self, theta, x, alpha, out):
        """Write the Jacobian to `out`, contiguous; return whether it is already known to be finite."""
        by_output = out.reshape(len(x), self.n_outputs, self.n_parameters)
        if not any(alpha) and out.size >= _FEW_ENTRIES:
            from funcgrad.models._compiled import network_jacobian

            scaled = np.concatenate(
                [part.ravel() for layer in self._scaled_layers(theta) for part in layer if part is not None]
            )
            activation, widths = sorted(ACTIVATIONS).index(self.activation), np.array(self.widths)
            scales = np.array(self._scales())
            witness = network_jacobian(x, scaled, widths, scales, self.biases, activation, by_output)
            return bool(np.isfinite(witness).all())
        layers = self._scaled_layers(theta)
        for rows, tape in self._tapes(layers, x, alpha, extra=1):
            for k in range(self.n_outputs):
                cotangent = np.zeros((len(x[rows]), self.n_outputs))
                cotangent[:, k] = 1.0
                self._write_rows(layers, tape, alpha, cotangent, by_output[rows, k])
        return False

    def _write_rows(self, layers, tape, alpha, cotangent, out):
        """Write one output's rows of the Jacobian: [Σ_β adjoint_β ⊗ inputs_β, bias], layer after layer."""
        end, scales = self.n_parameters, self._scales()
        for layer, adjoint in self._backward(layers, tape, alpha, cotangent):
            n_inputs, n_units = self.widths[layer : layer + 2]
            start = end - n_units * (n_inputs + self.biases)
            weights = sum(
                values[:, :, None] * tape[layer].inputs[beta][:, None, :] for beta, values in adjoint.items()
            )
            split = start + n_units * n_inputs
            np.multiply(scales[layer], weights.reshape(len(out), -1), out=out[:, start:split])
            out[:, split:end] = self._bias_adjoint(adjoint)
            end = start

    def _bias_adjoint(self, adjoint):
        """Return the derivatives in the biases, (points, units): no columns without biases."""
        some = next(iter(adjoint.values()))
        if not self.biases:
            return some[:, :0]
        return adjoint.get((0,) * self.dimension, np.zeros_like(some))

    def _pushforward(self, theta, x, eta, alpha):
        layers, directions = self._scaled_layers(theta), self._scaled_layers(eta)
        value = np.empty((len(x), self.n_outputs))
        for rows, tape in self._tapes(layers, x, alpha, extra=1):
            value[rows] = self._tangent(layers, directions, tape)[alpha]
        return value.reshape(len(x), *self._outputs)

    def _pullback(self, theta, x, r, alpha):
        layers, scales, covector = self._scaled_layers(theta), self._scales(), np.zeros(self.n_parameters)
        r, parts = r.reshape(len(x), self.n_outputs), self.layers(covector)
        for rows, tape in self._tapes(layers, x, alpha, extra=1):
            for layer, adjoint in self._backward(layers, tape, alpha, r[rows]):
                weights, bias = parts[layer]
                for beta, values in adjoint.items():
                    weights += scales[layer] * (values.T @ tape[layer].inputs[beta])
                if bias is not None:
                    bias += self._bias_adjoint(adjoint).sum(axis=0)
        return covector

    # Jets: mappings from β <= α to ∂^β of a layer's values, (points, units).

    def _forward(self, layers, x, alpha, extra, many):
        """Return the layers' inputs, jets of z and derivatives of σ at z up to order |α| + `extra`.

        As one pass of `many`, with compiled loops.
        """
        order, zero = sum(alpha), (0,) * self.dimension
        if order > 2:
            raise InvalidInput(f"{self!r} has spatial derivatives up to order 2; got `alpha` = {alpha}.")
        betas = list(product(*(range(k + 1) for k in alpha)))
        inputs, tape = _coordinate_jet(x, betas), []
        for weights, bias in layers:
            jet = {beta: values @ weights.T for beta, values in inputs.items()}
            if bias is not None:
                jet[zero] += bias
            sigma = []
            if len(tape) + 1 < len(layers):
                # An overflow becomes a NaN, which no activation hides.
                jet[zero] += 0.0 * jet[zero]
                sigma = activation_derivatives(self.activation, jet[zero], order + extra, many)
            tape.append(_Layer(inputs, jet, sigma))
            if sigma:
                inputs = {beta: composed(sigma.__getitem__, jet.__getitem__, beta) for beta in betas}
        return tape

    @staticmethod
    def _tangent(layers, directions, tape):
        """Return the jet of the last layer's derivative along a direction in the parameters."""
        previous = None
        for (weights, _), (change, bias_change), layer in zip(layers, directions, tape, strict=True):
            tangent = {beta: values @ change.T for beta, values in layer.inputs.items()}
            if bias_change is not None:
                tangent[next(iter(tangent))] += bias_change
            if previous is not None:
                for beta in tangent:
                    tangent[beta] += previous[beta] @ weights.T
            if layer.sigma:
                sigma, jet = layer.sigma.__getitem__, layer.jet.__getitem__
                previous = {beta: composed_tangent(sigma, jet, tangent.__getitem__, beta) for beta in tangent}
        return tangent

    @staticmethod
    def _backward(layers, tape, alpha, cotangent):
        """Yield (layer, adjoint jet of its z) from the last layer to the first; absent entries are zero."""
        adjoint = {alpha: cotangent}
        for layer in reversed(range(len(layers))):
            yield layer, adjoint
            if layer:
                values = {beta: rows @ layers[layer][0] for beta, rows in adjoint.items()}
                adjoint = _through_activation(tape[layer - 1], values)


class _Layer(NamedTuple):
    inputs: dict
    jet: dict
    sigma: list


def _coordinate_jet(x, betas):
    """Return the jet of the coordinate functions: x, unit vectors, zeros."""
    jet = {}
    for beta in betas:
        order = sum(beta)
        jet[beta] = (
            x
            if order == 0
            else np.tile(np.array(beta, float) if order == 1 else np.zeros(len(beta)), (len(x), 1))
        )
    return jet


def _through_activation(layer, values):
    """Return the adjoint jet of z from that of σ(z): the transpose of the chain rule."""
    adjoint, zero = {}, (0,) * len(next(iter(values)))

    def add(beta, term):
        if beta in adjoint:
            adjoint[beta] += term
        else:
            adjoint[beta] = term

    for beta, rows in values.items():
        for blocks, count in partitions(beta):
            jets = [layer.jet[block] for block in blocks]
            weighted = rows if count == 1 else count * rows
            add(zero, prod(jets, start=layer.sigma[len(blocks) + 1]) * weighted)
            for i, block in enumerate(blocks):
                add(block, prod(jets[:i] + jets[i + 1 :], start=layer.sigma[len(blocks)]) * weighted)
    return adjoint
