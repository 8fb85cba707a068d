"""Adagrad: elements that have had large gradients so far take small steps from now on."""

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
class Adagrad(Elementwise):
    """Gradients divided by the root of the sum of their squares so far (Duchi, Hazan and Singer 2011, eq. 1, diagonal).

    Parameters
    ----------
    learning_rate
        eta, or a schedule. (PyTorch's ``lr_decay`` is the schedule eta / (1 + step * lr_decay).)
    initial_accumulator
        What the sums of squares begin with; above 0 it softens the first steps.
    eps
        delta in the paper, added to the root. 1e-10 as in PyTorch.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> from lucidgrad.optim import Adagrad
    >>> params = {"w": lg.Tensor([1.0])}
    >>> optimizer = Adagrad(1.25)
    >>> params, state = optimizer.update(params, {"w": lg.tensor([3.0])}, optimizer.init(params))
    >>> params, state = optimizer.update(params, {"w": lg.tensor([4.0])}, state)
    >>> params["w"], state["sum"]["w"]
    (Tensor([-1.25]), Tensor([25.]))
    """

    learning_rate: float | Schedule = 0.01
    _: KW_ONLY
    initial_accumulator: float = 0.0
    eps: float = 1e-10

    def __post_init__(self) -> None:
        check_learning_rate("Adagrad", self.learning_rate)
        check_number(
            "Adagrad(initial_accumulator=...)",
            self.initial_accumulator,
            "[0, inf)",
            "It is a sum of squares: 0 is usual",
        )
        check_number("Adagrad(eps=...)", self.eps, "[0, inf)", "It keeps the division finite: 1e-10 is usual")

    @property
    def slots(self) -> tuple[str, ...]:
        """The sum of the squares of the gradients so far."""
        return ("sum",)

    @property
    def start(self) -> float:
        """What the sums begin with."""
        return self.initial_accumulator

    def scalars(self, t: Tensor, eta: Scalar) -> tuple[Scalar, ...]:
        """The learning rate alone changes with the step."""
        return (eta,)

    def rule(self, theta: Tensor, g: Tensor, slots: Sequence[Tensor], scalars: Sequence[Scalar]) -> tuple[Tensor, ...]:
        """G <- G + g^2, x <- x - eta g / (delta + sqrt(G))."""
        (eta,) = scalars
        G = slots[0] + g * g
        return theta - eta * g / (G.sqrt() + self.eps), G
