"""One training step as a pure function: forward, loss, gradients, update. State in, state out.

Eagerly it is called batch after batch; traced, it becomes the graph of the whole step (``trace_step``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

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


def trace_step(
    model: Module,
    loss: Loss,
    optimizer: Optimizer,
    optimizer_state: dict[str, Any],
    batch: Batch,
) -> Graph:
    """The Graph of a whole training step.

    Its inputs are the parameters, the buffers, the tensors of the optimiser's state, inputs, targets and (if given)
    weights, the two words of the key, and the learning rate (float64, scalar), each group in its order. Its outputs
    are the loss, the predictions, and then the new parameters, buffers and optimiser state.
    """
    parameters, buffers = model.parameters(), model.buffers()
    held = {**parameters, **buffers}
    slots = flatten(optimizer_state)
    given = [t for t in batch if t is not None]

    def step(*inputs: Tensor) -> list[Any]:
        rest = iter(inputs)
        with bound(held, {path: next(rest) for path in held}):
            state = replaced_state(optimizer_state, rest)
            x, y = next(rest), next(rest)
            weight = next(rest) if len(given) == 3 else None
            key, learning_rate = Key.of_words(next(rest)), next(rest)
            result = training_step(model, loss, optimizer, parameters, state, (x, y, weight), key, learning_rate)
            after = {path: b.detach() for path, b in buffers.items()}
        return [result.forward.loss, result.forward.predictions, result.parameters, after, result.optimizer_state]

    examples = [*held.values(), *slots, *given, Key(0).words, Tensor(0.0, dtype="float64", requires_grad=False)]
    return trace(step, *examples)


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
