"""Adam: a step size for every element, from running means of its gradient and of its square."""

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
class Adam(Elementwise):
    """Adaptive moments (Kingma and Ba 2015, "Adam: A Method for Stochastic Optimization", Algorithm 1).

    Parameters
    ----------
    learning_rate
        alpha in the paper, or a schedule. No element moves by much more than this in one step.
    beta1, beta2
        In [0, 1): the share of the old mean of gradients, and of squared gradients, that is kept.
    eps
        Added to the root of the mean square, so that an element without gradients does not divide by 0.

    Notes
    -----
    Weight decay: ``AdamW``, or ``regularized(Adam(...), l2=...)`` for what PyTorch's ``Adam(weight_decay=...)`` does.

    Examples
    --------
    The first step has the length of the learning rate, whatever the size of the gradient:

    >>> import lucidgrad as lg
    >>> from lucidgrad.optim import Adam
    >>> params = {"w": lg.Tensor([1.0, 1.0])}
    >>> optimizer = Adam(0.25)
    >>> optimizer.update(params, {"w": lg.tensor([5.0, -0.5])}, optimizer.init(params))[0]
    {'w': Tensor([0.75, 1.25])}
    """

    learning_rate: float | Schedule = 1e-3
    _: KW_ONLY
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        check_adam("Adam", self.learning_rate, self.beta1, self.beta2, self.eps)

    @property
    def slots(self) -> tuple[str, ...]:
        """The means of the gradient, m, and of its square, v."""
        return ("m", "v")

    def scalars(self, t: Tensor, eta: Scalar) -> tuple[Scalar, ...]:
        """Step size and eps of this step."""
        return corrected(t, eta, self.beta1, self.beta2, self.eps)

    def rule(self, theta: Tensor, g: Tensor, slots: Sequence[Tensor], scalars: Sequence[Scalar]) -> tuple[Tensor, ...]:
        """Algorithm 1, with the bias corrections moved into the scalars."""
        alpha_t, eps_t = scalars
        m, v = moments(g, slots, self.beta1, self.beta2)
        return theta - alpha_t * m / (v.sqrt() + eps_t), m, v


def moments(g: Tensor, slots: Sequence[Tensor], beta1: float, beta2: float) -> tuple[Tensor, Tensor]:
    """Algorithm 1: the biased estimates of the first and second moment."""
    m, v = slots
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * (g * g)
    return m, v


def corrected(t: Tensor, alpha: Scalar, beta1: float, beta2: float, eps: float) -> tuple[Scalar, Scalar]:
    """The bias corrections of m and v as a step size and an eps of this step (section 2, last paragraph).

    With c1 = 1 - beta1^t and c2 = 1 - beta2^t, alpha (m / c1) / (sqrt(v / c2) + eps)
    = (alpha sqrt(c2) / c1) m / (sqrt(v) + eps sqrt(c2)): two numbers per step instead of two divisions per element.
    The paper leaves the eps on the right as it is; multiplied by sqrt(c2) the result is exactly that of Algorithm 1.
    """
    root_c2 = (1 - beta2**t).sqrt()
    return alpha * root_c2 / (1 - beta1**t), eps * root_c2


def check_adam(name: str, learning_rate: float | Schedule, beta1: float, beta2: float, eps: float) -> None:
    """Raise unless the arguments are such that the means are means."""
    check_learning_rate(name, learning_rate)
    check_number(f"{name}(beta1=...)", beta1, "[0, 1)", "It is the share of the old mean that is kept: 0.9 is usual")
    check_number(f"{name}(beta2=...)", beta2, "[0, 1)", "It is the share of the old mean that is kept: 0.999 is usual")
    check_number(f"{name}(eps=...)", eps, "[0, inf)", "It keeps the division finite: 1e-8 is usual")
