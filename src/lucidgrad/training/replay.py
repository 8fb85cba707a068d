"""Do the steps of a run once more, up to one of them, exactly as they were done.

Nothing in training depends on anything but the run's settings, its data and the state before: the order of the samples
is a function of the seed and the epoch, what is random in a step a function of the seed and the step. So the state
before any step is found again from the state at the beginning, or from a checkpoint.
"""

from __future__ import annotations

import math
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lucidgrad.errors import ArgumentError, ReplayError, counted, explain
from lucidgrad.io import checkpoint as checkpoints
from lucidgrad.random import Key
from lucidgrad.training.callbacks.callback import Callback
from lucidgrad.training.fit import train_run
from lucidgrad.training.moment import Moment
from lucidgrad.training.run import Run, fingerprint
from lucidgrad.training.samples import Array, Samples
from lucidgrad.training.step import Batch
from lucidgrad.training.threads import blas_threads, blas_threads_for
from lucidgrad.training.working import working

PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class Replayed:
    """A step that was done once more.

    Attributes
    ----------
    run
        Of which run.
    epoch, batch, step
        Epoch and minibatch counted from 1, the step in all from 0.
    before, after
        The state that the step began with, and what it made of it.
    loss, learning_rate
        As the run had them.
    rows : (k,)
        The samples of the minibatch, by their place in the data set.
    data
        The minibatch: inputs, targets, and weights or None.
    key
        What is random in the step follows from this.
    engine
        ``"native"`` or ``"eager"``.
    checked_epochs
        How many whole epochs were done once more with the loss and the largest weights that the history has, to the
        last bit.
    """

    run: Run
    epoch: int
    batch: int
    step: int
    before: Moment
    after: Moment
    loss: float
    learning_rate: float
    rows: Array
    data: Batch
    key: Key
    engine: str
    checked_epochs: int


def replay(
    run: Run, *, epoch: int = 1, batch: int = 1, checkpoint: PathLike | None = None, beginning: Moment | None = None
) -> Replayed:
    """Do a step of a run once more; the run and its model stay as they are.

    It takes as long as the training from the beginning (or from the checkpoint) to the end of the epoch, without
    validation. The run has to have its data still: as it was, and in the memory it was given in.

    Parameters
    ----------
    run
        What ``fit`` has returned, or hands to callbacks.
    epoch, batch
        Which step, counted from 1. The steps have to be behind the run already.
    checkpoint
        A folder that the Checkpoint callback writes to (or one of its files) to begin at: the last before the step.
    beginning
        A moment of the run to begin at. None: that of the checkpoint, or the run's beginning.

    Raises
    ------
    ArgumentError
        For a step that the run has not done, or one before the run was resumed without a checkpoint before it.
    CheckpointError
        For a checkpoint of another run.
    ReplayError
        Where the steps come out another way than in the run: data or model were changed, or a callback changed weights.
    """
    samples = _samples_of(run)
    step = _number_of(run, epoch, batch)
    begin = beginning if beginning is not None else _beginning(run, step, checkpoint)
    with working(run.model), _silent():
        watcher = _Watcher(run, step)
        copy = _copy(run, begin)
        if begin.epoch < epoch - 1:
            _train(copy, samples, epoch - 1, _Follower(run))
        _train(copy, samples, epoch, watcher)
    rows, data = run.batch_of(step)
    before, after = watcher.seen[0], watcher.seen[1]
    checked = epoch - 1 - begin.epoch + watcher.checked
    key = run.key_of(step)
    loss, rate = watcher.loss, watcher.learning_rate
    return Replayed(run, epoch, batch, step, before, after, loss, rate, rows, data, key, run.engine, checked)


@contextmanager
def _silent() -> Iterator[None]:
    """A run that ended in numbers that are not finite has said so when it did."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="training stopped", category=RuntimeWarning)
        yield


class _Follower(Callback):
    """Sees to it that the steps go as they went, and at the end of an epoch that they did."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.checked = 0

    def on_epoch_begin(self, run: Run) -> None:
        """Take over the learning rate that the run had."""
        self._set_rate(run)

    def on_epoch_end(self, run: Run) -> None:
        """Compare the epoch with that of the run."""
        for row in self.run.history.rows:
            if row["epoch"] == run.history.last["epoch"]:
                self.checked += 1
                _check_row(row, run.history.last)

    def _set_rate(self, run: Run) -> None:
        factor = self.run.learning_rate_factors.get(run.step)
        if factor is not None:
            run.learning_rate_factor = factor


@dataclass(eq=False)
class _Watcher(_Follower):
    """Keeps the moments before and after the step."""

    run: Run
    step: int
    seen: list[Moment] = field(default_factory=list)
    checked: int = 0
    loss: float = math.nan
    learning_rate: float = math.nan

    def on_epoch_begin(self, run: Run) -> None:
        """The first step of an epoch begins now."""
        self._set_rate(run)
        self._look(run)

    def on_step_end(self, run: Run) -> None:
        """Each other begins where the one before it ends."""
        self._set_rate(run)
        self._look(run)
        if run.step == self.step + 1:
            self.loss, self.learning_rate = run.batch_loss, run.learning_rate
        if run.step >= self.run.step:
            run.stop("that is as far as the run has got")

    def _look(self, run: Run) -> None:
        if run.step in (self.step, self.step + 1) and len(self.seen) == run.step - self.step:
            self.seen.append(Moment.of(run))


def _check_row(then: dict[str, Any], now: dict[str, Any]) -> None:
    if not (_same(then["loss"], now["loss"]) and _same(then["max_abs_weight"], now["max_abs_weight"])):
        raise ReplayError(
            explain(
                f"the replay expected the numbers of the run, in epoch {then['epoch']} a loss of {then['loss']!r} and "
                f"weights of at most {max(then['max_abs_weight'].values(), default=0.0)!r}",
                f"{now['loss']!r} and {max(now['max_abs_weight'].values(), default=0.0)!r}",
                "The data or the model's settings were changed since, or a callback changes weights: let a Recorder "
                "take the step down while the run goes on, fit(..., callbacks=[Recorder(...)])",
            )
        )


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    return bool(a == b or (a != a and b != b))


def _train(copy: Run, samples: Samples, epochs: int, follower: _Follower) -> None:
    copy.epochs, copy.callbacks = epochs, [follower]
    with blas_threads(copy.threads or blas_threads_for(copy.model, copy.batch_size or len(samples))):
        train_run(copy, samples, None, follower.run.engine, copy.threads)


def _copy(run: Run, begin: Moment) -> Run:
    """A run with the same settings on the same model, at the beginning."""
    made = Run(
        run.model, run.loss, run.optimizer, 0, run.batch_size, run.metrics, [], run.seed, run.shuffle, dict(run.data)
    )
    made.threads = run.threads
    begin.put_into(made)
    return made


def _samples_of(run: Any) -> Samples:
    if not isinstance(run, Run) or run.samples is None or run.beginning is None:
        what = "a run that has not begun" if isinstance(run, Run) else type(run).__name__
        raise ArgumentError(explain("replaying expected a Run that has begun", what, "Pass what fit(...) returns"))
    known = {name: value for name, value in run.data.items() if name != "validation"}
    if known and known != fingerprint(run.samples):
        raise ReplayError(
            explain(
                "replaying expected the data that the run was trained on",
                "arrays that have changed since",
                "Leave the arrays that fit was given as they are, or pass it copies",
            )
        )
    return run.samples


def _number_of(run: Run, epoch: Any, batch: Any) -> int:
    """The step of a minibatch, counted from 0, after it has been checked."""
    per_epoch = run.steps_per_epoch
    for name, value, last in (("epoch", epoch, run.epochs), ("batch", batch, per_epoch)):
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or not 1 <= value <= last:
            raise ArgumentError(
                explain(f"{name} expected an integer from 1 to {last}", repr(value), "The first one is number 1")
            )
    step = (int(epoch) - 1) * per_epoch + int(batch) - 1
    if step >= run.step:
        done = f"{counted(run.step, 'step')} done, the last of them batch {(run.step - 1) % per_epoch + 1} of epoch "
        done += f"{(run.step - 1) // per_epoch + 1}" if run.step else ""
        raise ArgumentError(
            explain(
                f"batch {batch} of epoch {epoch} expected to be behind the run",
                done if run.step else "no steps done",
                "Choose an earlier step, or train on",
            )
        )
    return step


def _beginning(run: Run, step: int, folder: PathLike | None) -> Moment:
    """The last known moment that is not behind the step."""
    assert run.beginning is not None  # checked with the samples
    found = [run.beginning] if run.beginning.step <= step else []
    if folder is not None:
        path = Path(folder)
        paths = checkpoints.steps(path) if path.is_dir() else [path]
        early = [p for p in paths if not (named := re.fullmatch(r"step-(\d+)", p.stem)) or int(named[1]) <= step]
        moments = [Moment.of_checkpoint(p, run) for p in early[-1:]]
        found += [m for m in moments if m.step <= step]
    if not found:
        raise ArgumentError(
            explain(
                f"replaying step {step + 1} expected a state from before it",
                f"a run that was resumed after step {run.beginning.step}"
                + ("" if folder is None else f", and no checkpoint from before in {folder}"),
                "Pass checkpoint=folder with one from before, or choose a later step",
            )
        )
    return max(found, key=lambda m: m.step)
