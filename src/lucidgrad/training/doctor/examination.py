"""The examination: what the checks look at. Each piece is found out when a check first asks for it, and kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from lucidgrad.data import epoch_order
from lucidgrad.losses import (
    AbsoluteError,
    CrossEntropy,
    Huber,
    LogCosh,
    Logistic,
    Poisson,
    Quantile,
    SquaredError,
)
from lucidgrad.tensor import Tensor
from lucidgrad.training.doctor.look import Look
from lucidgrad.training.evaluating import evaluating
from lucidgrad.training.run import Run
from lucidgrad.training.samples import Samples
from lucidgrad.training.step import assign, training_step
from lucidgrad.training.working import working

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
PROBE_ROWS = 512
"""As many samples are looked at, evenly spread over the training set."""
NOTHING_LEARNED = 0.95
"""A loss above this share of that of the same answer to all."""
TRIAL_STEPS = 20
"""As many steps are tried out with another learning rate."""
TRIAL_ROWS = 4096
"""No batch of a trial is larger."""


@dataclass
class Moment:
    """Weights, buffers and the optimiser's state as they were before step ``step``, counted from 0."""

    step: int
    arrays: dict[str, Array]
    optimizer_state: dict[str, Any]

    @property
    def is_finite(self) -> bool:
        """Whether every weight and buffer is."""
        return all(a.dtype.kind != "f" or bool(np.isfinite(a).all()) for a in self.arrays.values())


@dataclass
class Examination:
    """A run, and what can be found out about it by running parts of it again.

    Parameters
    ----------
    run
        The run, with at least one epoch.
    """

    run: Run
    _trials: dict[Any, float] = field(default_factory=dict)

    # --- the data ---------------------------------------------------------------------------------------------

    @property
    def train(self) -> Samples:
        """The training samples."""
        assert self.run.samples is not None  # a run that has begun has samples
        return self.run.samples

    @cached_property
    def probe(self) -> tuple[Tensor, Tensor, Tensor | None]:
        """Some of the training samples."""
        return self.train.training_batch(_spread(len(self.train), PROBE_ROWS))

    @cached_property
    def is_regression(self) -> bool:
        """Whether targets are numbers to come near to."""
        if isinstance(self.run.loss, AbsoluteError | SquaredError | Huber | LogCosh | Quantile | Poisson):
            return True
        return self.train.y is not None and self.train.y.dtype.kind == "f" and not self._is_yes_or_no

    @cached_property
    def _is_yes_or_no(self) -> bool:
        return bool(np.isin(self.probe[1].numpy(), (-1, 0, 1)).all())

    @cached_property
    def labels(self) -> Array | None:
        """The class of each training sample, (n,); None for regression and for several answers at once."""
        if self.is_regression:
            return None
        y = self.train.training_batch(slice(None) if self.train.rows is None else np.arange(len(self.train)))[1]
        column = y.numpy().reshape(len(y.numpy()), -1)
        return column[:, 0].astype(np.int64) if column.shape[1] == 1 else None

    # --- the network ------------------------------------------------------------------------------------------

    @cached_property
    def start(self) -> Moment | None:
        """The weights of the first step; None where the run was resumed from a checkpoint."""
        begin = self.run.beginning
        if begin is None or begin.step:
            return None
        return Moment(0, {path: t.numpy() for path, t in begin.tensors.items()}, begin.optimizer_state)

    @cached_property
    def end(self) -> Moment:
        """The weights that the model has now."""
        return Moment(self.run.step, dict(self.run.model.state()), self.run.optimizer_state)

    @cached_property
    def at_start(self) -> Look | None:
        """The network before the first step, at work on the probe."""
        return None if self.start is None else self._look(self.start)

    @cached_property
    def at_end(self) -> Look | None:
        """The network as it is now, at work on the probe; None where its weights are not finite."""
        return self._look(self.end) if self.end.is_finite else None

    def _look(self, moment: Moment) -> Look:
        with working(self.run.model, moment.arrays):
            return Look.of(self.run, self.probe)

    @cached_property
    def start_loss(self) -> float:
        """The loss before the first step, or that of the first epoch where it is not known."""
        look = self.at_start
        return look.loss if look is not None and np.isfinite(look.loss) else float(self.run.history["loss"][0])

    @cached_property
    def constant_loss(self) -> float:
        """The loss of always giving the same answer, about: the shares of the classes, or the mean of the targets.

        That before training where neither is meant, as by a loss that reads predictions as logarithms.
        """
        loss, targets = self.run.loss, self.probe[1]
        if loss.reduction != "mean":
            return self.start_loss
        if self.labels is not None and type(loss) in (CrossEntropy, Logistic):
            share = np.unique(self.labels, return_counts=True)[1] / len(self.labels)
            return float(-(share * np.log(share)).sum())
        if self.is_regression and not isinstance(loss, Poisson | Quantile):
            mean = np.broadcast_to(targets.numpy().mean(axis=0), targets.shape).astype(targets.dtype)
            return float(loss.reduce(*loss.sums(Tensor.wrap(mean), targets, self.probe[2])))
        return self.start_loss

    @property
    def ignorant_loss(self) -> float:
        """The loss of a network that knows nothing: before training, or of the same answer to all."""
        return min(self.start_loss, self.constant_loss)

    def has_learned(self, share: float) -> bool:
        """Whether the loss came down to a share of what it is without any knowledge."""
        return self.at_end is not None and self.at_end.loss < share * self.ignorant_loss

    @property
    def knows_nothing(self) -> bool:
        """Whether the network is hardly better than the same answer to all: then smaller signs are believed."""
        return not self.has_learned(NOTHING_LEARNED)

    @cached_property
    def predictions(self) -> Array:
        """What the network says to the probe now, in evaluation mode, (rows, outputs)."""
        with evaluating(self.run.model):
            out: Array = self.run.model(self.probe[0]).numpy()
        return out.reshape(len(out), -1)

    def predicted_classes(self, outputs: Array) -> Array:
        """The class with the largest logit, or the side of a single one."""
        return outputs.argmax(axis=1) if outputs.shape[1] > 1 else (outputs[:, 0] > 0).astype(np.int64)

    # --- trying out -------------------------------------------------------------------------------------------

    def trial(self, factor: float, rate: float, moment: Moment) -> float:
        """The loss of the probe after some more steps at ``factor`` times the learning rate ``rate``."""
        known = (factor, rate, moment.step)
        if known not in self._trials:
            self._trials[known] = self._trial(factor * rate, moment)
        return self._trials[known]

    def _trial(self, rate: float, moment: Moment) -> float:
        run, n = self.run, len(self.train)
        size = min(run.batch_size or n, n, TRIAL_ROWS)
        order = epoch_order(n, run.order_key, run.epochs, run.shuffle)
        state = moment.optimizer_state
        with working(run.model, moment.arrays):
            run.model.train()
            for i in range(TRIAL_STEPS):
                rows = np.take(order, np.arange(i * size, (i + 1) * size), mode="wrap")
                batch = self.train.training_batch(rows)
                key = run.key_of(run.step + i)
                done = training_step(run.model, run.loss, run.optimizer, run.parameters, state, batch, key, rate)
                assign(run.parameters, done.parameters)
                state = done.optimizer_state
            return Look.of(run, self.probe).loss

    def loss_at(self, moment: Moment) -> float:
        """The loss of the probe at some weights."""
        look = self.at_end if moment is self.end else self.at_start
        assert look is not None  # asked for finite weights only
        return look.loss


def column(run: Run, name: str) -> Array:
    """A column of the history as numbers; NaN where there is none."""
    if name not in run.history:
        return np.empty(0)
    return np.array([np.nan if v is None else float(v) for v in run.history[name]])


def _spread(n: int, rows: int) -> Array:
    return np.unique(np.linspace(0, n - 1, min(n, rows)).astype(np.int64))
