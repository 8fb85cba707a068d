"""Methods and functions of tensors: those that are several rows, and the spelling of those that are one."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.compiler import interpret, trace
from lucidgrad.errors import ArgumentError, DtypeError, ShapeError
from lucidgrad.operators import Operators
from lucidgrad.tensor import Tensor
from tests.ops.arrays import distinct, floats

Case = tuple[Callable[..., Any], Callable[..., Any], tuple[Any, ...]]  # of tensors, of arrays, inputs

X, Y = floats(3, 4), floats(3, 4, seed=1)
Z = floats(2, 3, 4)
POSITIVE = floats(2, 3, low=0.3, high=2.0)

# Every public method of Operators is named here, with calls of it and what they mean in NumPy.
METHODS: dict[str, list[Case]] = {
    "abs": [(lambda x: x.abs(), np.abs, (X,)), (abs, np.abs, (X,))],
    "argmax": [(lambda x: x.argmax(), np.argmax, (X,)), (lambda x: x.argmax(1), lambda x: x.argmax(1), (X,))],
    "argmin": [(lambda x: x.argmin(0, keepdims=True), lambda x: x.argmin(0, keepdims=True), (X,))],
    "astype": [(lambda x: x.astype(np.float64) * 2, lambda x: x * 2, (X,))],
    "broadcast_to": [(lambda x: x.broadcast_to((2, 3, 4)), lambda x: np.broadcast_to(x, (2, 3, 4)), (X,))],
    "clip": [
        (lambda x: x.clip(-0.5, 0.5), lambda x: np.clip(x, -0.5, 0.5), (X,)),
        (lambda x: x.clip(high=np.float64(0.5)), lambda x: np.minimum(x, 0.5), (X,)),
        (lambda x: x.clip(low=0), lambda x: np.maximum(x, 0), (X,)),
    ],
    "cos": [(lambda x: x.cos(), np.cos, (X,))],
    "erf": [(lambda x: x.erf() + (-x).erf(), lambda x: x * 0, (X,))],
    "exp": [(lambda x: x.exp(), np.exp, (X,))],
    "expm1": [(lambda x: x.expm1(), np.expm1, (X,))],
    "flatten": [
        (lambda x: x.flatten(), np.ravel, (Z,)),
        (lambda x: x.flatten(1), lambda x: x.reshape(2, 12), (Z,)),
        (lambda x: x.flatten(2), lambda x: x, (Z,)),
        (lambda x: x.flatten(), lambda x: x.reshape(1), (np.array(2.0),)),
        (lambda x: x.flatten(1), lambda x: x.reshape(0, 6), (np.zeros((0, 2, 3)),)),
    ],
    "log": [(lambda x: x.log(), np.log, (POSITIVE,))],
    "log1p": [(lambda x: x.log1p(), np.log1p, (POSITIVE,))],
    "logsumexp": [(lambda x: x.logsumexp(1), lambda x: np.log(np.exp(x).sum(1)), (X,))],
    "matmul": [
        (lambda a, b: a @ b, np.matmul, (X, Y.T)),
        (lambda a, b: a @ b, np.matmul, (X, floats(4))),
        (lambda a, b: a @ b, np.matmul, (floats(3), X)),
        (lambda a, b: a @ b, np.matmul, (floats(4), floats(4, seed=1))),
        (lambda a, b: a @ b, np.matmul, (Z, floats(4))),
        (lambda a, b: a @ b, np.matmul, (floats(3), Z)),
        (lambda a, b: a @ b, np.matmul, (floats(5, 1, 2, 3), floats(4, 3, 1))),
    ],
    "max": [(lambda x: x.max((0, 1), keepdims=True), lambda x: x.max((0, 1), keepdims=True), (distinct(3, 4),))],
    "mean": [
        (lambda x: x.mean(), np.mean, (X,)),
        (lambda x: x.mean(-1, keepdims=True), lambda x: x.mean(-1, keepdims=True), (X,)),
        (lambda x: x.mean((0, 2)), lambda x: x.mean((0, 2)), (Z,)),
        (lambda x: x.mean(), np.mean, (np.array(2.0),)),
    ],
    "min": [(lambda x: x.min(0), lambda x: x.min(0), (distinct(3, 4),))],
    "mT": [(lambda x: x.mT, lambda x: x.swapaxes(-1, -2), (Z,))],
    "pad": [(lambda x: x.pad([(1, 0), (0, 2)]), lambda x: np.pad(x, [(1, 0), (0, 2)]), (X,))],
    "prod": [(lambda x: x.prod(1), lambda x: x.prod(1), (X,))],
    "relu": [(lambda x: x.relu(), lambda x: np.maximum(x, 0), (X,))],
    "reshape": [
        (lambda x: x.reshape(2, 6), lambda x: x.reshape(2, 6), (X,)),
        (lambda x: x.reshape((2, -1)), lambda x: x.reshape(2, 6), (X,)),
        (lambda x: x.reshape([12]), lambda x: x.reshape(12), (X,)),
        (lambda x: x.reshape(-1), lambda x: x.reshape(12), (X,)),
        (lambda x: x.reshape(()), lambda x: x.reshape(()), (floats(1, 1),)),
    ],
    "sigmoid": [(lambda x: x.sigmoid(), lambda x: 1 / (1 + np.exp(-x)), (X,))],
    "sign": [(lambda x: x.sign() * x, np.abs, (X,))],
    "sin": [(lambda x: x.sin(), np.sin, (X,))],
    "softplus": [(lambda x: x.softplus(), lambda x: np.log1p(np.exp(x)), (X,))],
    "sqrt": [(lambda x: x.sqrt(), np.sqrt, (POSITIVE,))],
    "sum": [(lambda x: x.sum((0, -1)), lambda x: x.sum((0, -1)), (Z,))],
    "sum_to": [
        (lambda x: x.sum_to((3, 4)), lambda x: x.sum(0), (Z,)),
        (lambda x: x.sum_to((1, 1, 4)), lambda x: x.sum((0, 1), keepdims=True), (Z,)),
        (lambda x: x.sum_to((3, 1)), lambda x: x.sum((0, 2))[:, None], (Z,)),
        (lambda x: x.sum_to(()), np.sum, (Z,)),
        (lambda x: x.sum_to(x.shape), lambda x: x, (Z,)),
        (lambda x: x.sum_to((1,)), lambda x: np.zeros(1), (np.zeros((0,)),)),
    ],
    "T": [(lambda x: x.T, np.transpose, (Z,))],
    "tanh": [(lambda x: x.tanh(), np.tanh, (X,))],
    "transpose": [
        (lambda x: x.transpose(), np.transpose, (Z,)),
        (lambda x: x.transpose(0, 2, 1), lambda x: x.transpose(0, 2, 1), (Z,)),
        (lambda x: x.transpose((-1, 0, 1)), lambda x: x.transpose(-1, 0, 1), (Z,)),
        (lambda x: x.transpose(), lambda x: x, (np.array(1.0),)),
    ],
    "var": [
        (lambda x: x.var(), np.var, (X,)),
        (lambda x: x.var(1, ddof=1), lambda x: x.var(1, ddof=1), (X,)),
        (lambda x: x.var((0, 2), keepdims=True), lambda x: x.var((0, 2), keepdims=True), (Z,)),
        (lambda x: x.var() * 0 + x.sum(), lambda x: x.sum(), (np.array([1e6, 1e6]),)),
    ],
}

FUNCTIONS: dict[str, list[Case]] = {
    "concatenate": [
        (lambda a, b: lg.concatenate([a, b]), lambda a, b: np.concatenate([a, b]), (X, Y)),
        (lambda a, b: lg.concatenate((a, b), axis=-1), lambda a, b: np.concatenate([a, b], -1), (X, Y)),
    ],
    "stack": [
        (lambda a, b: lg.stack([a, b]), lambda a, b: np.stack([a, b]), (X, Y)),
        (lambda a, b: lg.stack([a, b], axis=1), lambda a, b: np.stack([a, b], 1), (X, Y)),
        (lambda a, b: lg.stack([a, b], axis=-1), lambda a, b: np.stack([a, b], -1), (X, Y)),
        (lambda a, b: lg.stack([a, b]), lambda a, b: np.stack([a, b]), (np.array(1.0), np.array(2.0))),
    ],
    "take": [
        (lambda x: lg.take(x, [2, 0, 2]), lambda x: x[[2, 0, 2]], (X,)),
        (lambda x: lg.take(x, np.array([[1], [-1]]), axis=1), lambda x: x[:, [[1], [-1]]], (X,)),
        (lambda x: lg.take(x, 1, axis=-1), lambda x: x[..., 1], (Z,)),
    ],
    "where": [
        (lambda a, b: lg.where(a > b, a, b), np.maximum, (X, Y)),
        (lambda a: lg.where(a > 0, a, 0.0), lambda a: np.maximum(a, 0), (X,)),
        (lambda a: lg.where(X > 0, 1.0, a), lambda a: np.where(X > 0, 1.0, a), (Y,)),
    ],
    "maximum": [(lambda a: lg.maximum(a, Y), lambda a: np.maximum(a, Y), (X,))],
    "minimum": [(lambda a: lg.minimum(Y, a), lambda a: np.minimum(a, Y), (X,))],
}

CASES = [pytest.param(*case, id=name) for name, cases in (METHODS | FUNCTIONS).items() for case in cases]
every_case = pytest.mark.parametrize(("f", "reference", "inputs"), CASES)


def test_every_method_of_a_tensor_is_tried():
    public = {name for name in dir(Operators) if not name.startswith("_")}
    assert public - {"apply", "split_index", "shape", "dtype", "ndim"} == set(METHODS)


@every_case
def test_it_means_what_it_means_in_numpy(f: Any, reference: Any, inputs: Any):
    got = f(*(lg.Tensor(x, dtype=np.float64) for x in inputs)).numpy()
    expected = np.asarray(reference(*inputs))
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=1e-13, atol=1e-13)


@every_case
def test_its_gradients_agree_with_finite_differences(f: Any, reference: Any, inputs: Any):
    if f(*(lg.Tensor(x, dtype=np.float64) for x in inputs)).dtype.kind == "f":
        assert lg.gradcheck(f, *inputs, order=2)


@every_case
def test_traced_and_interpreted_it_gives_the_same_bits(f: Any, reference: Any, inputs: Any):
    tensors = [lg.Tensor(x, dtype=np.float64) for x in inputs]
    (got,) = interpret(trace(f, *tensors), *(t.numpy() for t in tensors))
    expected = f(*tensors).numpy()
    assert got.dtype == expected.dtype
    np.testing.assert_array_equal(got, expected)


def test_the_variance_of_numbers_far_from_zero_is_right_also_in_float32():
    x = lg.tensor([1e6, 1e6 + 1, 1e6 + 2])
    assert x.var().item() == pytest.approx(2 / 3, rel=1e-6)


def test_one_hot_is_one_at_the_label():
    got = lg.one_hot([2, 0], 3)
    assert got.dtype == np.float32
    assert got.tolist() == [[0, 0, 1], [1, 0, 0]]
    assert lg.one_hot(np.array([[1]]), 2, dtype=np.float64).numpy().tolist() == [[[0.0, 1.0]]]
    assert lg.one_hot(np.zeros(0, int), 3).shape == (0, 3)


def test_zeros_and_ones_are_constants_of_the_dtype_asked_for():
    assert lg.zeros((2, 3)).dtype == np.float32
    assert lg.ones((2,), np.int64).tolist() == [1, 1]
    assert not lg.ones(()).requires_grad


def test_functions_of_arrays_alone_give_constants():
    y = lg.where(np.array([True, False]), np.array([1.0, 2.0]), 0.5)
    assert (y.dtype, y.requires_grad, y.tolist()) == (np.float32, False, [1.0, 0.5])
    assert lg.maximum(1, 2).item() == 2
    assert lg.concatenate([[1.0], [2.0]]).tolist() == [1.0, 2.0]
    assert lg.stack([[1], [2]]).tolist() == [[1], [2]]


def test_arrays_beside_a_float64_tensor_keep_all_their_digits():
    third = np.array([1 / 3])
    x = lg.Tensor([0.0], dtype=np.float64)
    for y in (lg.where(np.array([False]), x, third), lg.maximum(x, third), lg.concatenate([x, third])[1:]):
        assert y.numpy()[0] == 1 / 3


def test_numbers_in_where_do_not_widen():
    condition = lg.tensor([True, False])
    assert lg.where(condition, 1, 0.5).dtype == np.float32
    assert lg.where(condition, 0.5, 1).dtype == np.float32
    assert lg.where(condition, 1, 0).dtype == np.int64
    assert lg.where(condition, True, False).dtype == np.bool_


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: lg.concatenate([]), ArgumentError, "concatenate expected at least one array"),
        (lambda: lg.stack([]), ArgumentError, "stack expected at least one array"),
        (lambda: lg.stack([X, Y], axis=3), ArgumentError, "expected an axis from -3 to 2, got 3"),
        (lambda: lg.stack([X, X.T]), ShapeError, "concatenate expected arrays that agree in every axis but 0"),
        (lambda: lg.take(X, [0], axis=2), ArgumentError, "expected an axis from -2 to 1, got 2"),
        (lambda: lg.take(X, [9]), ArgumentError, "inside of shape"),
        (lambda: lg.take(1.0, [0]), ArgumentError, "expected an axis"),
        (lambda: lg.tensor(X).clip(low=lg.tensor(0.0)), ArgumentError, "Use lucidgrad.maximum"),
        (lambda: lg.where([True, False], [1.0, 2.0, 3.0], 0.0), ShapeError, "broadcast"),
        (lambda: lg.tensor(["a"]), DtypeError, "encode text labels as integers"),
    ],
)
def test_mistakes_are_explained(call: Any, error: Any, says: str):
    with pytest.raises(error, match=says):
        call()


def test_clip_of_integers_by_floats_gives_floats():
    assert lg.tensor([1, 2, 3]).clip(1.5, None).tolist() == [1.5, 2, 3]
    assert lg.tensor([1, 2, 3]).clip(2, None).dtype == np.int64


def test_a_tensor_is_its_own_broadcast_sum_and_cast_where_nothing_changes():
    x = Tensor([1.0, 2.0])
    assert x.broadcast_to((2,)) is x
    assert x.sum_to((2,)) is x
    assert x.astype(np.float32) is x
    assert +x is x
