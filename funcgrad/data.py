"""Tables of numbers in text files: comma, semicolon or blanks between fields, `#` before comments."""

import os

import numpy as np

from funcgrad.errors import InvalidInput


def read_table(path):
    """Read a text table of numbers.

    Fields are separated by semicolons, else commas, else blanks, whichever the first row has. ``#``
    starts a comment. The first row may be a header: each of its fields a name that starts with a letter.

    Parameters
    ----------
    path : str or path
        The file, UTF-8.

    Returns
    -------
    names : tuple of str or None
        The header; None if there is none.
    columns : ndarray, shape (N, k)
        The rows of numbers, N >= 1.

    Raises
    ------
    InvalidInput
        In one line that names the file and the line: a file that cannot be read or holds no numbers, a
        row with too few or too many fields, a field that is not a finite number.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "table.csv")
    >>> _ = path.write_text("x, y  # two columns" + chr(10) + "1, 2" + chr(10))
    >>> read_table(path)
    (('x', 'y'), array([[1., 2.]]))
    """
    name = _shown(path)
    rows = _split_rows(_read_text(path, name))
    if not rows:
        raise InvalidInput(f"`data`: {name} is empty: it has no rows of numbers.")
    names = None
    if all(_names_column(field) for field in rows[0][1]):
        names = _header(rows.pop(0), name)
    if not rows:
        raise InvalidInput(f"`data`: {name} has a header {', '.join(names)} but no rows of numbers.")
    width = len(names) if names else len(rows[0][1])
    return names, np.array([_numbers(fields, width, f"{name}, line {line}") for line, fields in rows])


def read_observations(path, inputs, output="y"):
    """Read observations (x_i, y_i) from a text table.

    A header that has all the names selects the columns, in any order and among others. Otherwise the
    columns are taken by position: the inputs first, the response last, and no others.

    Parameters
    ----------
    path : str or path
        The file; see `read_table`.
    inputs : sequence of str
        The names of the n coordinates.
    output : str
        The name of the response.

    Returns
    -------
    x : ndarray, shape (N, n)
    y : ndarray, shape (N,)

    Raises
    ------
    InvalidInput
        As `read_table`, and if the columns cannot be told.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "table.txt")
    >>> _ = path.write_text("time y" + chr(10) + "0 1" + chr(10) + "1 3" + chr(10))
    >>> x, y = read_observations(path, ["time"])
    >>> x.shape, y
    ((2, 1), array([1., 3.]))
    """
    names, columns = read_table(path)
    wanted = (*inputs, output)
    name = _shown(path)
    if names is not None and set(wanted) <= set(names):
        columns = columns[:, [names.index(column) for column in wanted]]
    elif columns.shape[1] != len(wanted):
        found = f"columns {', '.join(names)}" if names else f"{columns.shape[1]} columns"
        raise InvalidInput(f"`data`: {name} must have the columns {', '.join(wanted)}; it has {found}.")
    elif names is not None and any(n in wanted and n != w for n, w in zip(names, wanted, strict=True)):
        # By position the named column would be taken for another.
        raise InvalidInput(
            f"`data`: {name} must have the columns {', '.join(wanted)}; its header is {', '.join(names)}."
        )
    return np.ascontiguousarray(columns[:, :-1]), columns[:, -1].copy()


def _shown(path):
    if not isinstance(path, (str, os.PathLike)):
        raise InvalidInput(f"`data` must be the path of a file; got {type(path).__name__}.")
    return repr(os.fspath(path))


def _read_text(path, name):
    try:
        with open(path, "rb") as file:
            content = file.read()
    except FileNotFoundError as error:
        raise InvalidInput(f"`data`: {name} does not exist.") from error
    except IsADirectoryError as error:
        raise InvalidInput(f"`data`: {name} is a directory; give a file.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InvalidInput(f"`data`: {name} cannot be read: {reason}.") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidInput(f"`data`: {name}, line {line}, is not UTF-8 text; is it a text file?") from error


def _split_rows(text):
    """Return (line number, fields) of every line that is more than a comment."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = [line.partition("#")[0].strip() for line in text.split("\n")]
    first = next((line for line in lines if line), "")
    separator = next((mark for mark in ";," if mark in first), None)
    return [
        (number, [field.strip() for field in line.split(separator)])
        for number, line in enumerate(lines, start=1)
        if line
    ]


def _names_column(field):
    name = field.strip("\"'")
    return name[:1].isalpha() and name.isprintable() and _number(name) is None


def _header(row, name):
    line, fields = row
    names = tuple(field.strip("\"'").strip() for field in fields)
    if len(set(names)) != len(names):
        shown = ", ".join(names)[:60]
        raise InvalidInput(f"`data`: {name}, line {line}: the header must be distinct names; got {shown!r}.")
    return names


def _numbers(fields, width, place):
    if len(fields) != width:
        raise InvalidInput(
            f"`data`: {place}, must have {width} fields like the first row; it has {len(fields)}."
        )
    row = [_number(field) for field in fields]
    for value, field in zip(row, fields, strict=True):
        if value is None:
            what = f"the text {field[:30]!r}" if field else "nothing"
            raise InvalidInput(f"`data`: {place}, has {what} where a number belongs.")
        if not np.isfinite(value):
            raise InvalidInput(f"`data`: {place}, has {field[:30]!r}; every number must be finite.")
    return row


def _number(field):
    """Return a field as a float, None if it is not a number."""
    try:
        # Python would read 1_000 as 1000; in a table it is a slip.
        return None if "_" in field else float(field)
    except ValueError:
        return None
