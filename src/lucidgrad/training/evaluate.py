"""Ask a trained model: outputs, probabilities, classes, loss and metrics, in memory bounded by a batch."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lucidgrad.compiler.fuse import UnsupportedOpError
from lucidgrad.compiler.machine import available
from lucidgrad.errors import ArgumentError, TracingError, explain
from lucidgrad.functional import softmax
from lucidgrad.losses import Loss, as_loss
from lucidgrad.metrics import Metric, as_metric
from lucidgrad.nn import Module
from lucidgrad.tensor import Tensor
from lucidgrad.training.engine import EAGER, Engine, check_engine
from lucidgrad.training.evaluating import evaluating
from lucidgrad.training.predictor import Predictor, predictor_for
from lucidgrad.training.samples import Array, Samples
from lucidgrad.training.step import model_dtype
from lucidgrad.training.threads import blas_threads, blas_threads_for, check_threads
from lucidgrad.training.totals import Totals

# Rows of a batch are chosen so that its inputs take about this much; a batch then fits a core's cache.
BATCH_BYTES = 2**20
# Arithmetic operations (a few hundredths of a second of one core) from which on a model is compiled to be asked.
WORTH_COMPILING = 2**31


def predict(
    model: Module, x: ArrayLike, *, batch_size: int | None = None, engine: str = "auto", threads: int | None = None
) -> Array:
    """The outputs of the model for every row of x, in evaluation mode: logits or regression values, (n, ...).

    Parameters
    ----------
    model
        What is asked.
    x
        (n, ...): its inputs.
    batch_size
        Rows that are computed together; None: chosen so that a batch fits the cache.
    engine
        ``"native"``: in machine code. ``"eager"``: op after op, in NumPy. ``"auto"``: natively where there is so much
        to compute that compiling (some tenths of a second, once for a model) pays. To ask often, or a row at a time,
        make a ``Predictor``. The numbers agree to rounding.
    threads
        Of the native engine. None: chosen by the size of the work.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        When x is not what the model takes, or an option is none.

    Examples
    --------
    >>> import numpy as np, lucidgrad as lg
    >>> lg.predict(lg.nn.Linear(2, 3), np.zeros((5, 2))).shape
    (5, 3)
    """
    outputs: Array | None = None
    samples = Samples.of(x, None, None, model_dtype(model), "predict")
    for rows, predictions in _outputs(model, samples, batch_size, Engine(check_engine(engine), check_threads(threads))):
        values = predictions.numpy()
        if outputs is None:
            outputs = np.empty((len(samples), *values.shape[1:]), values.dtype)
        outputs[rows] = values
    assert outputs is not None  # Samples.of refuses an empty x
    return outputs


def predict_proba(
    model: Module, x: ArrayLike, *, batch_size: int | None = None, engine: str = "auto", threads: int | None = None
) -> Array:
    """Class probabilities (n, classes): softmax of the logits, or (1 - p, p) with the sigmoid of a single logit.

    Parameters
    ----------
    model, x, batch_size, engine, threads
        As for ``predict``; x is (n, ...).

    Raises
    ------
    ArgumentError
        When the model's outputs are not (n, classes).

    Examples
    --------
    >>> import numpy as np, lucidgrad as lg
    >>> lg.predict_proba(lg.nn.Linear(2, 2, init=lg.nn.init.zeros), np.zeros((1, 2)))
    array([[0.5, 0.5]], dtype=float32)
    """
    logits = predict(model, x, batch_size=batch_size, engine=engine, threads=threads)
    if logits.ndim == 2 and logits.shape[1] > 1:
        return softmax(Tensor.wrap(logits), axis=-1).numpy()
    if logits.ndim > 2:
        raise ArgumentError(
            explain("predict_proba expected outputs (n, classes)", f"{logits.shape}", "Flatten the model's outputs")
        )
    one = Tensor.wrap(logits.reshape(-1)).sigmoid().numpy()
    return np.stack([1 - one, one], axis=1)


def predict_class(
    model: Module, x: ArrayLike, *, batch_size: int | None = None, engine: str = "auto", threads: int | None = None
) -> Array:
    """The most probable class of every row, int64 (n,).

    Parameters
    ----------
    model, x, batch_size, engine, threads
        As for ``predict``; x is (n, ...).

    Examples
    --------
    >>> import numpy as np, lucidgrad as lg
    >>> model = lg.nn.Linear(2, 2, init=lg.nn.init.ones, bias=False)
    >>> lg.predict_class(lg.nn.Sequential(model, lambda z: z * np.array([-1.0, 1.0])), np.ones((3, 2)))
    array([1, 1, 1])
    """
    logits = predict(model, x, batch_size=batch_size, engine=engine, threads=threads)
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
    engine: str = "auto",
    threads: int | None = None,
) -> dict[str, float]:
    """Loss and metrics of the model on a data set, in evaluation mode: every row counts as its weight says.

    Parameters
    ----------
    model
        What is judged.
    x, y
        (n, ...) and (n,) or (n, outputs): inputs and targets.
    loss
        A Loss, its name, or a function of (predictions, targets). None: metrics alone.
    metrics
        Names from ``lucidgrad.metrics.METRICS``, Metric objects, or functions of (predictions, targets).
    sample_weight
        (n,), none negative and not all 0.
    batch_size, engine, threads
        As for ``predict``.

    Returns
    -------
    By the names ``"loss"`` and those of the metrics.

    Examples
    --------
    >>> import numpy as np, lucidgrad as lg
    >>> model = lg.nn.Linear(2, 2, init=lg.nn.init.zeros)
    >>> lg.evaluate(model, np.zeros((4, 2)), [0, 0, 1, 0], loss="cross_entropy", metrics=["accuracy"])
    {'loss': 0.693147..., 'accuracy': 0.75}
    """
    samples = Samples.of(x, y, sample_weight, model_dtype(model), "evaluate")
    measured = dict(as_metric(m) for m in metrics)
    chosen = Engine(check_engine(engine), check_threads(threads))
    return measure(model, samples, None if loss is None else as_loss(loss), measured, batch_size, chosen)


def measure(
    model: Module,
    samples: Samples,
    loss: Loss | None,
    metrics: dict[str, Metric],
    batch_size: int | None = None,
    engine: Engine = EAGER,
) -> dict[str, float]:
    """``evaluate`` for samples that are already checked."""
    totals = Totals(loss, metrics)
    for rows, predictions in _outputs(model, samples, batch_size, engine):
        _, y, weight = samples.batch(rows)
        assert y is not None  # evaluate and fit require targets
        totals.add(None if loss is None else loss.sums(predictions, y, weight), predictions, y, weight)
    return totals.results()


def _outputs(model: Module, samples: Samples, batch_size: int | None, engine: Engine) -> Iterator[tuple[slice, Tensor]]:
    """The model's outputs for slices of the samples, in order."""
    predictor = None if batch_size is not None else _predictor(model, samples, engine)
    if predictor is not None:
        for rows, outputs in predictor.parts(samples.x, samples.rows):
            yield rows, Tensor.wrap(outputs)
        return
    n = len(samples)
    row_bytes = max(1, int(np.prod(samples.x.shape[1:])) * samples.dtype.itemsize)
    size = batch_size or max(1, min(n, BATCH_BYTES // row_bytes))
    if size < 1:
        raise ArgumentError(explain("batch_size expected at least 1", f"{size}", "Use None to have it chosen"))
    with evaluating(model), blas_threads(blas_threads_for(model, size)):
        for start in range(0, n, size):
            rows = slice(start, min(start + size, n))
            yield rows, model(samples.batch(rows)[0])


_asked_eagerly: weakref.WeakSet[Module] = weakref.WeakSet()  # that cannot be compiled, and it has been said


def _predictor(model: Module, samples: Samples, engine: Engine) -> Predictor | None:
    """What asks the model natively; None where that is not wanted, not worth it, or not possible."""
    work = 2 * len(samples) * sum(p.size for p in model.parameters().values()) * engine.times
    worth = work > 0 if engine.name == "native" else work >= WORTH_COMPILING and available()
    if engine.name == "eager" or not worth:
        return None
    reason = None if available() else "llvmlite is not installed"
    if reason is None and model not in _asked_eagerly:
        try:
            return predictor_for(model, samples, engine.threads)
        except (UnsupportedOpError, TracingError) as error:
            reason = str(error)
    if model not in _asked_eagerly:
        _asked_eagerly.add(model)
        warnings.warn(f"the model is asked eagerly: {reason}", RuntimeWarning, stacklevel=5)
    return None
