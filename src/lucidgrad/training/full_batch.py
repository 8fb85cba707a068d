"""Epochs of an optimiser that minimises a function by itself, such as L-BFGS: all samples at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.optim import LBFGS
from lucidgrad.random import use_key
from lucidgrad.tensor import Tensor, grad
from lucidgrad.training.samples import Array, Samples
from lucidgrad.training.step import assign

if TYPE_CHECKING:
    from lucidgrad.training.run import Run


def minimize_epoch(run: Run, train: Samples, on_step_end: list[Callable[[Run], None]]) -> bool:
    """One call of the optimiser over the whole set; it counts as one step."""
    if run.batch_size is not None:
        raise ArgumentError(
            explain(
                f"{run.optimizer!r} expected the whole set at once",
                f"batch_size={run.batch_size}",
                "Use batch_size=None, or Adam or SGD for minibatches",
            )
        )
    assert isinstance(run.optimizer, LBFGS)
    run.model.train()
    x, y, weight = train.batch(slice(None))
    assert y is not None  # fit requires targets
    key = run.step_key  # the same for all evaluations: the function must not change while it is minimised
    first: list[tuple[float, float, Tensor]] = []

    def loss_and_grads(values: dict[str, Array]) -> tuple[float, dict[str, Array]]:
        assign(run.parameters, {path: Tensor(v, dtype=v.dtype) for path, v in values.items()})
        with use_key(key):
            predictions = run.model(x)
            total, total_weight = run.loss.sums(predictions, y, weight)
        value = total / total_weight if run.loss.reduction == "mean" else total
        if not first:
            first.append((float(total), float(total_weight), predictions.detach()))
        grads = grad(value, list(run.parameters.values()), create_graph=False)
        return float(value), {path: g.numpy() for path, g in zip(run.parameters, grads, strict=True)}

    start = {path: p.detach() for path, p in run.parameters.items()}
    try:
        updated, _ = run.optimizer.minimize(loss_and_grads, start)
    except BaseException:
        assign(run.parameters, start)
        raise
    assign(run.parameters, updated)
    total, total_weight, predictions = first[0]
    run.learning_rate = float(np.nan)
    run.batch, run.step = run.batch + 1, run.step + 1
    run.batch_loss = total / total_weight if run.loss.reduction == "mean" else total
    run.totals.add(total, total_weight, predictions, y, weight)
    for hook in on_step_end:
        hook(run)
    return True
