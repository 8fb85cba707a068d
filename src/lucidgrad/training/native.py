"""Epochs in machine code: a step of training is traced, compiled, and run many times by one call.

The model's parameters, its buffers and the optimiser's state live in memory of the programs while they run, and are
read back at the end of each epoch, or before a callback looks.
"""

from __future__ import annotations

import os
import time
import warnings
from math import prod
from typing import Any

import numpy as np

from lucidgrad.compiler import flatten, trace
from lucidgrad.compiler.buffers import ARRAY, GATHERED, ROWS, STREAM, Buffer, pack, unpack
from lucidgrad.compiler.fuse import UnsupportedOpError
from lucidgrad.compiler.kernels.permutation import permutation
from lucidgrad.compiler.layout import Place
from lucidgrad.compiler.machine import available
from lucidgrad.compiler.program import Program, aligned
from lucidgrad.data import epoch_order
from lucidgrad.errors import ArgumentError, TracingError, explain
from lucidgrad.graph import Graph, Value
from lucidgrad.nn import Module
from lucidgrad.random import Key
from lucidgrad.tensor import Tensor
from lucidgrad.training.callbacks.progress import Progress
from lucidgrad.training.run import Run
from lucidgrad.training.samples import Array, Samples
from lucidgrad.training.step import bound, replaced_state, training_step

ENGINES = ("auto", "native", "eager")
# Between two looks at what happens outside (Ctrl-C, the progress bar) a call takes about this long.
CALL_SECONDS = 0.05
# Arithmetic operations of a step from which on threads are worth their meeting at barriers.
WORTH_THREADS = 2**21
# Rows of targets that are looked at together.
CHECKED_ROWS = 2**16


def suitable_threads(model: Module, rows: int) -> int:
    """One for a step that takes a few microseconds, else as many as there are cores (up to eight)."""
    work = 6 * rows * sum(p.size for p in model.parameters().values())
    return min(8, os.cpu_count() or 1) if work >= WORTH_THREADS else 1


def check_engine(engine: Any) -> str:
    """The argument ``engine`` of ``fit``."""
    if engine not in ENGINES:
        raise ArgumentError(explain(f"engine expected one of {ENGINES}", repr(engine), "None of them changes results"))
    return str(engine)


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
    """The programs of a run: one for whole batches, and one for a shorter last batch."""

    def __init__(self, run: Run, train: Samples, threads: int | None) -> None:
        self.run = run
        self.train = train
        size = min(run.batch_size or len(train), len(train))
        self._held = {**run.parameters, **run.model.buffers()}
        run.model.train()
        last = len(train) % size
        count = suitable_threads(run.model, size) if threads is None else threads
        self.steps = {n: _Step(run, train, n, count) for n in (size, last) if n}
        self._size = size
        plan = self.steps[size].program.plan
        self._layout = plan.inputs[: len(self._tensors())]
        self._state = [_memory(b) for b in self._layout]
        mirrored = [plan.inputs.index(plan.buffer_of[v]) for v in plan.mirrors]
        self._mirrors = {i: _memory(b) for i, b in zip(mirrored, plan.mirrors.values(), strict=True)}
        self._seen: list[Any] = [None] * len(self._state)
        self._check_targets(self.steps[size].output_shape)
        self._rate = 1  # steps in CALL_SECONDS, as far as is known

    def _check_targets(self, outputs: tuple[int, ...]) -> None:
        """Ask the loss about all targets before machine code meets them, which does not look."""
        n = len(self.train)
        for start in range(0, n, CHECKED_ROWS):
            _, targets, _ = self.train.training_batch(slice(start, start + CHECKED_ROWS))
            stand_in = np.broadcast_to(np.zeros((), self.train.dtype), (len(targets), *outputs))
            self.run.loss.check(Tensor.wrap(stand_in), targets)

    def _tensors(self) -> list[Tensor]:
        return [*self._held.values(), *flatten(self.run.optimizer_state)]

    def epoch(self, run: Run, train: Samples, on_step_end: list[Any]) -> bool:
        """Go over the batches that the epoch still has; whether it was completed."""
        n = len(train)
        run.model.train()
        order = self._order(run, n)
        self._load()
        every_step = any(not isinstance(getattr(hook, "__self__", None), Progress) for hook in on_step_end)
        while (start := run.batch * self._size) < n:
            size = min(self._size, n - start)
            step = self.steps[size]
            count = 1 if every_step else max(1, min((n - start) // size, self._rate))
            self._run_steps(run, step, order[start : start + count * size], count)
            if every_step:
                self._store()
                self._load()
            for hook in on_step_end:
                hook(run)
            if run.stop_reason is not None and run.batch * self._size < n:
                self._store()
                return False
        self._store()
        return True

    def _order(self, run: Run, n: int) -> Array:
        """The rows of the data set in the order of the epoch, the same as ``epoch_order`` gives."""
        rows = self.train.rows
        if run.shuffle:
            return permutation(run.order_key.fold_in(run.epoch), n, rows)
        order = epoch_order(n, run.order_key, run.epoch, shuffle=False)
        return np.ascontiguousarray(order if rows is None else rows[order], np.int64)

    def _run_steps(self, run: Run, step: _Step, order: Array, count: int) -> None:
        rates = np.array(
            [run.optimizer.learning_rate_at(run.step + i) * run.learning_rate_factor for i in range(count)], np.float64
        )
        numbers = np.arange(run.step, run.step + count, dtype=np.uint64)
        began = time.perf_counter()
        losses, totals, weights, predictions = step(self._state, self._mirrors, order, numbers, rates, count)
        seconds = time.perf_counter() - began
        self._rate = max(1, int(count * CALL_SECONDS / max(seconds, 1e-9)))
        run.batch += count
        run.step += count
        run.learning_rate = float(rates[-1])
        run.batch_loss = float(losses[-1])
        for total, weight in zip(totals.tolist(), weights.tolist(), strict=True):
            run.totals.loss += total
            run.totals.weight += weight
        if predictions is not None:
            targets, weight = (None if a is None else Tensor.wrap(a[order]) for a in (self.train.y, self.train.weight))
            assert targets is not None  # fit requires targets
            run.totals.add(None, Tensor.wrap(predictions), targets, weight)

    def _load(self) -> None:
        """Take over what was changed from outside: a checkpoint that was read, weights that were restored."""
        for i, t in enumerate(self._tensors()):
            if t.raw is not self._seen[i]:
                self._seen[i] = t.raw
                panel = self._layout[i].panel
                self._state[i][...] = t.numpy() if panel is None else pack(t.numpy(), panel)
                if i in self._mirrors and panel is not None:
                    self._mirrors[i][...] = pack(t.numpy(), 1 - panel)

    def _store(self) -> None:
        """Give the model and the run what training has made of them."""
        made = []
        for array, buffer in zip(self._state, self._layout, strict=True):
            copy = array.copy() if buffer.panel is None else unpack(array, buffer.shape, buffer.panel)
            copy.setflags(write=False)
            made.append(copy)
        for tensor, array in zip(self._held.values(), made, strict=False):
            tensor.data = Tensor.wrap(array)
        rest = iter(Tensor.wrap(a) for a in made[len(self._held) :])
        self.run.optimizer_state = replaced_state(self.run.optimizer_state, rest)
        self._seen = [t.raw for t in self._tensors()]


class _Step:
    """The program of a step for batches of one size."""

    def __init__(self, run: Run, train: Samples, size: int, threads: int) -> None:
        self.size = size
        self.train = train
        self._keeps_predictions = bool(run.totals.states)
        graph = self._trace(run, train, size)
        sources = [a for a in (train.x, train.y, train.weight) if a is not None]
        held = len(graph.inputs) - len(sources) - 3
        self._sources = [_rows_of(a) for a in sources]
        inputs = [Place(ARRAY, panels=True)] * held
        inputs += [Place(GATHERED, tuple(s // a.itemsize for s in a.strides)) for a in self._sources]
        inputs += [Place(ARRAY), Place(STREAM), Place(STREAM)]
        extra = len(graph.outputs) - held
        outputs = [Place(STREAM)] * 2
        if extra > 2 + self._keeps_predictions:
            outputs.append(Place(STREAM))
        if self._keeps_predictions:
            outputs.append(Place(ROWS))
        outputs += [Place(ARRAY, state=i) for i in range(held)]
        self.program = Program(graph, inputs, outputs, threads=threads)
        self._held = held
        self._has_weight_output = extra > 2 + self._keeps_predictions
        self._key = np.array(run.steps_key.words.numpy())

    def _trace(self, run: Run, train: Samples, size: int) -> Graph:
        parameters, buffers = run.model.parameters(), run.model.buffers()
        held = {**parameters, **buffers}
        sources = [a for a in (train.x, train.y, train.weight) if a is not None]

        def floats(t: Tensor) -> Tensor:
            return t.astype(train.dtype) if t.dtype.kind == "f" and t.dtype != train.dtype else t

        def step(*inputs: Tensor) -> list[Any]:
            rest = iter(inputs)
            with bound(held, {path: next(rest) for path in held}):
                state = replaced_state(run.optimizer_state, rest)
                x, y = floats(next(rest)), floats(next(rest))
                weight = floats(next(rest)) if len(sources) == 3 else None
                key, learning_rate = Key.of_words(next(rest)).fold_in(next(rest)), next(rest)
                result = training_step(
                    run.model, run.loss, run.optimizer, parameters, state, (x, y, weight), key, learning_rate
                )
                after = {path: b.detach() for path, b in buffers.items()}
            total, total_weight = result.forward.sums
            self.weight = total_weight
            extra = [total_weight] if isinstance(total_weight, Tensor) else []
            kept = [result.forward.predictions] if self._keeps_predictions else []
            self.output_shape = result.forward.predictions.shape[1:]
            return [result.forward.loss, total, *extra, *kept, result.parameters, after, result.optimizer_state]

        examples = [*held.values(), *flatten(run.optimizer_state)]
        examples += [_example((size, *a.shape[1:]), a.dtype) for a in sources]
        examples += [run.steps_key.words, _example((), np.uint64), _example((), np.float64)]
        return trace(step, *examples)

    def __call__(
        self, state: list[Array], mirrors: dict[int, Array], order: Array, numbers: Array, rates: Array, count: int
    ) -> tuple[Array, Array, Array, Array | None]:
        """Run steps: the losses, the two sums of each, and the predictions."""
        program, plan = self.program, self.program.plan
        order = np.ascontiguousarray(order)
        given = [*state, *self._sources, self._key, numbers, rates]
        for buffer, array in zip(plan.inputs, given, strict=True):
            program.table[buffer.slot] = array.ctypes.data
        for i, value in enumerate(program.graph.inputs):
            if value in plan.mirrors:
                program.table[plan.mirrors[value].slot] = mirrors[i].ctypes.data
        program.table[plan.order_slot] = order.ctypes.data
        made: list[Array] = []
        streams = 2 + self._has_weight_output
        for i, value in enumerate(program.graph.outputs[: streams + self._keeps_predictions]):
            shape = (count,) if i < streams else (count * self.size, *self.output_shape)
            made.append(np.empty(shape, _dtype_of(value)))
            out = plan.outputs[i]
            if out is None:  # the same for every step: a constant
                made[-1][...] = value if not isinstance(value, Value) else given[program.graph.inputs.index(value)]
            else:
                program.table[out.slot] = made[-1].ctypes.data
        program.run(count, self.size)
        predictions = made[-1] if self._keeps_predictions else None
        weights = made[2] if self._has_weight_output else np.full(count, float(self.weight))
        return made[0], made[1], weights, predictions


def _memory(buffer: Buffer) -> Array:
    """Zeros for what a buffer holds: as it is, or flat in panels."""
    made: Array = aligned(buffer.size_bytes).view(buffer.dtype)
    return (
        made.reshape(-1)[: prod(buffer.shape)].reshape(buffer.shape)
        if buffer.panel is None
        else made[: buffer.elements]
    )


def _dtype_of(value: Any) -> np.dtype[Any]:
    dtype: np.dtype[Any] = value.dtype
    return dtype


def _rows_of(array: Array) -> Array:
    """The array, or a copy where its rows cannot be walked through as they lie."""
    whole = all(s % array.itemsize == 0 for s in array.strides)
    native = array.dtype.isnative and array.flags.aligned
    return array if whole and native else np.ascontiguousarray(array, array.dtype.newbyteorder("="))


def _example(shape: tuple[int, ...], dtype: Any) -> Tensor:
    """A tensor that has a shape and takes no memory."""
    return Tensor.wrap(np.broadcast_to(np.zeros((), dtype), shape))
