"""Gradient descent: the rule that all others refine. Over minibatches it is stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import final

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.optim.checks import check_learning_rate, check_number
from lucidgrad.optim.elementwise import Elementwise
from lucidgrad.optim.optimizer import Scalar, Schedule
from lucidgrad.tensor import Tensor


@final
@dataclass(frozen=True)
class SGD(Elementwise):
    """Gradient descent, w <- w - eta dL/dw, with momentum if wanted.

    Parameters
    ----------
    learning_rate
        eta, or a schedule.
    momentum
        mu in [0, 1): the share of the velocity that is kept (Polyak 1964; Sutskever et al. 2013, eq. 1-2, in the
        form of PyTorch: the learning rate multiplies the velocity, not the gradient that goes into it, so that
        a change of the learning rate acts at once).
    nesterov
        Look ahead by the velocity (Sutskever et al. 2013, eq. 3-4, rewritten for the gradient at the current
        parameters). Needs momentum.
    weight_decay
        lambda: adds lambda w to the gradient, which is that of (lambda / 2) sum(w^2). It acts on all parameters,
        biases included, as in PyTorch; ``regularized`` leaves biases out.

    Raises
    ------
    ArgumentError
        When ``nesterov`` has no momentum, or a number is out of its range.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> from lucidgrad.optim import SGD
    >>> params = {"w": lg.Tensor([1.0])}
    >>> optimizer = SGD(0.1, momentum=0.9)
    >>> params, state = optimizer.update(params, {"w": lg.tensor([1.0])}, optimizer.init(params))
    >>> params, state = optimizer.update(params, {"w": lg.tensor([1.0])}, state)
    >>> params["w"], state["velocity"]["w"]
    (Tensor([0.71]), Tensor([1.9]))
    """

    learning_rate: float | Schedule = 0.01
    _: KW_ONLY
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        check_learning_rate("SGD", self.learning_rate)
        check_number("SGD(momentum=...)", self.momentum, "[0, 1)", "0 is plain gradient descent, 0.9 is usual")
        check_number("SGD(weight_decay=...)", self.weight_decay, "[0, inf)", "0 is none, 1e-4 is usual")
        if self.nesterov and not self.momentum:
            raise ArgumentError(
                explain(
                    "SGD(nesterov=True) expected momentum",
                    "momentum=0",
                    "Looking ahead by no velocity changes nothing: pass momentum=0.9, or leave nesterov out",
                )
            )

    @property
    def slots(self) -> tuple[str, ...]:
        """The velocity, where there is momentum."""
        return ("velocity",) if self.momentum else ()

    def scalars(self, t: Tensor, eta: Scalar) -> tuple[Scalar, ...]:
        """The learning rate alone changes with the step."""
        return (eta,)

    def rule(self, theta: Tensor, g: Tensor, slots: Sequence[Tensor], scalars: Sequence[Scalar]) -> tuple[Tensor, ...]:
        """With v <- mu v + g: w <- w - eta v, or with Nesterov w <- w - eta (g + mu v)."""
        (eta,) = scalars
        if self.weight_decay:
            g = g + self.weight_decay * theta
        if not slots:
            return (theta - eta * g,)
        v = self.momentum * slots[0] + g
        direction = g + self.momentum * v if self.nesterov else v
        return theta - eta * direction, v
