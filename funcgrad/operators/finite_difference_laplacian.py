"""The second-order finite-difference Laplacian of uniform tensor grids, diagonalised by fast transforms."""

import numpy as np
import scipy.fft
import scipy.sparse

from funcgrad._checks import finite_array, one_of, whole_number
from funcgrad.errors import InvalidInput
from funcgrad.operators.eigenbasis import Eigenbasis

BOUNDARIES = ("periodic", "neumann", "dirichlet")


class FiniteDifferenceLaplacian(Eigenbasis):
    """A = -Δ_h, the three-point second difference along each axis, on N_1 x ... x N_n nodes.

    The boundary condition of an axis of length L says where its N nodes lie and which transform
    diagonalises it exactly, the eigenvalues being (2/h sin(φ_k/2))²:

    =========== ============================== ========== ================ =========================
    boundary    nodes                          h          outside values   transform, φ_k
    =========== ============================== ========== ================ =========================
    "periodic"  a + jh, j = 0, ..., N-1        L/N        u_N = u_0        FFT, 2πk/N
    "neumann"   a + (j+½)h, j = 0, ..., N-1    L/N        u_{-1} = u_0     DCT-II, πk/N, k >= 0
    "dirichlet" a + jh, j = 1, ..., N          L/(N+1)    u_0 = 0          DST-I, πk/(N+1), k >= 1
    =========== ============================== ========== ================ =========================

    So all nodes have the same weight h_1 ... h_n, and A is symmetric. It is minus
    `scipy.sparse.linalg.LaplacianNd` of the same boundary conditions, over h². Its eigenvalues are those of
    -Δ up to a relative error φ_k²/12, second order in h.

    Transforms are scipy.fft's: its `set_backend` and `set_workers` are honoured.

    Parameters
    ----------
    shape : int or sequence of int
        Nodes along each of one to three axes, at least 2.
    spacing : float or sequence of float
        h along each axis, or one for all of them.
    boundary : str or sequence of str
        Along each axis, or one for all of them.

    Examples
    --------
    The solution of u - Δu = 1 on the unit square that vanishes at its edge:

    >>> import numpy as np
    >>> from funcgrad.operators import FiniteDifferenceLaplacian, sobolev_power
    >>> laplacian = FiniteDifferenceLaplacian((63, 63), 1 / 64, "dirichlet")
    >>> u = sobolev_power(laplacian, 1.0).inverse.apply(np.ones((63, 63)))
    >>> round(float(u[31, 31]), 4)
    0.0698
    """

    def __init__(self, shape, spacing, boundary):
        self.shape = tuple(
            whole_number(n, "shape", least=2) for n in ([shape] if np.ndim(shape) == 0 else shape)
        )
        n = len(self.shape)
        if not 1 <= n <= 3:
            raise InvalidInput(f"`shape` must have 1 to 3 axes; got {n}.")
        boundary = (boundary,) * n if isinstance(boundary, str) else tuple(boundary)
        self.boundary = tuple(one_of(b, BOUNDARIES, "boundary") for b in boundary)
        spacing = finite_array(spacing, "spacing")
        if len(self.boundary) != n or spacing.shape not in ((), (n,)):
            raise InvalidInput(
                f"`spacing` and `boundary` must be given once, or for each of the {n} axes of `shape`; got "
                f"spacing of shape {spacing.shape} and {len(self.boundary)} boundary condition(s)."
            )
        if not (spacing > 0).all():
            raise InvalidInput(f"`spacing` must be positive; got {spacing.tolist()}.")
        self.spacing = tuple(np.broadcast_to(spacing, n).tolist())
        axes = range(n)
        self._periodic = [i for i in axes if self.boundary[i] == "periodic"]
        self._cosine = [i for i in axes if self.boundary[i] == "neumann"]
        self._sine = [i for i in axes if self.boundary[i] == "dirichlet"]
        self.eigenvalues = sum(np.ix_(*(self._eigenvalues(i) for i in axes)))

    def _eigenvalues(self, i):
        n, h, boundary = self.shape[i], self.spacing[i], self.boundary[i]
        if boundary == "periodic":
            halved = self._periodic[-1] == i  # by the real transform
            angle = 2 * np.pi / n * (np.arange(n // 2 + 1) if halved else np.arange(n))
        elif boundary == "neumann":
            angle = np.pi / n * np.arange(n)
        else:
            angle = np.pi / (n + 1) * np.arange(1, n + 1)
        return (2 / h * np.sin(angle / 2)) ** 2

    def forward(self, values):
        """See `Eigenbasis.forward`; orthonormal transforms."""
        array = np.asarray(values, dtype=float)
        if self._cosine:
            array = scipy.fft.dctn(array, type=2, axes=self._cosine, norm="ortho")
        if self._sine:
            array = scipy.fft.dstn(array, type=1, axes=self._sine, norm="ortho")
        if self._periodic:
            array = scipy.fft.rfftn(array, axes=self._periodic)
        return array

    def backward(self, coefficients):
        """See `Eigenbasis.backward`."""
        array = coefficients
        if self._periodic:
            sizes = [self.shape[i] for i in self._periodic]
            array = scipy.fft.irfftn(array, s=sizes, axes=self._periodic)
        if self._sine:
            array = scipy.fft.dstn(array, type=1, axes=self._sine, norm="ortho")
        if self._cosine:
            array = scipy.fft.idctn(array, type=2, axes=self._cosine, norm="ortho")
        return array

    def matrix(self):
        """Return A as a sparse matrix (N, N) on the values in C order."""
        total = scipy.sparse.csr_array((1, 1))
        for n, h, boundary in zip(self.shape, self.spacing, self.boundary, strict=True):
            total = scipy.sparse.kronsum(_second_difference(n, boundary) / h**2, total, format="csr")
        return total


def _second_difference(n, boundary):
    """Return the tridiagonal -1, 2, -1 with the corner entries of the boundary condition."""
    matrix = scipy.sparse.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(n, n), format="lil")
    if boundary == "neumann":
        matrix[0, 0] = matrix[-1, -1] = 1.0
    elif boundary == "periodic":
        matrix[0, -1] -= 1.0
        matrix[-1, 0] -= 1.0
    return matrix.tocsr()
