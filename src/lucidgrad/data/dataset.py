"""What a data set is once it is in memory: its arrays, and the words that plots and reports need about them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lucidgrad.data.split import train_validation_split
from lucidgrad.errors import DataError, counted, explain
from lucidgrad.ops.arrays import regular

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Samples and targets for training, and those held back for testing.

    Parameters
    ----------
    name
        What the data set is called, such as ``"mnist"``.
    x_train, y_train
        Samples (n, in_features) and targets: class numbers int64 (n,), or numbers (n, out_features) for regression.
    x_test, y_test
        The same for testing, or ``None`` where nothing is held back.
    feature_names
        A name for each column of ``x``.
    class_names
        A name for each class; empty for regression.
    image_shape
        (height, width) in pixels where a sample is an image laid out row by row.
    description
        A sentence or two on where the data come from.
    source
        The folder the data were read from, or ``None`` where they came with a package.

    Raises
    ------
    DataError
        When samples and targets are no arrays or differ in number, or only one of ``x_test`` and ``y_test`` is given.
    ShapeError
        When rows have different lengths.

    Examples
    --------
    >>> from lucidgrad.data import Dataset, xor
    >>> Dataset("xor", *xor(200), class_names=("same", "different"))
    Dataset('xor': 200 train samples, 2 features, 2 classes, float32)
    """

    name: str
    x_train: Array
    y_train: Array
    x_test: Array | None = None
    y_test: Array | None = None
    feature_names: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()
    image_shape: tuple[int, int] | None = None
    description: str = ""
    source: Path | None = None

    def __post_init__(self) -> None:
        _check_pair(self, "train")
        if (self.x_test is None) != (self.y_test is None):
            given = "y_test" if self.x_test is None else "x_test"
            raise DataError(
                explain(f"Dataset({self.name!r}) expected x_test and y_test together", f"only {given}", "Give both")
            )
        if self.x_test is not None and self.y_test is not None:
            _check_pair(self, "test")

    @property
    def in_features(self) -> int:
        """Numbers in a sample: what the first layer takes."""
        return int(np.prod(self.x_train.shape[1:]))

    @property
    def out_features(self) -> int:
        """What the last layer gives: a logit for each class, or the numbers of a target for regression."""
        return len(self.class_names) or int(np.prod(self.y_train.shape[1:]))

    def split(self, fraction: float = 0.2, *, seed: int = 0) -> tuple[Array, Array, Array, Array]:
        """Hold a part of the training samples back for validation; the test samples are not touched.

        Parameters
        ----------
        fraction
            The part to hold back, between 0 and 1.
        seed
            Which samples: the same seed gives the same ones.

        Returns
        -------
        x_train, x_validation, y_train, y_validation
            Samples (n, in_features) and targets (n,) or (n, out_features), with every class in both parts where there
            are classes.

        Examples
        --------
        >>> from lucidgrad.data import digits
        >>> x_train, x_validation, y_train, y_validation = digits().split(0.25)
        >>> len(x_train), len(x_validation)
        (1078, 360)
        """
        stratify = True if self.class_names else None
        return train_validation_split(self.x_train, self.y_train, fraction, seed=seed, stratify=stratify)

    def __repr__(self) -> str:
        test = "" if self.x_test is None else f" + {len(self.x_test):,} test"
        image = "" if self.image_shape is None else " ({}x{} images)".format(*self.image_shape)
        outputs = (
            counted(len(self.class_names), "class", "classes")
            if self.class_names
            else counted(self.out_features, "output")
        )
        return (
            f"Dataset({self.name!r}: {len(self.x_train):,} train{test} samples, "
            f"{counted(self.in_features, 'feature')}{image}, {outputs}, {self.x_train.dtype})"
        )


def _check_pair(dataset: Dataset, part: str) -> None:
    """Be sure of two arrays, made of whatever was given for them, with as many rows."""
    pair = []
    for name in (f"x_{part}", f"y_{part}"):
        given = getattr(dataset, name)
        array = regular(given)
        if not array.ndim:
            expected = f"Dataset({dataset.name!r}) expected arrays of samples x_{part} and targets y_{part}"
            got = f"{name}={given!r}"
            raise DataError(explain(expected, got, "Give x of shape (n, in_features), y of (n,) or (n, out_features)"))
        object.__setattr__(dataset, name, array)
        pair.append(array)
    x, y = pair
    if len(x) != len(y):
        raise DataError(
            explain(
                f"Dataset({dataset.name!r}) expected a target for each {part} sample",
                f"{counted(len(x), 'sample')} and {counted(len(y), 'target')}",
                f"Look at how x_{part} and y_{part} were cut",
            )
        )
