"""The first number that is not finite: found by running the steps before it again, op after op."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from lucidgrad.data import epoch_order
from lucidgrad.tensor import Tensor, grad
from lucidgrad.training.doctor.examination import Array, Examination, Moment, column
from lucidgrad.training.doctor.look import layer_name, layer_of, nodes_of
from lucidgrad.training.doctor.verdict import Verdict
from lucidgrad.training.run import Run
from lucidgrad.training.samples import Samples
from lucidgrad.training.step import Batch, assign, forward_pass
from lucidgrad.training.working import working

MOST_STEPS = 5000
"""No more steps are run again."""


class Fault(NamedTuple):
    """Where a step made the first bad number: ``kind`` is data, output, gradient, update or weights."""

    step: int
    kind: str
    place: str
    layer: str | None


def first_nan(e: Examination) -> Iterator[Verdict]:
    """The step, and in it the row of data, layer or parameter, where numbers stopped to be finite."""
    losses = column(e.run, "loss")
    if np.isfinite(losses).all() and e.end.is_finite:
        return
    steps = -(-len(e.train) // (e.run.batch_size or len(e.train)))
    fault = None
    if e.end.is_finite:  # the run has stopped at this step, and left the weights from before it
        fault = _replayed(e.run, e.train, Moment(e.run.step - 1, e.end.arrays, e.end.optimizer_state), e.run.step)
    elif e.start is not None and not e.run.optimizer.full_batch:
        fault = _replayed(e.run, e.train, e.start, min(e.run.step, MOST_STEPS))
    if fault is None:
        fault = _seen(e, losses, steps)
    evidence = {"step": fault.step + 1, "kind": fault.kind, "place": fault.place}
    yield Verdict("first_nan", evidence, epoch=fault.step // steps + 1, layer=fault.layer)


def _seen(e: Examination, losses: Array, steps: int) -> Fault:
    """What is known without running the steps again: the epoch, and a parameter that is not finite."""
    bad = np.flatnonzero(~np.isfinite(losses))
    epoch = int(bad[0]) + 1 if len(bad) else e.run.epoch
    path = next((p for p, a in e.end.arrays.items() if not _is_finite(a)), None)
    return Fault(epoch * steps - 1, "weights", path or "loss", None if path is None else layer_name(path, e.run.model))


def _replayed(run: Run, train: Samples, moment: Moment, last: int) -> Fault | None:
    """Do the steps from ``moment`` again until one makes a number that is not finite."""
    n = len(train)
    size = run.batch_size or n
    per_epoch = -(-n // size)
    state = moment.optimizer_state
    with working(run.model, moment.arrays):
        run.model.train()
        order: Array = np.empty(0, np.int64)
        for step in range(moment.step, last):
            epoch, i = divmod(step, per_epoch)
            if not i or not len(order):
                order = epoch_order(n, run.order_key, epoch, run.shuffle)
            rows = order[i * size : (i + 1) * size]
            fault, state = _step(run, step, rows, train.training_batch(rows), state)
            if fault is not None:
                return fault
    return None


def _step(run: Run, step: int, rows: Array, batch: Batch, state: dict[str, Any]) -> tuple[Fault | None, dict[str, Any]]:
    x, y, _ = batch
    for values in (x.numpy(), y.numpy()):
        bad = np.flatnonzero(~np.isfinite(values.reshape(len(rows), -1)).all(axis=1))
        if len(bad):
            return Fault(step, "data", str(_row_of(run, int(rows[bad[0]]))), None), state
    parameters = run.parameters
    forward = forward_pass(run.model, run.loss, batch, run.key_of(step))
    if not np.isfinite(float(forward.loss)):
        return _in_forward(run, step, forward.loss), state
    slopes = dict(zip(parameters, grad(forward.loss, list(parameters.values()), create_graph=False), strict=True))
    updated, after = run.optimizer.update(parameters, slopes, state, run.learning_rate_of(step))
    assign(parameters, updated)
    for kind, tensors in (("gradient", slopes), ("update", updated)):
        # The last layer's gradient is computed first.
        path = next((p for p in reversed(tensors) if not _is_finite(tensors[p].numpy())), None)
        if path is not None:
            return Fault(step, kind, path, layer_name(path, run.model)), after
    return None, after


def _in_forward(run: Run, step: int, loss: Tensor) -> Fault:
    """The first op of the way forward whose output is not finite."""
    names = {id(p): path for path, p in run.parameters.items()}
    for node in nodes_of(loss):
        if not _is_finite(np.asarray(node.output)):
            layer = layer_of(node, names, run.model)
            return Fault(step, "output", f"{node.op.name} ({layer})", layer)
    return Fault(step, "output", "loss", None)


def _row_of(run: Run, row: int) -> int:
    """The number of a row in the data that was given to fit."""
    assert run.samples is not None  # set before the first step
    return row if run.samples.rows is None else int(run.samples.rows[row])


def _is_finite(array: Array) -> bool:
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())
