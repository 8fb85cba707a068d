"""Stages: which part of each kernel a thread does, and where the threads have to wait for each other.

A kernel is shared along one of its axes. What a thread reads it has often written itself: the rows of a batch stay
with their thread through all layers, and so do the columns of a weight through product and update. The threads meet
only where one of them needs what another one has made: the tasks between two such barriers are a stage.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from lucidgrad.compiler.buffers import PANEL, Buffer
from lucidgrad.compiler.fuse import Kernel, is_scatter
from lucidgrad.compiler.index import Axis
from lucidgrad.compiler.kernels.nest import panel_axis
from lucidgrad.graph import Value

if TYPE_CHECKING:
    from lucidgrad.compiler.layout import Plan

# Elements (or multiplications) below which a kernel is left to one thread.
WORTH_SHARING = 2**13
# A thread's part of an axis is a multiple of this: the rows of a tile, and no two threads in one line of the cache.
GRAIN = 16


@dataclass(frozen=True)
class Share:
    """Along which axis of its loops a kernel is shared, how long that is, and in which units it is dealt out."""

    axis: int
    size: int
    grain: int

    def along(self, axis: int) -> Share:
        """The same parts, of another array's axis."""
        return Share(axis, self.size, self.grain)


@dataclass(frozen=True)
class Access:
    """What a task does with a buffer. ``part``: which part of it the thread has; None: any."""

    buffer: Buffer
    part: Share | None
    first_only: bool  # only the first thread touches it
    writes: bool

    def disturbs(self, other: Access) -> bool:
        """Whether the two, done by different threads, would have to be done one after the other."""
        if self.buffer is not other.buffer or not (self.writes or other.writes):
            return False
        both_first = self.first_only and other.first_only
        return not both_first and (self.part is None or self.part != other.part)


@dataclass(eq=False)
class Task:
    """A function of the program.

    Attributes
    ----------
    name
        Of the function.
    work
        A kernel; or a buffer and the one it is copied to (``mirrors``: whose panels run along the other axis).
    share
        None: the first thread does it alone.
    """

    name: str
    work: Kernel | tuple[Buffer, Buffer]
    share: Share | None
    accesses: list[Access]
    mirrors: bool = False

    def disturbs(self, other: Task) -> bool:
        """Whether the threads have to meet between the two."""
        return any(a.disturbs(b) for a in self.accesses for b in other.accesses)

    def follows(self, other: Task) -> bool:
        """Whether it has to come after the other: it reads what that writes, or writes what that reads."""
        return any(a.buffer is b.buffer and (a.writes or b.writes) for a in self.accesses for b in other.accesses)


def tasks(plan: Plan, threads: int) -> list[Task]:
    """All that is done in a step, in an order in which one thread can do it."""
    shares = Shares(plan) if threads > 1 else None
    found = []
    for number, kernel in enumerate(plan.kernels):
        share = None if shares is None else shares.of(kernel)
        found.append(Task(f"kernel{number}", kernel, share, list(_accesses(plan, kernel, share))))
    for number, pair in enumerate(plan.copies):
        found.append(Task(f"copy{number}", pair, None, _both(pair, None)))
    for number, (value, mirror) in enumerate(plan.mirrors.items()):
        pair = plan.buffer_of[value], mirror
        share = None if shares is None else shares.of_mirror(*pair)
        found.append(Task(f"mirror{number}", pair, share, _both(pair, share), mirrors=True))
    return found


def stages(todo: list[Task]) -> list[list[Task]]:
    """The tasks between barriers: as many in each as can be done without waiting."""
    earlier = {task: [t for t in todo[:i] if task.follows(t)] for i, task in enumerate(todo)}
    made: list[list[Task]] = []
    done: set[Task] = set()
    while len(done) < len(todo):
        stage: list[Task] = []
        for task in todo:
            if task not in done and all(t in done for t in earlier[task]) and not any(map(task.disturbs, stage)):
                stage.append(task)
                done.add(task)
        made.append(stage)
    return made


def is_free(made: list[list[Task]]) -> bool:
    """Whether threads never meet, not even between steps: each has rows of its own, as when a model is asked."""
    return len(made) == 1 and not any(a.disturbs(b) for a in made[0] for b in made[0])


def exchanged(todo: Iterable[Task]) -> set[Buffer]:
    """What one thread writes and others read: it goes from cache to cache."""
    accesses = [a for task in todo for a in task.accesses if not a.first_only]
    return {a.buffer for a in accesses if a.writes and any(map(a.disturbs, accesses))}


class Shares:
    """How threads share the kernels of a plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.written: dict[Buffer, Share] = {}  # by which parts, along an axis of the buffer
        self.owners = set(self._wide_matrices())

    def of(self, kernel: Kernel) -> Share | None:
        """The parts of a kernel; None where sharing is not worth it."""
        share = self._of(kernel)
        if share is not None:
            for value in kernel.stored:
                self.written[self.plan.buffer_of[value]] = share
        return share

    def _of(self, kernel: Kernel) -> Share | None:
        anchor, shape = kernel.anchor, kernel.shape
        if not shape or (anchor is not None and is_scatter(anchor)):
            return None
        name = None if anchor is None else anchor.op.name
        work = prod(shape) * (len(kernel.roots) if kernel.short else 1)
        if name == "random_bits":
            return Share(0, shape[0], GRAIN) if work >= WORTH_SHARING and shape[0] > 1 else None
        if name == "matmul":
            assert anchor is not None
            return self._of_product(kernel, anchor.inputs[0].shape[-1])
        inherited = self._inherited(kernel)
        if inherited is not None:
            return inherited
        if anchor is not None:
            work *= max(1, prod(anchor.inputs[0].shape) // max(1, prod(shape)))
        return self._longest(shape, None) if work >= WORTH_SHARING else None

    def of_mirror(self, matrix: Buffer, mirror: Buffer) -> Share | None:
        """A mirror is made by the threads that have just changed the matrix."""
        assert matrix.panel is not None
        if matrix in self.written:
            return self.written[matrix]
        if prod(matrix.shape) < WORTH_SHARING:
            return None
        return Share(1 - matrix.panel, matrix.shape[1 - matrix.panel], GRAIN)

    def _of_product(self, kernel: Kernel, depth: int) -> Share | None:
        shape = kernel.shape
        across = self._across(kernel)
        if prod(shape) * depth < WORTH_SHARING:
            return None
        owned = any(self._is_owned(self.plan.buffer_of[v]) for v in kernel.stored)
        assert kernel.anchor is not None
        right = self.plan.fusion.base(kernel.anchor.inputs[1])
        read = self.plan.buffer_of.get(right) if isinstance(right, Value) else None
        down = 2 * len(shape) - 3 - across
        if owned or (read in self.owners and shape[across] > shape[down]):
            return Share(across, shape[across], PANEL)
        share = self._longest(shape, across)
        if share is None and shape[across] >= 2 * PANEL:  # few rows of long vectors: whole panels of them
            return Share(across, shape[across], PANEL)
        return share

    def _is_owned(self, written: Buffer) -> bool:
        """Whether it is a weight whose columns stay with a thread, or a gradient that is laid out as one."""
        return written.panel is not None and written.shape in {b.shape for b in self.owners}

    def _across(self, kernel: Kernel) -> int:
        """The axis of a product that vectors run along."""
        panel = panel_axis(kernel, self.plan.buffer_of)
        return len(kernel.shape) - 1 if panel is None else panel

    def _longest(self, shape: tuple[int, ...], across: int | None) -> Share | None:
        """The first long axis, but not the one that vectors run along."""
        axes = [a for a, n in enumerate(shape) if n >= 2 * GRAIN and a != across]
        axis = max(axes, key=lambda a: shape[a] >= 4 * GRAIN, default=None)
        return None if axis is None else Share(axis, shape[axis], GRAIN)

    def _inherited(self, kernel: Kernel) -> Share | None:
        """The parts in which one of the things it reads was written: then nobody waits for anybody."""
        for root in kernel.roots:
            for value, index in self.plan.fusion.reads(root):
                made = self.written.get(self.plan.buffer_of[value]) if value in self.plan.buffer_of else None
                if made is None or not isinstance(place := index[made.axis], Axis):
                    continue
                if kernel.short and place.number:
                    continue
                if made.size == kernel.shape[place.number]:
                    return made.along(place.number)
        return None

    def _wide_matrices(self) -> Iterator[Buffer]:
        """Weights whose columns stay with a thread: more of them is read than of the rows they are multiplied with."""
        for kernel in self.plan.kernels:
            if kernel.anchor is None or kernel.anchor.op.name != "matmul":
                continue
            left, right = kernel.anchor.inputs
            matrix = self.plan.fusion.base(right)
            buffer = self.plan.buffer_of.get(matrix) if isinstance(matrix, Value) else None
            along = 1 if matrix is right else 0  # the axis that the product reads vectors along
            if buffer is None or buffer.panel != along:
                continue
            columns = matrix.shape[buffer.panel]
            if columns >= 2 * PANEL and columns > left.shape[-2]:
                yield buffer


def _accesses(plan: Plan, kernel: Kernel, share: Share | None) -> Iterator[Access]:
    for value in kernel.stored:
        yield Access(plan.buffer_of[value], share, share is None, writes=True)
    for root in kernel.roots:
        for value, index in plan.fusion.reads(root):
            for buffer in plan.copies_of(value):
                part = None
                if share is not None and Axis(share.axis) in index:
                    part = share.along(index.index(Axis(share.axis)))
                yield Access(buffer, part, share is None, writes=False)


def _both(pair: tuple[Buffer, Buffer], share: Share | None) -> list[Access]:
    source, target = pair
    return [Access(source, share, share is None, writes=False), Access(target, share, share is None, writes=True)]
