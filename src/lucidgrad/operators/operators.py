"""The operators and methods of Tensor: the language in which models and vjp rules are written.

Each is one row of the op table, or a few lines composed of them. What applying a row means, is said by ``apply``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from math import prod
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.ops import arithmetic, indexing, movement, reduce, transcendental
from lucidgrad.ops.op import Op
from lucidgrad.ops.promotion import check_dtype
from lucidgrad.ops.shapes import Axes, normalize_axes


class Operators:
    """Everything that is said by applying rows. A concrete class says what an array is and what applying means."""

    __slots__ = ()

    @abstractmethod
    def apply(self, op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any]) -> Self:
        """Apply a row of the op table."""

    @abstractmethod
    def matmul(self, a: Any, b: Any) -> Self:
        """The matrix product of two operands, of which ``self`` is one."""

    @abstractmethod
    def split_index(self, index: Any) -> tuple[indexing.Key, Sequence[Any]]:
        """An index as a static key and the arrays in it."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Sizes of the axes."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype[Any]:
        """The kind of number."""

    @property
    @abstractmethod
    def ndim(self) -> int:
        """The number of axes."""

    # --- operators --------------------------------------------------------------------------------------------

    def __add__(self, other: Any) -> Self:
        return self.apply(arithmetic.add, (self, other), {})

    def __radd__(self, other: Any) -> Self:
        return self.apply(arithmetic.add, (other, self), {})

    def __sub__(self, other: Any) -> Self:
        return self.apply(arithmetic.subtract, (self, other), {})

    def __rsub__(self, other: Any) -> Self:
        return self.apply(arithmetic.subtract, (other, self), {})

    def __mul__(self, other: Any) -> Self:
        return self.apply(arithmetic.multiply, (self, other), {})

    def __rmul__(self, other: Any) -> Self:
        return self.apply(arithmetic.multiply, (other, self), {})

    def __truediv__(self, other: Any) -> Self:
        return self.apply(arithmetic.divide, (self, other), {})

    def __rtruediv__(self, other: Any) -> Self:
        return self.apply(arithmetic.divide, (other, self), {})

    def __pow__(self, other: Any) -> Self:
        return self.apply(arithmetic.power, (self, other), {})

    def __rpow__(self, other: Any) -> Self:
        return self.apply(arithmetic.power, (other, self), {})

    def __neg__(self) -> Self:
        return self.apply(arithmetic.negative, (self,), {})

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> Self:
        return self.apply(arithmetic.absolute, (self,), {})

    def __matmul__(self, other: Any) -> Self:
        return self.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Self:
        return self.matmul(other, self)

    def __eq__(self, other: object) -> Self:  # type: ignore[override]
        return self.apply(arithmetic.equal, (self, other), {})

    def __ne__(self, other: object) -> Self:  # type: ignore[override]
        return self.apply(arithmetic.not_equal, (self, other), {})

    def __lt__(self, other: Any) -> Self:
        return self.apply(arithmetic.less, (self, other), {})

    def __le__(self, other: Any) -> Self:
        return self.apply(arithmetic.less_equal, (self, other), {})

    def __gt__(self, other: Any) -> Self:
        return self.apply(arithmetic.greater, (self, other), {})

    def __ge__(self, other: Any) -> Self:
        return self.apply(arithmetic.greater_equal, (self, other), {})

    def __and__(self, other: Any) -> Self:
        return self.apply(arithmetic.logical_and, (self, other), {})

    def __or__(self, other: Any) -> Self:
        return self.apply(arithmetic.logical_or, (self, other), {})

    def __invert__(self) -> Self:
        return self.apply(arithmetic.logical_not, (self,), {})

    __hash__ = object.__hash__  # a tensor is found in a dict by identity, although == compares elements

    # --- element by element -----------------------------------------------------------------------------------

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
        """Bring each element into [low, high]; None leaves a side open. Integers beside float bounds become floats."""
        bounds = {"low": _bound(low), "high": _bound(high)}
        floats = self.dtype.kind != "f" and float in map(type, bounds.values())
        return self.apply(arithmetic.clip, (self.astype(np.float32) if floats else self,), bounds)

    def astype(self, dtype: DTypeLike) -> Self:
        """The elements as another kind of number."""
        target = check_dtype(np.dtype(dtype))
        return self if target == self.dtype else self.apply(arithmetic.cast, (self,), {"dtype": target})

    # --- reductions -------------------------------------------------------------------------------------------

    def sum(self, axis: Axes = None, *, keepdims: bool = False) -> Self:
        """Add up over ``axis`` (all axes when None)."""
        return self.apply(reduce.sum, (self,), {"axis": axis, "keepdims": keepdims})

    def mean(self, axis: Axes = None, *, keepdims: bool = False) -> Self:
        """The mean over ``axis``."""
        return self.sum(axis, keepdims=keepdims) / float(self._count(axis))

    def var(self, axis: Axes = None, *, keepdims: bool = False, ddof: int = 0) -> Self:
        """The variance over ``axis``: squared deviations summed in a second pass, divided by n - ddof."""
        deviation = self - self.mean(axis, keepdims=True)
        total = (deviation * deviation).sum(axis, keepdims=keepdims)
        return total / float(self._count(axis) - ddof)

    def _count(self, axis: Axes) -> int:
        return prod(self.shape[a] for a in normalize_axes(axis, self.ndim))

    def max(self, axis: Axes = None, *, keepdims: bool = False) -> Self:
        """The largest element; elements that tie share the gradient evenly."""
        return self.apply(reduce.max, (self,), {"axis": axis, "keepdims": keepdims})

    def min(self, axis: Axes = None, *, keepdims: bool = False) -> Self:
        """The smallest element; elements that tie share the gradient evenly."""
        return self.apply(reduce.min, (self,), {"axis": axis, "keepdims": keepdims})

    def prod(self, axis: Axes = None, *, keepdims: bool = False) -> Self:
        """The product; its gradient is right also where elements are 0."""
        return self.apply(reduce.prod, (self,), {"axis": axis, "keepdims": keepdims})

    def logsumexp(self, axis: Axes = None, *, keepdims: bool = False) -> Self:
        """log(sum(exp(x))), safe for any x."""
        return self.apply(reduce.logsumexp, (self,), {"axis": axis, "keepdims": keepdims})

    def argmax(self, axis: int | None = None, *, keepdims: bool = False) -> Self:
        """The index of the largest element, the first of several."""
        return self.apply(reduce.argmax, (self,), {"axis": axis, "keepdims": keepdims})

    def argmin(self, axis: int | None = None, *, keepdims: bool = False) -> Self:
        """The index of the smallest element, the first of several."""
        return self.apply(reduce.argmin, (self,), {"axis": axis, "keepdims": keepdims})

    # --- movement ---------------------------------------------------------------------------------------------

    def reshape(self, *shape: int | Sequence[int]) -> Self:
        """The same elements in another shape; a single -1 is filled in."""
        return self.apply(movement.reshape, (self,), {"shape": _integers(shape)})

    def transpose(self, *order: int | Sequence[int]) -> Self:
        """The axes in another order; without arguments reversed."""
        n = self.ndim
        axes = tuple(a + n if -n <= a < 0 else a for a in _integers(order)) if order else tuple(reversed(range(n)))
        return self.apply(movement.transpose, (self,), {"order": axes})

    @property
    def T(self) -> Self:  # noqa: N802 - NumPy's name
        """All axes reversed."""
        return self.transpose()

    @property
    def mT(self) -> Self:  # noqa: N802 - NumPy's name
        """The last two axes exchanged."""
        n = self.ndim
        return self.apply(movement.transpose, (self,), {"order": (*range(n - 2), n - 1, n - 2)})

    def broadcast_to(self, shape: Sequence[int]) -> Self:
        """Stretch axes of size 1, and add axes in front."""
        return (
            self if self.shape == shape else self.apply(movement.broadcast_to, (self,), {"shape": _integers((shape,))})
        )

    def sum_to(self, shape: tuple[int, ...]) -> Self:
        """Undo a broadcast: add up over the axes that stretched ``shape`` to this tensor's."""
        lead = self.ndim - len(shape)
        axes = (*range(lead), *(i + lead for i, n in enumerate(shape) if n == 1 and self.shape[i + lead] != 1))
        result = self.sum(axes) if axes else self
        return result if result.shape == shape else result.reshape(shape)

    def pad(self, padding: Sequence[tuple[int, int]], value: float = 0.0) -> Self:
        """Add (before, after) elements of ``value`` to each axis."""
        return self.apply(movement.pad, (self,), {"padding": tuple((a, b) for a, b in padding), "value": value})

    def flatten(self, start: int = 0) -> Self:
        """Join the axes from ``start`` on into one."""
        return self.reshape((*self.shape[:start], prod(self.shape[start:])))

    def __getitem__(self, index: Any) -> Self:
        key, indices = self.split_index(index)
        return self.apply(indexing.getitem, (self, *indices), {"key": key})


def _bound(value: Any) -> float | None:
    """A Python number, which does not change the dtype of the array it bounds."""
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, np.number):
        return value.item()  # type: ignore[no-any-return]
    raise ArgumentError(
        explain("clip expected numbers as bounds", type(value).__name__, "Use lucidgrad.maximum and minimum for arrays")
    )


def _integers(arguments: Sequence[Any]) -> tuple[int, ...]:
    """``f(2, 3)`` and ``f((2, 3))`` alike."""
    single = arguments[0] if len(arguments) == 1 else None
    return tuple(map(int, single if isinstance(single, tuple | list) else arguments))
