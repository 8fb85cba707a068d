"""Program: a graph as machine code, with the memory it works in.

Its inputs and results are arrays, the rows of a data set, a number for each step, or state that a step changes in
place. One call runs many steps.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np

from lucidgrad.compiler.assembly import I64, PTR
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
    ) -> None:
        self.graph = pipeline(graph, NATIVE)
        self.fusion = fuse(self.graph)
        self.target = target or host()
        self.plan = Plan(self.fusion, inputs, outputs)
        self.text = self._write()
        self.library: Library = compile_text(self.text, ["run"], self.target)
        self._call = self.library.function("run", _RUN)
        self._arena = aligned(self.plan.arena_bytes)
        self.error = np.zeros(1, np.int64)
        self.table = np.zeros(self.plan.slots, np.uint64)
        self.table[self.plan.error_slot] = self.error.ctypes.data
        for buffer in self.plan.buffers:
            if buffer.place is not None:
                self.table[buffer.slot] = self._arena.ctypes.data + buffer.place
        for buffer, array in self.plan.constants:
            self.table[buffer.slot] = array.ctypes.data

    def run(self, steps: int = 1, rows: int = 0, start: int = 0) -> None:
        """Run some steps: of ``rows`` rows each, from place ``start`` of the order on."""
        self.error[0] = 0
        self._call(self.table.ctypes.data, 0, 1, 0, steps, start, rows)
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
        bounds: Bounds = {}
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
        mirror(frame, source, target)
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
            for number in range(len(self.plan.kernels)):
                c.call(f"kernel{number}", arguments)
            for number in range(len(self.plan.copies)):
                c.call(f"copy{number}", arguments)
            for number in range(len(self.plan.mirrors)):
                c.call(f"mirror{number}", arguments)
        return c.text()


def aligned(size: int) -> Array:
    """Zeroed bytes that begin at a multiple of the cache line."""
    raw = np.zeros(size + ALIGNMENT, np.uint8)
    first = -raw.ctypes.data % ALIGNMENT
    return raw[first : first + size]
