"""How long a program's steps and the tasks in them take, on made-up numbers; and how fast the machine could be."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

from lucidgrad.compiler.assembly import F32, I64, LANES, PTR, Builder
from lucidgrad.compiler.buffers import GATHERED, ROWS, STREAM, Buffer
from lucidgrad.compiler.machine import Target, compile_text
from lucidgrad.compiler.program import Program, aligned

REPEATS = 25
SECONDS = 0.002  # about this long is measured at a time: less than a busy machine lets a program run without a break
RUN = 8  # elements that are zero together, or not
_TASK = [ctypes.c_void_p] + [ctypes.c_int64] * 6


def step_seconds(program: Program) -> float:
    """The shortest time of a step among a few, everything it reads being in the caches already."""
    scratch = Scratch(program, steps=1)

    def repeat(count: int) -> None:
        for _ in range(count):
            program.run(1, scratch.rows)

    seconds = _shortest(repeat)
    program.table[:] = scratch.before
    return seconds


def task_seconds(program: Program) -> dict[str, float]:
    """The time of each task of a step by itself, in one thread."""
    names = [task.name for stage in program.stages for task in stage]
    library = compile_text("\n\n".join([program.text, *map(_repeated, names)]), [f"repeat_{n}" for n in names])
    scratch = Scratch(program, steps=1)
    found = {}
    for name in names:
        call = library.function(f"repeat_{name}", _TASK)
        given = program.table.ctypes.data, 0, 1, 0, 0, scratch.rows
        found[name] = _shortest(partial(call, *given))
    program.table[:] = scratch.before
    return found


@cache
def peak_rate(target: Target) -> float:
    """Float32 operations a second of one core: fused multiplications and additions in registers, nothing else."""
    c = Builder("peak", [("count", I64), ("out", PTR)])
    count, out = c.params
    factor = c.const(0.5, F32, LANES)
    chains = 12 if target.registers >= 32 else max(1, target.registers // 2 + 2)
    with c.loop(0, count, 1, [c.const(i, F32, LANES) for i in range(chains)]) as loop:
        loop.next = [c.fma(value, factor, factor) for value in loop.values]
    for value in loop.values:
        c.store(value, out)
    memory = np.zeros(LANES, np.float32)
    library = compile_text(c.text(), ["peak"], target)
    call = library.function("peak", [ctypes.c_int64, ctypes.c_void_p])
    return 2 * LANES * chains / _shortest(lambda n: call(n, memory.ctypes.data))


class Scratch:
    """Memory for all that a program is given and gives, filled with small numbers; indices are 0.

    What is known to be mostly zeros is zero in four places of five, as a picture of a digit is: in runs.
    """

    def __init__(self, program: Program, steps: int) -> None:
        plan = program.plan
        self.before = program.table.copy()
        self._arrays = []
        rng = np.random.default_rng(0)
        self._zeros = {plan.buffer_of[v] for v in plan.mostly_zeros if v in plan.buffer_of}
        self.rows = 0
        for buffer in plan.buffers:
            if buffer.place is None and all(buffer is not constant for constant, _ in plan.constants):
                array = self._filled(buffer, steps, rng)
                self._arrays.append(array)
                program.table[buffer.slot] = array.ctypes.data
                if buffer.kind in (GATHERED, ROWS):
                    self.rows = buffer.shape[0]
        order = np.arange(max(1, self.rows * steps))
        self._arrays.append(order)
        program.table[plan.order_slot] = order.ctypes.data

    def _filled(self, buffer: Buffer, steps: int, rng: np.random.Generator) -> np.ndarray[Any, Any]:
        elements = max(buffer.size_bytes // buffer.dtype.itemsize, 1)
        if buffer.strides and buffer.panel is None:  # rows that lie apart
            elements = max(
                elements, 1 + sum(abs(s) * (n - 1) for s, n in zip(buffer.strides, buffer.shape, strict=True))
            )
        if buffer.kind in (ROWS, STREAM):
            elements *= steps
        array = aligned(elements * buffer.dtype.itemsize).view(buffer.dtype)
        if buffer.dtype.kind == "f":
            array[:] = 0.01 * rng.random(len(array))
            if buffer in self._zeros:
                array *= np.repeat(rng.random(-(-elements // RUN)) > 0.8, RUN)[:elements]
        return array


def _repeated(name: str) -> str:
    """A function that calls a task again and again."""
    parameters = ("table", PTR), ("thread", I64), ("threads", I64), ("step", I64), ("start", I64), ("rows", I64)
    c = Builder(f"repeat_{name}", (*parameters, ("count", I64)))
    *arguments, count = c.params
    with c.loop(0, count):
        c.call(name, arguments)
    return c.text()


def _shortest(repeat: Callable[[int], Any]) -> float:
    """Seconds of a single call, of some that together take long enough to be measured."""
    count = 1
    while True:
        began = time.perf_counter()
        repeat(count)
        seconds = time.perf_counter() - began
        if seconds >= SECONDS or count >= 2**20:
            break
        count *= 4
    best = seconds
    for _ in range(REPEATS - 1):
        began = time.perf_counter()
        repeat(count)
        best = min(best, time.perf_counter() - began)
    return best / count
