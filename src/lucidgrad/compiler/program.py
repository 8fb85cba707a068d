"""Program: a graph as machine code, with the memory it works in.

Its inputs and results are arrays, the rows of a data set, a number for each step, or state that a step changes in
place. One call runs many steps.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
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
from lucidgrad.compiler.layout import Place, Plan
from lucidgrad.compiler.machine import Library, Target, compile_text, host
from lucidgrad.compiler.passes import NATIVE, pipeline
from lucidgrad.compiler.threads import BARRIER, Barrier, barrier_text, borrowed
from lucidgrad.errors import ArgumentError
from lucidgrad.graph import Graph
from lucidgrad.ops.arithmetic import cast
from lucidgrad.ops.op import Spec

Array = np.ndarray[Any, np.dtype[Any]]
# A thread's part of an axis is a multiple of this: the rows of a tile, and no two threads in one line of the cache.
GRAIN = 16
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

    Attributes
    ----------
    table
        The address of each buffer, by its slot. Whoever runs the program fills in those of inputs and outputs.
    """

    def __init__(
        self,
        graph: Graph,
        inputs: Sequence[Place] | None = None,
        outputs: Sequence[Place] | None = None,
        target: Target | None = None,
        threads: int = 1,
    ) -> None:
        self.graph = pipeline(graph, NATIVE)
        self.fusion = fuse(self.graph)
        self.target = target or host()
        self.threads = threads
        self.plan = Plan(self.fusion, inputs, outputs)
        self.text = self._write()
        self.library: Library = compile_text(self.text, ["run"], self.target)
        self._call = self.library.function("run", _RUN)
        self._barrier = Barrier()
        self._arena = aligned(self.plan.arena_bytes)
        self.error = np.zeros(1, np.int64)
        self.table = np.zeros(self.plan.slots, np.uint64)
        self.table[self.plan.error_slot] = self.error.ctypes.data
        self.table[self.plan.barrier_slot] = self._barrier.address
        for buffer in self.plan.buffers:
            if buffer.place is not None:
                self.table[buffer.slot] = self._arena.ctypes.data + buffer.place
        for buffer, array in self.plan.constants:
            self.table[buffer.slot] = array.ctypes.data

    def run(self, steps: int = 1, rows: int = 0, start: int = 0) -> None:
        """Run some steps: of ``rows`` rows each, from place ``start`` of the order on."""
        self.error[0] = 0
        calls = [(self.table.ctypes.data, t, self.threads, 0, steps, start, rows) for t in range(self.threads)]
        if self.threads == 1:
            self._call(*calls[0])
        else:
            self._barrier.reset()
            with borrowed(self.threads) as pool:
                pool.run(self._call, calls, self._barrier)
        if self.error[0]:
            raise ArgumentError(
                "expected indices inside of their arrays, got one that points outside. "
                "Count from 0, or from -1 at the end."
            )

    def _write(self) -> str:
        """The program in LLVM's assembly language."""
        functions = []
        for number, kernel in enumerate(self.plan.kernels):
            c = MathBuilder(f"kernel{number}", Frame.PARAMETERS, internal=True)
            frame = Frame(c, self.plan.order_slot, self.plan.error_slot)
            plan = self.plan
            expression = Expression(frame, self.fusion.made_by, plan.buffer_of, plan.constant, plan.mirrors)
            self._write_kernel(expression, kernel)
            frame.finish()
            functions.append(c.text())
        for number, (source, target) in enumerate(self.plan.copies):
            functions.append(self._copy(f"copy{number}", source, target))
        for number, (value, buffer) in enumerate(self.plan.mirrors.items()):
            functions.append(self._mirror(f"mirror{number}", self.plan.buffer_of[value], buffer))
        return "\n\n".join([*functions, self._driver()])

    def _write_kernel(self, expression: Expression, kernel: Kernel) -> None:
        expression.computed = set(kernel.roots)
        for value in self.plan.scalars_of(kernel):
            expression.frame.at_top(("scalar", value), lambda v=value: expression.at(v, ()))
        bounds = self._bounds(expression.frame, kernel)
        anchor = kernel.anchor
        if anchor is None:
            elementwise(expression, kernel, bounds)
        elif anchor.op.name == "matmul":
            product(expression, kernel, bounds, self.target.registers * 4 // anchor.output.dtype.itemsize)
        elif anchor.op.name in REDUCTIONS:
            reduction(expression, kernel, bounds)
        elif is_scatter(anchor):
            scatter(expression, kernel)
        else:
            draw(expression, kernel, bounds)

    def _bounds(self, frame: Frame, kernel: Kernel) -> Bounds:
        """The part of a kernel's loops that is this thread's."""
        axis = self.plan.split_axis(kernel) if self.threads > 1 else None
        return {} if axis is None else {axis: frame.slice(kernel.shape[axis], GRAIN)}

    def _copy(self, name: str, source: Buffer, target: Buffer) -> str:
        """New state that could not be written in place goes where it belongs."""
        c = MathBuilder(name, Frame.PARAMETERS, internal=True)
        frame = Frame(c, self.plan.order_slot, self.plan.error_slot)
        graph = Graph()
        old = graph.input(Spec(source.shape, source.dtype))
        new = graph.record(cast, (old,), {"dtype": source.dtype})
        expression = Expression(frame, {new: graph.instructions[0]}, {old: source, new: target}, self.plan.constant)
        expression.computed = {new}
        elementwise(expression, Kernel([new], None, [new]), {})
        frame.finish()
        return c.text()

    def _mirror(self, name: str, source: Buffer, target: Buffer) -> str:
        """The second copy of a matrix is made from the first."""
        c = MathBuilder(name, Frame.PARAMETERS, internal=True)
        frame = Frame(c, self.plan.order_slot, self.plan.error_slot)
        mirror(frame, source, target, shared=self.threads > 1)
        frame.finish()
        return c.text()

    def _driver(self) -> str:
        """The loop over the steps."""
        names = ("table", PTR), ("thread", I64), ("threads", I64), ("step", I64), ("count", I64), ("start", I64)
        c = MathBuilder("run", (*names, ("rows", I64)))
        table, thread, threads, step, count, start, rows = c.params
        with c.loop(0, count) as loop:
            here = c.add(start, c.mul(loop.index, rows))
            arguments = [table, thread, threads, c.add(step, loop.index), here, rows]
            shared = [(f"kernel{i}", self.plan.split_axis(k) is not None) for i, k in enumerate(self.plan.kernels)]
            shared += [(f"copy{i}", False) for i in range(len(self.plan.copies))]
            shared += [(f"mirror{i}", True) for i in range(len(self.plan.mirrors))]
            before = False  # whether all threads took part in what was done last
            for number, (name, all_threads) in enumerate(shared):
                if number and self.threads > 1 and (all_threads or before):
                    self._meet(c, table, threads)
                self._call_kernel(c, name, arguments, all_threads)
                before = all_threads
            if self.threads > 1:
                self._meet(c, table, threads)
        return "\n\n".join([barrier_text(internal=True), c.text()]) if self.threads > 1 else c.text()

    def _call_kernel(self, c: MathBuilder, name: str, arguments: list[Reg], all_threads: bool) -> None:
        """Call a kernel; one that is not worth sharing is done by the first thread."""
        if all_threads or self.threads == 1:
            c.call(name, arguments)
            return
        with c.if_(c.compare("eq", arguments[1], 0)):
            c.call(name, arguments)

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
