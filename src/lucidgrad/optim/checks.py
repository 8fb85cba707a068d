"""What numbers an optimizer or a schedule can be made with, said once, in sentences that teach."""

from __future__ import annotations

import math
from typing import Any

from lucidgrad.errors import ArgumentError, explain


def check_number(name: str, value: Any, interval: str, try_: str) -> None:
    """Raise unless ``value`` is a finite number in ``interval``, such as "[0, 1)" or "(0, inf)".

    >>> check_number("Adam(beta1=...)", 1.5, "[0, 1)", "It is the share of the old mean that is kept: 0.9 is usual")
    Traceback (most recent call last):
        ...
    lucidgrad.errors.ArgumentError: Adam(beta1=...) expected a number in [0, 1), got 1.5. It is the share of ...
    """
    if not (_is_number(value) and _is_inside(float(value), interval)):
        raise ArgumentError(explain(f"{name} expected a number in {interval}", repr(value), try_))


def check_count(name: str, value: Any, try_: str, *, least: int = 1) -> None:
    """Raise unless ``value`` is an integer that is not below ``least``."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ArgumentError(explain(f"{name} expected an integer of at least {least}", repr(value), try_))


def check_learning_rate(owner: str, value: Any, argument: str = "learning_rate") -> None:
    """Raise unless ``value`` is a schedule, or a finite number that is not negative."""
    if not callable(value):
        check_number(
            f"{owner}({argument}=...)",
            value,
            "[0, inf)",
            "Pass a number such as 0.01, or a schedule such as lucidgrad.optim.cosine(0.1, steps=1000)",
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_inside(x: float, interval: str) -> bool:
    low, high = map(float, interval[1:-1].split(","))
    return (low < x or (interval[0] == "[" and x == low)) and (x < high or (interval[-1] == "]" and x == high))
