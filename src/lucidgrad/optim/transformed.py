"""The wrapper that changes gradients on their way into an optimizer: clipping and regularisation are two of these."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from lucidgrad.autograd import no_grad
from lucidgrad.errors import ArgumentError, explain
from lucidgrad.optim.optimizer import Optimizer, Params, Scalar, State, check_gradients


class Transformed(Optimizer):
    """An optimizer around another one: its state, its learning rate, its rule, but other gradients.

    Parameters
    ----------
    optimizer
        The one inside, which takes single steps.
    name
        What errors call the wrapper.

    Raises
    ------
    ArgumentError
        When it is no optimizer, or a full-batch one.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> from lucidgrad.optim import SGD, Transformed
    >>> class Ascent(Transformed):
    ...     def transform(self, params, grads):
    ...         return {path: -g for path, g in grads.items()}
    >>> optimizer = Ascent(SGD(0.5), "Ascent")
    >>> params = {"w": lg.Tensor([1.0])}
    >>> optimizer.update(params, {"w": lg.tensor([1.0])}, optimizer.init(params))[0]
    {'w': Tensor([1.5])}
    """

    def __init__(self, optimizer: Any, name: str) -> None:
        if not isinstance(optimizer, Optimizer) or optimizer.full_batch:
            raise ArgumentError(
                explain(
                    f"{name} expected an optimizer that takes single steps",
                    f"{optimizer!r}",
                    "Wrap one such as lucidgrad.optim.Adam(); for LBFGS put the penalty into the loss, and "
                    "leave clipping to its line search",
                )
            )
        self.optimizer: Optimizer = optimizer
        self.learning_rate = optimizer.learning_rate

    @abstractmethod
    def transform(self, params: Params, grads: Params) -> Params:
        """The gradients that the inner optimizer gets.

        Parameters
        ----------
        params, grads
            By path, with the same paths and shapes.
        """

    def init(self, params: Params) -> State:
        """The state of the inner optimizer."""
        return self.optimizer.init(params)

    def update(
        self, params: Params, grads: Params, state: State, learning_rate: Scalar | None = None
    ) -> tuple[Params, State]:
        """One step of the inner optimizer with transformed gradients."""
        check_gradients(params, grads)
        with no_grad():
            grads = self.transform(params, grads)
        return self.optimizer.update(params, grads, state, learning_rate)

    def learning_rate_at(self, step: int) -> float:
        """The learning rate of the inner optimizer."""
        return self.optimizer.learning_rate_at(step)
