"""AdamW: Adam with a weight decay that is not rescaled by the running means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import final

from lucidgrad.optim.adam import check_adam, corrected, moments
from lucidgrad.optim.checks import check_number
from lucidgrad.optim.elementwise import Elementwise
from lucidgrad.optim.optimizer import Scalar, Schedule
from lucidgrad.tensor import Tensor


@final
@dataclass(frozen=True)
class AdamW(Elementwise):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019, Algorithm 2, with weight decay).

    Parameters
    ----------
    learning_rate, beta1, beta2, eps
        As for ``Adam``.
    weight_decay
        lambda: each step takes the share eta lambda off every parameter, biases included. As in PyTorch, and unlike
        the paper's lambda, it is multiplied by the learning rate, so a schedule acts on it too.

    Examples
    --------
    Without a gradient, what is left is the decay:

    >>> import lucidgrad as lg
    >>> from lucidgrad.optim import AdamW
    >>> params = {"w": lg.Tensor([1.0])}
    >>> optimizer = AdamW(0.5, weight_decay=0.5)
    >>> optimizer.update(params, {"w": lg.tensor([0.0])}, optimizer.init(params))[0]
    {'w': Tensor([0.75])}
    """

    learning_rate: float | Schedule = 1e-3
    _: KW_ONLY
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.01

    def __post_init__(self) -> None:
        check_adam("AdamW", self.learning_rate, self.beta1, self.beta2, self.eps)
        check_number("AdamW(weight_decay=...)", self.weight_decay, "[0, inf)", "0 is Adam, 0.01 is usual")

    @property
    def slots(self) -> tuple[str, ...]:
        """The means of the gradient, m, and of its square, v."""
        return ("m", "v")

    def scalars(self, t: Tensor, eta: Scalar) -> tuple[Scalar, ...]:
        """Step size and eps of this step, and the share of a parameter that is kept."""
        return *corrected(t, eta, self.beta1, self.beta2, self.eps), 1 - eta * self.weight_decay

    def rule(self, theta: Tensor, g: Tensor, slots: Sequence[Tensor], scalars: Sequence[Scalar]) -> tuple[Tensor, ...]:
        """Algorithm 2, line 12."""
        alpha_t, eps_t, kept = scalars
        m, v = moments(g, slots, self.beta1, self.beta2)
        return kept * theta - alpha_t * m / (v.sqrt() + eps_t), m, v
