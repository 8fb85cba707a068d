"""Which kernel of the compiled step computes an array: found by its numbers, whatever the passes made of its op."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from lucidgrad.compiler import flatten, interpret
from lucidgrad.compiler.fuse import Kernel, UnsupportedOpError
from lucidgrad.compiler.machine import available
from lucidgrad.compiler.report import Report
from lucidgrad.errors import TracingError
from lucidgrad.graph import Graph, Value
from lucidgrad.training import Run
from lucidgrad.training.replay import Replayed
from lucidgrad.training.report import compile_report

MOST_LINES = 160  # of a kernel's text that are shown
LEAST_SIZE = 1e-12  # what is smaller everywhere says nothing about where it came from

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Code:
    """A kernel as it is shown.

    Attributes
    ----------
    name, words
        What it is called in the program, and what it does.
    text
        LLVM assembly, cut where it is long.
    left_out
        How many lines are not shown.
    """

    name: str
    words: str
    text: str
    left_out: int


class Kernels:
    """The kernels of a compiled step, and what each computes in this step."""

    def __init__(self, program: Any, report: Report, known: list[tuple[Value, Array]]) -> None:
        self._program = program
        self._known = known
        texts = _functions(program.text)
        words = {work.name: f"{work.words}; {work.parts}".replace("->", "→") for work in report.work}
        tasks = [task for stage in program.stages for task in stage if isinstance(task.work, Kernel)]
        self.codes = [_code(task.name, words[task.name], texts[task.name]) for task in tasks]
        place = {id(task.work): i for i, task in enumerate(tasks)}
        self._makers: dict[Value, int] = {}
        for values in (lambda kernel: kernel.roots, lambda kernel: _computed(kernel, program)):
            for kernel in program.fusion.kernels:
                for value in values(kernel):
                    self._makers.setdefault(value, place[id(kernel)])

    def computing(self, array: Any) -> int | None:
        """The number of the kernel in which these numbers arise; None where the passes have done away with them."""
        wanted = np.squeeze(np.asarray(array))
        if wanted.dtype.kind != "f" or not wanted.size or np.max(np.abs(wanted), initial=0.0) < LEAST_SIZE:
            return None
        size = float(np.max(np.abs(wanted)))
        for value, found in self._known:
            if value not in self._makers or found.size != wanted.size or found.dtype.kind != "f":
                continue
            seen = np.squeeze(found)
            forms = [seen] if seen.shape == wanted.shape else [seen.T] if seen.T.shape == wanted.shape else []
            if any(np.allclose(f, wanted, rtol=1e-3, atol=1e-5 * size, equal_nan=True) for f in forms):
                return self._makers[value]
        return None


def kernels_of(step: Replayed) -> Kernels | str:
    """The kernels of a step; or why there are none.

    The program is compiled for the rows of the step's minibatch and this machine, for one thread.
    """
    if not available():
        return "llvmlite is not installed"
    run = step.run
    if run.optimizer.full_batch or not run.parameters:
        return "the optimiser minimises by itself" if run.optimizer.full_batch else "the model has no parameters"
    try:
        report = compile_report(_of_size(run, len(step.rows)), threads=1, measure=False)
    except (UnsupportedOpError, TracingError) as error:
        return str(error)
    program = report.program
    graph = program.graph
    everything = Graph(graph.inputs, graph.instructions, [i.output for i in graph.instructions])
    arrays = interpret(everything, *_inputs(step))
    return Kernels(program, report, list(zip(everything.outputs, arrays, strict=True)))


def _of_size(run: Run, rows: int) -> Run:
    """The run with minibatches of so many rows: the last one of an epoch may be shorter."""
    made = Run(run.model, run.loss, run.optimizer, run.epochs, rows, {}, [], run.seed, run.shuffle)
    made.samples = run.samples
    return made


def _inputs(step: Replayed) -> list[Array]:
    """What the traced step takes: the state, the rows as the data set has them, key, number and learning rate."""
    run, before = step.run, step.before
    held = {**run.model.parameters(), **run.model.buffers()}
    state = [before.tensors[path] for path in held] + flatten(before.optimizer_state)
    samples = run.samples
    assert samples is not None  # it was replayed
    rows = [np.ascontiguousarray(a[step.rows]) for a in (samples.x, samples.y, samples.weight) if a is not None]
    number, rate = np.array(step.step, np.uint64), np.array(step.learning_rate, np.float64)
    return [*(t.numpy() for t in state), *rows, run.steps_key.words.numpy(), number, rate]


def _computed(kernel: Kernel, program: Any) -> list[Value]:
    """All values that a kernel computes: what it stores, and what it has in registers on the way there."""
    stored = {v for k in program.fusion.kernels for v in k.roots} - set(kernel.roots)
    found: dict[Value, None] = {}
    waiting = list(kernel.roots)
    while waiting:
        value = waiting.pop()
        if value in found or value in stored or value not in program.fusion.made_by:
            continue
        found[value] = None
        waiting += [x for x in program.fusion.made_by[value].inputs if isinstance(x, Value)]
    return list(found)


def _functions(text: str) -> dict[str, str]:
    return {m[1]: m[0] for m in re.finditer(r"(?ms)^define[^\n]*?@(\w+)\(.*?^}", text)}


def _code(name: str, words: str, text: str) -> Code:
    lines = text.splitlines()
    return Code(name, words, "\n".join(lines[:MOST_LINES]), max(0, len(lines) - MOST_LINES))
