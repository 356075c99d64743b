"""Formulas in x, u and the partial derivatives of u, evaluated with their derivatives in each of those."""

import itertools

import numpy as np

from funcgrad._checks import finite_array
from funcgrad.errors import InvalidInput

HIGHEST_ORDER = 2


class JetFormula:
    """A formula such as ``"u_x**2/2 + u**4/4 - x*u"``, a function of x and of the jet of u at x.

    The derivatives of an unknown ``u`` in the variables ``x y`` are written ``u_x``, ``u_xy``, ``u_yy``,
    up to the second order.

    Parameters
    ----------
    text : str
        Read by `funcgrad.expression.parse_expression`: nothing in it is run.
    variables, unknowns : str or sequence of str
        Names, as in ``"x y"``; the variables in the order of the coordinates, the unknowns in that of
        the components.

    Attributes
    ----------
    slots : list of (int, tuple)
        The component and the multi-index of each entry of the jet that occurs.
    """

    def __init__(self, text, variables, unknowns):
        from funcgrad.expression import check_symbol_name, parse_expression

        self.text = text
        self.variables, self.unknowns = _names(variables, "variables"), _names(unknowns, "unknowns")
        entries = _jet_names(self.variables, self.unknowns)
        names = [*self.variables, *entries]
        if len(set(names)) != len(self.variables) + len(entries):
            raise InvalidInput("`variables` and `unknowns` must be different names, no one a derivative.")
        for name in names:
            check_symbol_name(name)
        self.expression = parse_expression(text, names)
        symbols = {symbol.name: symbol for symbol in self.expression.free_symbols}
        # u_xy and u_yx are one entry: the first name stands for both.
        canonical = {}
        for name, entry in entries.items():
            canonical.setdefault(entry, name)
        self.expression = self.expression.subs(
            {s: type(s)(canonical[entries[n]], real=True) for n, s in symbols.items() if n in entries}
        )
        present = {symbol.name for symbol in self.expression.free_symbols}
        self.slots = [entry for entry, name in canonical.items() if name in present]
        self._slot_symbols = [_symbol(canonical[entry]) for entry in self.slots]
        self._functions = {}

    @property
    def dimension(self):
        """The number of variables."""
        return len(self.variables)

    def partial(self, *slots):
        """Return the derivative of the formula in some of its slots, a sympy expression."""
        import sympy

        symbols = [self._slot_symbols[slot] for slot in slots]
        return sympy.diff(self.expression, *symbols) if symbols else self.expression

    def evaluate(self, x, jet, *slots):
        """Return the formula, or its derivative in slots, at points x (K, n) and jets (slots, K): (K,)."""
        import sympy

        key = tuple(sorted(slots))
        if key not in self._functions:
            arguments = [*map(_symbol, self.variables), *self._slot_symbols]
            self._functions[key] = sympy.lambdify(
                arguments, self.partial(*key), ["scipy", "numpy"], cse=True, dummify=True
            )
        with np.errstate(all="ignore"):  # what is not finite is refused below
            values = self._functions[key](*x.T, *jet)
        return np.broadcast_to(finite_array(values, f"the values of `{self.text}`"), (len(x),))

    def check_components(self, values):
        """Raise `InvalidInput` unless values (N,) or (N, m) have a component for each unknown."""
        m = 1 if values.ndim == 1 else values.shape[1]
        if m != len(self.unknowns):
            raise InvalidInput(
                f"`f` must have {len(self.unknowns)} component(s), one an unknown; it has {m}."
            )

    def check_dimension(self, n, what):
        """Raise `InvalidInput` unless points have a coordinate for each variable."""
        if n != self.dimension:
            raise InvalidInput(
                f"{what} have {n} coordinate(s); `variables` must name them, got {self.variables}."
            )

    def jet(self, derivative_of):
        """Return the jet (slots, K), of `derivative_of(alpha)`: ∂^α f at the points, (K,) or (K, m)."""
        known = {alpha: derivative_of(alpha) for alpha in {alpha for _, alpha in self.slots}}
        columns = [known[a] if known[a].ndim == 1 else known[a][:, i] for i, a in self.slots]
        return np.array(columns) if columns else np.zeros((0, 0))

    def grouped(self, columns, several):
        """Return {α: (K,) or (K, m)} from one column (K,) a slot: the coefficients of ∂^α v.

        `several` says whether functions have an axis for their components.
        """
        result = {}
        for (component, alpha), column in zip(self.slots, columns, strict=True):
            if not several:
                result[alpha] = column
            else:
                blank = np.zeros((len(column), len(self.unknowns)))
                result.setdefault(alpha, blank)[:, component] = column
        return result

    def euler_lagrange_latex(self):
        """Return Σ_α (-1)^|α| D^α ∂L/∂u_α = 0 for each unknown, as LaTeX, one line each."""
        import sympy

        variables = [_symbol(name) for name in self.variables]
        functions = [sympy.Function(name, real=True)(*variables) for name in self.unknowns]

        def total(expression, alpha):
            axes = [v for v, order in zip(variables, alpha, strict=True) for _ in range(order)]
            return sympy.diff(expression, *axes) if axes else expression

        jet = {s: total(functions[i], a) for s, (i, a) in zip(self._slot_symbols, self.slots, strict=True)}
        lines = []
        for component in range(len(self.unknowns)):
            left = sympy.Integer(0)
            for slot, (i, alpha) in enumerate(self.slots):
                if i == component:
                    left += (-1) ** sum(alpha) * total(self.partial(slot).subs(jet), alpha)
            lines.append(sympy.latex(sympy.expand(left.doit())) + " = 0")
        return " \\\\ ".join(lines)


def _names(names, argument):
    names = tuple(names.replace(",", " ").split()) if isinstance(names, str) else tuple(names)
    if not names:
        raise InvalidInput(f"`{argument}` must hold at least one name.")
    return names


def _symbol(name):
    import sympy

    return sympy.Symbol(name, real=True)


def _jet_names(variables, unknowns):
    """Return {name: (component, multi-index)} of the unknowns and all their derivatives."""
    result = {}
    for component, unknown in enumerate(unknowns):
        for order in range(HIGHEST_ORDER + 1):
            for axes in itertools.product(range(len(variables)), repeat=order):
                name = unknown + ("_" if order else "") + "".join(variables[axis] for axis in axes)
                result[name] = component, tuple(axes.count(i) for i in range(len(variables)))
    return result
