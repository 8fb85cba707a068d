"""RMSprop: divide each element's gradient by the running size of its gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import final

from lucidgrad.optim.checks import check_learning_rate, check_number
from lucidgrad.optim.elementwise import Elementwise
from lucidgrad.optim.optimizer import Scalar, Schedule
from lucidgrad.tensor import Tensor


@final
@dataclass(frozen=True)
class RMSprop(Elementwise):
    """Gradients divided by the root of their running mean square (Tieleman and Hinton 2012, Coursera lecture 6.5).

    Parameters
    ----------
    learning_rate
        eta, or a schedule.
    alpha
        In [0, 1): the share of the old mean square that is kept. 0.99 as in PyTorch; the lecture has 0.9.
    eps
        Added to the root, as in PyTorch (TensorFlow adds it below the root).
    momentum
        mu in [0, 1): the share of the velocity of scaled gradients that is kept.
    centered
        Divide by the standard deviation instead: subtract the square of the mean (Graves 2013, eq. 38-40). Where
        rounding makes the variance negative it counts as 0, while PyTorch goes to NaN.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> from lucidgrad.optim import RMSprop
    >>> params = {"w": lg.Tensor([1.0, 1.0])}
    >>> optimizer = RMSprop(0.25, alpha=0.75)
    >>> optimizer.update(params, {"w": lg.tensor([8.0, -8.0])}, optimizer.init(params))[0]
    {'w': Tensor([0.5, 1.5])}
    """

    learning_rate: float | Schedule = 0.01
    _: KW_ONLY
    alpha: float = 0.99
    eps: float = 1e-8
    momentum: float = 0.0
    centered: bool = False

    def __post_init__(self) -> None:
        check_learning_rate("RMSprop", self.learning_rate)
        check_number(
            "RMSprop(alpha=...)", self.alpha, "[0, 1)", "It is the share of the old mean square: 0.99 is usual"
        )
        check_number("RMSprop(eps=...)", self.eps, "[0, inf)", "It keeps the division finite: 1e-8 is usual")
        check_number("RMSprop(momentum=...)", self.momentum, "[0, 1)", "0 is none, 0.9 is usual")

    @property
    def slots(self) -> tuple[str, ...]:
        """The mean square s; the mean n where centered; the velocity where there is momentum."""
        return ("s", *(("n",) if self.centered else ()), *(("velocity",) if self.momentum else ()))

    def scalars(self, t: Tensor, eta: Scalar) -> tuple[Scalar, ...]:
        """The learning rate alone changes with the step."""
        return (eta,)

    def rule(self, theta: Tensor, g: Tensor, slots: Sequence[Tensor], scalars: Sequence[Scalar]) -> tuple[Tensor, ...]:
        """Graves 2013, eq. 38-41, with the eps outside of the root."""
        (eta,) = scalars
        s = self.alpha * slots[0] + (1 - self.alpha) * (g * g)
        new = [s]
        if self.centered:
            n = self.alpha * slots[1] + (1 - self.alpha) * g
            new.append(n)
            s = (s - n * n).relu()
        scaled = g / (s.sqrt() + self.eps)
        if self.momentum:
            scaled = self.momentum * slots[-1] + scaled
            new.append(scaled)
        return theta - eta * scaled, *new
