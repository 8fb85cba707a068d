"""The rows of a data set as training needs them: some of them, in any order, a batch at a time, without copying all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lucidgrad.data import split_indices
from lucidgrad.errors import ArgumentError, DtypeError, ShapeError, explain
from lucidgrad.tensor import Tensor

Array = np.ndarray[Any, np.dtype[Any]]


# Inputs of which so many are zero are multiplied faster by looking for the others (``python -m benchmarks.zeros``).
MOSTLY_ZEROS = 0.5
LOOKED_AT = 256  # rows


@dataclass(frozen=True)
class Samples:
    """Inputs, targets and weights that share their first axis; ``rows`` says which of them belong.

    Parameters
    ----------
    x : (n, ...)
        Inputs: floats, integers, or bytes; an array, a memory map, or a list.
    y : (n,) or (n, outputs), optional
        Targets.
    weight : (n,), optional
        How much each sample counts.
    rows : (k,), optional
        The samples that belong; None: all n.
    dtype
        Floats become this, a batch at a time: the dtype of the model.
    """

    x: Array
    y: Array | None
    weight: Array | None
    rows: Array | None
    dtype: np.dtype[Any]

    @classmethod
    def of(
        cls, x: ArrayLike, y: ArrayLike | None, weight: ArrayLike | None, dtype: np.dtype[Any], what: str = "fit"
    ) -> Samples:
        """Check the arrays and look at them as NumPy arrays; only lists and foreign containers are copied."""
        inputs = _array(x, "x", what)
        targets = None if y is None else _array(y, "y", what)
        weights = None if weight is None else _array(weight, "sample_weight", what)
        for name, array in (("y", targets), ("sample_weight", weights)):
            if array is not None and (not array.ndim or len(array) != len(inputs)):
                raise ShapeError(
                    explain(
                        f"{what} expected as many rows in {name} as in x, {len(inputs)}",
                        f"shape {array.shape}",
                        "Pair each row of x with one of the other",
                    )
                )
        if weights is not None and (weights.ndim != 1 or not (np.isfinite(weights).all() and (weights >= 0).all())):
            raise ArgumentError(
                explain(
                    f"{what} expected one finite sample_weight >= 0 for each row of x",
                    f"shape {weights.shape} with values from {weights.min()} to {weights.max()}",
                    "Pass a vector of weights",
                )
            )
        return cls(inputs, targets, weights, _counting(weights, what), dtype)

    def __len__(self) -> int:
        return len(self.x) if self.rows is None else len(self.rows)

    def batch(self, index: Array | slice) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """The samples numbered ``index`` (among those that belong) as tensors; the only part that is copied."""
        if self.rows is not None:
            index = self.rows[index]
        return self._tensor(self.x, index), self._optional(self.y, index), self._optional(self.weight, index)

    def training_batch(self, index: Array | slice) -> tuple[Tensor, Tensor, Tensor | None]:
        """``batch`` where there are targets, as in training."""
        x, y, weight = self.batch(index)
        assert y is not None  # fit requires targets
        return x, y, weight

    def split(self, fraction: float, seed: int) -> tuple[Samples, Samples]:
        """Two disjoint parts, the second with ``fraction`` of the rows; classes keep their shares where they can."""
        labels = self.y if self.y is not None and self.y.ndim == 1 and self.y.dtype.kind in "biu" else None
        if labels is not None:
            labels = labels if self.rows is None else labels[self.rows]
            labels = labels if np.unique(labels, return_counts=True)[1].min() > 1 else None
        first, second = split_indices(len(self), fraction, seed=seed, stratify=labels)
        return self._part(first), self._part(second)

    def _part(self, index: Array) -> Samples:
        return replace(self, rows=index if self.rows is None else self.rows[index])

    def _optional(self, array: Array | None, index: Array | slice) -> Tensor | None:
        return None if array is None else self._tensor(array, index)

    def _tensor(self, array: Array, index: Array | slice) -> Tensor:
        rows = array[index] if isinstance(index, slice) else array.take(index, axis=0)
        if rows.dtype.kind == "f" and rows.dtype != self.dtype:
            rows = rows.astype(self.dtype)
        elif isinstance(index, slice):
            rows = rows.view()  # a window into the caller's array: for looking, while nobody changes it
        rows.setflags(write=False)
        return Tensor.wrap(rows)


def _counting(weights: Array | None, what: str) -> Array | None:
    """The rows of positive weight: a weight of 0 means that the sample is not there."""
    if weights is None or weights.all():
        return None
    if not weights.any():
        raise ArgumentError(
            explain(f"{what} expected at least one positive sample_weight", "zeros only", "Weigh some samples")
        )
    return np.flatnonzero(weights)


def _array(data: Any, name: str, what: str) -> Array:
    try:
        array = data.numpy() if isinstance(data, Tensor) else np.asarray(data)
    except ValueError as error:
        raise ShapeError(f"{what} expected {name} to be a regular array, but {error}. Pad or cut its rows.") from None
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise DtypeError(
            explain(
                f"{what} expected numbers in {name}",
                f"dtype {array.dtype}",
                "Encode text and categories as integers first (np.unique(labels, return_inverse=True))",
            )
        )
    if not array.ndim or not len(array):
        raise ShapeError(
            explain(f"{what} expected at least one row in {name}", f"shape {array.shape}", "Check the data")
        )
    return array


def mostly_zeros(x: Array) -> bool:
    """Whether most elements of a data set are zero, judged by some rows from all over it."""
    some = x[np.linspace(0, len(x) - 1, min(len(x), LOOKED_AT)).astype(np.intp)]
    return bool(np.count_nonzero(some) <= (1 - MOSTLY_ZEROS) * some.size)
