"""Metrics of the confusion matrix: which class is taken for which, and what follows from the counts."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Literal, TypeAlias, final

import numpy as np

from lucidgrad.errors import ArgumentError, DataError, explain
from lucidgrad.metrics.base import Metric, State, batch_of, weights_of
from lucidgrad.metrics.labels import predicted_labels, true_labels
from lucidgrad.targets import Array, check_total_weight, counting_has_no_gradient

Average: TypeAlias = Literal["macro", "micro", "weighted"] | None


@final
class ConfusionMatrix(Metric):
    """How many samples of each class (row) are taken for each class (column). See ``confusion_matrix``.

    Parameters
    ----------
    classes
        The number of classes, where it is known; else the matrix grows.

    Examples
    --------
    >>> from lucidgrad.metrics import ConfusionMatrix
    >>> ConfusionMatrix()([0, 1, 1], [0, 1, 0])
    array([[1., 1.],
           [0., 1.]])
    """

    name = "confusion_matrix"
    not_differentiable = str(counting_has_no_gradient("a confusion matrix"))

    def __init__(self, classes: int = 0) -> None:
        self.classes = classes

    def init(self) -> State:
        """No samples of the classes that are known."""
        return {"counts": np.zeros((self.classes, self.classes))}

    def update(self, state: State, predictions: Any, targets: Any, sample_weight: Any = None) -> State:
        """Add a batch; the matrix grows when a class is new."""
        p, t = batch_of(self.name, predictions, targets)
        columns, rows = predicted_labels(p), true_labels(self.name, p, t)
        if min(rows.min(), columns.min()) < 0:
            raise DataError(
                explain(
                    "a confusion matrix expected classes numbered from 0, and predictions that are no NaN",
                    f"class {min(rows.min(), columns.min())}",
                    "Number the classes with np.unique(labels, return_inverse=True)[1]; NaN means training diverged",
                )
            )
        is_label = p.dtype.kind != "f" and (p.ndim == 1 or p.shape[1] == 1)
        shown = 1 + int(max(rows.max(), columns.max())) if is_label else max(2, p.size // len(p))
        if self.classes and shown > self.classes:
            raise DataError(
                explain(f"expected labels of {self.classes} classes", f"{shown} classes", "Pass more classes=, or none")
            )
        n = max(shown, len(state["counts"]))
        counts = np.bincount(rows * n + columns, weights_of(sample_weight, len(p)), n * n).reshape(n, n)
        known = len(state["counts"])
        counts[:known, :known] += state["counts"]
        return {"counts": counts}

    def result(self, state: State) -> Array:
        """The matrix, float64 (classes, classes)."""
        return state["counts"]


class _PerClass(Metric):
    """A share that each class has, and its average over the classes.

    Parameters
    ----------
    average
        None, ``"macro"``, ``"micro"`` or ``"weighted"``, as ``precision`` explains.

    Raises
    ------
    ArgumentError
        When ``average`` is something else.
    """

    kind: str
    not_differentiable = str(counting_has_no_gradient("a share of right answers"))

    def __init__(self, average: Average = "macro") -> None:
        if average not in (None, "macro", "micro", "weighted"):
            raise ArgumentError(
                explain(
                    f"{self.kind} expected average None, 'macro', 'micro' or 'weighted'",
                    repr(average),
                    "For class 1 of two use average=None and take [1]",
                )
            )
        self.average = average
        self.name = self.kind if average == "macro" else f"{self.kind}_{average or 'per_class'}"
        self._matrix = ConfusionMatrix()

    @abstractmethod
    def share(self, right: Any, predicted: Any, actual: Any) -> tuple[Any, Any]:
        """Numerator and denominator, from the weights that are right, predicted and there, (classes,) or summed.

        Parameters
        ----------
        right, predicted, actual
            (classes,), or scalars.
        """

    def init(self) -> State:
        """An empty confusion matrix."""
        return self._matrix.init()

    def update(self, state: State, predictions: Any, targets: Any, sample_weight: Any = None) -> State:
        """Add a batch to the confusion matrix."""
        return self._matrix.update(state, predictions, targets, sample_weight)

    def result(self, state: State) -> Any:
        """A float, or with ``average=None`` float64 (classes,)."""
        m = state["counts"]
        check_total_weight(self.name, float(m.sum()))
        right, predicted, actual = np.diag(m), m.sum(axis=0), m.sum(axis=1)
        if self.average == "micro":
            return float(_divide(*self.share(right.sum(), predicted.sum(), actual.sum())))
        values = _divide(*self.share(right, predicted, actual))
        if self.average is None:
            return values
        weight = actual if self.average == "weighted" else (predicted + actual > 0).astype(np.float64)
        return float((weight * values).sum() / weight.sum())


@final
class Precision(_PerClass):
    """Of the samples taken for a class, the share that belongs to it. See ``precision``.

    Parameters
    ----------
    average
        How the classes are averaged, or None.

    Examples
    --------
    >>> from lucidgrad.metrics import Precision
    >>> Precision()([0, 1, 1, 2], [0, 1, 2, 2])
    0.833...
    """

    kind = "precision"

    def share(self, right: Any, predicted: Any, actual: Any) -> tuple[Any, Any]:
        """Right of those predicted."""
        return right, predicted


@final
class Recall(_PerClass):
    """Of the samples of a class, the share taken for it. See ``recall``.

    Parameters
    ----------
    average
        How the classes are averaged, or None.

    Examples
    --------
    >>> from lucidgrad.metrics import Recall
    >>> Recall("micro")([0, 1, 1, 2], [0, 1, 2, 2])
    0.75
    """

    kind = "recall"

    def share(self, right: Any, predicted: Any, actual: Any) -> tuple[Any, Any]:
        """Right of those that are there."""
        return right, actual


@final
class F1(_PerClass):
    """The harmonic mean of precision and recall. See ``f1``.

    Parameters
    ----------
    average
        How the classes are averaged, or None.

    Examples
    --------
    >>> from lucidgrad.metrics import F1
    >>> F1(None)([0, 1, 1], [0, 1, 0])
    array([0.666..., 0.666...])
    """

    kind = "f1"

    def share(self, right: Any, predicted: Any, actual: Any) -> tuple[Any, Any]:
        """The ratio 2 p r / (p + r), in one division."""
        return 2 * right, predicted + actual


def confusion_matrix(predictions: Any, targets: Any, sample_weight: Any = None, *, classes: int = 0) -> Array:
    """How many samples of each class (row) are taken for each class (column).

    Parameters
    ----------
    predictions, targets, sample_weight
        As ``accuracy``: (batch, classes) or (batch,); (batch,); and (batch,).
    classes
        The number of classes; 0: as many as there are logits, or as the largest label says.

    Returns
    -------
    array
        (classes, classes), int64, or float64 with weights.

    Examples
    --------
    >>> from lucidgrad.metrics import confusion_matrix
    >>> confusion_matrix([0, 1, 1, 2], [0, 1, 2, 2])
    array([[1, 0, 0],
           [0, 1, 0],
           [0, 1, 1]])
    """
    counts: Array = ConfusionMatrix(classes)(predictions, targets, sample_weight)
    return counts.astype(np.int64) if sample_weight is None else counts


def precision(predictions: Any, targets: Any, sample_weight: Any = None, *, average: Average = "macro") -> Any:
    """Of the samples taken for a class, the share that belongs to it.

    Parameters
    ----------
    predictions, targets, sample_weight
        As ``accuracy``: (batch, classes) or (batch,); (batch,); and (batch,).
    average
        None: an array with one number for each class. ``"macro"``: their mean over the classes that occur, in
        targets or predictions. ``"weighted"``: their mean weighted by how often each class occurs in the targets.
        ``"micro"``: all classes counted together, which is the accuracy.

    Returns
    -------
    float or array
        A share of nothing, 0 / 0, is 0: scikit-learn's default as well, with a warning there.

    Examples
    --------
    >>> from lucidgrad.metrics import precision
    >>> precision([0, 1, 1, 2], [0, 1, 2, 2], average=None)
    array([1. , 0.5, 1. ])
    """
    return Precision(average)(predictions, targets, sample_weight)


def recall(predictions: Any, targets: Any, sample_weight: Any = None, *, average: Average = "macro") -> Any:
    """Of the samples of a class, the share taken for it.

    Parameters
    ----------
    predictions, targets, sample_weight
        As ``accuracy``: (batch, classes) or (batch,); (batch,); and (batch,).
    average
        As ``precision``.

    Returns
    -------
    A number, or with ``average=None`` (classes,). A share of nothing, 0 / 0, is 0.

    Examples
    --------
    >>> from lucidgrad.metrics import recall
    >>> recall([0, 1, 1, 2], [0, 1, 2, 2], average=None)
    array([1. , 1. , 0.5])
    """
    return Recall(average)(predictions, targets, sample_weight)


def f1(predictions: Any, targets: Any, sample_weight: Any = None, *, average: Average = "macro") -> Any:
    """The harmonic mean of precision and recall (van Rijsbergen 1979, chapter 7).

    Parameters
    ----------
    predictions, targets, sample_weight
        As ``accuracy``: (batch, classes) or (batch,); (batch,); and (batch,).
    average
        As ``precision``.

    Returns
    -------
    A number, or with ``average=None`` (classes,). A share of nothing, 0 / 0, is 0.

    Examples
    --------
    >>> from lucidgrad.metrics import f1
    >>> f1([0, 1, 1, 2], [0, 1, 2, 2])
    0.777...
    """
    return F1(average)(predictions, targets, sample_weight)


def _divide(a: Any, b: Any) -> Any:
    """A / b, and 0 where b is 0."""
    return np.divide(a, b, out=np.zeros(np.shape(a)), where=np.asarray(b) != 0)
