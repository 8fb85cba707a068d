"""What an optimizer is: a pure function from parameters, gradients and state to new parameters and new state.

Nothing is changed in place and nothing is remembered outside of the state. That is why a run can be saved, resumed
with the same bits, stepped back, and traced into one graph together with the forward and backward pass.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, TypeAlias

import numpy as np

from lucidgrad.errors import ArgumentError, ShapeError, TracingError, explain
from lucidgrad.graph import Value
from lucidgrad.tensor import Tensor

Params: TypeAlias = dict[str, Tensor]
"""Parameters, or their gradients, by path ("0.weight")."""

State: TypeAlias = dict[str, Any]
"""``{"step": Tensor, "<slot>": {path: Tensor}}``: Tensors in (nested) dicts and nothing else."""

Schedule: TypeAlias = Callable[[int], float]
"""A function of the step, counted from 0, that gives the learning rate of that step."""

Scalar: TypeAlias = float | Tensor
"""A number, or a scalar Tensor where it is a value of a traced function."""


class Optimizer(ABC):
    """Changes parameters so that the loss falls.

    Attributes
    ----------
    learning_rate : float or Schedule
        The size of a step, eta, or a function of the step (counted from 0) that gives it.
    full_batch : bool
        Whether the optimizer minimises a function by itself (``LBFGS.minimize``) instead of taking single steps.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> from lucidgrad.optim import SGD
    >>> optimizer = SGD(0.25)
    >>> params = {"w": lg.Tensor([1.0, -2.0])}
    >>> state = optimizer.init(params)
    >>> for _ in range(3):
    ...     loss = (params["w"] ** 2).sum()
    ...     (g,) = lg.grad(loss, [params["w"]])
    ...     new, state = optimizer.update(params, {"w": g}, state)
    ...     params["w"].data = new["w"]
    >>> params["w"]
    Tensor([ 0.125, -0.25 ])
    """

    learning_rate: float | Schedule
    full_batch: ClassVar[bool] = False

    @abstractmethod
    def init(self, params: Params) -> State:
        """The state before the first step: ``{"step": 0}`` and a slot for each running quantity.

        Parameters
        ----------
        params
            By path.
        """

    @abstractmethod
    def update(
        self, params: Params, grads: Params, state: State, learning_rate: Scalar | None = None
    ) -> tuple[Params, State]:
        """One step: new parameters and new state; what is passed in stays as it is.

        Parameters
        ----------
        params, grads
            By path, with the same paths, shapes and dtypes.
        state
            From ``init`` or the previous ``update``.
        learning_rate
            The learning rate of this step, a number or a scalar Tensor. None: ``learning_rate_at(state["step"])``.

        Returns
        -------
        New Tensors without history, and the state with ``step`` one larger.

        Raises
        ------
        ArgumentError, ShapeError
            When paths or shapes of parameters, gradients and state differ.
        TracingError
            While traced, when the learning rate is a schedule: it needs the number of the step, so pass its value.
        """

    def learning_rate_at(self, step: int) -> float:
        """The learning rate of the given step, counted from 0.

        Parameters
        ----------
        step
            Counted from 0.

        Raises
        ------
        ArgumentError
            When a schedule gives no finite number of at least 0.
        """
        if not callable(self.learning_rate):
            return float(self.learning_rate)
        value = float(self.learning_rate(step))
        if not (math.isfinite(value) and value >= 0):
            raise ArgumentError(
                explain(
                    "a schedule expected to give a finite number of at least 0",
                    f"{value} at step {step}",
                    f"Look at {self.learning_rate!r} around that step",
                )
            )
        return value


def first_step() -> Tensor:
    """The count of steps in a new state: a float64 scalar, so that powers of it (bias corrections) can be traced."""
    return Tensor(0.0, dtype=np.float64, requires_grad=False)


def check_gradients(params: Params, grads: Params) -> None:
    """Raise unless the two speak of the same parameters. A shape off by a broadcast would pass unseen otherwise."""
    if grads.keys() != params.keys():
        raise ArgumentError(
            explain(
                f"update expected a gradient for each of {sorted(params)}",
                f"gradients for {sorted(grads)}",
                "Take them with dict(zip(params, lucidgrad.grad(loss, list(params.values()))))",
            )
        )
    for path, theta in params.items():
        if grads[path].shape != theta.shape:
            raise ShapeError(
                explain(
                    f"the gradient of {path} expected shape {theta.shape}",
                    f"{grads[path].shape}",
                    "A gradient has the shape of its parameter; use g.sum_to(p.shape) to undo a broadcast",
                )
            )


def resolve_learning_rate(optimizer: Optimizer, state: State, given: Scalar | None) -> Scalar:
    """The learning rate of this step: the given one, or the optimizer's own."""
    if given is None:
        return _own_learning_rate(optimizer, state["step"])
    if isinstance(given, Tensor) and given.shape != ():
        raise ShapeError(
            explain(
                "learning_rate expected a number or a scalar Tensor", f"shape {given.shape}", "Use rate.reshape(())"
            )
        )
    return given


def _own_learning_rate(optimizer: Optimizer, step: Tensor) -> float:
    if not callable(optimizer.learning_rate):
        return float(optimizer.learning_rate)
    if isinstance(step.raw, Value):
        raise TracingError(
            explain(
                "a schedule expected the number of the step",
                "a step of a function that is being traced",
                "Pass the rate as an input: update(params, grads, state, learning_rate=rate)",
            )
        )
    return optimizer.learning_rate_at(int(step))
