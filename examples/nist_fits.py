"""Fit the NIST reference problems by natural gradient descent, beside scipy.optimize.least_squares.

In L2 with the measure of the data's points the natural gradient is the Gauss-Newton direction. Every
problem is started at both of its certified starting points, with the same settings for all.

    python examples/nist_fits.py
"""

import re
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import funcgrad as fg

FOLDER = Path(__file__).parent / "nist_strd"
MAX_EVALUATIONS = 5000


@dataclass(frozen=True)
class Problem:
    """A problem: model, data, starting points and the certified solution.

    Attributes
    ----------
    name : str
    model : Model
    x : ndarray, (N, n)
    y : ndarray, (N,)
        Transformed as the model's left side says (``log[y]``).
    starts : tuple of two ndarray, (p,)
    certified : ndarray, (p,)
    residual_sum_of_squares : float
        Certified.
    """

    name: str
    model: object
    x: np.ndarray
    y: np.ndarray
    starts: tuple
    certified: np.ndarray
    residual_sum_of_squares: float


def problem_names(folder=FOLDER):
    return sorted(path.stem for path in Path(folder).glob("*.dat"))


def read_problem(name, folder=FOLDER):
    """Read a file of the format of the NIST StRD for nonlinear regression."""
    lines = (Path(folder) / f"{name}.dat").read_text().splitlines()
    parameters, first, second, certified = _parameter_table(lines)
    left, formula = _formula(lines)
    columns = re.sub(r"^Data: *", "", _last(lines, "Data:")).split()
    rows = np.array([line.split() for line in _after_last(lines, "Data:") if line.strip()], dtype=float)
    y = rows[:, columns.index("y")]
    if left == "log(y)":
        y = np.log(y)
    elif left != "y":
        raise ValueError(f"{name}: the left side {left!r} of the model is not known.")
    inputs = [column for column in columns if column != "y"]
    x = rows[:, [columns.index(column) for column in inputs]]
    total = float(_last(lines, "Residual Sum of Squares:").split(":")[1])
    model = fg.models.Symbolic(formula, inputs, parameters)
    return Problem(name, model, x, y, (first, second), certified, total)


def _parameter_table(lines):
    """Return names, both starts and certified values, from lines 'b1 = start start value deviation'."""
    rows = [re.match(r"\s*(b\d+)\s*=\s*(.*)", line) for line in lines]
    rows = [(row[1], [float(number) for number in row[2].split()]) for row in rows if row]
    numbers = np.array([values for _, values in rows])
    return [name for name, _ in rows], numbers[:, 0], numbers[:, 1], numbers[:, 2]


def _formula(lines):
    """Return the left side and the right side of the model, in Python's notation, without the error term."""
    start = next(i for i, line in enumerate(lines) if line.startswith("Model:"))
    stop = next(i for i, line in enumerate(lines) if "tarting" in line and i > start)
    text = "".join(line.strip() for line in lines[start + 3 : stop])
    left, right = text.translate(str.maketrans("[]", "()")).split("=")
    right = re.sub(r"\+\s*e$", "", right.strip())
    return left.strip(), right.strip()


def _last(lines, prefix):
    return [line for line in lines if line.startswith(prefix)][-1]


def _after_last(lines, prefix):
    return lines[max(i for i, line in enumerate(lines) if line.startswith(prefix)) + 1 :]


def fit(problem, start):
    """Return the `Descent` from a starting point: the same settings for every problem."""
    data = fg.PointSet(fg.Euclidean(problem.x.shape[1]), problem.x)
    loss = fg.EmpiricalLoss(problem.x, problem.y)
    return fg.descend(loss, problem.model, start, fg.L2(), data, tolerance=0.0)


def fit_by_scipy(problem, start):
    """Return scipy's solution with the same Jacobian, its tightest tolerances and its own scaling."""
    from scipy.optimize import least_squares

    def residuals(theta):
        return problem.model(theta, problem.x) - problem.y

    tight = 1e-15
    return least_squares(
        residuals,
        start,
        lambda theta: problem.model.jacobian(theta, problem.x),
        method="lm",
        x_scale="jac",
        ftol=tight,
        xtol=tight,
        gtol=tight,
        max_nfev=MAX_EVALUATIONS,
    )


def digits(theta, certified):
    """Return how many digits of the worst parameter agree, at most the 11 that are certified."""
    error = np.max(np.abs(theta - certified) / np.abs(certified))
    return min(11.0, -np.log10(max(error, 1e-11)))


def main():
    print(f"{'problem':10}{'start':>6}   {'descend':^34}   {'scipy least_squares (lm)':^30}")
    ours = f"{'digits':>7}{'steps':>7}{'ms':>8}  {'status':10}"
    print(f"{'':16}   {ours}   {'digits':>7}{'evaluations':>13}{'ms':>8}")
    for name in problem_names():
        problem = read_problem(name)
        for number, start in enumerate(problem.starts, 1):
            begin = time.perf_counter()
            found = fit(problem, start)
            middle = time.perf_counter()
            try:
                other = fit_by_scipy(problem, start)
                beside = f"{digits(other.x, problem.certified):7.1f}{other.nfev:13d}"
            except fg.InvalidInput:
                beside = f"{'model not finite':>20}"
            end = time.perf_counter()
            print(
                f"{name:10}{number:6d}   {digits(found.theta, problem.certified):7.1f}"
                f"{len(found.history) - 1:7d}{1e3 * (middle - begin):8.0f}  {found.status:10}   "
                f"{beside}{1e3 * (end - middle):8.0f}"
            )


if __name__ == "__main__":
    main()
