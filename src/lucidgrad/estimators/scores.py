"""Which losses of classes know probabilities, and what stands in for these where they know margins alone."""

from __future__ import annotations

from typing import Any

from lucidgrad.errors import ArgumentError, LucidgradError, explain
from lucidgrad.losses import LOSSES, CrossEntropy, Hinge, Loss, as_loss


def knows_probabilities(loss: Any) -> bool:
    """Whether the outputs of a network that was trained by the loss are logits of probabilities.

    Of a function of your own that is taken for granted.

    >>> knows_probabilities("log_loss"), knows_probabilities("hinge")
    (True, False)
    """
    if isinstance(loss, str):
        return loss != "hinge"
    try:
        return not isinstance(as_loss(loss), Hinge)
    except LucidgradError:
        return True  # fit says what is wrong with it


def loss_for_classes(loss: Any) -> Loss:
    """The loss that is meant, and a refusal of one that does not take a score for each class and labels."""
    meant = as_loss(loss)
    if type(meant) in LOSSES.values() and not isinstance(meant, CrossEntropy | Hinge):
        raise ArgumentError(
            explain(
                "TabularClassifier expected a loss for classes",
                repr(meant),
                "loss='cross_entropy' and 'hinge' are for any number of classes",
            )
        )
    return meant


def has_probabilities(me: Any) -> bool:
    """Whether there is a ``predict_proba``, as scikit-learn asks; an AttributeError says why not."""
    if not knows_probabilities(me.loss):
        name = "log_loss" if me.__class__.__name__ == "MLPClassifier" else "cross_entropy"
        raise AttributeError(
            "predict_proba expected a loss that knows probabilities, got the hinge loss, which knows margins alone. "
            f"Use decision_function, loss={name!r}, or sklearn.calibration.CalibratedClassifierCV."
        )
    return True


def has_scores(me: Any) -> bool:
    """Whether there is a ``decision_function``: where there is no ``predict_proba``."""
    if knows_probabilities(me.loss):
        raise AttributeError(
            f"decision_function expected a loss that knows margins alone, got {me.loss!r}. Use predict_proba."
        )
    return True
