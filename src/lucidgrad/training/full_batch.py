"""Epochs of an optimiser that minimises a function by itself, such as L-BFGS: all samples at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.optim import LBFGS
from lucidgrad.tensor import Tensor, grad
from lucidgrad.training.divergence import stop_diverged
from lucidgrad.training.samples import Array, Samples
from lucidgrad.training.step import Forward, assign, forward_pass, without_history

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
    if run.batch:
        return True  # resumed between the only step of the epoch and its end
    assert isinstance(run.optimizer, LBFGS)
    run.model.train()
    batch = train.training_batch(slice(None))
    key = run.step_key  # the same for all evaluations: the function must not change while it is minimised
    first: list[Forward] = []

    def loss_and_grads(values: dict[str, Array]) -> tuple[float, dict[str, Array]]:
        assign(run.parameters, {path: Tensor(v, dtype=v.dtype) for path, v in values.items()})
        forward = forward_pass(run.model, run.loss, batch, key)
        if not first:
            first.append(without_history(forward))
        grads = grad(forward.loss, list(run.parameters.values()), create_graph=False)
        return float(forward.loss), {path: g.numpy() for path, g in zip(run.parameters, grads, strict=True)}

    start = {path: p.detach() for path, p in run.parameters.items()}
    try:
        updated, _ = run.optimizer.minimize(loss_and_grads, start)
    except BaseException:
        assign(run.parameters, start)
        raise
    assign(run.parameters, updated)
    run.count_step(first[0], batch, learning_rate=math.nan)
    for hook in on_step_end:
        hook(run)
    if not math.isfinite(run.batch_loss):
        stop_diverged(run)
    return True
