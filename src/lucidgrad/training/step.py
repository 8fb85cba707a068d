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


class Stepped(NamedTuple):
    """What a step gives: the sums the loss is made of and the model's outputs before the update, and what is new."""

    total: Tensor
    weight: float | Tensor
    predictions: Tensor
    parameters: Tensors
    optimizer_state: dict[str, Any]


def training_step(
    model: Module,
    loss: Loss,
    optimizer: Optimizer,
    parameters: Tensors,
    optimizer_state: dict[str, Any],
    batch: tuple[Tensor, Tensor, Tensor | None],
    key: Key,
    learning_rate: float | Tensor,
) -> Stepped:
    """Go forward, backward, and one update of the optimiser.

    Parameters
    ----------
    parameters
        The model's own parameter tensors, by path. They are left as they are; the caller puts the new ones in.
    batch
        Inputs (batch, ...), targets (batch, ...), and weights (batch,) or None.
    key
        What is random in this step, such as dropout, is a function of it.
    """
    x, y, weight = batch
    with use_key(key):
        predictions = model(x)
        total, total_weight = loss.sums(predictions, y, weight)
    value = total / total_weight if loss.reduction == "mean" else total
    gradients = grad(value, list(parameters.values()), create_graph=False)
    named = dict(zip(parameters, gradients, strict=True))
    updated, optimizer_state = optimizer.update(parameters, named, optimizer_state, learning_rate)
    return Stepped(total.detach(), total_weight, predictions.detach(), updated, optimizer_state)


def assign(tensors: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> None:
    """Give each tensor its new elements: the one place where training changes a model's parameters."""
    for path, tensor in tensors.items():
        tensor.data = values[path]


def trace_step(
    model: Module,
    loss: Loss,
    optimizer: Optimizer,
    optimizer_state: dict[str, Any],
    batch: tuple[Tensor, Tensor, Tensor | None],
) -> Graph:
    """The Graph of a whole training step.

    Its inputs are the parameters, the buffers, the tensors of the optimiser's state, inputs, targets and (if given)
    weights, the two words of the key, and the learning rate (float64, scalar), each group in its order. Its outputs
    are the loss's weighted sum, the predictions, and then the new parameters, buffers and optimiser state.
    """
    parameters, buffers = model.parameters(), model.buffers()
    held = {**parameters, **buffers}
    slots = flatten(optimizer_state)
    given = [t for t in batch if t is not None]

    def step(*inputs: Tensor) -> list[Any]:
        rest = iter(inputs)
        with _bound(held, {path: next(rest) for path in held}):
            state = _replaced(optimizer_state, rest)
            x, y = next(rest), next(rest)
            weight = next(rest) if len(given) == 3 else None
            key, learning_rate = Key.of_words(next(rest)), next(rest)
            result = training_step(model, loss, optimizer, parameters, state, (x, y, weight), key, learning_rate)
            after = {path: b.detach() for path, b in buffers.items()}
        return [result.total, result.predictions, result.parameters, after, result.optimizer_state]

    examples = [*held.values(), *slots, *given, Key(0).words, Tensor(0.0, dtype="float64", requires_grad=False)]
    return trace(step, *examples)


@contextmanager
def _bound(tensors: Tensors, values: Tensors) -> Iterator[None]:
    """Let the model's tensors stand for other values inside of the block."""
    before = {path: tensor.detach() for path, tensor in tensors.items()}
    assign(tensors, values)
    try:
        yield
    finally:
        assign(tensors, before)


def _replaced(state: dict[str, Any], values: Iterator[Tensor]) -> dict[str, Any]:
    return {k: _replaced(v, values) if isinstance(v, dict) else next(values) for k, v in state.items()}
