"""How a compiled program computes a row: said in the row itself, in the language of what it is applied to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Composed:
    """A row that is computed by other rows.

    Parameters
    ----------
    rule
        ``(*tensors, **attrs) -> tensor``, written in operators and methods of its arguments like a vjp rule. It
        means what the forward means, to the last few ulps, for every input.
    """

    rule: Callable[..., Any]
