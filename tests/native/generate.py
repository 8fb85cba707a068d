"""Draws random programs: up to 8 rows of the op table applied to each other, on inputs that have caught somebody.

``program(seed)`` is deterministic. Each row has a maker below that draws its operands and attributes; a row without
one is drawn from its samples in ``tests/ops/samples.py``, so that no row of the table is left out. What a row refuses
(negation of booleans, say) is drawn again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lucidgrad.ops import TABLE
from lucidgrad.ops.indexing import ARRAY
from lucidgrad.ops.promotion import SUPPORTED
from tests.native.draw import LARGEST, Draw, kind_of
from tests.native.programs import Array, Program, Ref, Step
from tests.ops.samples import SAMPLES

MOST_STEPS = 8
ATTEMPTS = 60

Maker = Callable[[Draw], Step]


def program(seed: int) -> Program:
    """The random program of a seed."""
    draw = Draw(seed)
    # The first row goes through the table in turn, so that all rows come up equally often; the others are random.
    rows = [list(TABLE)[seed % len(TABLE)]]
    rows += [draw.choose(list(TABLE)) for _ in range(draw.below(MOST_STEPS))]
    for place in draw.rng.permutation(len(rows)):
        _add_step(draw, rows[place])
    return _with_outputs(draw)


def _add_step(draw: Draw, row: str) -> None:
    """Apply a row, with operands drawn again while they do not fit; not at all if none do."""
    for _ in range(ATTEMPTS):
        before = len(draw.nodes)
        try:
            ref = draw.step(MAKERS.get(row, from_sample(row))(draw))
        except (ValueError, TypeError, OverflowError, IndexError):  # LucidgradError is one of them
            _forget(draw, before)
            continue
        if _is_welcome(draw, ref):
            return
        _forget(draw, before)


def _is_welcome(draw: Draw, ref: Ref) -> bool:
    """Not too large; and values that are NaN throughout say little, so most are drawn again."""
    value = draw.spec(ref).numpy()
    if value.size > LARGEST:
        return False
    return not (value.dtype.kind == "f" and value.size and np.isnan(value).all()) or draw.chance(0.1)


def _forget(draw: Draw, length: int) -> None:
    del draw.nodes[length:], draw.values[length:]


def _with_outputs(draw: Draw) -> Program:
    """Outputs: what no other step takes, and at times a value more, one twice, or an input itself."""
    taken = {x.node for n in draw.nodes if isinstance(n, Step) for x in n.operands if isinstance(x, Ref)}
    outputs = [i for i in range(len(draw.nodes)) if i not in taken]
    if draw.chance(0.3):
        outputs.append(draw.below(len(draw.nodes)))
    order = draw.choose((0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2))
    weights = {i: np.round(draw.rng.normal(size=draw.values[i].shape), 2) for i in outputs}
    return Program(tuple(draw.nodes), tuple(outputs), order, weights if order else {})


def fresh_inputs(program: Program, seed: int) -> list[Array]:
    """Other elements for the float inputs of a program; integers stay, as they may be indices and labels."""
    rng = np.random.default_rng([7, seed])
    return [
        rng.permutation(n.values.reshape(-1)).reshape(n.values.shape) if n.values.dtype.kind == "f" else n.values
        for n in program.inputs
    ]


# --- makers -----------------------------------------------------------------------------------------------------------


def from_sample(row: str) -> Maker:
    """One of the row's samples, its floats in the dtype of the program."""

    def make(draw: Draw) -> Step:
        sample = draw.choose(SAMPLES[row])
        operands = [
            draw.input(x.astype(draw.dtype) if x.dtype.kind == "f" else x) if isinstance(x, np.ndarray) else x
            for x in sample.inputs
        ]
        return Step(row, tuple(operands), sample.attrs)

    return make


def unary(row: str, kinds: str = "ffffffffib") -> Maker:
    return lambda draw: Step(row, (draw.of(_first_choice(draw, kinds)),))


def binary(row: str, kinds: str = "ffffffffib") -> Maker:
    def make(draw: Draw) -> Step:
        kind = _first_choice(draw, kinds)
        x = draw.of(kind)
        y = draw.beside(x, kind if draw.chance(0.85) else "fib")
        return Step(row, (y, x) if draw.chance(0.3) else (x, y))

    return make


def _first_choice(draw: Draw, kinds: str) -> str:
    return str(draw.choose(kinds))


def power(draw: Draw) -> Step:
    if draw.chance(0.25):
        return binary("power", "fffi")(draw)
    x = draw.of("fffi"[draw.below(4)])
    exponents = (2, 2.0, 3, 0.5, -1, -0.5, 0, 1, 1.5, -2, 5, 2.7)
    return Step("power", (x, draw.choose(exponents)) if draw.chance(0.8) else (draw.choose((2.0, 0.5, 0.0, 3)), x))


def clip(draw: Draw) -> Step:
    x = draw.of("fffi"[draw.below(4)])
    bounds: Any = (-1.0, -0.3, 0.0, 0.5, 1.0, 2.0) if kind_of(draw.spec(x).dtype) == "f" else (0, 1, 2, 5)
    low, high = draw.choose((None, *bounds)), draw.choose((None, *bounds))
    return Step("clip", (x,), {"low": 0 if low is None and high is None else low, "high": high})


def where(draw: Draw) -> Step:
    x = draw.of("fffib"[draw.below(5)])
    condition = draw.beside(x, "bbbif"[draw.below(5)], numbers=0)
    other = draw.beside(x, kind_of(draw.spec(x).dtype))
    return Step("where", (condition, x, other) if draw.chance(0.5) else (condition, other, x))


def cast(draw: Draw) -> Step:
    return Step("cast", (draw.of("ffib"[draw.below(4)]),), {"dtype": draw.choose(sorted(SUPPORTED, key=str))})


def reduction(row: str, kinds: str = "ffffffib", one: bool = False) -> Maker:
    def make(draw: Draw) -> Step:
        x = draw.of(_first_choice(draw, kinds))
        ndim = draw.spec(x).ndim
        axis = draw.axes(ndim) if not one else None if draw.chance(0.3) or not ndim else draw.axis(ndim)
        return Step(row, (x,), {"axis": axis, "keepdims": draw.chance(0.4)})

    return make


def over_axes(row: str) -> Maker:
    def make(draw: Draw) -> Step:
        x = draw.of("f")
        return Step(row, (x,), {"axis": draw.axes(draw.spec(x).ndim)})

    return make


def labelled(row: str) -> Maker:
    def make(draw: Draw) -> Step:
        found = draw.find(lambda v: v.dtype.kind == "f" and v.ndim == 2 and v.shape[1] > 0)
        x = (
            found
            if found is not None and draw.chance(0.6)
            else draw.input(draw.floats((draw.size(), draw.size() or 1)))
        )
        batch, classes = draw.spec(x).shape
        kind = draw.choose(("int64", "uint8", "int32", "uint64"))
        return Step(row, (x, draw.input(draw.rng.integers(0, classes, batch).astype(kind))))

    return make


def reshape(draw: Draw) -> Step:
    x = draw.of("ffffib"[draw.below(6)])
    shape, size = draw.spec(x).shape, int(np.prod(draw.spec(x).shape, dtype=int))
    kind = draw.below(4)
    if kind == 0:
        return Step("reshape", (x,), {"shape": (-1,) if size else (size,)})
    if kind == 1:
        at = draw.below(len(shape) + 1)
        return Step("reshape", (x,), {"shape": (*shape[:at], 1, *shape[at:])})
    divisors = [d for d in range(1, size + 1) if size % d == 0] or [1]
    d = draw.choose(divisors)
    if kind == 2:
        return Step("reshape", (x,), {"shape": (d, size // d)})
    return Step("reshape", (x,), {"shape": (size // d, 1, d)})


def transpose(draw: Draw) -> Step:
    x = draw.of("ffffib"[draw.below(6)])
    return Step("transpose", (x,), {"order": tuple(draw.rng.permutation(draw.spec(x).ndim).tolist())})


def broadcast_to(draw: Draw) -> Step:
    x = draw.of("ffffib"[draw.below(6)])
    shape = tuple(draw.size() if n == 1 and draw.chance(0.7) else n for n in draw.spec(x).shape)
    lead = tuple(draw.size() for _ in range(draw.below(3)))
    return Step("broadcast_to", (x,), {"shape": (*lead, *shape)})


def pad(draw: Draw) -> Step:
    x = draw.of("ffffib"[draw.below(6)])
    around = tuple((draw.choose((0, 0, 1, 2, 5)), draw.choose((0, 0, 1, 3))) for _ in draw.spec(x).shape)
    kind = kind_of(draw.spec(x).dtype)
    values: Any = (0.0, 0.0, 1.5, -1, -0.0, float("inf"), float("nan")) if kind == "f" else (0, 1)
    return Step("pad", (x,), {"padding": around, "value": draw.choose(values)})


def concatenate(draw: Draw) -> Step:
    x = draw.of("ffffib"[draw.below(6)], least=1)
    shape, axis = draw.spec(x).shape, draw.axis(draw.spec(x).ndim)
    operands = [x]
    for _ in range(draw.below(3)):
        sizes = list(shape)
        if draw.chance(0.5):
            sizes[axis] = draw.size()
        operands.append(draw.shaped(tuple(sizes), kind_of(draw.spec(x).dtype)))
    order = draw.rng.permutation(len(operands))
    return Step("concatenate", tuple(operands[i] for i in order), {"axis": axis})


def matmul(draw: Draw) -> Step:
    kinds = "ffffffffi"[draw.below(9)]
    a = draw.of(kinds, least=2)
    *batch, _, k = draw.spec(a).shape
    found = draw.find(lambda v: kind_of(v.dtype) == kinds and v.ndim >= 2 and v.shape[-2] == k)
    if found is not None and draw.chance(0.3):
        return Step("matmul", (a, found))
    lead = draw.choose((tuple(batch), (), (), tuple(1 for _ in batch), (2, *(1 for _ in batch))))
    return Step("matmul", (a, draw.input(draw.elements((*lead, k, draw.size()), kinds))))


def linear(draw: Draw) -> Step:
    x = draw.of("f", least=1, most=3)
    k, out = draw.spec(x).shape[-1], draw.size()
    found = draw.find(lambda v: v.dtype.kind == "f" and v.ndim == 2 and v.shape[1] == k)
    w = found if found is not None and draw.chance(0.4) else draw.input(draw.floats((out, k)))
    return Step("linear", (x, w, draw.shaped(draw.spec(w).shape[:1], "f")))


def getitem(draw: Draw) -> Step:
    x = draw.of("ffffib"[draw.below(6)])
    key, arrays = _index(draw, draw.spec(x).shape)
    return Step("getitem", (x, *arrays), {"key": key})


def put(draw: Draw) -> Step:
    shape = draw.shape()
    key, arrays = _index(draw, shape)
    filled = iter([draw.spec(a).numpy() for a in arrays])
    picked = np.zeros(shape)[tuple(next(filled) if p == ARRAY else p for p in key)].shape
    return Step("put", (draw.shaped(picked, "fffi"[draw.below(4)]), *arrays), {"key": key, "shape": shape})


def _index(draw: Draw, shape: tuple[int, ...]) -> tuple[tuple[Any, ...], list[Ref]]:
    """A key for an array of this shape: slices, integers, new axes, an ellipsis, and arrays of integers."""
    key: list[Any] = []
    arrays: list[Ref] = []
    together = draw.shape(most=2) if draw.chance(0.5) else None  # the shape of the index arrays
    for n in shape[: draw.below(len(shape) + 1) if draw.chance(0.4) else len(shape)]:
        if draw.chance(0.1):
            key.append(None)
        kind = draw.below(5)
        if together is not None and kind < 2 and len(arrays) < 2 and n:
            key.append(ARRAY)
            arrays.append(_places(draw, together, n))
        elif kind == 2 and n:
            key.append(draw.below(2 * n) - n)
        else:
            key.append(_slice(draw, n))
    if draw.chance(0.2):
        # The parts in front of it count from the first axis, those behind from the last: only at the end it fits all.
        key.append(Ellipsis)
    return tuple(key), arrays


def _places(draw: Draw, shape: tuple[int, ...], n: int) -> Ref:
    """Integers from -n to n - 1, with repetitions; or what argmax found, which the program computes."""
    if draw.chance(0.2):
        x = draw.find(lambda v: v.dtype.kind == "f" and v.ndim > 0 and v.shape[-1] == n and v.shape[:-1] == shape)
        if x is not None:
            return draw.step(Step("argmax", (x,), {"axis": -1, "keepdims": False}))
    kind = draw.choose(("int64", "int64", "int32", "uint8"))
    low = 0 if kind == "uint8" else -n
    return draw.input(draw.rng.integers(low, n, shape).astype(kind))


def _slice(draw: Draw, n: int) -> slice:
    kind = draw.below(6)
    if kind == 0:
        return slice(None, None, -1)
    if kind == 1:
        return slice(None, None, draw.choose((2, 3, -2)))
    if kind == 2 and n:
        start = draw.below(n)
        return slice(start, start + 1 + draw.below(n - start))
    if kind == 3:
        return slice(draw.choose((None, 1, -3)), draw.choose((None, -1, n)), draw.choose((None, 1, 2)))
    return slice(None)


def random_bits(draw: Draw) -> Step:
    return Step("random_bits", (_key(draw),), {"shape": draw.shape()})


def fold_in(draw: Draw) -> Step:
    scalar = draw.find(lambda v: v.dtype.kind in "iu" and v.ndim == 0)
    number = draw.choose((0, 1, -1, 2**63, 2**64 - 1, draw.below(1000)))
    return Step("fold_in", (_key(draw), scalar if scalar is not None and draw.chance(0.5) else number))


def _key(draw: Draw) -> Ref:
    found = draw.find(lambda v: v.dtype == np.uint64 and v.shape == (2,))
    if found is not None and draw.chance(0.7):
        return found
    return draw.input(draw.rng.integers(0, 2**64, 2, dtype=np.uint64))


def shift_right(draw: Draw) -> Step:
    found = draw.find(lambda v: v.dtype.kind in "iu")
    x = found if found is not None and draw.chance(0.7) else draw.input(draw.integers(draw.shape(), "uint32"))
    return Step("shift_right", (x, draw.below(draw.spec(x).dtype.itemsize * 8)))


MAKERS: dict[str, Maker] = {
    **{row: binary(row) for row in ("add", "subtract", "multiply", "divide", "maximum", "minimum")},
    **{row: binary(row, "fffiib") for row in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")},
    **{row: binary(row, "bbbif") for row in ("logical_and", "logical_or")},
    **{row: unary(row) for row in ("negative", "relu", "absolute", "sign", "exp", "expm1", "log", "log1p", "sqrt")},
    **{row: unary(row) for row in ("sin", "cos", "tanh", "sigmoid", "softplus", "erf")},
    "logical_not": unary("logical_not", "bbif"),
    **{row: reduction(row) for row in ("sum", "max", "min", "prod", "logsumexp")},
    **{row: reduction(row, one=True) for row in ("argmax", "argmin")},
    **{row: over_axes(row) for row in ("softmax", "log_softmax")},
    **{row: labelled(row) for row in ("cross_entropy", "cross_entropy_slope")},
    **{
        make.__name__: make
        for make in (
            power, clip, where, cast, reshape, transpose, broadcast_to, pad, concatenate, matmul, linear, getitem, put,
            random_bits, fold_in, shift_right,
        )
    },
}  # fmt: skip
