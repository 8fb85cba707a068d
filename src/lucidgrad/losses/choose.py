"""The table of losses by name, and how ``loss=`` of training is understood."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, final

from lucidgrad.errors import ArgumentError, GradientError, ShapeError, explain
from lucidgrad.losses import classification, quantiles, regression
from lucidgrad.losses.base import Loss, weighted_sums
from lucidgrad.targets import counting_has_no_gradient
from lucidgrad.tensor import Tensor

LOSSES: dict[str, type[Loss]] = {
    "absolute_error": regression.AbsoluteError,
    "squared_error": regression.SquaredError,
    "huber": regression.Huber,
    "log_cosh": regression.LogCosh,
    "quantile": quantiles.Quantile,
    "poisson": regression.Poisson,
    "logistic": classification.Logistic,
    "cross_entropy": classification.CrossEntropy,
    "hinge": classification.Hinge,
}

_COUNTS = ("accuracy", "zero_one", "zero_one_loss", "top_5", "precision", "recall", "f1")


def as_loss(loss: Any) -> Loss:
    """The Loss that is meant by a loss, a class of losses, a name of ``LOSSES``, or a function.

    Parameters
    ----------
    loss
        A function of your own is called as ``loss(predictions, targets)`` and returns a Tensor: either the losses
        of the samples, (batch,) or (batch, columns), or their mean, a scalar (which cannot be weighted).

    Raises
    ------
    GradientError
        For the 0-1 loss and other metrics that count, with the reason why they cannot be trained on.
    ArgumentError
        For a name that is not known, or something that is no loss.

    Examples
    --------
    >>> from lucidgrad.losses import as_loss, huber
    >>> as_loss("cross_entropy")
    CrossEntropy(reduction='mean', label_smoothing=0.0, class_weight=None)
    >>> as_loss(huber)
    Huber(reduction='mean', delta=1.0)
    >>> as_loss(lambda predictions, targets: (predictions - targets) ** 4).per_sample([1.0, 3.0], [1.0, 1.0])
    Tensor([ 0., 16.], dtype=float64)
    """
    if isinstance(loss, Loss):
        return loss
    if isinstance(loss, str):
        return _by_name(loss)
    reason = getattr(loss, "not_differentiable", "")
    if reason:
        raise GradientError(reason)
    if isinstance(loss, type) and issubclass(loss, Loss):
        return loss()
    if not callable(loss) or isinstance(loss, type):
        raise ArgumentError(
            explain("loss expected a Loss, its name, or a function (predictions, targets)", repr(loss), _NAMES)
        )
    for function, kind in _FUNCTIONS:
        if loss is function:
            return kind()
    return OfFunction(loss)


# The lower-case form of each loss has its name.
_MODULES = (regression, quantiles, classification)
_FUNCTIONS = [(vars(m)[name], LOSSES[name]) for m in _MODULES for name in LOSSES if name in vars(m)]
_NAMES = f"The names are {', '.join(map(repr, LOSSES))}"


def _by_name(name: str) -> Loss:
    if name in LOSSES:
        return LOSSES[name]()
    if name in _COUNTS:
        raise counting_has_no_gradient(f"the metric {name!r}")
    close = get_close_matches(name, LOSSES, n=1)
    raise ArgumentError(
        explain("loss expected a name of LOSSES", repr(name), f"Did you mean {close[0]!r}?" if close else _NAMES)
    )


@final
class OfFunction(Loss):
    """The loss that a function of predictions and targets computes, for a batch or for each of its samples."""

    def __init__(self, function: Callable[[Tensor, Any], Any]) -> None:
        super().__init__("mean")
        self.function = function

    def check(self, predictions: Tensor, targets: Any) -> tuple[Tensor, Any]:
        """The function checks its targets itself."""
        return predictions, targets

    def terms(self, predictions: Tensor, targets: Any) -> Tensor:
        """What the function returns."""
        result = self.function(predictions, targets)
        if not isinstance(result, Tensor) or result.shape[:1] not in ((), predictions.shape[:1]):
            got = f"a Tensor of shape {result.shape}" if isinstance(result, Tensor) else type(result).__name__
            raise ShapeError(
                explain(
                    f"a loss function expected to return a Tensor, scalar or of shape ({predictions.shape[0]},)",
                    got,
                    "Write it in operators and methods of its arguments, without float() or numpy()",
                )
            )
        return result

    def sums(self, predictions: Any, targets: Any, sample_weight: Any = None) -> tuple[Tensor, float | Tensor]:
        """A scalar is taken as the mean over the batch."""
        p, t = self.checked(predictions, targets)
        result = self.terms(p, t)
        if result.ndim or sample_weight is not None:
            return weighted_sums(p, result, None, sample_weight)
        return result * float(p.shape[0]), float(p.shape[0])
