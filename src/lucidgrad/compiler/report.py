"""A report on a program: what became of its graph, what is done where, and how near that is to the machine's best."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import prod

from lucidgrad.compiler.assembly import LANES
from lucidgrad.compiler.buffers import padded_size
from lucidgrad.compiler.fuse import REDUCTIONS, Kernel, is_opaque
from lucidgrad.compiler.kernels.nest import panel_axis
from lucidgrad.compiler.kernels.product import Tiles
from lucidgrad.compiler.kernels.zeros import tile
from lucidgrad.compiler.machine import description
from lucidgrad.compiler.passes import NATIVE, pipeline
from lucidgrad.compiler.program import Program
from lucidgrad.compiler.stages import Share, Task, is_free
from lucidgrad.compiler.timing import peak_rate, step_seconds, task_seconds
from lucidgrad.graph import Graph, Instruction, Value
from lucidgrad.ops.codegen import Elementwise


@dataclass(frozen=True)
class Work:
    """What a task does: in words, and the operations it takes (of a product with the columns that fill up vectors).

    ``leaves_out``: whether it is a product that leaves out zeros.
    """

    name: str
    words: str
    parts: str
    product: bool
    operations: int
    leaves_out: bool = False


@dataclass
class Report:
    """What ``compile_report`` gives. Printed, it is all of its parts one after the other.

    Attributes
    ----------
    program
        What it is about.
    threads_reason
        Why it has as many threads as it has.
    """

    program: Program
    threads_reason: str = ""
    _measured: bool = field(default=True, repr=False)

    @cached_property
    def graphs(self) -> list[tuple[str, Graph]]:
        """The graph as it was traced, and after each pass that changed it."""
        found = [("traced", self.program.source)]
        pipeline(self.program.source, NATIVE, observe=lambda name, _, after: found.append((name, after)))
        return found

    @cached_property
    def work(self) -> list[Work]:
        """What each task does, in the order of the stages."""
        return [self._work(task) for stage in self.program.stages for task in stage]

    @cached_property
    def seconds(self) -> dict[str, float]:
        """How long each task takes by itself, in one thread."""
        return task_seconds(self.program) if self._measured else {}

    @cached_property
    def floors(self) -> dict[str, float]:
        """How many seconds each product would take one core that did nothing but multiply and add."""
        return {w.name: w.operations / peak_rate(self.program.target) for w in self.work if w.product}

    @cached_property
    def step_seconds(self) -> float:
        """How long a step takes, with all threads."""
        return step_seconds(self.program)

    @property
    def floor_seconds(self) -> float:
        """How long the products of a step would take if each core did nothing but multiply and add."""
        operations = sum(2 * multiplications(k) for k in self.program.plan.kernels)
        return operations / (peak_rate(self.program.target) * self.program.threads)

    def __str__(self) -> str:
        """All parts."""
        parts = description(), self.passes_text(), self.stages_text(), self.memory_text(), self.time_text()
        return "\n\n".join(parts)

    def passes_text(self) -> str:
        """The graph before the first pass and after each."""
        parts = []
        before = ""
        for name, graph in self.graphs:
            text = str(graph)
            head = f"graph, {name}: {len(graph.instructions)} instructions"
            parts.append(f"{head}\n{text}" if text != before else f"{head}, as before")
            before = text
        return "\n\n".join(parts)

    def stages_text(self) -> str:
        """The stages with their tasks: which part is whose, how much there is to do, and how long it takes."""
        work = {w.name: w for w in self.work}
        lines = []
        for number, stage in enumerate(self.program.stages, 1):
            lines.append(f"stage {number}")
            lines += [f"  {self._line(work[task.name])}" for task in stage]
            if self.program.threads > 1 and not is_free(self.program.stages):
                lines.append("  barrier: the threads wait for each other")
        return "\n".join(lines)

    def memory_text(self) -> str:
        """What is kept where."""
        plan = self.program.plan
        inside = [b for b in plan.buffers if b.place is not None]
        mirrors = sum(b.size_bytes for b in plan.mirrors.values())
        constants = sum(array.nbytes for _, array in plan.constants)
        in_place = sum(plan.buffer_of[v] in plan.inputs for k in plan.kernels for v in k.stored)
        lines = [
            f"memory: an arena of {plan.arena_bytes:,} bytes for {len(inside)} values of a step",
            f"  second copies of matrices, for products along their other axis: {len(plan.mirrors)}, {mirrors:,} bytes",
            f"  new state written over the old: {in_place}; copied afterwards: {len(plan.copies)}",
            f"  constants: {constants:,} bytes",
        ]
        if past := [b for b in plan.buffers if b.past_caches]:
            size = sum(b.size_bytes for b in past)
            lines.append(f"  written past the caches, as other threads read it: {len(past)}, {size:,} bytes")
        return "\n".join(lines)

    def time_text(self) -> str:
        """The threads and why; the measured time of a step against the arithmetic floor."""
        program = self.program
        lines = [f"threads: {program.threads}" + (f", {self.threads_reason}" if self.threads_reason else "")]
        rate = peak_rate(program.target)
        lines.append(f"a core multiplies and adds at {rate / 1e9:.0f} GFLOP/s (float32, measured)")
        floor = self.floor_seconds
        zeros = ", their zeros too" if any(work.leaves_out for work in self.work) else ""
        lines.append(f"a step at that rate, with nothing but its products{zeros}: {_time(floor)}")
        if self._measured:
            seconds = self.step_seconds
            lines.append(f"a step as measured, on made-up numbers in the caches: {_time(seconds)}")
            lines.append(f"  {floor / seconds:.0%} of the rate of the floor")
        return "\n".join(lines)

    def _line(self, work: Work) -> str:
        seconds = self.seconds.get(work.name)
        text = f"{work.name:9} {work.words}; {work.parts}"
        if work.product:
            least = "with its zeros at least" if work.leaves_out else "at least"
            text += f"; {least} {_time(self.floors[work.name])}"
        if seconds is not None:
            text += f"; alone {_time(seconds)}"
            if work.product:
                text += f", {work.operations / seconds / 1e9:.0f} GFLOP/s"
        return text

    def _work(self, task: Task) -> Work:
        share = task.share
        parts = "by the first thread" if share is None else f"axis {share.axis} shared in units of {share.grain}"
        if self.program.threads == 1:
            parts = "one thread"
        if not isinstance(task.work, Kernel):
            source, _ = task.work
            words = "second copy" if task.mirrors else "new state to its place"
            return Work(task.name, f"{words} {source.dtype}{list(source.shape)}", parts, False, 0)
        kernel = task.work
        product = kernel.anchor is not None and kernel.anchor.op.name == "matmul"
        operations = 2 * multiplications(kernel, padded=True) if product else 0
        leaves_out = product and self._listed(kernel, share) is not None
        return Work(task.name, self._words(kernel, share), parts, product, operations, leaves_out)

    def _words(self, kernel: Kernel, share: Share | None) -> str:
        anchor = kernel.anchor
        then = [i.op.name for i in self._behind(kernel)]
        begin = f"rows of {self._row(kernel)}, sixteen at a time: " if kernel.short else ""
        if anchor is not None:
            sizes = " x ".join(str(x.shape) for x in anchor.inputs if hasattr(x, "shape"))
            begin = f"{anchor.op.name} {sizes}"
            if anchor.op.name == "matmul":
                begin += f" in tiles of {self._tile(kernel, share)}"
            begin += ", then " if then else ""
        stored = ", ".join(f"{v}: {v.dtype}{list(v.shape)}" for v in kernel.stored)
        return f"{begin}{' '.join(then)} -> {stored}"

    def _row(self, kernel: Kernel) -> int:
        """Elements of a row of a kernel of short rows; what it stores may be a number for each."""
        read = [x.shape for i in self._behind(kernel) for x in i.inputs if isinstance(x, Value)]
        return max(prod(shape[1:]) for shape in [kernel.shape, *read])

    def _behind(self, kernel: Kernel) -> list[Instruction]:
        """The instructions that are computed element by element in the kernel, in their order."""
        made_by, found = self.program.fusion.made_by, set()

        def visit(x: object) -> None:
            made = made_by.get(x) if isinstance(x, Value) else None
            if made is None or made in found or made is kernel.anchor or is_opaque(made):
                return
            if made.output in self.program.plan.buffer_of and made.output not in kernel.roots:
                return
            found.add(made)
            for y in made.inputs:
                visit(y)

        for root in kernel.roots:
            visit(root)
        return [
            i
            for i in self.program.graph.instructions
            if i in found and (isinstance(i.op.codegen, Elementwise) or (kernel.short and i.op.name in REDUCTIONS))
        ]

    def _tile(self, kernel: Kernel, share: Share | None) -> str:
        listed = self._listed(kernel, share)
        if listed is not None:
            return f"{listed[0]} x {listed[1] * LANES}, leaving out zeros"
        tiles = Tiles(self._registers(kernel))
        vectors = tiles.vectors(_across(kernel, self.program)[0])
        return f"{tiles.rows(vectors)} x {vectors * LANES}"

    def _listed(self, kernel: Kernel, share: Share | None) -> tuple[int, int] | None:
        """Rows and vectors of a tile of a product that leaves out zeros; None for another one."""
        return tile(kernel, self.program.plan, self._registers(kernel), None if share is None else share.axis)

    def _registers(self, kernel: Kernel) -> int:
        """How many vectors of the product's elements the registers hold."""
        assert kernel.anchor is not None  # a product's
        return self.program.target.vectors(kernel.anchor.output.dtype)


def _across(kernel: Kernel, program: Program) -> tuple[int, int]:
    """Columns and rows of a product as its kernel walks through it."""
    panel = panel_axis(kernel, program.plan.buffer_of)
    first, second = kernel.shape[-2:]
    return (second, first) if panel is None or panel == len(kernel.shape) - 1 else (first, second)


def multiplications(kernel: Kernel, padded: bool = False) -> int:
    """Of a product; ``padded``: with the columns that fill up the last vector."""
    if kernel.anchor is None or kernel.anchor.op.name != "matmul":
        return 0
    *outer, rows, columns = kernel.shape
    return prod(outer) * rows * (padded_size(columns) if padded else columns) * int(kernel.anchor.inputs[0].shape[-1])


def _time(seconds: float) -> str:
    return f"{seconds * 1e6:.3g} µs" if seconds < 1e-3 else f"{seconds * 1e3:.3g} ms"
