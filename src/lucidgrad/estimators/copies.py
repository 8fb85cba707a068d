"""Weights as copies of rows, and an order of rows that does not depend on how they were given."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

MOST_COPIES = 8  # on average: more would make the epochs too long, and the weights go into the loss
NUMBERS_AT_ONCE = 2**20


def as_counts(weight: Array | None) -> Array | None:
    """Weights that are whole numbers, and not too large, as counts (n,).

    >>> as_counts(np.array([0.0, 2.0, 1.0])), as_counts(np.array([0.5, 1.0])), as_counts(np.array([1.0, 1e6]))
    (array([0, 2, 1]), None, None)
    """
    if weight is None or not np.array_equal(weight, np.rint(weight)) or not weight.any():
        return None
    return weight.astype(np.int64) if weight.sum() <= MOST_COPIES * len(weight) else None


def order_by_content(x: Array, y: Array) -> Array:
    """The rows sorted by a number that follows from what is in them, (n,): equal rows lie beside each other.

    >>> x = np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]])
    >>> order = order_by_content(x, np.zeros(3))
    >>> bool((x[order] == x[::-1][order_by_content(x[::-1], np.zeros(3))]).all())
    True
    """
    columns = [x.reshape(len(x), -1), y.reshape(len(y), -1)]
    return np.argsort(sum(_digest(part) for part in columns), kind="stable")


def _digest(rows: Array) -> Array:
    """A 64-bit number for each row: the sum of its words, each times an odd number of its column."""
    whole = np.ascontiguousarray(rows + rows.dtype.type(0))  # no -0.0 beside 0.0
    words = whole.view(f"u{whole.itemsize}")
    factors = np.random.default_rng(words.shape[1]).integers(2**63, size=words.shape[1], dtype=np.uint64) * 2 + 1
    made = np.empty(len(words), np.uint64)
    step = max(1, NUMBERS_AT_ONCE // max(1, words.shape[1]))
    with np.errstate(over="ignore"):
        for start in range(0, len(words), step):
            part = words[start : start + step].astype(np.uint64)
            part ^= part >> np.uint64(32)
            made[start : start + step] = (part * factors).sum(axis=1)
    return made
