"""What else a program could have computed: its graph run again with every rounded result moved, sums in other orders.

This is Monte Carlo arithmetic (Parker 1997, "Monte Carlo Arithmetic: exploiting randomness in floating-point
arithmetic", section 3) in the large. The results of many runs show how far correct implementations of the same program
may be apart, element by element: nowhere, where nothing is rounded, and anywhere, where a sum of 3e38 and -3e38 comes
to infinity or not by its order.

What is drawn, and why:

- A rounded result moves by up to 4 units of its last place: NumPy's functions and ours are within 2 to 4 of the exact
  ones. Composed rows are written out first, so that what is rounded inside of them moves too.
- A sum, product over axes or matrix product takes its terms in random order, into 1 to 16 partial results, and a
  matrix product rounds its products or not: IEEE 754 and NumPy leave all of this open. The partial results of a sum
  or product are dealt out by place among all terms or along the last axis, as vector code does, and joined one by one
  or by halves: where columns alone overflow and underflow, their product is not a number, though no row's is.
- The larger and smaller of 0 and -0 have either sign: NumPy takes whichever comes first, or not.
- A float that its integer dtype does not hold becomes any integer: C leaves it undefined, and NumPy differs from
  machine to machine.

All else (comparisons, choices, signs, moved elements, integers, the signs of other zeros, NaN and infinities) is exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from lucidgrad.compiler.passes.expand import expand
from lucidgrad.graph import Graph, Instruction, Value
from lucidgrad.ops import TABLE
from lucidgrad.ops.op import Op
from lucidgrad.ops.shapes import normalize_axes

Array = np.ndarray[Any, np.dtype[Any]]

# Rows whose result is exact in every implementation.
EXACT = frozenset(
    ["negative", "absolute", "sign", "relu", "clip", "where", "maximum", "minimum", "max", "min", "reshape",
     "transpose", "broadcast_to", "pad", "concatenate", "getitem"]
)  # fmt: skip
EITHER_ZERO = frozenset(["maximum", "minimum", "max", "min", "relu", "clip"])
# Functions of a number that is not 0 which come near to 0 but never there: what is rounded to 0 may also be next to it.
NEVER_ZERO = frozenset(["exp", "sigmoid", "softplus", "power"])
UNITS = 4


def runs(graph: Graph, inputs: list[Any], rng: np.random.Generator, count: int) -> list[list[Array]]:
    """The outputs of so many runs."""
    written_out = expand(graph)
    with np.errstate(all="ignore"):
        return [_run(written_out, inputs, rng) for _ in range(count)]


@contextmanager
def eager_results_moved(rng: np.random.Generator) -> Iterator[None]:
    """Inside of the block the rows of the op table give, eagerly, what other implementations may give."""
    before = {op: op.forward for op in TABLE.values()}

    def other(op: Op, forward: Any) -> Any:
        def computed(*operands: Any, **attrs: Any) -> Any:
            return moved(op.name, operands, np.asarray(forward(*operands, **attrs)), rng)

        return computed

    for op, forward in before.items():
        object.__setattr__(op, "forward", other(op, forward))
    try:
        yield
    finally:
        for op, forward in before.items():
            object.__setattr__(op, "forward", forward)


def _run(graph: Graph, inputs: list[Any], rng: np.random.Generator) -> list[Array]:
    known: dict[Value, Any] = dict(zip(graph.inputs, inputs, strict=True))
    for instruction in graph.instructions:
        operands = [known[x] if isinstance(x, Value) else x for x in instruction.inputs]
        known[instruction.output] = moved(instruction.op.name, operands, _computed(instruction, operands, rng), rng)
    return [known[x] if isinstance(x, Value) else np.asarray(x) for x in graph.outputs]


def _computed(instruction: Instruction, operands: list[Any], rng: np.random.Generator) -> Array:
    """The output, where the order matters in a random one."""
    name, output = instruction.op.name, instruction.output
    if output.dtype.kind == "f" and output.shape.count(0) == 0:
        if name in ("sum", "prod"):
            return _in_some_order(name, operands[0], instruction.attrs.get("axis"), rng).reshape(output.shape)
        if name == "matmul":
            return _product(np.asarray(operands[0]), np.asarray(operands[1]), rng)
    return np.asarray(instruction.op.forward(*operands, **instruction.attrs))


def moved(name: str, operands: Sequence[Any], y: Array, rng: np.random.Generator) -> Array:
    """The output of a row as another implementation may have it."""
    if name == "cast" and y.dtype.kind in "iu" and operands[0].dtype.kind == "f":
        return _cast_anyhow(operands[0], y, rng)
    if y.dtype.kind != "f":
        return y
    if name not in EXACT:
        finite = np.isfinite(y) & (y != 0)
        unit = np.where(finite, np.spacing(np.where(finite, y, 1)), 0)
        if name in NEVER_ZERO:
            reached = np.isfinite(np.asarray(operands[0])) & (np.asarray(operands[0]) != 0)
            unit = np.where((y == 0) & reached, np.finfo(y.dtype).smallest_subnormal, unit)
        near = (y + rng.integers(-UNITS, UNITS + 1, y.shape) * unit).astype(y.dtype)
        y = np.where(unit == 0, y, near)  # -0.0 + 0.0 would be 0.0
        if name in NEVER_ZERO and name != "power":
            y = np.abs(y)
    if name in EITHER_ZERO:
        y = np.where(y == 0, np.copysign(0, rng.normal(size=y.shape)), y).astype(y.dtype)
    return y


def _cast_anyhow(x: Array, y: Array, rng: np.random.Generator) -> Array:
    limits = np.iinfo(y.dtype)
    held = (x > float(limits.min) - 1) & (x < float(limits.max) + 1) if y.dtype.itemsize < 8 else (
        (x >= float(limits.min) if limits.min else x > -1) & (x < float(limits.max))
    )  # fmt: skip
    anything = rng.integers(limits.min, limits.max, y.shape, dtype=y.dtype, endpoint=True)
    return np.where(held, y, anything)


def _order(length: int, rng: np.random.Generator) -> tuple[Any, int]:
    """The order of the terms (as they come, from behind, or any), and the number of partial results."""
    orders: Any = (np.arange(length), np.arange(length)[::-1], rng.permutation(length))
    return orders[int(rng.integers(3))], min(int(rng.choice([1, 1, 2, 4, 16])), max(length, 1))


def _in_some_order(name: str, x: Array, axis: Any, rng: np.random.Generator) -> Array:
    """The sum or product over axes: terms dealt out to partial results, each of which takes them one by one."""
    axes = normalize_axes(axis, x.ndim)
    kept = [a for a in range(x.ndim) if a not in axes]
    terms = x.transpose(*kept, *axes).reshape([*(x.shape[a] for a in kept), -1])
    order, lanes = _order(terms.shape[-1], rng)
    along = x.shape[axes[-1]] if axes and rng.random() < 0.5 else terms.shape[-1]
    dealt = np.arange(terms.shape[-1]) % max(1, along) % lanes
    terms, dealt = terms[..., order], dealt[order]
    join: Any = np.add if name == "sum" else np.multiply
    parts = [join.accumulate(terms[..., dealt == lane], axis=-1)[..., -1] for lane in np.unique(dealt)]
    halves = rng.random() < 0.5
    while len(parts) > 1:
        half = (len(parts) + 1) // 2 if halves else 1
        pairs = zip(parts[:half], parts[half : 2 * half], strict=False)
        parts = [*(join(*pair) for pair in pairs), *parts[len(parts) // 2 : half], *parts[2 * half :]]
    neutral = np.full(terms.shape[:-1], 0 if name == "sum" else 1, x.dtype)
    return np.asarray(join(neutral, parts[0]) if parts else neutral)


def _product(a: Array, b: Array, rng: np.random.Generator) -> Array:
    """The matrix product: the same, of products that are rounded or (in a wider float) not."""
    dtype = np.result_type(a, b)
    wide = np.dtype(np.longdouble if dtype == np.float64 else np.float64) if rng.random() < 0.5 else dtype
    k = a.shape[-1]
    shape = (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1])
    order, lanes = _order(k, rng)
    partial = [np.zeros(shape, dtype) for _ in range(lanes)]
    for i, place in enumerate(order):
        term = a[..., :, place, None].astype(wide) * b[..., None, place, :].astype(wide)
        partial[i % len(partial)] = (partial[i % len(partial)] + term).astype(dtype)
    total = partial[0]
    for part in partial[1:]:
        total = total + part
    return total
