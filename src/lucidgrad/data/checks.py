"""Checks of arguments that more than one file of this folder makes."""

from __future__ import annotations

import math
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


def check_drawn(function: str, n: int, noise: float, *, at_least: int = 1, noise_name: str = "noise") -> None:
    """Arguments of the functions that draw data: how many samples, and how much noise.

    >>> from lucidgrad.data.checks import check_drawn
    >>> check_drawn("moons", 100, 0.1)
    """
    whole_number(f"{function}(n)", n, at_least=at_least)
    if not (is_number(noise) and 0 <= noise < math.inf):
        raise ArgumentError(
            explain(f"{function}({noise_name}) expected a number from 0 upwards", repr(noise), "Try 0.1")
        )
