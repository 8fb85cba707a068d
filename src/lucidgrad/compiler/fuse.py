"""From a graph to kernels: which values are stored, and which are computed together in one loop.

A value is stored where it has to be (it is a result, or a sum or product needs it in memory), or where computing it
again for each of its readers would cost more than reading it. All else lives in registers for a moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

from lucidgrad.compiler.expression import MOVES
from lucidgrad.compiler.index import (
    OTHER,
    Index,
    Picked,
    SymbolMath,
    broadcast_index,
    getitem_index,
    own_index,
    reshape_index,
    transpose_index,
)
from lucidgrad.errors import LucidgradError
from lucidgrad.graph import Graph, Instruction, Value
from lucidgrad.ops.codegen import Elementwise
from lucidgrad.ops.shapes import normalize_axes

REDUCTIONS = {"sum", "max", "min", "prod", "argmax", "argmin"}
# Kernels whose result the rows behind them can take over from the registers.
ANCHORS = REDUCTIONS | {"matmul"}
# Computed by loops of their own into memory.
OPAQUE = {"random_bits"}
# Rows of so few elements are computed several at a time, each in a lane of vectors; of fewer rows that is no gain.
FEW, SOME_ROWS = 4, 8
# A stored value costs a reader about this many simple instructions.
READ_COST = 6
_COSTS = {"divide": 4, "sqrt": 4, "power": 30, "sin": 30, "cos": 30}
_FREE = {"reshape", "transpose", "broadcast_to", "getitem", "cast"}
_CHEAP = {"add", "subtract", "multiply", "negative", "maximum", "minimum", "relu", "clip", "absolute", "sign", "where"}


class UnsupportedOpError(LucidgradError):
    """A row of the op table that has no compiled form."""


@dataclass(eq=False)
class Kernel:
    """One loop nest: what it begins with (a sum, a product, a draw; or nothing) and the values it stores.

    ``short``: it begins with nothing and has all that is done with some rows of few elements, sums along them too.
    """

    roots: list[Value]
    anchor: Instruction | None = None
    stored: list[Value] = field(default_factory=list)
    short: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """What its loops run over: the shape of each of its values (of short rows: of those with most elements)."""
        return max((v.shape for v in self.roots), key=prod)


def is_scatter(instruction: Instruction) -> bool:
    """Whether it adds up at places that are only known when it runs."""
    return instruction.op.name == "put" and len(instruction.inputs) > 1


def is_opaque(instruction: Instruction) -> bool:
    """Whether it needs its inputs in memory and writes its output there."""
    return instruction.op.name in OPAQUE or is_scatter(instruction)


def check_supported(graph: Graph) -> None:
    """Raise for the first instruction whose row has no compiled form."""
    for instruction in graph.instructions:
        name = instruction.op.name
        known = isinstance(instruction.op.codegen, Elementwise) or name in MOVES | ANCHORS | OPAQUE
        if not known:
            raise UnsupportedOpError(
                f"expected rows with a compiled form, got {name} in '{instruction}'. "
                "Give the row a codegen rule, or run the function eagerly."
            )


class Fusion:
    """The kernels of a graph, in an order in which they can run."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.made_by = {i.output: i for i in graph.instructions}
        self.users: dict[Value, list[Instruction]] = {}
        for instruction in graph.instructions:
            for x in dict.fromkeys(v for v in instruction.inputs if isinstance(v, Value)):
                self.users.setdefault(x, []).append(instruction)
        self.results = {v for v in graph.outputs if isinstance(v, Value)}
        self._cost: dict[Value, int] = {}
        self._anchor: dict[Value, Instruction | None] = {}
        self._reads: dict[Value, list[tuple[Value, Index]]] = {}
        self._behind_short_rows: set[Value] = set()
        self.roots = self._choose_roots()
        self.kernels = self._with_short_rows_together(self._form_kernels())
        readers: dict[Value, set[Kernel]] = {}
        for kernel in self.kernels:
            for value, _ in (read for root in kernel.roots for read in self.reads(root)):
                readers.setdefault(value, set()).add(kernel)
        for kernel in self.kernels:
            kernel.stored = [v for v in kernel.roots if v in self.results or readers.get(v, set()) - {kernel}]
        # What no other kernel reads comes last: new state is then written over the old, which nobody needs any more.
        self.kernels.sort(key=lambda k: not any(readers.get(v, set()) - {k} for v in k.roots))

    # --- what is stored ---------------------------------------------------------------------------------------------

    def _choose_roots(self) -> set[Value]:
        roots = {v for v in self.results if v in self.made_by}
        for instruction in self.graph.instructions:
            if is_opaque(instruction):
                roots.add(instruction.output)
                roots.update(v for v in instruction.inputs if self._is_computed(v))
            if instruction.op.name == "matmul":
                roots.update(b for b in map(self.base, instruction.inputs) if self._is_computed(b))
        for instruction in self.graph.instructions:
            if self._follows_short_rows(instruction):
                self._behind_short_rows.add(instruction.output)
            if self._worth_storing(instruction, roots):
                roots.add(instruction.output)
            value = instruction.output
            self._cost[value] = 0 if value in roots else self._cost_of(instruction)
            self._anchor[value] = None if value in roots else self._anchor_of(instruction)
        return roots

    def _is_computed(self, x: Any) -> bool:
        return isinstance(x, Value) and x in self.made_by

    def base(self, x: Any) -> Any:
        """What an operand of a product is a transposition of: the product can walk through it either way."""
        return self.turned(x)[0]

    def turned(self, x: Any) -> tuple[Any, bool]:
        """The base of an operand, and whether rows and columns of the operand are columns and rows of it."""
        made = self.made_by.get(x) if isinstance(x, Value) else None
        if made is None or made.op.name != "transpose":
            return x, False
        order = tuple(made.attrs["order"])
        base, turned = self.turned(made.inputs[0])
        return base, turned != (order[-2:] == (len(order) - 1, len(order) - 2))

    def _cost_of(self, instruction: Instruction) -> int:
        name = instruction.op.name
        own = 0 if name in _FREE else 1 if name in _CHEAP else _COSTS.get(name, 15)
        if name.startswith(("equal", "not_", "less", "greater", "logical")):
            own = 1
        return own + sum(self._cost.get(x, 0) for x in instruction.inputs if isinstance(x, Value))

    def _anchor_of(self, instruction: Instruction) -> Instruction | None:
        if instruction.op.name in ANCHORS:
            return instruction
        return next((a for x in instruction.inputs if isinstance(x, Value) and (a := self._anchor.get(x))), None)

    def _worth_storing(self, instruction: Instruction, roots: set[Value]) -> bool:
        value = instruction.output
        users = self.users.get(value, [])
        if value in roots:
            return True
        anchors = {a for x in instruction.inputs if isinstance(x, Value) and (a := self._anchor.get(x))}
        if instruction.op.name in ANCHORS or anchors:
            # What holds a sum or product has one reader that takes it over element by element, or is stored.
            alone = len(users) == 1 and isinstance(users[0].op.codegen, Elementwise)
            others = [x for x in users[0].inputs if isinstance(x, Value) and x is not value] if alone else []
            fits = alone and users[0].output.shape == value.shape
            return not fits or any(self._holds_anchor(x, roots) for x in others)
        cost = self._cost_of(instruction)
        stretched = any(prod(u.output.shape) > prod(value.shape) for u in users)
        summed = any(u.op.name in ANCHORS for u in users)
        if not value.shape:
            return cost >= READ_COST and bool(users)
        if value in self._behind_short_rows and cost >= READ_COST and not any(map(_is_elementwise, users)):
            return True  # it is at hand where the rows are summed
        return cost >= READ_COST and (len(users) > 1 or (stretched and not summed))

    def _holds_anchor(self, x: Value, roots: set[Value]) -> bool:
        """Whether another operand brings a sum or product of its own: a loop can carry only one."""
        if x in roots or x not in self.made_by:
            return False
        if x in self._anchor:
            return self._anchor[x] is not None
        made = self.made_by[x]
        return made.op.name in ANCHORS or any(self._holds_anchor(y, roots) for y in made.inputs if isinstance(y, Value))

    # --- what is computed together ----------------------------------------------------------------------------------

    def _form_kernels(self) -> list[Kernel]:
        kernels: list[Kernel] = []
        self.kernel_of: dict[Value, Kernel] = {}
        place: dict[Kernel, int] = {}
        for instruction in _numbers_first(self.graph):
            root = instruction.output
            if root not in self.roots:
                continue
            anchor = instruction if is_opaque(instruction) else self._anchor_of(instruction)
            reads = self.reads(root)
            kernel = None if anchor is not None else self._home(root, reads, place)
            if kernel is None:
                kernel = Kernel([], anchor)
                place[kernel] = len(kernels)
                kernels.append(kernel)
            kernel.roots.append(root)
            self.kernel_of[root] = kernel
        return kernels

    def _home(self, root: Value, reads: Sequence[tuple[Value, Index]], place: dict[Kernel, int]) -> Kernel | None:
        """The kernel that has at hand what the root reads, if its loops fit."""
        needed = [(self.kernel_of[v], index) for v, index in reads if v in self.kernel_of]
        if not needed:
            return None
        last = max((k for k, _ in needed), key=lambda k: place[k])
        own = own_index(root.shape)
        fits = last.shape == root.shape and not (last.anchor is not None and is_opaque(last.anchor))
        return last if fits and all(index == own for k, index in needed if k is last) else None

    def _follows_short_rows(self, instruction: Instruction) -> bool:
        """Whether it makes a number of each short row, out of what sums along them have given."""
        if _reduced_rows(instruction):
            return True
        numbers = prod(instruction.output.shape[1:]) == 1 and _is_elementwise(instruction)
        return numbers and any(x in self._behind_short_rows for x in instruction.inputs if isinstance(x, Value))

    def _with_short_rows_together(self, kernels: list[Kernel]) -> list[Kernel]:
        """The kernels, with those that belong to the same short rows as one, where the first of them was."""
        made: list[Kernel] = []
        open_for: dict[int, tuple[Kernel, set[Kernel]]] = {}  # by the number of rows; and what is done before
        for kernel in kernels:
            rows = _short_rows(kernel)
            group, before = open_for.get(rows, (None, set()))
            if group is not None:
                needed = {self.kernel_of[v] for r in kernel.roots for v, _ in self.reads(r) if v in self.kernel_of}
                near = kernel.anchor is not None or group in needed
                if near and needed <= before | {group, kernel}:
                    self._join(group, kernel)
                    continue
            if rows and kernel.anchor is not None:
                group = Kernel([], short=True)
                open_for[rows] = group, set(made)
                self._join(group, kernel)
                made.append(group)
            else:
                made.append(kernel)
        return made

    def _join(self, group: Kernel, kernel: Kernel) -> None:
        group.roots += kernel.roots
        self.kernel_of.update(dict.fromkeys(kernel.roots, group))

    # --- what is read, and where ------------------------------------------------------------------------------------

    def reads(self, root: Value) -> list[tuple[Value, Index]]:
        """The stored values and inputs that computing a root reads, and at which index of its loops."""
        if root not in self._reads:
            found: dict[tuple[Value, Index], None] = {}
            self._collect(self.made_by[root], own_index(root.shape), found, set())
            self._reads[root] = list(found)
        return self._reads[root]

    def _visit(self, x: Any, index: Index, found: dict[tuple[Value, Index], None], seen: set[Any]) -> None:
        if not isinstance(x, Value) or (x, index) in seen:
            return
        seen.add((x, index))
        if x in self.roots or x not in self.made_by:
            found[(x, index)] = None
        else:
            self._collect(self.made_by[x], index, found, seen)

    def _collect(
        self, instruction: Instruction, index: Index, found: dict[tuple[Value, Index], None], seen: set[Any]
    ) -> None:
        name = instruction.op.name
        for number, x in enumerate(instruction.inputs):
            if isinstance(x, Value):
                for part in self._operand_indices(instruction, name, number, x, index):
                    self._visit(x, part, found, seen)

    def _operand_indices(self, instruction: Instruction, name: str, number: int, x: Value, index: Index) -> list[Index]:
        """Where an instruction reads its input ``number`` to compute its output at an index."""
        anywhere = tuple(OTHER if n > 1 else 0 for n in x.shape)
        math = SymbolMath()
        if isinstance(instruction.op.codegen, Elementwise) or name == "broadcast_to":
            return [broadcast_index(index, x.shape)]
        if name == "matmul":
            batch = broadcast_index((*index[:-2], 0, 0), x.shape)[:-2]
            return [(*batch, index[-2], OTHER) if number == 0 else (*batch, OTHER, index[-1])]
        if name == "transpose":
            return [transpose_index(index, instruction.attrs["order"])]
        if name == "reshape":
            return [reshape_index(math, index, instruction.output.shape, x.shape)]
        if name == "getitem" and number == 0:
            return [tuple(OTHER if isinstance(p, Picked) else p for p in getitem_index(math, instruction, index))]
        if name == "getitem":
            picked = getitem_index(math, instruction, index)
            return [p.index for p in picked if isinstance(p, Picked) and p.number == number]
        if name in REDUCTIONS:
            return [self._reduced_index(instruction, x, index)]
        return [anywhere]

    def _reduced_index(self, instruction: Instruction, x: Value, index: Index) -> Index:
        axes = normalize_axes(instruction.attrs.get("axis"), len(x.shape))
        kept = (
            iter(i for a, i in enumerate(index) if a not in axes) if instruction.attrs.get("keepdims") else iter(index)
        )
        return tuple(OTHER if a in axes else next(kept) for a in range(len(x.shape)))


def _is_elementwise(instruction: Instruction) -> bool:
    return isinstance(instruction.op.codegen, Elementwise)


def _reduced_rows(instruction: Instruction) -> int:
    """How many short rows an instruction reduces to a number each; 0: it does something else."""
    if instruction.op.name not in REDUCTIONS:
        return 0
    shape = instruction.inputs[0].shape
    axes = normalize_axes(instruction.attrs.get("axis"), len(shape))
    short = len(shape) == 2 and tuple(axes) == (1,) and shape[0] >= SOME_ROWS and 2 <= shape[1] <= FEW
    return shape[0] if short else 0


def _short_rows(kernel: Kernel) -> int:
    """How many rows a kernel has that may be computed with others of short rows; 0: it is no such kernel."""
    rows = kernel.shape[0] if kernel.shape else 0
    if kernel.anchor is not None and _reduced_rows(kernel.anchor) != rows:
        return 0
    short = all(len(v.shape) <= 2 and prod(v.shape[1:]) <= FEW and v.dtype.kind != "b" for v in kernel.roots)
    return rows if short and rows >= SOME_ROWS else 0


def _numbers_first(graph: Graph) -> list[Instruction]:
    """The instructions, those first that make single numbers of single numbers: an update needs them at its product."""
    numbers = {v for v in graph.inputs if not v.shape}
    for instruction in graph.instructions:
        if not instruction.output.shape and all(x in numbers for x in instruction.inputs if isinstance(x, Value)):
            numbers.add(instruction.output)
    return sorted(graph.instructions, key=lambda i: i.output not in numbers)


def fuse(graph: Graph) -> Fusion:
    """The kernels of a graph of primitive rows."""
    check_supported(graph)
    return Fusion(graph)
