"""Arrays as small tables for a page: all of a small one; some numbers, a sum-up and a picture of a large one."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from lucidgrad.seeing.readable import number, shape_text

MOST = 7  # rows, and columns, that are shown whole
FIRST = 5  # of more than that, so many and the last
PICTURE = (16, 48)  # rows and columns at most of the picture of a large array
LEVELS = 100  # of heat, on either side of zero

Array = np.ndarray[Any, np.dtype[Any]]


class Tables:
    """The arrays of a page, each written down once."""

    def __init__(self) -> None:
        self.shown: list[dict[str, Any]] = []
        self._known: dict[int, tuple[int, Any]] = {}

    def add(self, array: Any) -> int:
        """The number of an array's table."""
        if id(array) not in self._known:
            self._known[id(array)] = (len(self.shown), array)  # kept, so that no other array gets its identity
            self.shown.append(table(np.asarray(array)))
        return self._known[id(array)][0]


def table(array: Array) -> dict[str, Any]:
    """What a page needs to show an array: texts, the heat of each, and for a large one its sum-up and picture.

    Returns
    -------
    dict
        ``rows`` and ``columns`` are the places that are shown, null where some are left out; ``cells`` the numbers as
        text, ``exact`` with every digit that they have; ``heat`` from -100 to 100 of the largest magnitude, null where
        a number is not finite.

    Examples
    --------
    >>> table(np.array([[1.0, -0.5]]))["heat"]
    [[100, -50]]
    >>> table(np.zeros((3, 20)))["columns"]
    [0, 1, 2, 3, 4, None, 19]
    """
    flat = as_matrix(array)
    rows, columns = _shown(flat)
    large = _scale(flat) if array.dtype.kind == "f" else 0.0  # labels are no quantities
    cells = [
        [None if i is None or j is None else number(flat[i, j]) for j in columns] for i in rows
    ]  # fmt: skip
    exact = [[None if i is None or j is None else str(flat[i, j]) for j in columns] for i in rows]
    heat = [[None if i is None or j is None else _heat(flat[i, j], large) for j in columns] for i in rows]
    found: dict[str, Any] = {
        "shape": shape_text(array.shape),
        "dtype": array.dtype.name,
        "rows": rows,
        "columns": columns,
        "cells": cells,
        "exact": exact,
        "heat": heat,
        "axes": min(array.ndim, 2),
    }
    if None in rows or None in columns:
        found |= {"summary": _summary(flat), "picture": _picture(flat, large)}
    return found


def as_matrix(array: Array) -> Array:
    """Rows and columns: a vector is one row, and of more axes all but the first are one."""
    if array.ndim < 2:
        return array.reshape(1, -1)
    return array if array.ndim == 2 else array.reshape(len(array), -1)


def place_of_largest(array: Array) -> tuple[int, ...]:
    """Of the numbers that are shown, the place of the one of largest magnitude: an example is read off there."""
    if not array.size:
        return ()
    flat = as_matrix(array)
    rows, columns = ([i for i in places if i is not None] for places in _shown(flat))
    seen = np.abs(flat[np.ix_(rows, columns)].astype(np.float64))
    i, j = np.unravel_index(int(np.argmax(np.where(np.isfinite(seen), seen, -1.0))), seen.shape)
    return tuple(int(k) for k in np.unravel_index(rows[i] * flat.shape[1] + columns[j], array.shape))


def cell_of(array: Array, place: tuple[int, ...]) -> list[int]:
    """Where an element is in the table of its array."""
    if not array.ndim:
        return [0, 0]
    at = int(np.ravel_multi_index(place, array.shape))
    return list(map(int, divmod(at, as_matrix(array).shape[1])))


def _shown(flat: Array) -> tuple[list[int | None], list[int | None]]:
    """The rows and columns that are shown: the first and the last; where these hold nothing but 0, the largest."""
    rows, columns = (list(range(n)) if n <= MOST else [*range(FIRST), n - 1] for n in flat.shape)
    if flat.size and flat.shape[1] > MOST and not flat[np.ix_(rows, columns)].any() and flat.any():
        sizes = np.abs(flat[rows].astype(np.float64)).sum(0)
        columns = sorted(np.argsort(sizes if sizes.any() else np.abs(flat).sum(0))[-FIRST - 1 :].tolist())
    return _with_gaps(rows, flat.shape[0]), _with_gaps(columns, flat.shape[1])


def _with_gaps(places: list[int], n: int) -> list[int | None]:
    """None where rows or columns are left out: in front, behind, and in the middle before the last one."""
    if len(places) == n:
        return [*places]
    if places[:-1] == list(range(len(places) - 1)):
        return [*places[:-1], None, places[-1]]
    return [None, *places, None]


def _scale(flat: Array) -> float:
    numbers = np.abs(flat.astype(np.float64))
    return float(np.max(numbers, initial=0.0, where=np.isfinite(numbers)))


def _heat(value: Any, large: float) -> int | None:
    x = float(value)
    return None if not np.isfinite(x) else round(LEVELS * x / large) if large else 0


def _summary(flat: Array) -> dict[str, str]:
    numbers = flat.astype(np.float64)
    with np.errstate(all="ignore"):
        found = {"mean": numbers.mean(), "deviation": numbers.std(), "least": numbers.min(), "largest": numbers.max()}
    return {name: number(x) for name, x in found.items()} | {"zeros": f"{np.mean(numbers == 0):.0%}"}


def _picture(flat: Array, large: float) -> list[list[int | None]]:
    """The whole array with neighbours taken together: of each block the number of largest magnitude."""
    rows, columns = (_blocks(n, most) for n, most in zip(flat.shape, PICTURE, strict=True))
    numbers = flat.astype(np.float64)
    found: list[list[int | None]] = []
    for a, b in rows:
        line: list[int | None] = []
        for c, d in columns:
            block = numbers[a:b, c:d].ravel()
            line.append(_heat(block[int(np.argmax(np.abs(block)))], large))  # NaN counts as the largest
        found.append(line)
    return found


def _blocks(n: int, most: int) -> list[tuple[int, int]]:
    edges = np.linspace(0, n, min(n, most) + 1).round().astype(int).tolist()
    return list(pairwise(edges))
