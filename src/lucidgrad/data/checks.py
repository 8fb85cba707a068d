"""Checks of arguments that more than one file of this folder makes."""

from __future__ import annotations

import operator
from typing import TypeGuard

import numpy as np

from lucidgrad.errors import ArgumentError, explain


def whole_number(name: str, value: object, *, at_least: int) -> int:
    """``value`` as an int, when it is a whole number of at least ``at_least``; an ArgumentError naming it otherwise.

    >>> from lucidgrad.data.checks import whole_number
    >>> whole_number("batches(batch_size)", 32, at_least=1)
    32
    """
    try:
        number = None if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or number < at_least:
        raise ArgumentError(
            explain(f"{name} expected a whole number of at least {at_least}", repr(value), f"Use {at_least} or more")
        )
    return number


def is_number(value: object) -> TypeGuard[float]:
    """Whether ``value`` is one real number, of Python or of NumPy.

    >>> from lucidgrad.data.checks import is_number
    >>> is_number(0.5), is_number("0.5")
    (True, False)
    """
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
