"""What each row of the op table is tried on: one entry for each op, and no op without an entry.

To test a new op, add its name here with some inputs and the function it should agree with; ``test_op_contract.py``
does the rest.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import special

from tests.ops.arrays import away_from_zero, distinct, floats, layouts, pairs
from tests.ops.philox import words


@dataclass
class Sample:
    """Inputs of an op (float64 arrays are what is differentiated) and what should come out."""

    name: str
    inputs: tuple[Any, ...]
    reference: Callable[..., Any]  # in NumPy, of the inputs and attrs
    attrs: dict[str, Any] = field(default_factory=dict)
    gradient: bool = True  # whether finite differences see the gradient: the output is finite, and float64


def unary(reference: Any, make: Any = floats, gradient: bool = True, **attrs: Any) -> list[Sample]:
    return [Sample(name, (x,), reference, attrs, gradient) for name, x in layouts(make)]


def binary(reference: Any, make: Any = floats, numbers: tuple[float, ...] = (1.5, 2), gradient: bool = True) -> Any:
    samples = [Sample(name, (a, b), reference, gradient=gradient) for name, a, b in pairs(make)]
    for number in numbers:
        samples.append(Sample(f"with the number {number}", (make(2, 3), number), reference, gradient=gradient))
        samples.append(Sample(f"the number {number} with", (number, make(3)), reference, gradient=gradient))
    return samples


def positive(*shape: int, seed: int = 0) -> Any:
    return floats(*shape, low=0.3, high=3.0, seed=seed)


def integers(*shape: int, seed: int = 0) -> Any:
    return np.asarray(np.random.default_rng([seed, *shape]).integers(-3, 4, shape))


def masks(*shape: int, seed: int = 0) -> Any:
    return np.asarray(integers(*shape, seed=seed) > 0)


def apart(*shape: int, seed: int = 0) -> Any:
    """For pairs: numbers of the second differ from those of the first by 0.02 at least."""
    return np.asarray(np.round(floats(*shape, seed=seed) * 20) / 20 + (0.02 if seed else 0.0))


def inside_and_out(*shape: int, seed: int = 0) -> Any:
    """Numbers that are not within 0.02 of -1, 0 or 1."""
    return np.asarray(np.round(floats(*shape, seed=seed) * 20) / 20 + 0.02)


REDUCED: tuple[tuple[tuple[int, ...], Any], ...] = (
    ((), None), ((), ()), ((1,), 0), ((3,), None), ((2, 3), None), ((2, 3), 0), ((2, 3), -1), ((2, 3), (0, 1)),
    ((2, 3), ()), ((2, 3, 4), 1), ((2, 3, 4), (2, 0)), ((2, 3, 4), (-1, -2)), ((0, 3), 1), ((2, 0, 3), (0, 2)),
    ((9, 13), 0), ((7, 5), 1),
)  # fmt: skip
EMPTY: tuple[tuple[tuple[int, ...], Any], ...] = (((0,), None), ((0,), 0), ((2, 0), 1), ((2, 0, 3), (0, 1)))


def reduction(
    reference: Any, make: Any = floats, empty: bool = True, gradient: bool = True, finite: bool = True
) -> list[Sample]:
    """Over many axes; ``empty`` ones too where they are legal, and ``finite`` unless their result is infinite."""
    samples = [
        Sample(
            f"{shape} over {axis}, keepdims={keepdims}",
            (make(*shape),),
            reference,
            {"axis": axis, "keepdims": keepdims},
            gradient and (finite or (shape, axis) not in EMPTY),
        )
        for shape, axis in REDUCED + (EMPTY if empty else ())
        for keepdims in (False, True)
    ]
    for name, x in (("columns first", make(4, 3).T), ("negative strides", make(3, 5)[::-1, ::-2])):
        samples.append(Sample(name, (x,), reference, {"axis": 1, "keepdims": False}, gradient))
    samples.append(Sample("without attrs", (make(2, 3),), reference, gradient=gradient))
    return samples


def arg_reduction(reference: Any) -> list[Sample]:
    return [s for s in reduction(reference, distinct, empty=False) if not isinstance(s.attrs.get("axis"), tuple)]


def on_every_axis(reference: Any) -> list[Sample]:
    samples = [Sample(f"{shape} over {axis}", (floats(*shape),), reference, {"axis": axis}) for shape, axis in REDUCED]
    return [*samples, *(Sample(f"empty {shape}", (floats(*shape),), reference, {"axis": a}) for shape, a in EMPTY)]


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    axes = tuple(range(x.ndim)) if axis is None else axis
    with np.errstate(divide="ignore"):  # the sum of nothing is 0
        return np.log(np.sum(np.exp(x), axis=axes, keepdims=keepdims))


def softmax(x: Any, axis: Any) -> Any:
    e = np.exp(x)
    return e / e.sum(axis=axis, keepdims=True)


def moves() -> Iterator[tuple[str, tuple[int, ...], tuple[int, ...]]]:
    for old, new in [((6,), (2, 3)), ((2, 3), (3, 2)), ((2, 3), (-1,)), ((), (1, 1)), ((1,), ()), ((2, 3, 4), (6, 4))]:
        yield f"{old} to {new}", old, new
    yield "empty", (0, 3), (3, 0)
    yield "as it is", (2, 3), (2, 3)
    yield "99 elements", (9, 11), (11, 9)


def indexed() -> Iterator[tuple[tuple[int, ...], tuple[Any, ...]]]:
    """Shapes and the indices tried on them, in NumPy's spelling."""
    one, two = np.array([0, 2, 2, -1]), np.array([[1], [0]])
    yield (5,), (2,)
    yield (5,), (-1,)
    yield (5,), (slice(1, 4),)
    yield (5,), (slice(None, None, -2),)
    yield (5,), (slice(3, 3),)
    yield (), ()
    yield (), (None, Ellipsis)
    yield (3, 4), (1,)
    yield (3, 4), (Ellipsis, -1)
    yield (3, 4), (slice(None), None, slice(2))
    yield (3, 4), (None, 2, Ellipsis, None)
    yield (2, 3, 4), (1, Ellipsis, slice(None, None, 3))
    yield (0, 3), (slice(None), 1)
    yield (5,), (one,)
    yield (3, 4), (one,)
    yield (3, 4), (slice(None), one)
    yield (3, 4), (two, one[:2])
    yield (3, 4), (np.array(2),)
    yield (3, 4), (np.zeros((0,), int),)
    yield (0, 3), (np.zeros((0,), int), 1)
    yield (0, 3), (slice(None), np.array([1]))
    yield (3, 4, 3), (one, slice(None), one)  # the axes of the arrays come first when something is between them
    yield (3, 4, 3), (slice(None), two, one)
    yield (3, 4, 3), (1, Ellipsis, one)
    yield (3, 4), (two, None, Ellipsis)
    yield (9, 11), (slice(None, None, 2), np.array([1, 10, 5]))


def as_key(index: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """An index as the static key and the arrays that the op takes."""
    return tuple("array" if isinstance(p, np.ndarray) else p for p in index), tuple(
        p for p in index if isinstance(p, np.ndarray)
    )


def getitem_samples() -> Iterator[Sample]:
    for shape, index in indexed():
        key, arrays = as_key(index)
        yield Sample(
            f"{shape}[{index}]", (floats(*shape), *arrays), lambda x, *_, key, index=index: x[index], {"key": key}
        )


def put_samples() -> Iterator[Sample]:
    def put(g: Any, *_: Any, key: Any, shape: Any, index: Any) -> Any:
        x = np.zeros(shape)
        np.add.at(x, index, g)
        return x

    for shape, index in indexed():
        key, arrays = as_key(index)
        g = floats(*np.zeros(shape)[index].shape)
        yield Sample(
            f"{shape}[{index}]",
            (g, *arrays),
            lambda g, *a, index=index, **k: put(g, *a, index=index, **k),
            {"key": key, "shape": shape},
        )


def transpose_samples() -> Iterator[Sample]:
    for shape, order in [
        ((), ()), ((3,), (0,)), ((2, 3), (1, 0)), ((2, 3), (0, 1)), ((2, 3, 4), (2, 0, 1)), ((2, 0, 3), (1, 2, 0)),
        ((2, 3, 1, 4), (3, 1, 0, 2)), ((9, 11), (1, 0)),
    ]:  # fmt: skip
        yield Sample(f"{shape} to {order}", (floats(*shape),), lambda x, order: x.transpose(order), {"order": order})


def broadcast_to_samples() -> Iterator[Sample]:
    for old, new in [
        ((), ()), ((), (3,)), ((), (2, 0)), ((1,), (4,)), ((3,), (2, 3)), ((2, 1), (2, 3)), ((1,), (0,)),
        ((1, 3, 1), (2, 4, 3, 5)), ((2, 3), (2, 3)),
    ]:  # fmt: skip
        yield Sample(f"{old} to {new}", (floats(*old),), lambda x, shape: np.broadcast_to(x, shape), {"shape": new})


def pad_samples() -> Iterator[Sample]:
    for shape, padding, value in [
        ((), (), 0.0), ((3,), ((1, 2),), 0.0), ((2, 3), ((0, 1), (2, 0)), 1.5), ((0,), ((1, 1),), 0),
        ((2, 0), ((1, 0), (0, 0)), 0.0), ((2, 3, 4), ((0, 0), (1, 1), (0, 0)), -1.0),
        ((9, 8), ((1, 1), (2, 2)), 0.0),
    ]:  # fmt: skip
        yield Sample(f"{shape} by {padding}", (floats(*shape),), pad, {"padding": padding, "value": value})


def concatenate_samples() -> Iterator[Sample]:
    for shapes, axis in [
        (((2,), (3,)), 0), (((2, 3), (2, 1), (2, 2)), 1), (((2, 3), (1, 3)), -2), (((2, 3),), 0),
        (((0, 3), (2, 3)), 0), (((2, 2, 2), (2, 2, 2)), -1), (((5, 9), (6, 9)), 0),
    ]:  # fmt: skip
        arrays = tuple(floats(*shape, seed=i) for i, shape in enumerate(shapes))
        yield Sample(f"{shapes} along {axis}", arrays, lambda *xs, axis: np.concatenate(xs, axis), {"axis": axis})
    yield Sample("views", (floats(3, 4).T, floats(8, 3)[::-2]), lambda *xs, axis: np.concatenate(xs, axis), {"axis": 0})


def matmul_samples() -> Iterator[Sample]:
    for a, b in [
        ((1, 1), (1, 1)), ((2, 3), (3, 4)), ((1, 3), (3, 1)), ((0, 3), (3, 2)), ((2, 0), (0, 3)), ((2, 3), (3, 0)),
        ((5, 2, 3), (5, 3, 2)), ((5, 2, 3), (3, 2)), ((2, 3), (4, 3, 2)), ((2, 1, 2, 3), (3, 3, 1)), ((7, 9), (9, 5)),
        ((0, 2, 3), (3, 2)), ((1, 2, 3), (0, 3, 2)),
    ]:  # fmt: skip
        yield Sample(f"{a} @ {b}", (floats(*a), floats(*b, seed=3)), np.matmul)
    yield Sample("transposed", (floats(3, 2).T, floats(4, 3).T), np.matmul)
    yield Sample("negative strides", (floats(2, 3)[::-1, ::-1], floats(6, 2)[::2]), np.matmul)
    yield Sample("stride 0", (np.broadcast_to(floats(3), (2, 3)), np.broadcast_to(floats(3, 1), (3, 2))), np.matmul)


def labelled_samples(reference: Any) -> Iterator[Sample]:
    for batch, classes in [(1, 1), (1, 2), (5, 3), (0, 3), (17, 9)]:
        labels = np.arange(batch) * 7 % classes
        yield Sample(f"{batch} of {classes}", (floats(batch, classes), labels), reference)
    yield Sample("views", (floats(3, 8).T[::-2], np.array([2, 0, 1, 1])), reference)
    yield Sample("small labels", (floats(3, 4), np.array([0, 3, 1], np.uint8)), reference)


def linear_samples() -> Iterator[Sample]:
    for x, out in [((1, 1), 1), ((5, 3), 4), ((0, 3), 2), ((4, 0), 2), ((4, 3), 0), ((2, 5, 3), 4), ((3,), 4)]:
        arrays = (floats(*x), floats(out, x[-1], seed=3), floats(out, seed=4))
        yield Sample(f"{x} to {out}", arrays, lambda x, w, b: x @ w.T + b)
    yield Sample("views", (floats(3, 5).T, floats(3, 8).T[::2], floats(4)[::-1]), lambda x, w, b: x @ w.T + b)


def where_samples() -> Iterator[Sample]:
    for name, a, b in pairs(floats):
        shape = np.broadcast_shapes(a.shape, b.shape)
        yield Sample(f"{name}, condition {shape}", (masks(*shape), a, b), np.where)
    yield Sample("a broadcast condition", (masks(3, 1), floats(4), floats(3, 4)), np.where)
    yield Sample("a condition that stretches", (masks(2, 3), floats(3), floats(1)), np.where)
    yield Sample("a number on the left", (masks(3), 2.0, floats(3)), np.where)
    yield Sample("a number on the right", (masks(3), floats(3), 0), np.where)
    yield Sample("a condition of numbers", (integers(3), floats(3), floats(3, seed=1)), np.where)


KEY = np.array([0x1234, 0xFEDCBA9876543210], np.uint64)


def random_bits(key: Any, shape: tuple[int, ...]) -> Any:
    size = int(np.prod(shape, dtype=int))
    halves = [half for word in words(tuple(map(int, key)), 0, (size + 1) // 2) for half in (word % 2**32, word >> 32)]
    return np.array(halves[:size], np.uint32).reshape(shape)


def fold_in(key: Any, n: Any) -> Any:
    return np.array(words(tuple(map(int, key)), 1, 2, start=int(n) % 2**64), np.uint64)


def pad(x: Any, padding: Any, value: float = 0.0) -> Any:
    return np.pad(x, padding, constant_values=value) if padding else x


SAMPLES: dict[str, list[Sample]] = {
    "add": binary(np.add),
    "subtract": binary(np.subtract),
    "multiply": binary(np.multiply),
    "divide": binary(np.divide, away_from_zero),
    "negative": unary(np.negative),
    "power": [
        *binary(np.power, positive),
        Sample("negative base", (away_from_zero(2, 3), 2), np.power),
        Sample("negative base and power", (away_from_zero(2, 3), -3), np.power),
        Sample("constant", (away_from_zero(2, 3), 0), np.power),
        Sample("zero to the second", (np.zeros(3), 2), np.power),
        Sample("identity at zero", (np.zeros(3), 1), np.power),
    ],
    "maximum": binary(np.maximum, apart, numbers=(0.01,)),
    "minimum": binary(np.minimum, apart, numbers=(0.01,)),
    "relu": unary(lambda x: np.where(x > 0, x, 0), away_from_zero),
    "clip": [
        *unary(lambda x, low, high: np.clip(x, low, high), inside_and_out, low=-1.0, high=1.0),
        *unary(lambda x, low, high: np.maximum(x, low), inside_and_out, low=0, high=None),
        *unary(lambda x, low, high: np.minimum(x, high), inside_and_out, low=None, high=0.5),
    ],
    "absolute": unary(np.abs, away_from_zero),
    "sign": unary(np.sign, away_from_zero),
    "where": list(where_samples()),
    "cast": [
        *unary(lambda x, dtype: x.astype(dtype), dtype=np.dtype(np.float64)),
        *unary(lambda x, dtype: x.astype(dtype), gradient=False, dtype=np.dtype(np.float32)),
        *unary(lambda x, dtype: x.astype(dtype), integers, dtype=np.dtype(np.float64)),
        *unary(lambda x, dtype: x.astype(dtype), dtype=np.dtype(np.int64)),
        *unary(lambda x, dtype: x.astype(dtype), masks, dtype=np.dtype(np.uint8)),
    ],
    "equal": binary(np.equal, integers),
    "not_equal": binary(np.not_equal, integers),
    "less": binary(np.less),
    "less_equal": binary(np.less_equal, integers),
    "greater": binary(np.greater),
    "greater_equal": binary(np.greater_equal, integers),
    "logical_and": binary(np.logical_and, masks, numbers=(True, False)),
    "logical_or": binary(np.logical_or, masks, numbers=(True, False)),
    "logical_not": unary(np.logical_not, masks),
    "exp": unary(np.exp),
    "expm1": unary(np.expm1),
    "log": unary(np.log, positive),
    "log1p": unary(np.log1p, positive),
    "sqrt": unary(np.sqrt, positive),
    "sin": unary(np.sin),
    "cos": unary(np.cos),
    "tanh": unary(np.tanh),
    "sigmoid": unary(special.expit),
    "softplus": unary(lambda x: np.logaddexp(0, x)),
    "erf": unary(special.erf),
    "sum": [*reduction(np.sum), *(s for s in reduction(np.sum, masks) if s.attrs.get("axis") != ())],
    "max": reduction(np.max, distinct, empty=False),
    "min": reduction(np.min, distinct, empty=False),
    "prod": [
        *reduction(np.prod),
        Sample("a zero", (np.array([2.0, 0.0, 3.0]),), np.prod),
        Sample("two zeros", (np.array([[2.0, 0.0, 3.0, 0.0]]),), np.prod, {"axis": 1}),
        Sample("zeros only", (np.zeros((2, 3)),), np.prod, {"axis": 0}),
    ],
    "logsumexp": reduction(logsumexp, finite=False),
    "softmax": on_every_axis(softmax),
    "log_softmax": on_every_axis(lambda x, axis: np.log(softmax(x, axis))),
    "cross_entropy": list(labelled_samples(lambda x, labels: -np.log(softmax(x, 1))[np.arange(len(x)), labels])),
    "cross_entropy_slope": list(labelled_samples(lambda x, labels: softmax(x, 1) - np.eye(x.shape[1])[labels])),
    "argmax": arg_reduction(np.argmax),
    "argmin": arg_reduction(np.argmin),
    "reshape": [
        *(Sample(n, (floats(*old),), lambda x, shape: x.reshape(shape), {"shape": new}) for n, old, new in moves()),
        Sample("columns first", (floats(3, 4).T,), lambda x, shape: x.reshape(shape), {"shape": (2, 6)}),
        Sample("stride 0", (np.broadcast_to(floats(3), (2, 3)),), lambda x, shape: x.reshape(shape), {"shape": (6,)}),
    ],
    "transpose": list(transpose_samples()),
    "broadcast_to": list(broadcast_to_samples()),
    "pad": list(pad_samples()),
    "concatenate": list(concatenate_samples()),
    "matmul": list(matmul_samples()),
    "linear": list(linear_samples()),
    "getitem": list(getitem_samples()),
    "put": list(put_samples()),
    "random_bits": [
        Sample(f"shape {shape}", (KEY,), random_bits, {"shape": shape})
        for shape in [(), (0,), (1,), (2,), (7,), (8,), (3, 5), (2, 0)]
    ],
    "shift_right": [
        Sample(f"by {n}", (np.array([0, 1, 255, 256, 2**32 - 1], np.uint32), n), np.right_shift) for n in (0, 1, 8, 31)
    ],
    "fold_in": [
        *(Sample(f"number {n}", (KEY, n), fold_in) for n in (0, 1, 2**63, 2**64 - 1, -1)),
        Sample("array", (KEY, np.array(12)), fold_in),
    ],
}
