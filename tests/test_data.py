from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from funcgrad.data import read_observations, read_table
from funcgrad.errors import InvalidInput
from funcgrad.models import Symbolic

MISRA1A = Path(__file__).parent.parent / "examples" / "misra1a.csv"


def written(tmp_path, content):
    path = tmp_path / "data.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        "x,y\n1,2\n3,4.5\n",
        "# source\nx , y # header\n\n1,2\n# more\n 3, 4.5\n",
        "x;y\r\n1;2\r\n3;4.5\r\n",
        "x y\n1   2\n\t3\t4.5",
        "\ufeff\"x\",'y'\n1,2\n3,45e-1",
        "x,y\r1,2\r3,4.5\r",
    ],
)
def test_one_table_in_many_spellings(tmp_path, content):
    names, columns = read_table(written(tmp_path, content))
    assert names == ("x", "y")
    assert columns.tolist() == [[1.0, 2.0], [3.0, 4.5]]


def test_a_header_is_optional(tmp_path):
    names, columns = read_table(written(tmp_path, "1 -2e3\n"))
    assert names is None
    assert columns.tolist() == [[1.0, -2000.0]]


@given(
    arrays(
        float,
        st.tuples(st.integers(1, 5), st.integers(1, 4)),
        elements=st.floats(allow_nan=False, allow_infinity=False),
    ),
    st.sampled_from([",", ";", " ", "\t", ", "]),
)
# One folder for all examples is meant: each writes its file anew.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_is_written_is_read_bit_for_bit(tmp_path, table, separator):
    content = "\n".join(separator.join(map(repr, row)) for row in table.tolist())
    assert (read_table(written(tmp_path, content))[1] == table).all()


BAD_TABLES = [
    ("", "is empty"),
    ("\n  \n# only a comment\n", "is empty"),
    ("x,y\n", "has a header x, y but no rows"),
    ("x,y\n1,2\n3,four\n", "line 3, has the text 'four' where a number belongs"),
    ("1,2\n# note\n3,1_000\n", "line 3, has the text '1_000'"),
    ("x,1\n2,3\n", "line 1, has the text 'x'"),
    ("x,y\n1,2\n3,\n", "line 3, has nothing where a number belongs"),
    ("x,y\n1,nan\n", "line 2, has 'nan'; every number must be finite"),
    ("x,y\n\n-Infinity,1\n", "line 3, has '-Infinity'"),
    ("x,y\n1e999,1\n", "line 2, has '1e999'"),
    ("x,y\n1,2\n3\n", "line 3, must have 2 fields like the first row; it has 1"),
    ("1 2\n3 4 5\n", "line 2, must have 2 fields like the first row; it has 3"),
    ("x,x\n1,2\n", "line 1: the header must be distinct names"),
    ("x,\n1,2\n", "line 1, has the text 'x'"),
    (b"x,y\n1,2\n\xff\xfe,3\n", "line 3, is not UTF-8 text"),
    (b"\x00\x01\x02", r"line 1, has the text '\x00\x01\x02'"),
    ("1,5;2,0\n", "line 1, has the text '1,5'"),
    ("x,y\n1," + "z" * 1000, "where a number belongs"),
]


@pytest.mark.parametrize(("content", "message"), BAD_TABLES)
def test_a_bad_table_is_refused_in_one_line_that_names_the_place(tmp_path, content, message):
    with pytest.raises(InvalidInput) as caught:
        read_table(written(tmp_path, content))
    assert message in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_path_that_is_no_file_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match=r"nothing.csv' does not exist"):
        read_table(tmp_path / "nothing.csv")
    with pytest.raises(InvalidInput, match="is a directory"):
        read_table(tmp_path)
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_table("a\x00b")
    with pytest.raises(InvalidInput, match="must be the path of a file; got int"):
        read_table(0)


def test_observations_by_name_and_by_position(tmp_path):
    x, y = read_observations(written(tmp_path, "y,note,v,u\n1,9,2,3\n4,9,5,6\n"), inputs=("u", "v"))
    assert x.tolist() == [[3.0, 2.0], [6.0, 5.0]]
    assert y.tolist() == [1.0, 4.0]
    for content in ("3,2,1\n6,5,4\n", "a,b,c\n3,2,1\n6,5,4\n", "u,b,y\n3,2,1\n6,5,4\n"):
        by_position = read_observations(written(tmp_path, content), inputs=("u", "v"))
        assert (by_position[0] == x).all()
        assert (by_position[1] == y).all()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1\n2\n", "must have the columns x, y; it has 1 columns"),
        ("1,2,3\n", "must have the columns x, y; it has 3 columns"),
        ("a,b,c\n1,2,3\n", "it has columns a, b, c"),
        # By position the response would be read as the input.
        ("y,pressure\n1,2\n", "its header is y, pressure"),
    ],
)
def test_columns_that_cannot_be_told_are_refused(tmp_path, content, message):
    with pytest.raises(InvalidInput, match=message):
        read_observations(written(tmp_path, content), inputs=("x",))


def test_misra1a_reproduces_the_certified_values():
    # NIST StRD certifies the estimates to 11 digits. Rounded so, they move the residual sum of squares
    # in second order only, and the standard deviations s² (JᵀJ)⁻¹ by their own relative rounding.
    x, y = read_observations(MISRA1A, inputs=("x",))
    model = Symbolic("b1*(1 - exp(-b2*x))", parameters="b1 b2")
    theta = np.array([2.3894212918e02, 5.5015643181e-04])
    residual = model(theta, x) - y
    jacobian = model.jacobian(theta, x)
    np.testing.assert_allclose(residual @ residual, 1.2455138894e-01, rtol=1e-10)
    inverse = np.linalg.inv(np.linalg.qr(jacobian, mode="r"))
    deviations = np.sqrt(residual @ residual / 12) * np.linalg.norm(inverse, axis=1)
    np.testing.assert_allclose(deviations, [2.7070075241, 7.2668688436e-06], rtol=1e-9)
    slope = (jacobian.T @ residual) / (np.linalg.norm(jacobian, axis=0) * np.linalg.norm(residual))
    assert np.abs(slope).max() < 1e-6
