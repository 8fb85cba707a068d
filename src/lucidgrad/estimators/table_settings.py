"""The settings of the estimators for tables, checked before anything is trained: what is none must not pass for one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lucidgrad.errors import ArgumentError, explain


def check_settings(estimator: Any) -> None:
    """Be sure that settings are what they can be; those that losses, layers and optimisers look at are left to them.

    Raises
    ------
    ArgumentError
        For the first that is not.
    """
    for name, (is_fine, expected, try_) in SETTINGS.items():
        value = getattr(estimator, name)
        if not is_fine(value):
            who = f"{type(estimator).__name__}({name}=...)"
            raise ArgumentError(explain(f"{who} expected {expected}", repr(value), try_))


def decided(value: bool | str, *, by_rows: bool) -> bool:
    """Yes or no, of a setting that may be ``"auto"``, for which the number of rows decides.

    >>> decided("auto", by_rows=True), decided(False, by_rows=True)
    (True, False)
    """
    return by_rows if isinstance(value, str) else bool(value)


def _is_whole(value: Any, least: int) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and int(value) >= least


def _is_yes_or_no(value: Any) -> bool:
    return isinstance(value, bool | np.bool_)


def _is(value: Any, *names: str) -> bool:
    return isinstance(value, str) and value in names


def _is_float(value: Any) -> bool:
    try:
        return value is not None and np.dtype(value) in (np.float32, np.float64)
    except TypeError:
        return False


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list | tuple | np.ndarray) and all(_is_whole(n, 1) for n in value)


SETTINGS: dict[str, tuple[Callable[[Any], bool], str, str]] = {
    "hidden_layer_sizes": (_are_sizes, "a list of integers >= 1", "(128, 128) is usual"),
    "dropout": (
        lambda v: isinstance(v, int | float | np.number) and not isinstance(v, bool) and bool(0 <= v < 1),
        "a share in [0, 1)",
        "0.1 is usual",
    ),
    "normalization": (lambda v: v is None or _is(v, "layer"), "'layer' or None", "None is usual"),
    "embedding_dim": (lambda v: _is_whole(v, 1), "an integer >= 1", "8 is usual"),
    "pieces": (lambda v: _is_whole(v, 0) or _is(v, "auto"), "an integer >= 0, or 'auto'", "'auto' is usual"),
    "members": (lambda v: _is_whole(v, 1), "an integer >= 1", "8 is usual"),
    "batch_size": (lambda v: _is_whole(v, 1) or _is(v, "auto"), "an integer >= 1, or 'auto'", "'auto' is usual"),
    "epochs": (lambda v: _is_whole(v, 1), "an integer >= 1", "200 is usual"),
    "early_stopping": (lambda v: _is_yes_or_no(v) or _is(v, "auto"), "True, False or 'auto'", "'auto' is usual"),
    "patience": (lambda v: _is_whole(v, 1), "an integer >= 1", "16 is usual"),
    "refit": (lambda v: _is_yes_or_no(v) or _is(v, "auto"), "True, False or 'auto'", "'auto' is usual"),
    "column_order": (lambda v: _is(v, "any", "same"), "'any' or 'same'", "'any' is usual"),
    "dtype": (_is_float, "float32 or float64", "'float32' is usual"),
    "callbacks": (lambda v: isinstance(v, list | tuple), "a list of callbacks", "An empty one is usual: ()"),
    "progress": (lambda v: v is None or _is_yes_or_no(v), "True, False or None", "None shows it in a terminal"),
}
"""What a setting may be, in words too, and what is usual."""
