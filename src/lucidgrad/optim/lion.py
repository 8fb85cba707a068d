"""Lion: steps of one size in the direction of the sign of a running mean; half the memory of Adam."""

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
class Lion(Elementwise):
    """Evolved sign momentum (Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms", Algorithm 2).

    Parameters
    ----------
    learning_rate
        eta, or a schedule. Every element moves by exactly this in each step: take 3 to 10 times less than for AdamW.
    beta1
        In [0, 1): the share of the mean in the direction of the step.
    beta2
        In [0, 1): the share of the old mean that is kept.
    weight_decay
        lambda, decoupled as in ``AdamW``; to the same end take 3 to 10 times more.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> from lucidgrad.optim import Lion
    >>> params = {"w": lg.Tensor([1.0, 1.0])}
    >>> optimizer = Lion(0.25)
    >>> optimizer.update(params, {"w": lg.tensor([5.0, -0.001])}, optimizer.init(params))[0]
    {'w': Tensor([0.75, 1.25])}
    """

    learning_rate: float | Schedule = 1e-4
    _: KW_ONLY
    beta1: float = 0.9
    beta2: float = 0.99
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        check_learning_rate("Lion", self.learning_rate)
        check_number("Lion(beta1=...)", self.beta1, "[0, 1)", "It is the share of the mean in the step: 0.9 is usual")
        check_number("Lion(beta2=...)", self.beta2, "[0, 1)", "It is the share of the old mean: 0.99 is usual")
        check_number("Lion(weight_decay=...)", self.weight_decay, "[0, inf)", "0 is none, 0.1 is usual")

    @property
    def slots(self) -> tuple[str, ...]:
        """The running mean of the gradient, m."""
        return ("m",)

    def scalars(self, t: Tensor, eta: Scalar) -> tuple[Scalar, ...]:
        """The learning rate alone changes with the step."""
        return (eta,)

    def rule(self, theta: Tensor, g: Tensor, slots: Sequence[Tensor], scalars: Sequence[Scalar]) -> tuple[Tensor, ...]:
        """Algorithm 2: the mean that gives the direction, c, is another one than the mean that is kept, m."""
        (eta,) = scalars
        (m,) = slots
        c = (self.beta1 * m + (1 - self.beta1) * g).sign()
        if self.weight_decay:
            c = c + self.weight_decay * theta
        return theta - eta * c, self.beta2 * m + (1 - self.beta2) * g
