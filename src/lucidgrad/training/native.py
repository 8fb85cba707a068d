"""Epochs in machine code: a step of training is traced, compiled, and run many times by one call.

The model's parameters, its buffers and the optimiser's state live in memory of the programs while they run, and are
read back at the end of each epoch, or before a callback looks.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from lucidgrad.compiler import flatten
from lucidgrad.compiler.buffers import ARRAY, GATHERED, ROWS, STREAM
from lucidgrad.compiler.fuse import UnsupportedOpError
from lucidgrad.compiler.kernels.permutation import permutation
from lucidgrad.compiler.layout import Place
from lucidgrad.compiler.machine import address, available
from lucidgrad.compiler.program import Program
from lucidgrad.data import epoch_order
from lucidgrad.errors import TracingError
from lucidgrad.graph import Value
from lucidgrad.tensor import Tensor
from lucidgrad.training.callbacks.progress import Progress
from lucidgrad.training.divergence import stop_diverged
from lucidgrad.training.engine import native_threads
from lucidgrad.training.memory import StateMemory
from lucidgrad.training.run import Run
from lucidgrad.training.samples import Array, Samples, mostly_zeros
from lucidgrad.training.step import replaced_state, trace_step

# Between two looks at what happens outside (Ctrl-C, the progress bar) a call takes about this long.
CALL_SECONDS = 0.05
# Rows of targets that are looked at together.
CHECKED_ROWS = 2**16


def native_training(run: Run, train: Samples, engine: str, threads: int | None) -> NativeTraining | None:
    """What trains the run natively; None where it has to be done eagerly, and the reason has been said."""
    if engine == "eager" or run.optimizer.full_batch or not run.parameters:
        return None
    reason = None if available() else "llvmlite is not installed"
    if reason is None:
        try:
            return NativeTraining(run, train, threads)
        except (UnsupportedOpError, TracingError) as error:
            reason = str(error)
    if engine == "native" or available():
        warnings.warn(f"fit trains eagerly: {reason}", RuntimeWarning, stacklevel=4)
    return None


class NativeTraining:
    """The programs of a run: one for whole batches, and, when it comes, one for a shorter last batch."""

    def __init__(self, run: Run, train: Samples, threads: int | None) -> None:
        self.run = run
        self.train = train
        self._modules = list(run.model.modules().values())
        self._held = [*run.parameters.values(), *run.model.buffers().values()]
        self._size = min(run.batch_size or len(train), len(train))
        self._threads = native_threads(run.model, self._size) if threads is None else threads
        self._adapts = threads is None
        self._sources = [walkable(a) for a in (train.x, train.y, train.weight) if a is not None]
        self.steps: dict[int, Steps] = {}
        whole = self._steps(self._size)
        self.memory = StateMemory(whole.program, whole.traced.state)
        self._check_targets(whole.traced.output_shape)
        self._rate = 1  # steps in CALL_SECONDS, as far as is known

    def _steps(self, size: int) -> Steps:
        """The program for batches of so many rows, compiled when the first one comes."""
        if size not in self.steps:
            self.steps[size] = Steps(self.run, self._sources, size, self._threads, self._adapts)
        return self.steps[size]

    def _check_targets(self, outputs: tuple[int, ...]) -> None:
        """Ask the loss about all targets before machine code meets them, which does not look."""
        n = len(self.train)
        for start in range(0, n, CHECKED_ROWS):
            _, targets, _ = self.train.training_batch(slice(start, start + CHECKED_ROWS))
            stand_in = np.broadcast_to(np.zeros((), self.train.dtype), (len(targets), *outputs))
            self.run.loss.check(Tensor.wrap(stand_in), targets)

    def epoch(self, run: Run, train: Samples, on_step_end: list[Any]) -> bool:
        """Go over the batches that the epoch still has; whether it was completed."""
        n = len(train)
        for module in self._modules:
            module.training = True
        order = self._order(run, n)
        self._load()
        every_step = any(not isinstance(getattr(hook, "__self__", None), Progress) for hook in on_step_end)
        first = run.batch
        while (start := run.batch * self._size) < n:
            size = min(self._size, n - start)
            count = 1 if every_step else max(1, min((n - start) // size, self._rate))
            sound = self._run_steps(run, self._steps(size), order[start : start + count * size], count)
            if not sound:
                self._go_back(order[first * self._size : (run.batch - 1) * self._size])
            if every_step or not sound:
                self._store()
                self._load()
                first = run.batch
            for hook in on_step_end:
                hook(run)
            if not sound:
                stop_diverged(run)
                return True
            if run.stop_reason is not None and run.batch * self._size < n:
                self._store()
                return False
        self._store()
        return True

    def _order(self, run: Run, n: int) -> Array:
        """The rows of the data set in the order of the epoch, the same as ``epoch_order`` gives."""
        rows = self.train.rows
        if run.shuffle:
            return permutation(run.order_key, n, rows, fold=run.epoch)
        order = epoch_order(n, run.order_key, run.epoch, shuffle=False)
        return np.ascontiguousarray(order if rows is None else rows[order], np.int64)

    def _run_steps(self, run: Run, steps: Steps, order: Array, count: int) -> bool:
        """Run some steps and count those up to the first whose loss is not finite; whether there was none."""
        rates = _learning_rates(run, count)
        began = time.perf_counter()
        done = steps(self.memory, order, run.step, rates)
        seconds = time.perf_counter() - began
        self._rate = max(1, int(count * CALL_SECONDS / max(seconds, 1e-9)))
        sound = bool(np.isfinite(done.losses).all())
        if not sound:
            count = int(np.argmin(np.isfinite(done.losses))) + 1
            rates, order, done = rates[:count], order[: count * steps.size], done.first(count, steps.size)
        run.batch += count
        run.step += count
        run.learning_rate = float(rates[-1])
        run.batch_loss = float(done.losses[-1])
        run.totals.loss = _added(run.totals.loss, done.sums)
        same = steps.traced.weight
        if same is not None and same.is_integer():  # nothing is rounded, in whichever order they are added
            run.totals.weight += same * count
        else:
            run.totals.weight = _added(run.totals.weight, done.weights)
        if done.predictions is not None:
            targets, weight = (None if a is None else Tensor.wrap(a[order]) for a in (self.train.y, self.train.weight))
            assert targets is not None  # fit requires targets
            run.totals.add(None, Tensor.wrap(done.predictions), targets, weight)
        return sound

    def _go_back(self, order: Array) -> None:
        """Have the state from before the last step, by doing the steps on the rows of ``order`` once more."""
        self.memory.seen = [None] * len(self.memory.seen)
        self._load()
        count = len(order) // self._size
        if count:
            steps, self.run.step = self._steps(self._size), self.run.step - 1 - count
            steps(self.memory, order, self.run.step, _learning_rates(self.run, count))
            self.run.step += count + 1

    def _tensors(self) -> list[Tensor]:
        return [*self._held, *flatten(self.run.optimizer_state)]

    def _load(self) -> None:
        """Take over what was changed from outside: a checkpoint that was read, weights that were restored."""
        self.memory.load(self._tensors())

    def _store(self) -> None:
        """Give the model and the run what training has made of them."""
        made = iter(self.memory.read())
        for tensor in self._held:
            tensor.data = next(made)
        self.run.optimizer_state = replaced_state(self.run.optimizer_state, made)
        self.memory.seen = [t.raw for t in self._tensors()]


@dataclass(frozen=True)
class Done:
    """What steps have reported: of each its loss and the two sums that the epoch's loss is made of; the predictions."""

    losses: Array
    sums: Array
    weights: Array
    predictions: Array | None

    def first(self, count: int, rows: int) -> Done:
        """The first steps, of so many rows each."""
        predictions = None if self.predictions is None else self.predictions[: count * rows]
        return Done(self.losses[:count], self.sums[:count], self.weights[:count], predictions)


class Steps:
    """The program of a step for batches of one size, which runs one step after the other."""

    def __init__(self, run: Run, sources: list[Array], size: int, threads: int, adapts: bool = False) -> None:
        self.size = size
        self._sources = sources
        x, y, weight = (*(_example((size, *a.shape[1:]), a.dtype) for a in sources), None)[:3]
        assert x is not None  # there are inputs
        assert y is not None  # and targets: fit requires them
        keeps = bool(run.totals.states)
        self.traced = trace_step(run.model, run.loss, run.optimizer, run.optimizer_state, (x, y, weight), keeps)
        state = self.traced.state
        inputs = [Place(ARRAY, panels=True)] * state
        zeros = mostly_zeros(sources[0])
        inputs += [
            Place(GATHERED, tuple(s // a.itemsize for s in a.strides), zeros=zeros and a is sources[0]) for a in sources
        ]
        inputs += [Place(ARRAY), Place(STREAM), Place(STREAM)]
        streams = len(self.traced.graph.outputs) - state - keeps
        outputs = [Place(STREAM)] * streams + [Place(ROWS)] * keeps + [Place(ARRAY, state=i) for i in range(state)]
        self.program = Program(self.traced.graph, inputs, outputs, threads=threads, adapts=adapts)
        self._reports = streams + keeps
        self._key = np.array(run.steps_key.words.numpy())
        self._memory: StateMemory | None = None
        self._room: _Room | None = None

    def __call__(self, memory: StateMemory, order: Array, first: int, rates: Array) -> Done:
        """Run steps on the rows of ``order``: one for each learning rate, counted from ``first``."""
        program, traced, count = self.program, self.traced, len(rates)
        if self._memory is not memory:
            self._aim(memory)
        room = self._room
        if room is None or len(room.rates) != count or room.once:
            room = self._room = self._rooms(memory, count)
        np.add(room.counted, np.uint64(first), out=room.numbers)
        room.rates[:] = rates
        order = np.ascontiguousarray(order)
        program.table[program.plan.order_slot] = address(order)
        program.run(count, self.size)
        made = room.reports
        predictions = made[-1] if traced.keeps_predictions else None
        weights = made[2] if traced.weight is None else room.weights
        return Done(made[0], made[1], weights, predictions)

    def _aim(self, memory: StateMemory) -> None:
        """Tell the program where everything lies that stays where it is."""
        program, plan = self.program, self.program.plan
        for buffer, array in zip(plan.inputs, [*memory.arrays, *self._sources, self._key], strict=False):
            program.table[buffer.slot] = array.ctypes.data
        for value, buffer in plan.mirrors.items():
            program.table[buffer.slot] = memory.mirrors[program.graph.inputs.index(value)].ctypes.data
        self._memory, self._room = memory, None

    def _rooms(self, memory: StateMemory, count: int) -> _Room:
        """Memory for what so many steps are told and what they report, and the program told about it."""
        program, plan = self.program, self.program.plan
        numbers, rates = np.empty(count, np.uint64), np.empty(count)
        given = [*memory.arrays, *self._sources, self._key, numbers, rates]
        for buffer, array in zip(plan.inputs[-2:], given[-2:], strict=True):
            program.table[buffer.slot] = array.ctypes.data
        written: dict[int, Array] = {}
        reports = [self._report(i, count, given, written) for i in range(self._reports)]
        weights = np.full(count, 0.0 if self.traced.weight is None else self.traced.weight)
        outputs = zip(program.graph.outputs, plan.outputs[: self._reports], strict=False)
        once = self.traced.keeps_predictions or any(b is None and isinstance(v, Value) for v, b in outputs)
        return _Room(np.arange(count, dtype=np.uint64), numbers, rates, reports, weights, once)

    def _report(self, number: int, count: int, given: list[Array], written: dict[int, Array]) -> Array:
        """Memory for an output of each step; filled already where it is the same in all of them.

        ``written`` is what earlier outputs have, by slot: of a sum over a batch, the loss is one of its own sums.
        """
        program = self.program
        value, buffer = program.graph.outputs[number], program.plan.outputs[number]
        of_rows = self.traced.keeps_predictions and number == self._reports - 1
        made = np.empty((count * self.size, *self.traced.output_shape) if of_rows else (count,), value.dtype)
        if buffer is not None:
            made = written.setdefault(buffer.slot, made)
            program.table[buffer.slot] = made.ctypes.data
        else:
            made[...] = given[program.graph.inputs.index(value)] if isinstance(value, Value) else value
        return made


@dataclass(frozen=True)
class _Room:
    """What some steps are told and what they report: the next call with as many steps writes over it.

    ``once``: it does not, because a metric may keep the predictions, or because a report is one of the inputs.
    """

    counted: Array
    numbers: Array
    rates: Array
    reports: list[Array]
    weights: Array
    once: bool


def _learning_rates(run: Run, count: int) -> Array:
    """Those of the next steps."""
    optimizer, first = run.optimizer, run.step
    if not callable(optimizer.learning_rate):
        return np.full(count, optimizer.learning_rate_at(first) * run.learning_rate_factor, np.float64)
    steps = range(first, first + count)
    return np.array([optimizer.learning_rate_at(i) * run.learning_rate_factor for i in steps], np.float64)


def _added(total: float, parts: Array) -> float:
    """The total and the parts added one after the other, as the eager loop does."""
    if total == 0:
        return total + float(np.add.accumulate(parts, dtype=np.float64)[-1])
    return float(np.cumsum(np.concatenate([[total], parts], dtype=np.float64))[-1])


def walkable(array: Array) -> Array:
    """The array, or a copy where its rows cannot be walked through as they lie."""
    whole = all(s % array.itemsize == 0 for s in array.strides)
    native = array.dtype.isnative and array.flags.aligned
    return array if whole and native else np.ascontiguousarray(array, array.dtype.newbyteorder("="))


def _example(shape: tuple[int, ...], dtype: Any) -> Tensor:
    """A tensor that has a shape and takes no memory."""
    return Tensor.wrap(np.broadcast_to(np.zeros((), dtype), shape))
