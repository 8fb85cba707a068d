"""Ask a trained model: outputs, probabilities, classes, loss and metrics, in memory bounded by a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lucidgrad.autograd import mode, no_grad
from lucidgrad.errors import ArgumentError, explain
from lucidgrad.functional import softmax
from lucidgrad.losses import Loss, as_loss
from lucidgrad.metrics import Metric, as_metric
from lucidgrad.nn import Module
from lucidgrad.tensor import Tensor
from lucidgrad.training.samples import Array, Samples
from lucidgrad.training.step import model_dtype
from lucidgrad.training.threads import blas_threads, blas_threads_for
from lucidgrad.training.totals import Totals

# Rows of a batch are chosen so that its inputs take about this much; a batch then fits a core's cache.
BATCH_BYTES = 2**20


def predict(model: Module, x: ArrayLike, *, batch_size: int | None = None) -> Array:
    """The outputs of the model for every row of x, in evaluation mode: logits or regression values, (n, ...).

    >>> import numpy as np, lucidgrad as lg
    >>> lg.predict(lg.nn.Linear(2, 3), np.zeros((5, 2))).shape
    (5, 3)
    """
    outputs: Array | None = None
    samples = Samples.of(x, None, None, model_dtype(model), "predict")
    for rows, predictions in _outputs(model, samples, batch_size):
        values = predictions.numpy()
        if outputs is None:
            outputs = np.empty((len(samples), *values.shape[1:]), values.dtype)
        outputs[rows] = values
    assert outputs is not None  # Samples.of refuses an empty x
    return outputs


def predict_proba(model: Module, x: ArrayLike, *, batch_size: int | None = None) -> Array:
    """Class probabilities (n, classes): softmax of the logits, or (1 - p, p) with the sigmoid of a single logit."""
    logits = predict(model, x, batch_size=batch_size)
    if logits.ndim == 2 and logits.shape[1] > 1:
        return softmax(Tensor.wrap(logits), axis=-1).numpy()
    if logits.ndim > 2:
        raise ArgumentError(
            explain("predict_proba expected outputs (n, classes)", f"{logits.shape}", "Flatten the model's outputs")
        )
    one = Tensor.wrap(logits.reshape(-1)).sigmoid().numpy()
    return np.stack([1 - one, one], axis=1)


def predict_class(model: Module, x: ArrayLike, *, batch_size: int | None = None) -> Array:
    """The most probable class of every row, int64 (n,)."""
    logits = predict(model, x, batch_size=batch_size)
    if logits.ndim == 2 and logits.shape[1] > 1:
        classes: Array = np.argmax(logits, axis=1)
        return classes
    return np.where(logits.reshape(-1) > 0, 1, 0)


def evaluate(
    model: Module,
    x: ArrayLike,
    y: ArrayLike,
    *,
    loss: Any = None,
    metrics: Iterable[str | Metric | Callable[..., Any]] = (),
    sample_weight: ArrayLike | None = None,
    batch_size: int | None = None,
) -> dict[str, float]:
    """Loss and metrics of the model on a data set, in evaluation mode: every row counts as its weight says.

    >>> import numpy as np, lucidgrad as lg
    >>> model = lg.nn.Linear(2, 2, init=lg.nn.init.zeros)
    >>> lg.evaluate(model, np.zeros((4, 2)), [0, 0, 1, 0], loss="cross_entropy", metrics=["accuracy"])
    {'loss': 0.693147..., 'accuracy': 0.75}
    """
    samples = Samples.of(x, y, sample_weight, model_dtype(model), "evaluate")
    measured = dict(as_metric(m) for m in metrics)
    return measure(model, samples, None if loss is None else as_loss(loss), measured, batch_size)


def measure(
    model: Module, samples: Samples, loss: Loss | None, metrics: dict[str, Metric], batch_size: int | None = None
) -> dict[str, float]:
    """``evaluate`` for samples that are already checked."""
    totals = Totals(loss, metrics)
    for rows, predictions in _outputs(model, samples, batch_size):
        _, y, weight = samples.batch(rows)
        assert y is not None  # evaluate and fit require targets
        totals.add(None if loss is None else loss.sums(predictions, y, weight), predictions, y, weight)
    return totals.results()


@contextmanager
def evaluating(model: Module) -> Iterator[None]:
    """Inside of the block the model is in evaluation mode and nothing is recorded; then it is as it was."""
    before = {path: module.training for path, module in model.modules().items()}
    quiet = mode.quiet
    model.eval()
    try:
        with no_grad(), np.errstate(all="ignore"):
            mode.quiet = True
            yield
    finally:
        mode.quiet = quiet
        for path, module in model.modules().items():
            module.training = before[path]


def _outputs(model: Module, samples: Samples, batch_size: int | None) -> Iterator[tuple[slice, Tensor]]:
    """The model's outputs for slices of the samples, in order."""
    n = len(samples)
    row_bytes = max(1, int(np.prod(samples.x.shape[1:])) * samples.dtype.itemsize)
    size = batch_size or max(1, min(n, BATCH_BYTES // row_bytes))
    if size < 1:
        raise ArgumentError(explain("batch_size expected at least 1", f"{size}", "Use None to have it chosen"))
    with evaluating(model), blas_threads(blas_threads_for(model, size)):
        for start in range(0, n, size):
            rows = slice(start, min(start + size, n))
            yield rows, model(samples.batch(rows)[0])
