"""Losses for classes: what a network is trained on when its targets are labels or probabilities."""

from __future__ import annotations

import math
from typing import Any, final

import numpy as np

from lucidgrad.errors import ArgumentError, DataError, ShapeError, explain
from lucidgrad.functional import is_class, log_softmax, where
from lucidgrad.losses.base import Loss, Reduction, quantities
from lucidgrad.ops.classes import cross_entropy as cross_entropy_of_labels
from lucidgrad.targets import (
    as_tensor,
    check_distribution,
    check_integers,
    check_labels,
    check_weights,
    concrete,
    squeezed,
)
from lucidgrad.tensor import Tensor


@final
class CrossEntropy(Loss):
    """-log softmax(f(x))[y]: for one class out of several, predicted as logits.

    Parameters
    ----------
    reduction
        ``"mean"`` or ``"sum"`` over the samples.
    label_smoothing
        In [0, 1): the share e of the target that is spread over all classes: (1 - e) at the label plus e / classes
        everywhere (Szegedy et al. 2016, section 7).
    class_weight
        One number >= 0 for each class, (classes,): how much a sample of that class counts.

    Raises
    ------
    ArgumentError
        When ``label_smoothing`` is not in [0, 1), or ``class_weight`` is not a list of numbers >= 0.

    Notes
    -----
    Predictions are logits (batch, classes), any real numbers, or -inf for a class that is ruled out. Targets are
    integer labels (batch,), or probabilities (batch, classes) that add up to 1.

    With target probabilities q (from smoothing or given) and class weights w the loss of a sample is the sum over
    the classes of -w_c q_c log softmax(f(x))_c: a soft target is a mixture of labelled samples. "mean" divides by
    the sum of the samples' weights, w_c q_c summed over the classes. PyTorch has the same sum, and the same mean for
    labels without smoothing; with smoothing it divides by the weights of the labels alone, and for probabilities
    with class weights by the number of samples.

    References
    ----------
    Bridle, J. S. (1990). Probabilistic interpretation of feedforward classification network outputs.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> from lucidgrad.losses import CrossEntropy
    >>> logits = lg.Tensor([[2.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    >>> loss = CrossEntropy()(logits, [0, 2])
    >>> loss
    Tensor(0.6690785)
    >>> lg.grad(loss, logits)  # (softmax - one-hot) / batch
    Tensor([[-0.10650698,  0.05325349,  0.05325349],
            [ 0.16666667,  0.16666667, -0.33333334]])
    """

    def __init__(
        self, reduction: Reduction = "mean", *, label_smoothing: float = 0.0, class_weight: Any = None
    ) -> None:
        super().__init__(reduction)
        if not 0 <= label_smoothing < 1:
            raise ArgumentError(
                explain("CrossEntropy expected label_smoothing in [0, 1)", repr(label_smoothing), "Try 0.1")
            )
        self.label_smoothing = float(label_smoothing)
        self.class_weight = None if class_weight is None else _class_weight(class_weight)

    def check(self, predictions: Tensor, targets: Any) -> tuple[Tensor, Tensor]:
        """Logits (batch, classes) with labels (batch,) or probabilities (batch, classes)."""
        classes = predictions.shape[1] if predictions.ndim == 2 else 0
        if classes < 2 or (self.class_weight is not None and classes != len(self.class_weight)):
            wanted = (
                "classes >= 2" if self.class_weight is None else f"{len(self.class_weight)} classes as class_weight"
            )
            raise ShapeError(
                explain(
                    f"CrossEntropy expected logits (batch, classes) with {wanted}",
                    f"{predictions.shape}",
                    "For a single logit use Logistic; join further axes with reshape(-1, classes)",
                )
            )
        if not isinstance(targets, Tensor):
            targets = as_tensor(targets)
        if targets.shape == predictions.shape:
            return predictions, _probabilities(predictions, targets)
        return predictions, labels_of(predictions, targets, "CrossEntropy")

    def terms(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """-log softmax(f(x)) at the label; or at each class its share of it."""
        if targets.ndim == 1 and not self.label_smoothing and self.class_weight is None:
            return cross_entropy_of_labels(predictions, targets)  # type: ignore[no-any-return]
        log_p = log_softmax(predictions)
        # Choose by `where` and do not multiply by 0: a class that is ruled out has log_p = -inf, and 0 * -inf is NaN.
        share = self._shares(predictions, targets)
        return -(share * where(share > 0, log_p, 0.0))

    def own_weight(self, predictions: Tensor, targets: Tensor) -> Tensor | None:
        """The class weights of the targets."""
        return None if self.class_weight is None else self._shares(predictions, targets).sum(-1)

    def _shares(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """w_c q_c: what each class counts for each sample, (batch, classes)."""
        classes, dtype = predictions.shape[1], predictions.dtype
        q = targets if targets.ndim == 2 else is_class(targets, classes).astype(dtype)
        if self.label_smoothing:
            q = (1.0 - self.label_smoothing) * q + self.label_smoothing / classes
        return q if self.class_weight is None else q * as_tensor(self.class_weight, dtype)


@final
class Logistic(Loss):
    """-y log(p) - (1 - y) log(1 - p) with p = sigmoid(f(x)): for two classes, or several yes-or-no questions.

    Parameters
    ----------
    reduction
        ``"mean"`` or ``"sum"`` over the samples.

    Notes
    -----
    Predictions are logits (batch,) or (batch, columns), targets are 0, 1 or a probability in between, in the same
    shape. Computed as y softplus(-f) + (1 - y) softplus(f), with softplus(f) = max(f, 0) + log(1 + exp(-|f|)): that
    equals max(f, 0) - y f + log(1 + exp(-|f|)), but no large numbers are subtracted, so that the small loss and
    slope of a sure right answer keep all their digits. PyTorch's BCEWithLogitsLoss divides by the number of elements.

    References
    ----------
    Cox, D. R. (1958). The regression analysis of binary sequences.

    Examples
    --------
    >>> from lucidgrad.losses import Logistic
    >>> Logistic().per_sample([0.0, 100.0, -100.0], [1, 1, 1])
    Tensor([6.93147181e-01, 3.72007598e-44, 1.00000000e+02], dtype=float64)
    """

    def check(self, predictions: Tensor, targets: Any) -> tuple[Tensor, Tensor]:
        """Targets in [0, 1], in the shape of the logits."""
        t = quantities("Logistic", targets, predictions.shape, predictions.dtype)
        values = concrete(t)
        if values is not None and not (values.min() >= 0 and values.max() <= 1):
            raise DataError(
                explain(
                    "Logistic expected targets from 0 to 1",
                    f"numbers from {values.min():g} to {values.max():g}",
                    "Write (y + 1) / 2 for -1 and +1; for more than two classes use CrossEntropy, an output for each",
                )
            )
        return predictions, t

    def terms(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """The sum y softplus(-f) + (1 - y) softplus(f)."""
        return targets * (-predictions).softplus() + (1.0 - targets) * predictions.softplus()


@final
class Hinge(Loss):
    """max(0, 1 - y f(x)) for y = -1 or +1: no loss for answers that are right by a margin of 1.

    Parameters
    ----------
    reduction
        ``"mean"`` or ``"sum"`` over the samples.

    Notes
    -----
    Two classes (Cortes and Vapnik 1995): scores (batch,) or (batch, columns), targets -1 and +1 or 0 and 1, in the
    same shape. Several classes: scores (batch, classes), integer labels (batch,), and the loss is
    max(0, 1 + max over c != y of f_c - f_y) (Crammer and Singer 2001), as scikit-learn's hinge_loss; PyTorch's
    MultiMarginLoss instead adds up all classes inside of the margin, and divides by their number (Weston and
    Watkins 1999). The slope at the margin itself is 0.

    Examples
    --------
    >>> from lucidgrad.losses import Hinge
    >>> Hinge().per_sample([2.0, 0.5, -1.0], [1, 1, 1])
    Tensor([0. , 0.5, 2. ], dtype=float64)
    >>> Hinge().per_sample([[3.0, 2.5, 0.0]], [0])
    Tensor([0.5], dtype=float64)
    """

    def check(self, predictions: Tensor, targets: Any) -> tuple[Tensor, Tensor]:
        """Labels (batch,) for several classes, or signs in the shape of the scores."""
        t = as_tensor(targets)
        if predictions.ndim == 2 and predictions.shape[1] > 1 and t.shape != predictions.shape:
            return predictions, labels_of(predictions, t, "Hinge")
        t = quantities("Hinge", t, predictions.shape, predictions.dtype)
        values = concrete(t)
        if values is not None and not any(np.isin(values, pair).all() for pair in ((-1, 1), (0, 1))):
            raise DataError(
                explain(
                    "Hinge expected targets -1 and +1, or 0 and 1",
                    f"{np.unique(values)[:4].tolist()}",
                    "For several classes give the scores (batch, classes) and the labels (batch,)",
                )
            )
        return predictions, t

    def terms(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """max(0, 1 - margin)."""
        if targets.ndim == predictions.ndim:
            return (1.0 - where(targets > 0, predictions, -predictions)).relu()
        label = is_class(targets, predictions.shape[1])
        best_other = where(label, -math.inf, predictions).max(-1)
        return (1.0 + best_other - where(label, predictions, 0.0).sum(-1)).relu()


def cross_entropy(
    logits: Any,
    labels: Any,
    *,
    label_smoothing: float = 0.0,
    class_weight: Any = None,
    sample_weight: Any = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """``CrossEntropy`` in one call, a scalar.

    Parameters
    ----------
    logits
        (batch, classes).
    labels
        (batch,), integers, or probabilities (batch, classes).
    sample_weight
        What each sample counts, (batch,).
    label_smoothing, class_weight, reduction
        As ``CrossEntropy`` takes them.

    Examples
    --------
    >>> from lucidgrad.losses import cross_entropy
    >>> cross_entropy([[0.0, 0.0]], [1])
    Tensor(0.69314718, dtype=float64)
    """
    loss = CrossEntropy(reduction, label_smoothing=label_smoothing, class_weight=class_weight)
    return loss(logits, labels, sample_weight)


def logistic(logits: Any, targets: Any, *, sample_weight: Any = None, reduction: Reduction = "mean") -> Tensor:
    """``Logistic`` in one call, a scalar.

    Parameters
    ----------
    logits, targets
        (batch,) or (batch, columns), the same for both; targets from 0 to 1.
    sample_weight
        What each sample counts, (batch,).
    reduction
        ``"mean"`` or ``"sum"`` over the samples.

    Examples
    --------
    >>> from lucidgrad.losses import logistic
    >>> logistic([0.0], [1])
    Tensor(0.69314718, dtype=float64)
    """
    return Logistic(reduction)(logits, targets, sample_weight)


def hinge(scores: Any, targets: Any, *, sample_weight: Any = None, reduction: Reduction = "mean") -> Tensor:
    """``Hinge`` in one call, a scalar.

    Parameters
    ----------
    scores
        (batch,) or (batch, columns); or (batch, classes).
    targets
        -1 and +1 or 0 and 1 in the shape of the scores; or integer labels (batch,).
    sample_weight
        What each sample counts, (batch,).
    reduction
        ``"mean"`` or ``"sum"`` over the samples.

    Examples
    --------
    >>> from lucidgrad.losses import hinge
    >>> hinge([0.25], [1])
    Tensor(0.75, dtype=float64)
    """
    return Hinge(reduction)(scores, targets, sample_weight)


def labels_of(predictions: Tensor, targets: Tensor, who: str) -> Tensor:
    """Integer labels (batch,) that name a column of the predictions."""
    if squeezed(targets.shape) != predictions.shape[:1]:
        raise ShapeError(
            explain(
                f"{who} expected labels of shape {predictions.shape[:1]}, or targets {predictions.shape}",
                f"{targets.shape}",
                "Give each row of the predictions one label",
            )
        )
    check_integers(who, targets.dtype)
    labels = concrete(targets)
    if labels is not None:
        check_labels(who, labels, predictions.shape[1])
    return targets if targets.ndim == 1 else targets.reshape(-1)


def _probabilities(predictions: Tensor, targets: Tensor) -> Tensor:
    values = concrete(targets)
    if values is not None:
        check_distribution("CrossEntropy", values)
    return targets.astype(predictions.dtype)


def _class_weight(class_weight: Any) -> tuple[float, ...]:
    w = np.asarray(class_weight, np.float64)
    if w.ndim != 1 or not w.size:
        raise ArgumentError(
            explain("class_weight expected a number for each class, (classes,)", f"{w.shape}", "Pass a list of numbers")
        )
    check_weights("class_weight", w)
    return tuple(w.tolist())
