"""The user's own problem, from the words of a command line or a TOML file, as plain data and as objects."""

import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from funcgrad._checks import finite_array, finite_number, near_match
from funcgrad.data import read_observations
from funcgrad.errors import DomainMismatch, InvalidInput
from funcgrad.expression import parse_assignments, parse_expression
from funcgrad.functionals import EmpiricalLoss
from funcgrad.specifications import domain_from, loss_from, metric_from

# What a problem must have, and what it may have.
NEEDED = ("model", "parameters", "data", "domain", "metric")
KEYS = (*NEEDED, "loss")


@dataclass(frozen=True)
class ProblemText:
    """A problem as plain data, which a report can hold.

    Attributes
    ----------
    model, domain, metric, loss : str
    parameters : dict
        From names to values.
    inputs : tuple of str
        The model's variables besides its parameters, in the order of the columns of `x`.
    x : list of list of float
    y : list of float
    """

    model: str
    parameters: dict
    inputs: tuple[str, ...]
    x: list
    y: list
    domain: str
    metric: str
    loss: str = "squared"

    def as_dict(self):
        """Return the problem as plain data."""
        return {**asdict(self), "inputs": list(self.inputs)}

    def problem(self):
        """Return the `theorems.Problem`.

        Raises
        ------
        InvalidInput, DomainMismatch
            In one line that says which part of it is wrong and how.
        """
        from funcgrad.models import Symbolic
        from funcgrad.theorems import Problem

        domain, metric = domain_from(self.domain), metric_from(self.metric)
        f = Symbolic(self.model, x=list(self.inputs), parameters=list(self.parameters))
        loss = EmpiricalLoss(np.reshape(self.x, (-1, len(self.inputs))), self.y, loss_from(self.loss))
        domain.points(loss.x, "data")
        if len(loss.x) < len(self.parameters):
            raise InvalidInput(
                f"the data has {len(loss.x)} point(s) for {len(self.parameters)} parameters; a Jacobian of "
                f"full column rank needs at least {len(self.parameters)} points."
            )
        theta = np.array(list(self.parameters.values()))
        f(theta, loss.x)
        return Problem(f, theta, loss, domain, metric, label=f"{self.model} on {domain}")


def read_problem(file=None, **given):
    """Return the (ProblemText, theorems.Problem) of a TOML file and of texts, which go before the file's.

    Parameters
    ----------
    file : path, optional
        A TOML file with the keys model, parameters, data, domain, metric and, "squared" by default, loss.
        The parameters are a table of numbers or a text "a=1, b=2"; the data is the name of a file, taken
        from the TOML file's folder, or a table of columns.
    **given : str
        The same by name; those that are None are not given.

    Raises
    ------
    InvalidInput, DomainMismatch
        In one line that says which of them is wrong and how.
    """
    parts = {} if file is None else _read_toml(Path(file))
    parts.update({key: text for key, text in given.items() if text is not None})
    missing = [key for key in NEEDED if key not in parts]
    if missing:
        names = ", ".join(f"--{key}" for key in missing) if file is None else ", ".join(missing)
        raise InvalidInput(f"a problem of your own needs all of its parts; missing: {names}.")
    values = _parameters(parts["parameters"])
    names = {symbol.name for symbol in parse_expression(parts["model"], None).free_symbols}
    unused = [name for name in values if name not in names]
    if unused:
        raise InvalidInput(
            f"parameter {unused[0]!r} does not occur in the model{near_match(unused[0], sorted(names))}"
        )
    inputs = tuple(sorted(names - set(values)))
    if (count := domain_from(parts["domain"]).n_coordinates) != len(inputs):
        raise InvalidInput(
            f"the model must have {count} variable(s) besides its parameters; got "
            f"{', '.join(inputs) or 'none'}."
        )
    x, y = _observations(parts["data"], inputs)
    rest = {key: parts[key] for key in ("domain", "metric", "loss") if key in parts}
    text = ProblemText(parts["model"], values, inputs, x.tolist(), y.tolist(), **rest)
    try:
        return text, text.problem()
    except DomainMismatch as error:
        raise DomainMismatch(f"{_shown(parts['data'])}: {error}") from error


def _shown(data):
    return data if isinstance(data, (str, Path)) else "data"


def _read_toml(path):
    try:
        parts = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput(f"{path} is not TOML: {error}.") from error
    for key, value in parts.items():
        if key not in KEYS:
            raise InvalidInput(f"{path}: unknown key {key!r}{near_match(key, KEYS)}")
        form = {"parameters": "a table of numbers or a text", "data": "a table of columns or a file's name"}
        if not isinstance(value, str) and not (key in form and isinstance(value, dict)):
            raise InvalidInput(f"{path}: {key} must be {form.get(key, 'a text')}; got {value!r}.")
    if isinstance(parts.get("data"), str):
        parts["data"] = path.parent / parts["data"]
    return parts


def _parameters(parameters):
    if isinstance(parameters, str):
        return parse_assignments(parameters)
    if not parameters:
        raise InvalidInput("`parameters` is empty; a model needs at least one.")
    for name, value in parameters.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidInput(f"parameter {name!r} must be a number; got {value!r}.")
    return {name: finite_number(value, name) for name, value in parameters.items()}


def _observations(data, inputs):
    if not isinstance(data, dict):
        return read_observations(data, inputs)
    if missing := [name for name in (*inputs, "y") if name not in data]:
        raise InvalidInput(f"the data must have the columns {', '.join((*inputs, 'y'))}; without: {missing}.")
    columns = [finite_array(data[name], name, ndim=1) for name in (*inputs, "y")]
    if len({len(column) for column in columns}) > 1:
        raise InvalidInput(
            f"the columns of the data must have one length; got {[len(column) for column in columns]}."
        )
    return np.column_stack(columns[:-1]), columns[-1]
