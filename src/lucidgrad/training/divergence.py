"""A loss that is no number any more: where it came from, and what to do about it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from lucidgrad.autograd import detect_anomaly
from lucidgrad.errors import AnomalyError
from lucidgrad.tensor import grad
from lucidgrad.training.step import assign, forward_pass

if TYPE_CHECKING:
    from lucidgrad.training.run import Run

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


def stop_diverged(run: Run) -> None:
    """End the run, whose last step had a loss that is not finite, and warn: in which epoch, step and layer.

    The model has the parameters that it had before that step.
    """
    cause = watched_step(run, run.step - 1) or "no op of it was seen to make a number that is not finite."
    where = f"epoch {run.epoch + 1}, step {run.step}"
    run.stop(f"diverged in {where}: {cause}")
    warnings.warn(
        f"training stopped: it expected finite numbers, got a loss of {run.batch_loss} in {where}. In that step, "
        f"{cause} The model has the weights it had before. {remedy()}",
        RuntimeWarning,
        stacklevel=6,
    )


def remedy() -> str:
    """What helps against a loss that grows beyond all numbers."""
    return (
        "Lower the learning rate, clip the gradients (lucidgrad.optim.clipped), or scale the inputs to mean 0 and "
        "deviation 1."
    )


def watched_step(run: Run, step: int) -> str | None:
    """Repeat the forward and backward pass of a step with the weights the model has; what went wrong first, or None."""
    buffers = run.model.buffers()
    before = {path: tensor.detach() for path, tensor in buffers.items()}
    try:
        return _watched(run, step)
    finally:
        assign(buffers, before)


def _watched(run: Run, step: int) -> str | None:
    index, (x, y, weight) = run.batch_of(step)
    if not is_finite(x.numpy()):
        row = int(np.flatnonzero(~np.isfinite(x.numpy().reshape(len(index), -1)).all(1))[0])
        return f"row {index[row]} of x is not finite: look at the data."
    parameters = run.parameters
    try:
        with detect_anomaly():
            value = forward_pass(run.model.train(), run.loss, (x, y, weight), run.key_of(step)).loss
    except AnomalyError as error:
        return str(error)
    gradients = grad(value, list(parameters.values()), create_graph=False)
    path = first_not_finite({p: g.numpy() for p, g in zip(parameters, gradients, strict=True)})
    if path is None:
        return None
    try:
        with detect_anomaly():
            grad(value, list(parameters.values()), create_graph=False)
    except AnomalyError as error:
        return f"the gradient of {path} is not finite: {error}"
    return f"the gradient of {path} is not finite."


def first_not_finite(arrays: dict[str, Array]) -> str | None:
    """The first name whose array holds NaN or an infinity."""
    return next((path for path, array in arrays.items() if not is_finite(array)), None)


def is_finite(array: Array) -> bool:
    """Whether it holds neither NaN nor an infinity."""
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())
