"""Program: a graph as machine code, with the memory it works in.

Its inputs and results are arrays, the rows of a data set, a number for each step, or state that a step changes in
place. One call runs many steps.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucidgrad.compiler.assembly import I64, PTR, Reg
from lucidgrad.compiler.buffers import ALIGNMENT, Buffer, Frame
from lucidgrad.compiler.elementwise import MathBuilder
from lucidgrad.compiler.expression import Expression
from lucidgrad.compiler.fuse import REDUCTIONS, Kernel, fuse, is_scatter
from lucidgrad.compiler.kernels.elementwise import elementwise
from lucidgrad.compiler.kernels.mirror import mirror
from lucidgrad.compiler.kernels.nest import Bounds
from lucidgrad.compiler.kernels.product import product
from lucidgrad.compiler.kernels.reduction import reduction
from lucidgrad.compiler.kernels.scatter import draw, scatter
from lucidgrad.compiler.kernels.short_rows import ShortRows, short_rows
from lucidgrad.compiler.kernels.zeros import listing, read_in_blocks
from lucidgrad.compiler.layout import Place, Plan
from lucidgrad.compiler.machine import Library, Target, compile_text, host
from lucidgrad.compiler.pace import Pace
from lucidgrad.compiler.passes import NATIVE, pipeline
from lucidgrad.compiler.stages import Task, exchanged, is_free, stages, tasks
from lucidgrad.compiler.threads import BARRIER, Barrier, barrier_text, borrowed
from lucidgrad.errors import ArgumentError
from lucidgrad.graph import Graph
from lucidgrad.ops.arithmetic import cast
from lucidgrad.ops.op import Spec

Array = np.ndarray[Any, np.dtype[Any]]
_RUN = [ctypes.c_void_p] + [ctypes.c_int64] * 6


class Program:
    """A graph that can be run.

    Parameters
    ----------
    graph
        What is computed.
    inputs
        How each input of the graph is given; None: all as arrays.
    outputs
        Where each output goes; None: all to arrays.
    target
        The machine; None: this one.
    threads
        How many threads share each kernel that is worth it. The results have the same bits for any number.
    adapts
        Whether a call may use one thread alone, while that is found to be faster.

    Attributes
    ----------
    source, graph
        What was given, and what became of it by the passes.
    stages
        What is done in a step; the threads meet behind each of them.
    table
        The address of each buffer, by its slot. Whoever runs the program fills in those of inputs and outputs.
    once
        What runs a single step with as little ado as possible, in this thread, and what to call it with; the other
        threads of Python wait. It gives a number other than 0 where ``complain`` has something to say.
    """

    def __init__(
        self,
        graph: Graph,
        inputs: Sequence[Place] | None = None,
        outputs: Sequence[Place] | None = None,
        target: Target | None = None,
        threads: int = 1,
        adapts: bool = False,
    ) -> None:
        self.source = graph
        self.graph = pipeline(graph, NATIVE)
        self.fusion = fuse(self.graph)
        self.target = target or host()
        self.threads = threads
        self.plan = Plan(self.fusion, inputs, outputs, threads)
        self.stages = stages(tasks(self.plan, threads))
        self._write_past_caches()
        self.text = self._write()
        self.library: Library = compile_text(self.text, ["run", "once"], self.target)
        self._call = self.library.function("run", _RUN)
        self._barrier = Barrier(threads)
        self.pace = Pace(threads) if adapts else None
        self._arena = aligned(self.plan.arena_bytes)
        self.error = np.zeros(1, np.int64)
        self.table = np.zeros(self.plan.slots, np.uint64)
        self._address = self.table.ctypes.data
        self.table[self.plan.error_slot] = self.error.ctypes.data
        self.table[self.plan.barrier_slot] = self._barrier.address
        for buffer in self.plan.buffers:
            if buffer.place is not None:
                self.table[buffer.slot] = self._arena.ctypes.data + buffer.place
        for buffer, array in self.plan.constants:
            self.table[buffer.slot] = array.ctypes.data
        once = self.library.function("once", [ctypes.c_void_p], ctypes.c_int64, keeps_lock=True)
        self.once: tuple[Callable[[int], int], int] = once, self._address

    def run(self, steps: int = 1, rows: int = 0, start: int = 0) -> None:
        """Run some steps: of ``rows`` rows each, from place ``start`` of the order on."""
        pace, done = self.pace, 0
        while done < steps:
            threads, most = (self.threads, None) if pace is None else pace.choose()
            count = steps - done if most is None else min(most, steps - done)
            began = time.perf_counter()
            self._run(threads, done, count, start + done * rows, rows)
            done += count
            if pace is not None:
                pace.note(threads, count, time.perf_counter() - began)
        self.complain()

    def complain(self) -> None:
        """Raise what a run has found to be wrong with its inputs, if anything."""
        if self.error[0]:
            self.error[0] = 0
            raise ArgumentError(
                "expected indices inside of their arrays, got one that points outside. "
                "Count from 0, or from -1 at the end."
            )

    def _run(self, threads: int, *where: int) -> None:
        """Have so many threads run the steps from one on, so many, from a place of the order on, of so many rows."""
        if threads == 1:
            self._call(self._address, 0, 1, *where)
            return
        calls = [(self._address, t, threads, *where) for t in range(threads)]
        self._barrier.reset()
        with borrowed(threads) as pool:
            pool.run(self._call, calls, self._barrier)

    def _write_past_caches(self) -> None:
        """Have parameters written past the caches where each thread reads, block by block, what others have written.

        Their lines would have to be taken out of the other caches first, which takes longer than to write memory. A
        product that leaves out zeros asks for a block of them ahead, and has it in time from there.
        """
        todo = [task for stage in self.stages for task in stage]
        candidates = exchanged(todo) - {self.plan.buffer_of[v] for v in self.plan.mirrors}
        for task in todo if candidates else ():
            if isinstance(task.work, Kernel):
                axis = None if task.share is None else task.share.axis
                matrix = read_in_blocks(task.work, self.plan, self.target, axis)
                if matrix is not None and (buffer := self.plan.buffer_of[matrix]) in candidates:
                    buffer.past_caches = buffer.panel is not None

    def _write(self) -> str:
        """The program in LLVM's assembly language."""
        return "\n\n".join([*map(self._function, (t for s in self.stages for t in s)), self._driver()])

    def _function(self, task: Task) -> str:
        """What a task does, as a function."""
        c, plan = MathBuilder(task.name, Frame.PARAMETERS, internal=True), self.plan
        frame = Frame(c, plan.order_slot, plan.error_slot, plan.end_slot)
        share = task.share
        bounds: Bounds = {} if share is None else {share.axis: frame.slice(share.size, share.grain)}
        kind = ShortRows if isinstance(task.work, Kernel) and task.work.short else Expression
        expression = kind(frame, self.fusion.made_by, plan.buffer_of, plan.constant, plan.mirrors)
        if isinstance(task.work, Kernel):
            self._write_kernel(expression, task.work, bounds)
        elif task.mirrors:
            mirror(expression, *task.work, bounds)
        else:
            self._write_copy(expression, *task.work)
        frame.finish()
        return c.text()

    def _write_kernel(self, expression: Expression, kernel: Kernel, bounds: Bounds) -> None:
        expression.computed = set(kernel.roots)
        for value in self.plan.scalars_of(kernel):
            expression.frame.at_top(("scalar", value), lambda v=value: expression.at(v, ()))
        anchor = kernel.anchor
        if isinstance(expression, ShortRows):
            short_rows(expression, kernel, bounds)
        elif anchor is None:
            elementwise(expression, kernel, bounds)
        elif anchor.op.name == "matmul":
            registers = self.target.vectors(anchor.output.dtype)
            product(
                expression, kernel, bounds, registers, listing(kernel, self.plan, registers, next(iter(bounds), None))
            )
        elif anchor.op.name in REDUCTIONS:
            reduction(expression, kernel, bounds)
        elif is_scatter(anchor):
            scatter(expression, kernel)
        else:
            draw(expression, kernel, bounds)

    def _write_copy(self, expression: Expression, source: Buffer, target: Buffer) -> None:
        """New state that could not be written in place goes where it belongs."""
        graph = Graph()
        old = graph.input(Spec(source.shape, source.dtype))
        new = graph.record(cast, (old,), {"dtype": source.dtype})
        expression.made_by, expression.stored = {new: graph.instructions[0]}, {old: source, new: target}
        expression.computed = {new}
        elementwise(expression, Kernel([new], None, [new]), {})

    def _driver(self) -> str:
        """The loop over the steps."""
        names = ("table", PTR), ("thread", I64), ("threads", I64), ("step", I64), ("count", I64), ("start", I64)
        c = MathBuilder("run", (*names, ("rows", I64)))
        table, thread, threads, step, count, start, rows = c.params
        c.store(c.add(start, c.mul(count, rows)), c.offset(table, self.plan.end_slot, I64))
        with c.loop(0, count) as loop:
            here = c.add(start, c.mul(loop.index, rows))
            arguments = [table, thread, threads, c.add(step, loop.index), here, rows]
            for stage in self.stages:
                for task in stage:
                    self._call_task(c, task, arguments)
                if self.threads > 1 and not is_free(self.stages):
                    self._meet(c, table, threads)
        once = MathBuilder("once", [("table", PTR)], returns=I64)
        once.call("run", [*once.params, *(once.const(n, I64) for n in (0, 1, 0, 1, 0, 1))])
        error = once.load(once.offset(once.params[0], self.plan.error_slot, I64), PTR)
        found = once.load(error, I64)
        barrier = [barrier_text(internal=True)] if self.threads > 1 else []
        return "\n\n".join([*barrier, c.text(), once.text(found)])

    def _call_task(self, c: MathBuilder, task: Task, arguments: list[Reg]) -> None:
        """Call a function; what is not shared is done by the first thread."""
        if task.share is not None or self.threads == 1:
            c.call(task.name, arguments)
            return
        with c.if_(c.compare("eq", arguments[1], 0)):
            c.call(task.name, arguments)

    def _meet(self, c: MathBuilder, table: Reg, threads: Reg) -> None:
        """Wait for the other threads; when one of them is gone, go too."""
        state = c.load(c.offset(table, self.plan.barrier_slot, I64), PTR)
        stopped = c.call(BARRIER, [state, threads], I64)
        assert stopped is not None  # it returns a number
        leave, stay = c.label("leave"), c.label("stay")
        c.line(f"br i1 {c.compare('ne', stopped, 0).text}, label %{leave}, label %{stay}")
        c.begin(leave)
        c.ret()
        c.begin(stay)


def aligned(size: int) -> Array:
    """Zeroed bytes that begin at a multiple of the cache line."""
    raw = np.zeros(size + ALIGNMENT, np.uint8)
    first = -raw.ctypes.data % ALIGNMENT
    return raw[first : first + size]
