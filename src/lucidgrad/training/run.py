"""Run: everything that changes while a model trains. Saving it, and putting it back, is all that resuming takes."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lucidgrad.data import epoch_order
from lucidgrad.errors import CheckpointError, explain
from lucidgrad.losses import Loss
from lucidgrad.metrics import Metric
from lucidgrad.nn import Module
from lucidgrad.optim import Optimizer
from lucidgrad.random import Key
from lucidgrad.training.callbacks.callback import Callback
from lucidgrad.training.history import History
from lucidgrad.training.moment import Moment, as_tensors
from lucidgrad.training.samples import Array, Samples
from lucidgrad.training.step import Batch, Forward
from lucidgrad.training.totals import Totals


@dataclass(eq=False)
class Run:
    """A training run: what it was started with, and everything that changes.

    Attributes
    ----------
    model, loss, optimizer, metrics, callbacks
        What trains. ``metrics`` by the name of their column in the history.
    epochs
        How many epochs the run is to have when it is done.
    batch_size
        Samples in a batch; None: all of them.
    seed, order_key, steps_key, step_key, shuffle
        The samples' order is a function of ``order_key`` and the epoch; what is random in a step, of
        ``step_key``, which follows from ``steps_key`` and the number of the step.
    epoch, batch, step
        Epochs completed, batches done in the epoch under way, and updates done in all.
    learning_rate, learning_rate_factor
        The learning rate of the last step; what callbacks have multiplied the schedule by.
    batch_loss
        The loss of the last batch, before its update.
    history
        A row for each completed epoch.
    stop_reason
        Why the run ended before ``epochs``, or None.
    samples, validation
        What it trains on and is judged on, once it has begun.
    beginning
        All that its first step (or the first after it was resumed) depended on, the steps done before included.
    learning_rate_factors
        By the steps done before: when the factor changed, and to what.
    engine, threads
        What its steps are done with, ``"native"`` or ``"eager"``, and in how many threads if that was asked for.
    data
        What tells its data set from others (shapes, dtypes, a checksum), for resuming.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> x, y = lg.data.xor(40, seed=0)
    >>> model, rule = lg.nn.Linear(2, 2), lg.optim.SGD(0.1)
    >>> run = lg.fit(model, x, y, loss="cross_entropy", optimizer=rule, epochs=3, batch_size=10)
    >>> run.epoch, run.step, run.steps_per_epoch, run.learning_rate
    (3, 12, 4, 0.1)
    """

    model: Module
    loss: Loss
    optimizer: Optimizer
    epochs: int
    batch_size: int | None = None
    metrics: dict[str, Metric] = field(default_factory=dict)
    callbacks: list[Callback] = field(default_factory=list)
    seed: int = 0
    shuffle: bool = True
    data: dict[str, Any] = field(default_factory=dict)

    epoch: int = 0
    batch: int = 0
    step: int = 0
    learning_rate: float = float("nan")
    batch_loss: float = float("nan")
    history: History = field(default_factory=History)
    stop_reason: str | None = None
    samples: Samples | None = None
    validation: Samples | None = None
    beginning: Moment | None = None
    learning_rate_factors: dict[int, float] = field(default_factory=dict)
    engine: str = "eager"
    threads: int | None = None

    def __post_init__(self) -> None:
        key = Key(self.seed)
        self.order_key, self.steps_key = key.fold_in(0), key.fold_in(1)
        self.parameters = self.model.parameters()
        self.optimizer_state: dict[str, Any] = self.optimizer.init(self.parameters)
        self.totals = Totals(self.loss, self.metrics)

    @property
    def learning_rate_factor(self) -> float:
        """What callbacks have multiplied the schedule of the learning rate by; set it to change it."""
        return next(reversed(self.learning_rate_factors.values()), 1.0)

    @learning_rate_factor.setter
    def learning_rate_factor(self, factor: float) -> None:
        if factor != self.learning_rate_factor:
            self.learning_rate_factors.pop(self.step, None)  # at the end again, though there was one for this step
            self.learning_rate_factors[self.step] = factor

    def learning_rate_of(self, step: int) -> float:
        """The learning rate of a step, counted from 0, as far as it is known: of those done, and the next.

        Parameters
        ----------
        step
            At most one that is not done yet.
        """
        known = [factor for first, factor in self.learning_rate_factors.items() if first <= step]
        return self.optimizer.learning_rate_at(step) * (known[-1] if known else 1.0)

    @property
    def step_key(self) -> Key:
        """What is random in the next step, such as dropout, follows from this."""
        return self.key_of(self.step)

    def key_of(self, step: int) -> Key:
        """What is random in a step, counted from 0, follows from this.

        Parameters
        ----------
        step
            Done or not.
        """
        return self.steps_key.fold_in(step)

    @property
    def steps_per_epoch(self) -> int:
        """How many minibatches an epoch has, once the run has begun."""
        n = len(self._samples())
        return -(-n // (self.batch_size or n))

    def batch_of(self, step: int) -> tuple[Array, Batch]:
        """The rows that a step is taken on, as places in the data set (k,), and what is in them.

        Parameters
        ----------
        step
            Counted from 0, done or not.
        """
        samples = self._samples()
        size = self.batch_size or len(samples)
        epoch, batch = divmod(step, self.steps_per_epoch)
        index = epoch_order(len(samples), self.order_key, epoch, self.shuffle)[batch * size : (batch + 1) * size]
        return index if samples.rows is None else samples.rows[index], samples.training_batch(index)

    def _samples(self) -> Samples:
        assert self.samples is not None  # set before the first step
        return self.samples

    def count_step(self, forward: Forward, batch: Batch, learning_rate: float) -> None:
        """Write down a step that was done: its loss and outputs, before the update, for a batch of samples.

        Parameters
        ----------
        forward
            Its way forward.
        batch
            Its inputs, targets, and weights or None.
        learning_rate
            It was taken with.
        """
        _, targets, weight = batch
        self.batch += 1
        self.step += 1
        self.learning_rate = learning_rate
        self.batch_loss = float(forward.loss)
        self.totals.add(forward.sums, forward.predictions, targets, weight)

    def stop(self, reason: str) -> None:
        """End the run after the step (or epoch) under way; the first reason given is kept.

        Parameters
        ----------
        reason
            In words.
        """
        self.stop_reason = self.stop_reason or reason

    def state(self) -> dict[str, Any]:
        """Everything that changes, as arrays, numbers and strings in nested dicts and lists."""
        return {
            "settings": self._settings(),
            "model": dict(self.model.state()),
            "optimizer": _to_arrays(self.optimizer_state),
            "progress": {name: getattr(self, name) for name in _PROGRESS},
            "history": self.history.rows,
            "totals": self.totals.state(),
            "callbacks": [{"type": type(c).__name__, "state": c.state()} for c in self._callbacks_with_state()],
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Put back what ``state`` gave, for a run with the same model, data and settings (``epochs`` may differ).

        Parameters
        ----------
        state
            Of a run that is to go on here.

        Raises
        ------
        CheckpointError
            When settings, data or callbacks are others.
        """
        self.check_same(state["settings"])
        callbacks = self._callbacks_with_state()
        known = [(type(c).__name__) for c in callbacks]
        saved = [c["type"] for c in state["callbacks"]]
        if known != saved:
            raise CheckpointError(
                explain(f"the checkpoint expected callbacks {saved}", f"{known}", "Resume with the same callbacks")
            )
        self.model.load_state(state["model"])
        self.optimizer_state = as_tensors(state["optimizer"])
        for name in _PROGRESS:
            setattr(self, name, state["progress"][name])
        self.history.rows[:] = state["history"]
        self.totals.load_state(state["totals"])
        for callback, saved_callback in zip(callbacks, state["callbacks"], strict=True):
            callback.load_state(saved_callback["state"])

    def check_same(self, settings: dict[str, Any]) -> None:
        """Raise a CheckpointError that names what differs, unless these saved settings are the run's own.

        Parameters
        ----------
        settings
            From a ``state``.
        """
        _check_same(settings, self._settings())

    def _callbacks_with_state(self) -> list[Callback]:
        """Those that a resumed run cannot do without; the others, such as Progress, only look on."""
        return [c for c in self.callbacks if type(c).state is not Callback.state]

    def _settings(self) -> dict[str, Any]:
        """What has to be the same for a resumed run to go on as the first one would have."""
        return {
            "loss": _without_addresses(repr(self.loss)),
            "optimizer": _without_addresses(repr(self.optimizer)),
            "batch_size": self.batch_size,
            "seed": self.seed,
            "shuffle": self.shuffle,
            "metrics": list(self.metrics),
            **self.data,
        }


_PROGRESS = ("epoch", "batch", "step", "learning_rate", "learning_rate_factor", "batch_loss", "stop_reason")


def fingerprint(samples: Samples) -> dict[str, Any]:
    """Enough of a data set to notice that a run is resumed on another one: shapes, dtypes, and some of the rows."""
    some = np.linspace(0, len(samples) - 1, min(len(samples), 32)).astype(np.int64)
    crc = 0
    for tensor in samples.batch(some):
        if tensor is not None:
            crc = zlib.crc32(np.ascontiguousarray(tensor.numpy()).tobytes(), crc)
    return {"rows": len(samples), "x": list(samples.x.shape[1:]), "x_dtype": str(samples.x.dtype), "crc": crc}


def _without_addresses(text: str) -> str:
    """``<function f at 0x7f...>`` is another one in each process, though it is the same function."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", text)


def _to_arrays(tree: Any) -> Any:
    return {k: _to_arrays(v) for k, v in tree.items()} if isinstance(tree, dict) else tree.numpy()


def _check_same(saved: dict[str, Any], current: dict[str, Any]) -> None:
    differing = [
        f"{name}: {saved.get(name)!r} then, {current.get(name)!r} now"
        for name in {**saved, **current}
        if saved.get(name) != current.get(name)
    ]
    if differing:
        raise CheckpointError(
            explain(
                "resuming expected the run that was saved",
                "another one (" + "; ".join(differing) + ")",
                "Resume with the same settings and data, or start a new run in another folder",
            )
        )
