"""One training step as a pure function: forward, loss, gradients, update. State in, state out.

Eagerly it is called batch after batch; traced, it becomes the graph of the whole step (``trace_step``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lucidgrad.compiler import flatten, trace
from lucidgrad.graph import Graph
from lucidgrad.losses import Loss
from lucidgrad.nn import Module
from lucidgrad.optim import Optimizer
from lucidgrad.random import Key, use_key
from lucidgrad.tensor import Tensor, grad

Tensors = dict[str, Tensor]


Batch = tuple[Tensor, Tensor, Tensor | None]  # inputs, targets, and weights (batch,) or None


class Forward(NamedTuple):
    """The way forward: the loss, the two sums it is made of (``Loss.sums``), and the model's outputs."""

    loss: Tensor
    sums: tuple[Tensor, float | Tensor]
    predictions: Tensor


class Stepped(NamedTuple):
    """What a step gives: its way forward, without history, the new parameters and the new state of the optimiser."""

    forward: Forward
    parameters: Tensors
    optimizer_state: dict[str, Any]


def forward_pass(model: Module, loss: Loss, batch: Batch, key: Key) -> Forward:
    """Predictions and loss of a batch; what is random in it, such as dropout, is a function of the key."""
    x, y, weight = batch
    with use_key(key):
        predictions = model(x)
    total, total_weight = loss.sums(predictions, y, weight)
    return Forward(loss.reduce(total, total_weight), (total, total_weight), predictions)


def training_step(
    model: Module,
    loss: Loss,
    optimizer: Optimizer,
    parameters: Tensors,
    optimizer_state: dict[str, Any],
    batch: Batch,
    key: Key,
    learning_rate: float | Tensor,
) -> Stepped:
    """Go forward, backward, and one update of the optimiser.

    Parameters
    ----------
    parameters
        The model's own parameter tensors, by path. They are left as they are; the caller puts the new ones in.
    """
    forward = forward_pass(model, loss, batch, key)
    gradients = grad(forward.loss, list(parameters.values()), create_graph=False)
    named = dict(zip(parameters, gradients, strict=True))
    updated, optimizer_state = optimizer.update(parameters, named, optimizer_state, learning_rate)
    return Stepped(without_history(forward), updated, optimizer_state)


def without_history(forward: Forward) -> Forward:
    """The same numbers; the graph behind them can be forgotten."""
    (total, weight), predictions = forward.sums, forward.predictions
    return Forward(forward.loss.detach(), (total.detach(), weight), predictions.detach())


def assign(tensors: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> None:
    """Give each tensor its new elements: the one place where training changes a model's parameters."""
    for path, tensor in tensors.items():
        tensor.data = values[path]


@dataclass(frozen=True)
class StepGraph:
    """The Graph of a whole training step.

    Its inputs are the ``state`` (parameters, buffers, tensors of the optimiser's state), then inputs, targets and (if
    given) weights of a batch, the two words of the key of the run's steps, the number of the step (uint64, scalar) and
    the learning rate (float64, scalar). Its outputs are the loss, the sum of the losses, the sum of the weights (where
    ``weight`` is None), the predictions (where ``keeps_predictions``), and then the new state.

    Attributes
    ----------
    state
        How many inputs, and outputs, are state.
    weight
        The sum of the weights, where it is the same in every step.
    output_shape
        Of the predictions for one sample.
    """

    graph: Graph
    state: int
    weight: float | None
    keeps_predictions: bool
    output_shape: tuple[int, ...]


def trace_step(
    model: Module,
    loss: Loss,
    optimizer: Optimizer,
    optimizer_state: dict[str, Any],
    batch: Batch,
    keeps_predictions: bool = True,
) -> StepGraph:
    """Write down a step for batches of the shapes and dtypes of ``batch``; floats are brought to the model's dtype."""
    parameters, buffers = model.parameters(), model.buffers()
    held = {**parameters, **buffers}
    state_before = [*held.values(), *flatten(optimizer_state)]
    given = [t for t in batch if t is not None]
    dtype = model_dtype(model)
    known: dict[str, Any] = {}

    def cast(t: Tensor) -> Tensor:
        return t.astype(dtype) if t.dtype.kind == "f" and t.dtype != dtype else t

    def step(*inputs: Tensor) -> list[Any]:
        rest = iter(inputs)
        with bound(held, {path: next(rest) for path in held}):
            state = replaced_state(optimizer_state, rest)
            x, y = cast(next(rest)), cast(next(rest))
            weight = cast(next(rest)) if len(given) == 3 else None
            key, learning_rate = Key.of_words(next(rest)).fold_in(next(rest)), next(rest)
            result = training_step(model, loss, optimizer, parameters, state, (x, y, weight), key, learning_rate)
            after = {path: b.detach() for path, b in buffers.items()}
        (total, total_weight), predictions = result.forward.sums, result.forward.predictions
        known["shape"] = predictions.shape[1:]
        known["weight"] = None if isinstance(total_weight, Tensor) else float(total_weight)
        sums = [total, total_weight] if isinstance(total_weight, Tensor) else [total]
        kept = [predictions] if keeps_predictions else []
        return [result.forward.loss, *sums, *kept, result.parameters, after, result.optimizer_state]

    number, rate = (Tensor.wrap(np.zeros((), kind)) for kind in (np.uint64, np.float64))
    graph = trace(step, *state_before, *given, Key(0).words, number, rate)
    return StepGraph(graph, len(state_before), known["weight"], keeps_predictions, known["shape"])


def model_dtype(model: Module) -> np.dtype[Any]:
    """The dtype the model computes in: that of its parameters, float32 when it has none."""
    return next((p.dtype for p in model.parameters().values()), np.dtype(np.float32))


@contextmanager
def bound(tensors: Tensors, values: Tensors) -> Iterator[None]:
    """Let the model's tensors stand for other values inside of the block."""
    before = {path: tensor.detach() for path, tensor in tensors.items()}
    assign(tensors, values)
    try:
        yield
    finally:
        assign(tensors, before)


def replaced_state(state: dict[str, Any], values: Iterator[Tensor]) -> dict[str, Any]:
    """The state of an optimiser with other tensors in the places of its own."""
    return {k: replaced_state(v, values) if isinstance(v, dict) else next(values) for k, v in state.items()}
