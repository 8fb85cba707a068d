"""The loop that most optimizers share: one formula for every parameter, element by element.

A concrete optimizer then says three things only: which running quantities it keeps (``slots``), which numbers of
the formula change with the step (``scalars``), and the formula (``rule``).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from lucidgrad.autograd import mode, no_grad
from lucidgrad.errors import ArgumentError, explain
from lucidgrad.optim.optimizer import (
    Optimizer,
    Params,
    Scalar,
    State,
    check_gradients,
    first_step,
    resolve_learning_rate,
)
from lucidgrad.tensor import Tensor, tensor


class Elementwise(Optimizer):
    """An optimizer that treats every element of every parameter by the same formula.

    Examples
    --------
    A new optimizer is a few lines, and works eagerly, traced and compiled:

    >>> import lucidgrad as lg
    >>> from lucidgrad.optim import Elementwise
    >>> class SignDescent(Elementwise):
    ...     def __init__(self, learning_rate):
    ...         self.learning_rate = learning_rate
    ...     def scalars(self, t, eta):
    ...         return (eta,)
    ...     def rule(self, theta, g, slots, scalars):
    ...         (eta,) = scalars
    ...         return (theta - eta * g.sign(),)
    >>> params = {"w": lg.Tensor([1.0, 2.0])}
    >>> optimizer = SignDescent(0.5)
    >>> optimizer.update(params, {"w": lg.tensor([3.0, -3.0])}, optimizer.init(params))[0]
    {'w': Tensor([0.5, 2.5])}
    """

    @property
    def slots(self) -> tuple[str, ...]:
        """Names of the running quantities that are kept for every parameter, each of its shape and dtype."""
        return ()

    @property
    def start(self) -> float:
        """What the slots begin with."""
        return 0.0

    @abstractmethod
    def scalars(self, t: Tensor, eta: Scalar) -> tuple[Scalar, ...]:
        """The numbers of the formula that change with the step, in float64, computed once per step.

        Parameters
        ----------
        t
            The number of this step, counted from 1 as papers do; a scalar.
        eta
            Its learning rate.
        """

    @abstractmethod
    def rule(self, theta: Tensor, g: Tensor, slots: Sequence[Tensor], scalars: Sequence[Scalar]) -> tuple[Tensor, ...]:
        """The new parameter and the new slots, all of the parameter's shape.

        Parameters
        ----------
        theta
            The parameter, of any shape.
        g
            Its gradient, of the same shape.
        slots
            Its running quantities, each of the same shape.
        scalars
            What ``scalars`` gave, in the dtype of the parameter.
        """

    def init(self, params: Params) -> State:
        """The state before the first step."""
        slots = {slot: {path: _full(p, self.start) for path, p in params.items()} for slot in self.slots}
        return {"step": first_step(), **slots}

    def update(
        self, params: Params, grads: Params, state: State, learning_rate: Scalar | None = None
    ) -> tuple[Params, State]:
        """One step; see ``Optimizer.update``."""
        names = self.slots
        check_gradients(params, grads)
        self._check(params, state, names)
        eta = resolve_learning_rate(self, state, learning_rate)
        new_params: Params = {}
        new_slots: list[Params] = [{} for _ in names]
        with _without_history():
            t = state["step"] + 1.0
            scalars = _Casts(self.scalars(t, eta))
            for path, theta in params.items():
                slots = [state[name][path] for name in names]
                new_params[path], *changed = self.rule(theta, grads[path], slots, scalars[theta.dtype])
                for new, slot in zip(new_slots, changed, strict=True):
                    new[path] = slot
        return new_params, {"step": t, **dict(zip(names, new_slots, strict=True))}

    def _check(self, params: Params, state: State, names: tuple[str, ...]) -> None:
        if state.keys() != {"step", *names} or any(state[name].keys() != params.keys() for name in names):
            raise ArgumentError(
                explain(
                    f"{self} expected a state with step and {list(names)} for each of {sorted(params)}",
                    f"{_outline(state)}",
                    "Start with optimizer.init(params), and hand on the state that update returns",
                )
            )


class _Casts(dict[np.dtype[Any], tuple[Scalar, ...]]):
    """The scalars of a step in each dtype that is asked for, cast once."""

    def __init__(self, scalars: tuple[Scalar, ...]) -> None:
        self.scalars = scalars

    def __missing__(self, dtype: np.dtype[Any]) -> tuple[Scalar, ...]:
        self[dtype] = cast = tuple([s.astype(dtype) if isinstance(s, Tensor) else s for s in self.scalars])
        return cast


@contextmanager
def _without_history() -> Iterator[None]:
    """No nodes, and NumPy's warnings off once, not for each op: a quarter of the time of small updates."""
    before = mode.quiet
    with no_grad(), np.errstate(all="ignore"):
        mode.quiet = True
        try:
            yield
        finally:
            mode.quiet = before


def _full(p: Tensor, value: float) -> Tensor:
    return tensor(np.full(p.shape, value), dtype=p.dtype)


def _outline(state: State) -> str:
    """The names in a state, without the numbers."""
    return str({k: sorted(v) if isinstance(v, dict) else "..." for k, v in state.items()})
