"""fit: the training loop, on one screen."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lucidgrad import interrupt
from lucidgrad.autograd import mode
from lucidgrad.data import batches, epoch_order
from lucidgrad.errors import ArgumentError, explain
from lucidgrad.losses import as_loss
from lucidgrad.metrics import Metric, as_metric
from lucidgrad.nn import Module
from lucidgrad.optim import Optimizer
from lucidgrad.training.callbacks.callback import Callback
from lucidgrad.training.callbacks.progress import Progress
from lucidgrad.training.divergence import stop_diverged
from lucidgrad.training.engine import EAGER, Engine, check_engine
from lucidgrad.training.evaluate import measure
from lucidgrad.training.full_batch import minimize_epoch
from lucidgrad.training.moment import Moment
from lucidgrad.training.native import native_training
from lucidgrad.training.resume import resume_run
from lucidgrad.training.run import Run, fingerprint
from lucidgrad.training.samples import Samples
from lucidgrad.training.step import assign, model_dtype, training_step
from lucidgrad.training.threads import blas_threads, blas_threads_for, check_threads

Hook = Callable[[Run], None]
# How often the held back samples are judged on, at least, as far as compiling the model for it is concerned. A fixed
# number: a run that is resumed for more epochs must come to the same choice.
VALIDATIONS = 16
# Up to so many weights their largest values are looked for together.
ONE_CALL = 2**14


def fit(
    model: Module,
    x: ArrayLike,
    y: ArrayLike,
    *,
    loss: Any,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int | None = None,
    validation: float | Sequence[Any] | None = None,
    metrics: Iterable[str | Metric | Callable[..., Any]] = (),
    callbacks: Iterable[Callback] = (),
    seed: int = 0,
    shuffle: bool = True,
    sample_weight: ArrayLike | None = None,
    engine: str = "auto",
    threads: int | None = None,
    progress: bool | None = None,
    resume: bool | str | Path = False,
) -> Run:
    """Train a model.

    Parameters
    ----------
    model
        Maps x (batch, ...) to predictions (batch, ...). Trained in place.
    x : (n, ...)
        Inputs: an array, a list, or a memory map. Never modified, and copied only a batch at a time.
    y : (n,) or (n, outputs)
        Targets: integer labels for classification, numbers for regression.
    loss
        A Loss, its name (``"cross_entropy"``), or a function of (predictions, targets).
    optimizer
        How parameters change; holds the learning rate or its schedule.
    epochs
        How often to go over all samples.
    batch_size
        None: gradient descent, one step an epoch over the whole set. An integer: stochastic gradient descent over
        random minibatches of that size; the last one is shorter where n is no multiple, and counts as what it is.
    validation
        What to judge on after each epoch: a fraction of the samples to hold back (classes keep their shares), or
        (x, y), or (x, y, sample_weight).
    metrics
        Names from ``lucidgrad.metrics.METRICS``, Metric objects, or functions of (predictions, targets).
    callbacks
        See ``lucidgrad.training.callbacks``.
    seed
        Decides the order of the samples, the held back part, and dropout. Same seed, same bits.
    shuffle
        False: the samples come in the order they have, in every epoch.
    sample_weight : (n,), optional
        How much each sample counts, >= 0.
    engine
        ``"native"``: epochs run as machine code. ``"eager"``: op after op, in NumPy. ``"auto"``: natively, and eagerly
        what cannot be compiled; then a warning names the op. The numbers agree to rounding.
    threads
        Threads for matrix products. None: one, or those BLAS is set to where the products are large enough to gain;
        natively as many as there are cores, while that is faster than one.
    progress
        Show a progress bar: yes, no, or (None) when the output is a terminal.
    resume
        A folder of checkpoints (or one of them) to go on from, exactly as if the run had not been interrupted. True:
        the folder of the Checkpoint callback, or from the start where it is still empty.

    Returns
    -------
    Run
        With ``history``: a row for each epoch. A run whose loss is no finite number any more stops with a warning that
        names epoch, step and layer (``run.stop_reason``); the model then has the weights from before that step, and the
        last row is of the steps until then. The callback NaNGuard makes an error of it.

    Raises
    ------
    ArgumentError, ShapeError, DtypeError
        For arguments and data that do not fit together.
    CheckpointError
        When a checkpoint to resume from is of another run.
    KeyboardInterrupt
        After Ctrl-C, at the end of the step under way, with the model and the checkpoint callback's files whole.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.seed(0)
    >>> x, y = lg.data.xor(200, seed=0)
    >>> model = lg.nn.Sequential(lg.nn.Linear(2, 16), lg.functional.tanh, lg.nn.Linear(16, 2))
    >>> run = lg.fit(model, x, y, loss="cross_entropy", optimizer=lg.optim.Adam(0.03), epochs=30, batch_size=20,
    ...              metrics=["accuracy"])
    >>> run.history["accuracy"][-1] > 0.95
    True
    """
    samples = Samples.of(x, y, sample_weight, model_dtype(model))
    train, held_back = _validation(samples, validation, seed)
    _check_counts(epochs, batch_size)
    check_engine(engine)
    run = Run(
        model,
        as_loss(loss),
        optimizer,
        epochs,
        batch_size,
        dict(as_metric(m) for m in metrics),
        with_progress(callbacks, progress),
        seed,
        shuffle,
        fingerprint(train) | {"validation": None if held_back is None else fingerprint(held_back)},
    )
    if resume:
        resume_run(run, resume)
    asked = check_threads(threads)
    threads = asked or blas_threads_for(model, batch_size or len(train))
    with blas_threads(threads):
        train_run(run, train, held_back, engine, asked)
    return run


def train_run(
    run: Run, train: Samples, held_back: Samples | None, engine: str = "eager", threads: int | None = None
) -> None:
    """Do the epochs that the run still lacks."""
    run.samples, run.validation = train, held_back
    run.beginning = Moment.of(run)
    hooks = _hooks(run.callbacks)
    native = native_training(run, train, engine, threads)
    run.engine, run.threads = "eager" if native is None else "native", threads
    judge = EAGER if native is None else Engine("auto", threads, times=VALIDATIONS)
    epoch = native.epoch if native is not None else minimize_epoch if run.optimizer.full_batch else _epoch
    with _interruptible(run), _quiet(), ExitStack() as ends:
        for hook in hooks["on_run_end"]:  # each of them is called, the last first, also when another one fails
            ends.callback(hook, run)
        try:
            _call(hooks["on_run_begin"], run)
            while run.epoch < run.epochs and run.stop_reason is None:
                _call(hooks["on_epoch_begin"], run)
                started = time.perf_counter()
                done = epoch(run, train, hooks["on_step_end"])
                run.totals.seconds += time.perf_counter() - started
                if done:
                    _finish_epoch(run, held_back, judge)
                    _call(hooks["on_epoch_end"], run)
        except BaseException as error:
            run.stop_reason = f"failed: {type(error).__name__}: {error}"  # whatever was to stop it before
            raise


def _epoch(run: Run, train: Samples, on_step_end: list[Hook]) -> bool:
    """Go over the batches that the epoch still has; whether it was completed."""
    run.model.train()
    order = epoch_order(len(train), run.order_key, run.epoch, run.shuffle)
    for index in batches(order, run.batch_size or len(train), start=run.batch):
        _step(run, train, index)
        for hook in on_step_end:
            hook(run)
        if not math.isfinite(run.batch_loss):
            stop_diverged(run)
            return True
        if run.stop_reason is not None and run.batch * (run.batch_size or len(train)) < len(train):
            return False
    return True


def _step(run: Run, train: Samples, index: np.ndarray[Any, Any]) -> None:
    """Do a step; its update is left out where the loss is not finite."""
    batch = train.training_batch(index)
    learning_rate = run.optimizer.learning_rate_at(run.step) * run.learning_rate_factor
    result = training_step(
        run.model, run.loss, run.optimizer, run.parameters, run.optimizer_state, batch, run.step_key, learning_rate
    )
    if math.isfinite(float(result.forward.loss)):
        assign(run.parameters, result.parameters)
        run.optimizer_state = result.optimizer_state
    run.count_step(result.forward, batch, learning_rate)


def _finish_epoch(run: Run, held_back: Samples | None, engine: Engine) -> None:
    """Add the epoch's row to the history."""
    row = {"epoch": run.epoch + 1, **run.totals.results()}
    if held_back is not None:
        measured = measure(run.model, held_back, run.loss, run.metrics, engine=engine)
        row |= {f"validation_{name}": value for name, value in measured.items()}
    row["learning_rate"] = run.learning_rate
    row["seconds"] = run.totals.seconds
    row["max_abs_weight"] = _largest({path: p.numpy() for path, p in run.parameters.items()})
    run.history.rows.append(row)
    run.totals.reset()
    run.epoch += 1
    run.batch = 0


def _largest(arrays: dict[str, np.ndarray[Any, Any]]) -> dict[str, float]:
    """The largest absolute value of each array; of small ones together, because each call of NumPy takes its time."""
    sizes = tuple(a.size for a in arrays.values())
    if not all(sizes) or sum(sizes) > ONE_CALL:
        return {path: float(np.max(np.abs(a), initial=0.0)) for path, a in arrays.items()}
    together = np.abs(np.concatenate([a.ravel() for a in arrays.values()]))
    return dict(zip(arrays, np.maximum.reduceat(together, _starts(sizes)).astype(np.float64).tolist(), strict=True))


@lru_cache(maxsize=64)
def _starts(sizes: tuple[int, ...]) -> np.ndarray[Any, Any]:
    return np.array([0, *accumulate(sizes[:-1])])


def _validation(samples: Samples, validation: Any, seed: int) -> tuple[Samples, Samples | None]:
    if validation is None:
        return samples, None
    if isinstance(validation, int | float):
        return samples.split(float(validation), seed)
    if not isinstance(validation, tuple | list) or len(validation) not in (2, 3):
        raise ArgumentError(
            explain(
                "validation expected a fraction, (x, y) or (x, y, sample_weight)",
                type(validation).__name__,
                "Pass validation=0.1 to hold back a tenth of the samples",
            )
        )
    x, y, weight = (*validation, None)[:3]
    return samples, Samples.of(x, y, weight, samples.dtype, "validation")


def _check_counts(epochs: Any, batch_size: Any) -> None:
    for name, value, least in (("epochs", epochs, 0), ("batch_size", batch_size, 1)):
        if value is None and name == "batch_size":
            continue
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
            raise ArgumentError(explain(f"{name} expected an integer >= {least}", repr(value), "Use a whole number"))


def with_progress(
    callbacks: Iterable[Callback], progress: bool | None, *, label: str = "", passing: bool = False
) -> list[Callback]:
    """The callbacks, each of them one, and a progress bar behind them where one is wanted and none is there."""
    given = list(callbacks)
    for callback in given:
        if not isinstance(callback, Callback):
            raise ArgumentError(
                explain(
                    "callbacks expected Callback objects",
                    repr(callback),
                    "Make one of the class, EarlyStopping(), or derive your own from lucidgrad.training.Callback",
                )
            )
    if progress is False or any(isinstance(c, Progress) for c in given):
        return given
    return [*given, Progress(always=progress is True, label=label, passing=passing)]


def _hooks(callbacks: list[Callback]) -> dict[str, list[Hook]]:
    """For each point in training the methods that are really overridden: what is not used is not called."""
    points = ("on_run_begin", "on_epoch_begin", "on_step_end", "on_epoch_end", "on_run_end")
    ordered = sorted(callbacks, key=lambda c: c.runs_last)
    return {
        point: [getattr(c, point) for c in ordered if getattr(type(c), point) is not getattr(Callback, point)]
        for point in points
    }


def _call(hooks: list[Hook], run: Run) -> None:
    for hook in hooks:
        hook(run)


@contextmanager
def _quiet() -> Iterator[None]:
    """NumPy's warnings off once for the whole run instead of for each op."""
    before, mode.quiet = mode.quiet, True
    try:
        with np.errstate(all="ignore"):
            yield
    finally:
        mode.quiet = before


@contextmanager
def _interruptible(run: Run) -> Iterator[None]:
    """Let Ctrl-C end the run after the step under way, so that no update is half done; a second one ends it at once.

    A process that was told to ignore it goes on doing so, and one whose handler is not Python's own (None) keeps that.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before in (None, signal.SIG_IGN):
        yield
        return

    came = False

    def stop(*_: Any) -> None:
        nonlocal came
        came = True
        interrupt.note()
        run.stop("interrupted")
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:  # also where something else had said to stop before
        raise KeyboardInterrupt
