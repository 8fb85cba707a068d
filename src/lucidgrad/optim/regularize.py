"""Regularisation: small weights are preferred, by a penalty whose gradient is added to that of the loss."""

from __future__ import annotations

from collections.abc import Collection
from typing import final

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.optim.checks import check_number
from lucidgrad.optim.optimizer import Optimizer, Params
from lucidgrad.optim.transformed import Transformed
from lucidgrad.tensor import Tensor


def regularized(
    optimizer: Optimizer, *, l1: float = 0.0, l2: float = 0.0, exclude: Collection[str] = ("bias",)
) -> Optimizer:
    """Make an optimizer that minimises loss + l1 sum|w| + (l2 / 2) sum(w^2) instead of the loss.

    Parameters
    ----------
    optimizer
        One that takes single steps.
    l1, l2
        The strengths. ``l1`` drives weights to 0 (Tibshirani 1996, at w = 0 with slope 0), ``l2`` shrinks them all
        (Hoerl and Kennard 1970); ``l2`` is PyTorch's ``weight_decay``.
    exclude
        Last parts of the paths of parameters that are left alone. By default biases: they set the level of the
        outputs, not how wildly these vary (Goodfellow, Bengio and Courville 2016, section 7.1). PyTorch's
        ``weight_decay`` acts on biases too: ``exclude=()``.

    Raises
    ------
    ArgumentError
        When both strengths are 0, one is negative, or the optimizer is a full-batch one.

    Notes
    -----
    The reported loss stays that of the data. For Adam the penalty is rescaled like the rest of the gradient, which
    makes it weak where gradients are large; ``AdamW`` avoids that.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> from lucidgrad.optim import SGD, regularized
    >>> optimizer = regularized(SGD(0.5), l2=0.5)
    >>> params = {"0.weight": lg.Tensor([1.0]), "0.bias": lg.Tensor([1.0])}
    >>> flat = {path: lg.tensor([0.0]) for path in params}
    >>> optimizer.update(params, flat, optimizer.init(params))[0]
    {'0.weight': Tensor([0.75]), '0.bias': Tensor([1.])}
    """
    check_number("regularized(l1=...)", l1, "[0, inf)", "0 is none, 1e-4 is usual")
    check_number("regularized(l2=...)", l2, "[0, inf)", "0 is none, 1e-4 is usual")
    if not (l1 or l2):
        raise ArgumentError(
            explain("regularized expected l1 or l2", "neither", "Pass l2=1e-4, or leave the wrapper out")
        )
    if isinstance(exclude, str):
        raise ArgumentError(
            explain("exclude expected names in a tuple", repr(exclude), f"Write exclude=({exclude!r},)")
        )
    return Regularized(optimizer, float(l1), float(l2), tuple(exclude))


@final
class Regularized(Transformed):
    """What ``regularized(optimizer, ...)`` makes."""

    def __init__(self, optimizer: Optimizer, l1: float, l2: float, exclude: tuple[str, ...]) -> None:
        super().__init__(optimizer, "regularized")
        self.l1 = l1
        self.l2 = l2
        self.exclude = exclude

    def transform(self, params: Params, grads: Params) -> Params:
        """Add the gradient of the penalty."""
        return {
            path: g if path.rpartition(".")[2] in self.exclude else self._penalized(params[path], g)
            for path, g in grads.items()
        }

    def _penalized(self, w: Tensor, g: Tensor) -> Tensor:
        if self.l1:
            g = g + self.l1 * w.sign()
        if self.l2:
            g = g + self.l2 * w
        return g

    def __repr__(self) -> str:
        return f"regularized({self.optimizer!r}, l1={self.l1!r}, l2={self.l2!r}, exclude={self.exclude!r})"
