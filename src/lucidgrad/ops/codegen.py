"""How a row of the op table becomes machine code: what its ``codegen`` may be. The compiler reads it, rows state it.

Rules speak to what they are given, ``c`` (a builder of instructions: ``c.mul(x, x)``) or tensors, so that ``ops``
needs no LLVM.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Elementwise:
    """Each element of the output from the elements of the inputs at the same place: ``rule(c, *values, **attrs)``."""

    rule: Callable[..., Any]


@dataclass(frozen=True)
class Composed:
    """Said in other rows: ``rule(*tensors, **attrs)`` gives the same as the row's forward."""

    rule: Callable[..., Any]


@dataclass(frozen=True)
class Kernel:
    """A loop of its own, which the compiler knows by this name: a reduction, a product, a movement of elements."""

    name: str


Codegen = Elementwise | Composed | Kernel
