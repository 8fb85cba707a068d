"""Laws that hold for all shapes, axes and indices: broadcasting, reducing, moving and picking, against NumPy."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import lucidgrad as lg
from lucidgrad.compiler import trace
from lucidgrad.ops import arithmetic

SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
SOLID_SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=1, max_side=4)


def numbers(shape: tuple[int, ...], seed: int = 0) -> Any:
    return np.asarray(np.random.default_rng([seed, *shape]).normal(size=shape))


def variable(array: Any) -> lg.Tensor:
    return lg.Tensor(array, dtype=np.float64)


def pull_back(y: lg.Tensor, wrt: list[lg.Tensor]) -> tuple[Any, list[Any]]:
    """A cotangent for ``y`` and the gradients it gives."""
    g = numbers(y.shape, seed=9)
    return g, [t.numpy() for t in lg.grad(y, wrt, gradient=lg.tensor(g, dtype=np.float64))]


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """NumPy's own way to undo a broadcast: add up over each axis that was stretched."""
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    return g.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)


def close(got: Any, expected: Any) -> None:
    assert got.shape == np.shape(expected)
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


RULES = {
    "add": (np.add, lambda g, a, b: (g, g)),
    "subtract": (np.subtract, lambda g, a, b: (g, -g)),
    "multiply": (np.multiply, lambda g, a, b: (g * b, g * a)),
    "divide": (np.divide, lambda g, a, b: (g / b, -g * a / b**2)),
    "maximum": (np.maximum, lambda g, a, b: (g * (a > b) + g / 2 * (a == b), g * (b > a) + g / 2 * (a == b))),
    "minimum": (np.minimum, lambda g, a, b: (g * (a < b) + g / 2 * (a == b), g * (b < a) + g / 2 * (a == b))),
}


@pytest.mark.parametrize("name", RULES)
@given(shapes=hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=4, min_side=0))
def test_binary_ops_broadcast_and_their_gradients_are_summed_back(name: str, shapes: Any):
    a, b = (numbers(s, seed=i) for i, s in enumerate(shapes.input_shapes))
    forward, rule = RULES[name]
    ta, tb = variable(a), variable(b)
    y = vars(arithmetic)[name](ta, tb)
    close(y.numpy(), forward(a, b))
    g, (da, db) = pull_back(y, [ta, tb])
    expected_a, expected_b = (np.broadcast_to(x, y.shape) for x in rule(g, a, b))
    close(da, unbroadcast(expected_a, a.shape))
    close(db, unbroadcast(expected_b, b.shape))


@given(shapes=hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, max_side=3, min_side=0))
def test_where_broadcasts_all_three(shapes: Any):
    c, a, b = (numbers(s, seed=i) for i, s in enumerate(shapes.input_shapes))
    ta, tb = variable(a), variable(b)
    y = lg.where(c > 0, ta, tb)
    close(y.numpy(), np.where(c > 0, a, b))
    g, (da, db) = pull_back(y, [ta, tb])
    close(da, unbroadcast(np.where(c > 0, g, 0), a.shape))
    close(db, unbroadcast(np.where(c > 0, 0, g), b.shape))


@st.composite
def arrays_and_axes(draw: Any, shapes: Any = SHAPES) -> tuple[Any, Any]:
    shape = draw(shapes)
    ndim = len(shape)
    subsets = st.lists(st.integers(-ndim, ndim - 1), unique_by=lambda a: a % ndim).map(tuple) if ndim else st.just(())
    single = st.integers(-ndim, ndim - 1) if ndim else st.none()
    return numbers(shape), draw(st.one_of(st.none(), single, subsets))


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "var", "logsumexp"])
@given(case=arrays_and_axes(), keepdims=st.booleans())
def test_reductions_over_any_axes(name: str, case: Any, keepdims: bool):
    x, axis = case
    axes = tuple(range(x.ndim)) if axis is None else axis
    if name in ("mean", "var"):
        assume(x.size)
    t = variable(x)
    y = getattr(t, name)(axis, keepdims=keepdims)
    with np.errstate(divide="ignore"):
        expected = (
            np.log(np.exp(x).sum(axes, keepdims=keepdims))
            if name == "logsumexp"
            else getattr(np, name)(x, axis=axes, keepdims=keepdims)
        )
    close(y.numpy(), expected)
    if name == "sum":
        g, (dx,) = pull_back(y, [t])
        close(dx, np.broadcast_to(g.reshape(np.sum(x, axis=axes, keepdims=True).shape), x.shape))


@pytest.mark.parametrize("name", ["max", "min"])
@given(case=arrays_and_axes(SOLID_SHAPES), keepdims=st.booleans(), levels=st.integers(1, 5))
def test_extremes_share_the_gradient_among_ties(name: str, case: Any, keepdims: bool, levels: int):
    x, axis = case
    x = np.round(x * levels / 2)  # few levels: many ties
    axes = tuple(range(x.ndim)) if axis is None else axis
    t = variable(x)
    y = getattr(t, name)(axis, keepdims=keepdims)
    close(y.numpy(), getattr(np, name)(x, axis=axes, keepdims=keepdims))
    g, (dx,) = pull_back(y, [t])
    kept = getattr(np, name)(x, axis=axes, keepdims=True)
    chosen = (x == kept).astype(float)
    close(dx, chosen / chosen.sum(axes, keepdims=True) * g.reshape(kept.shape))


@given(case=arrays_and_axes(), keepdims=st.booleans(), zeros=st.sampled_from([0.0, 0.2, 0.6]))
def test_the_gradient_of_a_product_is_right_with_any_number_of_zeros(case: Any, keepdims: bool, zeros: float):
    x, axis = case
    x = np.where(np.random.default_rng(3).uniform(size=x.shape) < zeros, 0.0, x)
    axes = tuple(range(x.ndim)) if axis is None else axis
    t = variable(x)
    y = t.prod(axis, keepdims=keepdims)
    g, (dx,) = pull_back(y, [t])
    expected = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        others = x.copy()
        others[index] = 1.0
        expected[index] = (np.prod(others, axis=axes) * g.reshape(np.prod(others, axis=axes).shape))[
            tuple(n for i, n in enumerate(index) if i not in {a % x.ndim for a in np.atleast_1d(axes).astype(int)})
        ]
    close(dx, expected)


def check_indexing(x: Any, index: Any) -> None:
    t = variable(x)
    y = t[index]
    close(y.numpy(), x[index])
    g, (dx,) = pull_back(y, [t])
    expected = np.zeros(x.shape)
    np.add.at(expected, index, g)
    close(dx, expected)
    assert trace(lambda t: t[index], t).outputs[0].shape == y.shape


@given(data=st.data(), shape=SHAPES)
def test_basic_indexing(data: Any, shape: tuple[int, ...]):
    check_indexing(numbers(shape), data.draw(hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True)))


@given(data=st.data(), shape=hnp.array_shapes(min_dims=1, max_dims=4, max_side=4))
def test_indexing_by_arrays_of_integers(data: Any, shape: tuple[int, ...]):
    index = data.draw(hnp.integer_array_indices(shape, result_shape=hnp.array_shapes(min_dims=0, max_dims=3)))
    check_indexing(numbers(shape), index)


@given(data=st.data(), shape=hnp.array_shapes(min_dims=1, max_dims=4, max_side=4, min_side=0))
def test_indexing_by_masks(data: Any, shape: tuple[int, ...]):
    start = data.draw(st.integers(0, len(shape) - 1))
    stop = data.draw(st.integers(start + 1, len(shape)))
    mask = data.draw(hnp.arrays(np.bool_, shape[start:stop]))
    x, t = numbers(shape), variable(numbers(shape))
    front = (slice(None),) * start if data.draw(st.booleans()) else (Ellipsis,)
    index = (*front, mask, *((slice(None),) * (len(shape) - stop) if front == (Ellipsis,) else ()))
    y = t[index]
    close(y.numpy(), x[index])
    g, (dx,) = pull_back(y, [t])
    expected = np.zeros(shape)
    expected[index] = g
    close(dx, expected)


@given(data=st.data(), shape=hnp.array_shapes(min_dims=2, max_dims=4, max_side=4))
def test_indexing_by_a_mixture(data: Any, shape: tuple[int, ...]):
    """Arrays, integers and slices in any order, with new axes between them."""

    def part(n: int) -> Any:
        positions = hnp.arrays(np.int64, st.sampled_from([(), (2,), (3, 1), (3, 2)]), elements=st.integers(-n, n - 1))
        return st.one_of(st.just(slice(None)), st.slices(n), st.integers(-n, n - 1), positions)

    front = data.draw(st.integers(0, len(shape)))
    back = data.draw(st.integers(front, len(shape)))
    first: list[Any] = [data.draw(part(n)) for n in shape[:front]]
    last: list[Any] = [data.draw(part(n)) for n in shape[back:]]
    parts = [*first, Ellipsis, *last]
    arrays = [p for p in parts if isinstance(p, np.ndarray)]
    try:
        np.broadcast_shapes(*(a.shape for a in arrays))
    except ValueError:
        assume(False)
    parts.insert(data.draw(st.integers(0, len(parts))), None)
    check_indexing(numbers(shape), tuple(parts))


@given(data=st.data(), shape=SHAPES)
def test_transposing_there_and_back(data: Any, shape: tuple[int, ...]):
    order = tuple(data.draw(st.permutations(range(len(shape)))))
    x = numbers(shape)
    t = variable(x)
    y = t.transpose(order) if order else t.transpose()
    close(y.numpy(), x.transpose(order))
    g, (dx,) = pull_back(y, [t])
    close(dx, g.transpose(np.argsort(order)) if order else g)


@given(data=st.data(), shape=SOLID_SHAPES)
def test_reshaping_keeps_the_order_of_the_elements(data: Any, shape: tuple[int, ...]):
    rest, new = int(np.prod(shape, dtype=int)), []
    while rest > 1:
        new.append(data.draw(st.sampled_from([n for n in range(2, rest + 1) if rest % n == 0])))
        rest //= new[-1]
    if new and data.draw(st.booleans()):
        new[data.draw(st.integers(0, len(new) - 1))] = -1
    x = numbers(shape)
    t = variable(x)
    close(t.reshape(new).numpy(), x.reshape(new))
    g, (dx,) = pull_back(t.reshape(new), [t])
    close(dx, g.reshape(shape))


@given(data=st.data(), shape=SHAPES)
def test_padding(data: Any, shape: tuple[int, ...]):
    sizes = st.tuples(st.integers(0, 3), st.integers(0, 3))
    padding = [data.draw(sizes) for _ in shape]
    x = numbers(shape)
    t = variable(x)
    y = t.pad(padding, value=0.5)
    close(y.numpy(), np.pad(x, padding, constant_values=0.5) if padding else x)
    g, (dx,) = pull_back(y, [t])
    close(dx, g[tuple(slice(a, a + n) for n, (a, _) in zip(shape, padding, strict=True))])


@given(data=st.data(), shape=hnp.array_shapes(min_dims=1, max_dims=4, max_side=4, min_side=0))
def test_joining_and_taking_apart(data: Any, shape: tuple[int, ...]):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    sizes = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=4))
    at = axis % len(shape)
    arrays = [numbers((*shape[:at], n, *shape[at + 1 :]), seed=i) for i, n in enumerate(sizes)]
    tensors = [variable(a) for a in arrays]
    y = lg.concatenate(tensors, axis=axis)
    close(y.numpy(), np.concatenate(arrays, axis))
    g, grads = pull_back(y, tensors)
    for dx, expected in zip(grads, np.split(g, np.cumsum(sizes)[:-1], axis), strict=True):
        close(dx, expected)


@given(shapes=hnp.mutually_broadcastable_shapes(signature=np.matmul.signature, max_dims=3, max_side=4, min_side=0))
def test_matrix_products_of_any_shapes(shapes: Any):
    a, b = (numbers(s, seed=i) for i, s in enumerate(shapes.input_shapes))
    ta, tb = variable(a), variable(b)
    y = ta @ tb
    close(y.numpy(), a @ b)
    g, (da, db) = pull_back(y, [ta, tb])
    # The derivative of <g, a b> along da is <g, da b>, and it is linear: check it on the whole of a and b.
    assert np.vdot(da, a) == pytest.approx(np.vdot(g, a @ b), abs=1e-9)
    assert np.vdot(db, b) == pytest.approx(np.vdot(g, a @ b), abs=1e-9)
    da2, db2 = numbers(a.shape, seed=5), numbers(b.shape, seed=6)
    assert np.vdot(da, da2) == pytest.approx(np.vdot(g, da2 @ b), abs=1e-9)
    assert np.vdot(db, db2) == pytest.approx(np.vdot(g, a @ db2), abs=1e-9)
