"""Arrays in few characters: all numbers of a small one, what is typical of a large one."""

from __future__ import annotations

from typing import Any

import numpy as np

MOST_ROWS = 4
MOST_COLUMNS = 4


def number(value: Any, digits: int = 3) -> str:
    """A number with a few significant digits and a true minus sign.

    >>> number(-0.123456), number(7), number(1e-9), number(float("nan"))
    ('−0.123', '7', '1e−9', 'NaN')
    """
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | np.integer):
        return str(value).replace("-", "−")
    if value != value:
        return "NaN"
    text = f"{float(value):.{digits}g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        text = f"{mantissa}e{int(exponent)}"
    return text.replace("-", "−").replace("inf", "∞")


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape in words: ``4 × 2``; a single number has none.

    >>> shape_text((4, 2)), shape_text((3,)), shape_text(())
    ('4 × 2', '3', '')
    """
    return " × ".join(map(str, shape))


def is_small(shape: tuple[int, ...]) -> bool:
    """Whether all numbers of an array can be shown."""
    rows = shape[0] if len(shape) == 2 else 1
    columns = shape[-1] if shape else 1
    return len(shape) <= 2 and 1 <= rows <= MOST_ROWS and 1 <= columns <= MOST_COLUMNS


def lines(value: Any, summary: tuple[str, str] = ("mean", "from")) -> list[str]:
    """An array as lines of text: its numbers, row by row, or two lines that sum it up.

    Parameters
    ----------
    value
        An array or a number.
    summary
        The words for the mean, and for the range, in the language of the picture.

    Examples
    --------
    >>> import numpy as np
    >>> lines(np.array([[1.0, -0.25], [0.5, 2.0]]))
    ['[1   −0.25]', '[0.5  2   ]']
    >>> lines(np.arange(12.0))
    ['mean 5.5 ± 3.45', 'from 0 to 11']
    """
    array = np.asarray(value)
    if not array.ndim:
        return [number(array[()], 4)]
    if is_small(array.shape):
        return _rows(array)
    if not array.size:
        return ["0"]
    mean, extent = summary
    numbers = array.astype(np.float64)
    with np.errstate(all="ignore"):
        first = f"{mean} {number(numbers.mean())} ± {number(numbers.std())}"
        span = _span(extent, number(numbers.min()), number(numbers.max()))
    return [first, span]


def one_line(value: Any, word: str = "mean") -> str:
    """An array in one line: its numbers where they are one short row, else what is typical.

    >>> import numpy as np
    >>> one_line(np.array([1.0, 2.0])), one_line(np.arange(12.0).reshape(3, 4))
    ('[1 2]', 'mean 5.5 ± 3.45')
    """
    array = np.asarray(value)
    found = lines(array if array.size > 1 else array.reshape(()) if array.size else array)
    if len(found) == 1:
        return found[0]
    numbers = array.astype(np.float64)
    with np.errstate(all="ignore"):
        return f"{word} {number(numbers.mean())} ± {number(numbers.std())}"


def _span(word: str, low: str, high: str) -> str:
    return f"{low} … {high}" if word == "…" else f"{word} {low} to {high}"


def _rows(array: Any) -> list[str]:
    """Rows in brackets, the decimal points of a column one below the other."""
    cells = [[number(x) for x in row] for row in np.atleast_2d(array)]
    columns = [_aligned(list(column)) for column in zip(*cells, strict=True)]
    return ["[" + " ".join(row) + "]" for row in zip(*columns, strict=True)]


def _aligned(texts: list[str]) -> list[str]:
    before = [len(t.partition(".")[0]) for t in texts]
    padded = [" " * (max(before) - n) + t for n, t in zip(before, texts, strict=True)]
    width = max(map(len, padded))
    return [t.ljust(width) for t in padded]
