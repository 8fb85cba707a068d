"""Methods that make one number out of many, along some axes or all."""

from __future__ import annotations

from math import prod
from typing import Self

from lucidgrad.operators.movement import Movement
from lucidgrad.ops import reduce
from lucidgrad.ops.shapes import Axes, normalize_axes


class Reductions(Movement):
    """Sums and their kin; what comes out has lost the axes that were reduced."""

    __slots__ = ()

    def sum(self, axis: Axes = None, *, keepdims: bool = False) -> Self:
        """Add up.

        Parameters
        ----------
        axis
            Over which axis, or axes; negative ones count from the last. None: all.
        keepdims
            Leave each axis in the shape, with size 1.
        """
        return self.apply(reduce.sum, (self,), {"axis": axis, "keepdims": keepdims})

    def mean(self, axis: Axes = None, *, keepdims: bool = False) -> Self:
        """The mean.

        Parameters
        ----------
        axis, keepdims
            As in ``sum``.
        """
        return self.sum(axis, keepdims=keepdims) / float(self._count(axis))

    def var(self, axis: Axes = None, *, keepdims: bool = False, ddof: int = 0) -> Self:
        """The variance: squared deviations summed in a second pass, divided by n - ddof.

        Parameters
        ----------
        axis, keepdims
            As in ``sum``.
        ddof
            1 for the unbiased estimate from a sample.
        """
        deviation = self - self.mean(axis, keepdims=True)
        total = (deviation * deviation).sum(axis, keepdims=keepdims)
        return total / float(self._count(axis) - ddof)

    def _count(self, axis: Axes) -> int:
        return prod(self.shape[a] for a in normalize_axes(axis, self.ndim))

    def max(self, axis: Axes = None, *, keepdims: bool = False) -> Self:
        """The largest element; elements that tie share the gradient evenly.

        Parameters
        ----------
        axis, keepdims
            As in ``sum``.
        """
        return self.apply(reduce.max, (self,), {"axis": axis, "keepdims": keepdims})

    def min(self, axis: Axes = None, *, keepdims: bool = False) -> Self:
        """The smallest element; elements that tie share the gradient evenly.

        Parameters
        ----------
        axis, keepdims
            As in ``sum``.
        """
        return self.apply(reduce.min, (self,), {"axis": axis, "keepdims": keepdims})

    def prod(self, axis: Axes = None, *, keepdims: bool = False) -> Self:
        """The product; its gradient is right also where elements are 0.

        Parameters
        ----------
        axis, keepdims
            As in ``sum``.
        """
        return self.apply(reduce.prod, (self,), {"axis": axis, "keepdims": keepdims})

    def logsumexp(self, axis: Axes = None, *, keepdims: bool = False) -> Self:
        """log(sum(exp(x))), safe for any x.

        Parameters
        ----------
        axis, keepdims
            As in ``sum``.
        """
        return self.apply(reduce.logsumexp, (self,), {"axis": axis, "keepdims": keepdims})

    def argmax(self, axis: int | None = None, *, keepdims: bool = False) -> Self:
        """The index of the largest element, the first of several.

        Parameters
        ----------
        axis
            A single one; None: the index counts through all elements.
        keepdims
            As in ``sum``.
        """
        return self.apply(reduce.argmax, (self,), {"axis": axis, "keepdims": keepdims})

    def argmin(self, axis: int | None = None, *, keepdims: bool = False) -> Self:
        """The index of the smallest element, the first of several.

        Parameters
        ----------
        axis, keepdims
            As in ``argmax``.
        """
        return self.apply(reduce.argmin, (self,), {"axis": axis, "keepdims": keepdims})

    def sum_to(self, shape: tuple[int, ...]) -> Self:
        """Undo a broadcast: add up over the axes that stretched ``shape`` to this tensor's.

        Parameters
        ----------
        shape
            The smaller shape.
        """
        lead = self.ndim - len(shape)
        axes = (*range(lead), *(i + lead for i, n in enumerate(shape) if n == 1 and self.shape[i + lead] != 1))
        result = self.sum(axes) if axes else self
        return result if result.shape == shape else result.reshape(shape)
