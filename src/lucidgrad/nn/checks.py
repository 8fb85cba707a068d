"""Checks of what layers are made with, so that a wrong argument is named where it is given."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucidgrad.errors import ArgumentError, explain


def check_size(layer: str, name: str, value: Any) -> None:
    """Raise unless ``value`` is an integer of at least 1."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
        raise ArgumentError(
            explain(f"{layer} expected {name} to be an integer of at least 1", repr(value), f"Pass {name}=16, say")
        )
