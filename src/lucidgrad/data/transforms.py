"""What is done to arrays before a network sees them: put on one scale, labels as vectors, a part held back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from lucidgrad.data.checks import whole_number
from lucidgrad.errors import ArgumentError, DataError, DtypeError, explain
from lucidgrad.ops.arrays import regular

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
_Float64s: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

_CHUNK_BYTES = 1 << 22
"""How much is turned into float64 at a time: arrays on disk (numpy.memmap) larger than memory pass through."""


@dataclass(frozen=True, eq=False)
class Standardize:
    """Shift and scale each column to mean 0 and standard deviation 1, as it was in the samples fitted.

    ``Standardize.fit(x)`` finds the two arrays that are all of its state; ``Standardize(mean, scale)`` makes it from
    them again. A constant column has ``scale`` 1, so it becomes 0 instead of NaN.

    Parameters
    ----------
    mean
        Of the shape of one sample: a number where samples are numbers. It becomes float64.
    scale
        Standard deviation over the samples (divisor n, not n - 1), of the same shape. It becomes float64.

    Raises
    ------
    ArgumentError
        When the two are no finite numbers of one shape, or a scale is not above 0.

    Examples
    --------
    >>> import numpy as np
    >>> from lucidgrad.data import Standardize
    >>> scaler = Standardize.fit(np.array([[0.0, 5.0], [2.0, 5.0]]))
    >>> scaler.mean, scaler.scale
    (array([1., 5.]), array([1., 1.]))
    >>> scaler.transform(np.array([[4.0, 5.0]]))
    array([[3., 0.]], dtype=float32)
    """

    mean: _Float64s
    scale: _Float64s

    def __post_init__(self) -> None:
        given = [regular(self.mean), regular(self.scale)]
        if not all(array.dtype.kind in "fiub" for array in given):
            raise _no_state(" and ".join(str(array.dtype) for array in given))
        mean, scale = (np.asarray(array, np.float64) for array in given)
        if mean.shape != scale.shape:
            raise _no_state(f"shapes {mean.shape} and {scale.shape}")
        bad = ~(np.isfinite(mean) & np.isfinite(scale) & (scale > 0))
        if bad.any():
            raise _no_state(f"a mean of {mean[bad][0]:g} with a scale of {scale[bad][0]:g}")
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "scale", scale)

    @classmethod
    def fit(cls, x: ArrayLike) -> Standardize:
        """Find mean and standard deviation of each column, in one pass over pieces of 4 MiB.

        Sums are in float64; the pieces are joined as in Chan, Golub and LeVeque, "Updating Formulae and a Pairwise
        Algorithm for Computing Sample Variances" (1979), eq. 2.1.

        Parameters
        ----------
        x
            Samples (n, ...).

        Raises
        ------
        DataError
            When ``x`` holds no samples, no real numbers, NaN or infinity, or numbers too large to be squared.
        """
        array = _real(x, "Standardize.fit")
        if len(array) == 0:
            raise DataError(
                explain("Standardize.fit expected at least one sample", f"shape {array.shape}", "Pass training samples")
            )
        count = 0
        mean, squares = np.zeros(array.shape[1:]), np.zeros(array.shape[1:])
        low, high = np.full(array.shape[1:], np.inf), np.full(array.shape[1:], -np.inf)
        for rows in _row_chunks(array):
            chunk = array[rows].astype(np.float64)
            _check_finite(chunk, rows.start)
            low, high = np.minimum(low, chunk.min(axis=0)), np.maximum(high, chunk.max(axis=0))
            with np.errstate(over="ignore", invalid="ignore"):  # the result is looked at below
                m = len(chunk)
                chunk_mean = chunk.mean(axis=0)
                delta = chunk_mean - mean
                squares = squares + ((chunk - chunk_mean) ** 2).sum(axis=0) + delta**2 * (count * m / (count + m))
                mean = mean + delta * (m / (count + m))
                count += m
        constant = low == high
        if not np.isfinite(squares).all():
            raise DataError(
                explain("Standardize.fit expected squares that float64 can hold", f"{high.max():g}", "Scale x first")
            )
        # Compare the extremes, not the variance with 0: the mean of a constant column is off by a rounding.
        scale = np.where(constant, 1.0, np.sqrt(squares / count))
        return cls(np.where(constant, low, mean), np.where(scale == 0.0, 1.0, scale))

    def transform(self, x: ArrayLike, dtype: DTypeLike = np.float32) -> Array:
        """(x - mean) / scale, worked out in float64.

        Parameters
        ----------
        x
            Samples (n, ...), each of the shape of those fitted.
        dtype
            Of what is returned.

        Returns
        -------
        ndarray
            (n, ...) of ``dtype``.

        Raises
        ------
        DataError
            When the samples of ``x`` have another shape than those fitted, or are no real numbers.
        DtypeError
            When ``dtype`` is not one of floats: whole numbers could not hold what comes out.
        """
        return self._apply(x, "transform", dtype)

    def inverse(self, z: ArrayLike, dtype: DTypeLike = np.float32) -> Array:
        """Take standardised numbers back to the scale they came from: z * scale + mean.

        Parameters
        ----------
        z
            Standardised samples (n, ...).
        dtype
            Of what is returned.

        Returns
        -------
        ndarray
            (n, ...) of ``dtype``.

        Raises
        ------
        DataError, DtypeError
            As ``transform``.

        Examples
        --------
        >>> import numpy as np
        >>> from lucidgrad.data import Standardize
        >>> Standardize.fit(np.array([1.0, 3.0])).inverse(np.array([-1.0, 1.0]))
        array([1., 3.], dtype=float32)
        """
        return self._apply(z, "inverse", dtype)

    def _apply(self, x: ArrayLike, way: str, dtype: DTypeLike) -> Array:
        array = _real(x, f"Standardize.{way}")
        if array.shape[1:] != self.mean.shape:
            raise DataError(
                explain(
                    f"Standardize.{way} expected samples of shape {self.mean.shape}, as it was fitted",
                    str(array.shape[1:]),
                    "Pass the columns it was fitted on, in the same order",
                )
            )
        out = np.empty(array.shape, _float(dtype, f"Standardize.{way}(dtype)"))
        for rows in _row_chunks(array):
            chunk = array[rows].astype(np.float64)
            out[rows] = (chunk - self.mean) / self.scale if way == "transform" else chunk * self.scale + self.mean
        return out


def standardize(x_train: ArrayLike, *others: ArrayLike) -> tuple[Array, ...]:
    """Standardise the training samples, and the others by the mean and scale of the training samples.

    Fitting on anything but the training samples would tell the network about the others.

    Parameters
    ----------
    x_train
        The samples that mean and scale are taken from, (n, ...).
    *others
        Validation and test samples, (m, ...) each.

    Returns
    -------
    tuple of ndarray
        One float32 array for each argument, in their order.

    Raises
    ------
    DataError
        As ``Standardize.fit`` and ``Standardize.transform``.

    Examples
    --------
    >>> from lucidgrad.data import standardize
    >>> x_train, x_test = standardize([[1.0], [3.0]], [[5.0]])
    >>> x_train.tolist(), x_test.tolist()
    ([[-1.0], [1.0]], [[3.0]])
    """
    scaler = Standardize.fit(x_train)
    return tuple(scaler.transform(x) for x in (x_train, *others))


def one_hot(labels: ArrayLike, classes: int | None = None) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Class numbers as rows that are 1 at the class and 0 elsewhere.

    Parameters
    ----------
    labels
        Whole numbers from 0 to classes - 1, (n,).
    classes
        How many classes there are; ``None`` takes the largest label plus one.

    Returns
    -------
    ndarray
        float32 (n, classes).

    Raises
    ------
    DataError
        When ``labels`` are not whole numbers (n,), one is negative, or one is not below ``classes``.
    ArgumentError
        When ``classes`` is not a whole number of at least 1.

    Examples
    --------
    >>> from lucidgrad.data import one_hot
    >>> one_hot([0, 2], classes=3)
    array([[1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    array = np.asarray(regular(labels))
    if array.ndim != 1 or (array.dtype.kind not in "iub" and array.size):
        raise DataError(
            explain(
                "one_hot expected whole numbers of shape (n,)",
                f"{array.dtype} of shape {array.shape}",
                "Turn labels into numbers first: np.unique(labels, return_inverse=True)[1]",
            )
        )
    array = array.astype(np.int64)
    count = int(array.max(initial=0)) + 1 if classes is None else whole_number("one_hot(classes)", classes, at_least=1)
    wrong = np.flatnonzero((array < 0) | (array >= count))
    if len(wrong):
        raise DataError(
            explain(
                f"one_hot expected labels from 0 to {count - 1}",
                f"{array[wrong[0]]} at index {wrong[0]}",
                "Give the right number of classes, and labels that count from 0",
            )
        )
    out = np.zeros((len(array), count), np.float32)
    out[np.arange(len(array)), array] = 1.0
    return out


def _no_state(got: str) -> ArgumentError:
    expected = "Standardize expected finite means and positive scales of one shape"
    return ArgumentError(explain(expected, got, "Let it find them: Standardize.fit(x_train)"))


def _real(x: ArrayLike, who: str) -> Array:
    array = regular(x)
    if array.ndim == 0 or array.dtype.kind not in "fiub":
        raise DataError(
            explain(
                f"{who} expected an array of real numbers, (n, ...)",
                f"{array.dtype} of shape {array.shape}",
                "Turn text and missing values into numbers first",
            )
        )
    return array


def _float(dtype: DTypeLike, who: str) -> np.dtype[Any]:
    try:
        found = np.dtype(dtype)
    except (TypeError, ValueError):
        found = None
    if found is None or found.kind != "f":
        got = repr(dtype) if found is None else str(found)
        raise DtypeError(explain(f"{who} expected a dtype of floats", got, "Use np.float32 or np.float64"))
    return found


def _row_chunks(array: Array) -> Iterator[slice]:
    row_bytes = max(8, 8 * int(np.prod(array.shape[1:])))
    rows = max(1, _CHUNK_BYTES // row_bytes)
    return (slice(i, min(i + rows, len(array))) for i in range(0, len(array), rows))


def _check_finite(chunk: _Float64s, first_row: int) -> None:
    if np.isfinite(chunk).all():
        return
    where = np.argwhere(~np.isfinite(chunk))[0]
    raise DataError(
        explain(
            "Standardize.fit expected finite numbers",
            f"{chunk[tuple(where)]} in row {first_row + where[0]}, column {tuple(map(int, where[1:])) or 0}",
            "Leave such rows out, or fill them in",
        )
    )
