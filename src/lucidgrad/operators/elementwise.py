"""Methods that go element by element; what comes out has the shape of what goes in."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.operators.arithmetic import Arithmetic
from lucidgrad.ops import arithmetic, transcendental
from lucidgrad.ops.promotion import check_dtype


class Elementwise(Arithmetic):
    """Functions of each element."""

    __slots__ = ()

    def exp(self) -> Self:
        """The exponential function of each element."""
        return self.apply(transcendental.exp, (self,), {})

    def expm1(self) -> Self:
        """exp(x) - 1, accurate near 0."""
        return self.apply(transcendental.expm1, (self,), {})

    def log(self) -> Self:
        """The natural logarithm."""
        return self.apply(transcendental.log, (self,), {})

    def log1p(self) -> Self:
        """log(1 + x), accurate near 0."""
        return self.apply(transcendental.log1p, (self,), {})

    def sqrt(self) -> Self:
        """The square root."""
        return self.apply(transcendental.sqrt, (self,), {})

    def sin(self) -> Self:
        """The sine of an angle in radians."""
        return self.apply(transcendental.sin, (self,), {})

    def cos(self) -> Self:
        """The cosine of an angle in radians."""
        return self.apply(transcendental.cos, (self,), {})

    def tanh(self) -> Self:
        """The hyperbolic tangent."""
        return self.apply(transcendental.tanh, (self,), {})

    def sigmoid(self) -> Self:
        """1 / (1 + exp(-x)), safe for any x."""
        return self.apply(transcendental.sigmoid, (self,), {})

    def softplus(self) -> Self:
        """log(1 + exp(x)), safe for any x."""
        return self.apply(transcendental.softplus, (self,), {})

    def erf(self) -> Self:
        """The error function."""
        return self.apply(transcendental.erf, (self,), {})

    def relu(self) -> Self:
        """max(x, 0), with slope 0 at 0."""
        return self.apply(arithmetic.relu, (self,), {})

    def abs(self) -> Self:
        """The absolute value, with slope 0 at 0."""
        return self.apply(arithmetic.absolute, (self,), {})

    def sign(self) -> Self:
        """-1, 0 or 1."""
        return self.apply(arithmetic.sign, (self,), {})

    def clip(self, low: float | None = None, high: float | None = None) -> Self:
        """Bring each element into [low, high]; None leaves a side open. Integers beside float bounds become floats.

        Parameters
        ----------
        low, high
            Numbers.
        """
        bounds = {"low": _bound(low), "high": _bound(high)}
        floats = self.dtype.kind != "f" and float in map(type, bounds.values())
        return self.apply(arithmetic.clip, (self.astype(np.float32) if floats else self,), bounds)

    def astype(self, dtype: DTypeLike) -> Self:
        """The elements as another kind of number.

        Parameters
        ----------
        dtype
            float32, float64, an integer or boolean one.
        """
        target = check_dtype(np.dtype(dtype))
        return self if target == self.dtype else self.apply(arithmetic.cast, (self,), {"dtype": target})


def _bound(value: Any) -> float | None:
    """A Python number, which does not change the dtype of the array it bounds."""
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, np.number):
        return value.item()  # type: ignore[no-any-return]
    raise ArgumentError(
        explain("clip expected numbers as bounds", type(value).__name__, "Use lucidgrad.maximum and minimum for arrays")
    )
