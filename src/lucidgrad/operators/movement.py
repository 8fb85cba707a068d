"""Methods that put the elements into another shape, order or place, and change none of them."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Self

from lucidgrad.operators.arithmetic import Arithmetic
from lucidgrad.ops import indexing, movement


class Movement(Arithmetic):
    """Shapes, axes and indices."""

    __slots__ = ()

    def reshape(self, *shape: int | Sequence[int]) -> Self:
        """The same elements in another shape; a single -1 is filled in.

        Parameters
        ----------
        shape
            Its sizes, or one tuple of them.
        """
        return self.apply(movement.reshape, (self,), {"shape": _integers(shape)})

    def transpose(self, *order: int | Sequence[int]) -> Self:
        """The axes in another order; without arguments reversed.

        Parameters
        ----------
        order
            For each axis of the result the axis that it was, or one tuple of these.
        """
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
        """Stretch axes of size 1, and add axes in front.

        Parameters
        ----------
        shape
            The larger shape.
        """
        return (
            self if self.shape == shape else self.apply(movement.broadcast_to, (self,), {"shape": _integers((shape,))})
        )

    def pad(self, padding: Sequence[tuple[int, int]], value: float = 0.0) -> Self:
        """Add (before, after) elements of ``value`` to each axis.

        Parameters
        ----------
        padding
            A pair for each axis.
        value
            What is added.
        """
        return self.apply(movement.pad, (self,), {"padding": tuple((a, b) for a, b in padding), "value": value})

    def flatten(self, start: int = 0) -> Self:
        """Join the axes from ``start`` on into one.

        Parameters
        ----------
        start
            The first axis to be joined.
        """
        return self.reshape((*self.shape[:start], prod(self.shape[start:])))

    def __getitem__(self, index: Any) -> Self:
        key, indices = self.split_index(index)
        return self.apply(indexing.getitem, (self, *indices), {"key": key})


def _integers(arguments: Sequence[Any]) -> tuple[int, ...]:
    """``f(2, 3)`` and ``f((2, 3))`` alike."""
    single = arguments[0] if len(arguments) == 1 else None
    return tuple(map(int, single if isinstance(single, tuple | list) else arguments))
