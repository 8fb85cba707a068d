"""Python's operators, written in what every method is written in: applying a row of the op table."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from lucidgrad.ops import arithmetic, indexing
from lucidgrad.ops.op import Op


class Arithmetic:
    """What rows are applied to. A concrete class says what an array is and what applying means."""

    __slots__ = ()

    @abstractmethod
    def apply(self, op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any]) -> Self:
        """Apply a row of the op table.

        Parameters
        ----------
        op
            The row.
        inputs
            Tensors, arrays and numbers, as the row takes them.
        attrs
            The row's options by name.

        Returns
        -------
        What the row gives, of the shape that it says.
        """

    @abstractmethod
    def matmul(self, a: Any, b: Any) -> Self:
        """The matrix product of two operands, of which ``self`` is one.

        Parameters
        ----------
        a, b
            (..., n, k) and (..., k, m); a vector counts as a row on the left, as a column on the right.
        """

    @abstractmethod
    def split_index(self, index: Any) -> tuple[indexing.Key, Sequence[Any]]:
        """An index as a static key and the arrays in it.

        Parameters
        ----------
        index
            What stands in the brackets of ``x[...]``.
        """

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

    # --- operators ------------------------------------------------------------------------------------------

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
