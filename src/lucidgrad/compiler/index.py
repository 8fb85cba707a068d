"""Where an element comes from: index maps of the rows that move elements, and arithmetic on indices.

Rows such as reshape and transpose are not computed at all: whoever reads their output at some index reads the input
at another one. An index has a component for each axis: a number, a register, or ``Lane``: as many consecutive
places as a vector has lanes. The same maps run on symbols, to find out which rows of a value a kernel reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lucidgrad.compiler.assembly import I64, Builder, Reg
from lucidgrad.graph import Instruction
from lucidgrad.ops.indexing import ARRAY
from lucidgrad.ops.shapes import normalize_axes


@dataclass(frozen=True)
class Lane:
    """The places base, base + stride, base + 2 stride ... of the lanes of a vector."""

    base: Reg | int
    stride: int = 1


Component = Any  # int | Reg (int64: a scalar, or a vector of places) | Lane, or a symbol
Index = tuple[Component, ...]


class Arithmetic(Protocol):
    """What index maps need of components."""

    def add(self, x: Component, n: Component) -> Component: ...  # noqa: D102
    def mul(self, x: Component, n: int) -> Component: ...  # noqa: D102
    def div(self, x: Component, n: int) -> Component: ...  # noqa: D102
    def mod(self, x: Component, n: int) -> Component: ...  # noqa: D102


class IndexMath:
    """Arithmetic on components by instructions; what is known while compiling costs none."""

    def __init__(self, c: Builder) -> None:
        self.c = c

    def register(self, x: Component) -> Reg:
        """The component as a register; a Lane as a vector of places."""
        if isinstance(x, Reg):
            return x
        if isinstance(x, int):
            return self.c.const(x, I64)
        steps = self.c.vector([i * x.stride for i in range(self.c.lanes)], I64)
        return steps if x.base == 0 else self.c.add(steps, self.register(x.base))

    def add(self, x: Component, n: Component) -> Component:
        """X + n."""
        if isinstance(x, int) and isinstance(n, int):
            return x + n
        if isinstance(n, int | Lane) and not isinstance(x, int | Lane):
            x, n = n, x
        if x == 0:
            return n
        if n == 0:
            return x
        if isinstance(x, Lane) and (isinstance(n, int) or (isinstance(n, Reg) and n.lanes == 1)):
            return Lane(self.add(x.base, n), x.stride)
        if isinstance(x, Lane) and isinstance(n, Lane):
            return Lane(self.add(x.base, n.base), x.stride + n.stride)
        if isinstance(n, Lane) and isinstance(x, int):
            return Lane(self.add(n.base, x), n.stride)
        return self.c.add(self.register(x), self.register(n))

    def mul(self, x: Component, n: int) -> Component:
        """X * n."""
        if isinstance(x, int):
            return x * n
        if n in (0, 1):
            return x if n else 0
        if isinstance(x, Lane):
            return Lane(self.mul(x.base, n), x.stride * n)
        return self.c.mul(x, n)

    def div(self, x: Component, n: int) -> Component:
        """X // n, for x >= 0."""
        if n == 1:
            return x
        if isinstance(x, int):
            return x // n
        power = n.bit_length() - 1
        return self.c.lshr(self.register(x), power) if n == 1 << power else self.c.div(self.register(x), n)

    def mod(self, x: Component, n: int) -> Component:
        """X % n, for x >= 0."""
        if n == 1:
            return 0
        if isinstance(x, int):
            return x % n
        return self.c.and_(self.register(x), n - 1) if n & (n - 1) == 0 else self.c.rem(self.register(x), n)


class Other:
    """A symbol for: some place or other."""

    def __repr__(self) -> str:
        return "?"


OTHER = Other()


@dataclass(frozen=True)
class Axis:
    """A symbol for: the place of a kernel's loop along its axis ``number``."""

    number: int


def own_index(shape: Sequence[int]) -> Index:
    """The index of a kernel's own places: those of its loops."""
    return tuple(Axis(i) if n > 1 else 0 for i, n in enumerate(shape))


class SymbolMath:
    """Arithmetic on symbols: what is moved, however little, is some place or other."""

    def add(self, x: Component, n: Component) -> Component:
        """X + n."""
        if isinstance(x, int) and isinstance(n, int):
            return x + n
        return x if n == 0 else n if x == 0 else OTHER

    def mul(self, x: Component, n: int) -> Component:
        """X * n."""
        return x * n if isinstance(x, int) else x if n == 1 else 0 if n == 0 else OTHER

    def div(self, x: Component, n: int) -> Component:
        """X // n."""
        return x // n if isinstance(x, int) else x if n == 1 else OTHER

    def mod(self, x: Component, n: int) -> Component:
        """X % n."""
        return x % n if isinstance(x, int) else 0 if n == 1 else OTHER


def broadcast_index(index: Index, shape: tuple[int, ...]) -> Index:
    """The index into an array of ``shape`` that broadcasts to what ``index`` points into."""
    skipped = len(index) - len(shape)
    return tuple(0 if n == 1 else i for n, i in zip(shape, index[skipped:], strict=True))


def transpose_index(index: Index, order: Sequence[int]) -> Index:
    """The index before a transposition."""
    before: list[Component] = [0] * len(order)
    for axis, component in zip(order, index, strict=True):
        before[axis] = component
    return tuple(before)


def linear_index(math: Arithmetic, index: Index, shape: tuple[int, ...]) -> Component:
    """The place in row-major order."""
    place: Component = 0
    for i, n in zip(index, shape, strict=True):
        place = math.add(math.mul(place, n), 0 if n == 1 else i)
    return place


def reshape_index(math: Arithmetic, index: Index, new: tuple[int, ...], old: tuple[int, ...]) -> Index:
    """The index before a reshape from ``old`` to ``new``; axes that survive whole keep their component."""
    if 0 in old:  # nothing is ever read
        return (0,) * len(old)
    before: list[Component] = []
    for axes_old, axes_new in _groups(old, new):
        shape = tuple(new[a] for a in axes_new)
        if len(axes_old) == 1 and len(axes_new) == 1:
            before.append(index[axes_new[0]])
            continue
        place = linear_index(math, tuple(index[a] for a in axes_new), shape)
        inner = [old[a] for a in axes_old]
        parts: list[Component] = []
        for n in reversed(inner[1:]):
            parts.append(0 if n == 1 else math.mod(place, n))
            place = place if n == 1 else math.div(place, n)
        before.extend([place, *reversed(parts)] if inner else [])
    return tuple(before)


def _groups(old: tuple[int, ...], new: tuple[int, ...]) -> list[tuple[list[int], list[int]]]:
    """Runs of axes that hold the same elements before and after."""
    groups = []
    i = j = 0
    while i < len(old) or j < len(new):
        first, second = [i] * (i < len(old)), [j] * (j < len(new))
        size_old, size_new = (old[i] if first else 1), (new[j] if second else 1)
        i, j = i + len(first), j + len(second)
        while size_old != size_new:
            if size_old < size_new:
                first.append(i)
                size_old *= old[i]
                i += 1
            else:
                second.append(j)
                size_new *= new[j]
                j += 1
        groups.append((first, second))
    return groups


@dataclass(frozen=True)
class Picked:
    """An axis that is read where an array of indices says: input ``number`` of the instruction, at ``index``."""

    number: int
    index: Index


def getitem_index(math: Arithmetic, instruction: Instruction, index: Index) -> tuple[Component, ...]:
    """The index before a getitem; a component is ``Picked`` where an array says which one."""
    x, *arrays = instruction.inputs
    return picked_index(math, instruction.attrs["key"], x.shape, [a.shape for a in arrays], index)


def picked_index(
    math: Arithmetic, key: tuple[Any, ...], shape: tuple[int, ...], arrays: list[tuple[int, ...]], index: Index
) -> tuple[Component, ...]:
    """Where ``x[key]`` at ``index`` lies in x, for x of ``shape`` and arrays of indices of the given shapes."""
    parts = expand_key(key, len(shape))
    joint = max((len(s) for s in arrays), default=0)
    advanced = [i for i, p in enumerate(parts) if p == ARRAY or (arrays and isinstance(p, int))]
    adjacent = not advanced or advanced == list(range(advanced[0], advanced[-1] + 1))
    kept = iter(index if not arrays else ())
    picked: Index = ()
    if arrays:
        before = sum(p is None or isinstance(p, slice) for p in parts[: advanced[0]]) if adjacent else 0
        picked = index[before : before + joint]
        kept = iter((*index[:before], *index[before + joint :]))
    result: list[Component] = []
    number = 1
    for part in parts:
        if part is None:
            next(kept)
        elif isinstance(part, slice):
            start, _, step = part.indices(shape[len(result)])
            result.append(math.add(math.mul(next(kept), step), start))
        elif part == ARRAY:
            result.append(Picked(number, broadcast_index(picked, arrays[number - 1])))
            number += 1
        else:
            result.append(int(part) % shape[len(result)] if shape[len(result)] else 0)
    return tuple(result)


def expand_key(key: tuple[Any, ...], ndim: int) -> list[Any]:
    """A key with its ellipsis written out, a part for each axis (and each new one)."""
    taken = sum(part is not None and part is not Ellipsis for part in key)
    rest = [slice(None)] * (ndim - taken)
    if not any(part is Ellipsis for part in key):
        return [*key, *rest]
    at = next(i for i, part in enumerate(key) if part is Ellipsis)
    return [*key[:at], *rest, *key[at + 1 :]]


def concatenated(instruction: Instruction) -> tuple[int, list[int]]:
    """The axis, and where along it each input begins."""
    (axis,) = normalize_axes(instruction.attrs["axis"], len(instruction.output.shape))
    starts, start = [], 0
    for x in instruction.inputs:
        starts.append(start)
        start += x.shape[axis]
    return axis, starts
