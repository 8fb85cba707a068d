"""Shapes that do not fit are explained in the same words, computed at once or traced."""

from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.errors import ArgumentError, LucidgradError, ShapeError
from lucidgrad.ops import movement
from lucidgrad.ops.classes import cross_entropy

X = lg.tensor(np.zeros((2, 3)))
V = lg.tensor(np.zeros(3))
S = lg.tensor(0.0)
EMPTY = lg.tensor(np.zeros((2, 0)))

MISTAKES = [
    (lambda x: x + np.zeros((4, 3)), X, ShapeError, r"got \(2, 3\) and \(4, 3\)"),
    (lambda x: x < lg.tensor([1.0, 2.0]), X, ShapeError, "expected shapes that broadcast"),
    (lambda x: lg.where(x > 0, x, lg.tensor([1.0, 2.0])), X, ShapeError, "expected shapes that broadcast"),
    (lambda x: x @ x, X, ShapeError, r"got \(2, 3\) @ \(2, 3\)"),
    (lambda x: x @ lg.tensor(np.zeros(2)), X, ShapeError, "matmul expected"),
    (lambda x: x.reshape(2, 1, 3) @ lg.tensor(np.zeros((4, 3, 1))), X, ShapeError, "leading axes"),
    (lambda x: x @ 2.0, X, ShapeError, r"Use \* to multiply by a number"),
    (lambda x: x @ S, X, ShapeError, r"Use \* to multiply by a number"),
    (lambda x: x.reshape(4), X, ShapeError, "reshape expected a shape of 6 elements"),
    (lambda x: x.reshape(-1, -1), X, ShapeError, "reshape expected a shape of 6 elements"),
    (lambda x: x.reshape(4, -1), X, ShapeError, "reshape expected"),
    (lambda x: x.reshape(-2, -3), X, ShapeError, "reshape expected"),
    (lambda x: x.reshape(0, -1), EMPTY, ShapeError, "reshape expected a shape of 0 elements"),
    (lambda x: x.transpose(0), X, ArgumentError, "transpose expected each axis"),
    (lambda x: x.transpose(0, 0), X, ArgumentError, "transpose expected each axis"),
    (lambda x: x.transpose(0, 2), X, ArgumentError, "transpose expected each axis"),
    (lambda x: x.transpose(0, -3), X, ArgumentError, "transpose expected each axis"),
    (lambda x: x.mT, V, ArgumentError, "transpose expected each axis"),
    (lambda x: x.mT, S, ArgumentError, "transpose expected each axis"),
    (lambda x: x.broadcast_to((3, 2)), X, ShapeError, "expected shapes that broadcast"),
    (lambda x: x.broadcast_to((3,)), X, ShapeError, "Only axes of size 1 stretch"),
    (lambda x: x.pad([(1, 1)]), X, ArgumentError, "pad expected a pair"),
    (lambda x: x.pad([(0, 0), (-1, 0)]), X, ArgumentError, "pad expected a pair"),
    (lambda x: lg.concatenate([x, V]), X, ShapeError, "agree in every axis but 0"),
    (lambda x: lg.concatenate([x, np.zeros((2, 4))]), X, ShapeError, "agree in every axis but 0"),
    (lambda x: lg.concatenate([x, x], axis=2), X, ArgumentError, "expected an axis from -2 to 1, got 2"),
    (lambda x: lg.concatenate([x, x]), S, ArgumentError, "The array has 0 axes"),
    (lambda x: x.sum(2), X, ArgumentError, "expected an axis from -2 to 1, got 2"),
    (lambda x: x.sum((0, -2)), X, ArgumentError, "expected every axis once"),
    (lambda x: x.mean(-3), X, ArgumentError, "expected an axis from -2 to 1, got -3"),
    (lambda x: x.prod(5), X, ArgumentError, "expected an axis"),
    (lambda x: x.logsumexp(5), X, ArgumentError, "expected an axis"),
    (lambda x: x.max(5), X, ArgumentError, "expected an axis"),
    (lambda x: x.argmax(5), X, ArgumentError, "expected an axis"),
    (lambda x: x.max(1), EMPTY, ArgumentError, "max expected at least one element along axis 1"),
    (lambda x: x.min(), EMPTY, ArgumentError, "min expected at least one element"),
    (lambda x: x.argmax(), EMPTY, ArgumentError, "argmax expected at least one element"),
    (lambda x: x.argmin(1), EMPTY, ArgumentError, "argmin expected at least one element"),
    (lambda x: x[2], X, ArgumentError, "expected an index inside of shape"),
    (lambda x: x[0, 0, 0], X, ArgumentError, "expected an index inside of shape"),
    (lambda x: x[..., ...], X, ArgumentError, "expected an index inside of shape"),
    (lambda x: x[[0, 1], [0, 1, 2]], X, ArgumentError, "expected an index inside of shape"),
    (lambda x: x[[0]], S, ArgumentError, "expected an index inside of shape"),
    (lambda x: x[1.0], X, ArgumentError, "arrays of integers or booleans, got float32"),
    (lambda x: x[True], X, ArgumentError, "an index expected slices"),
    (lambda x: x[np.zeros((3,), bool)], X, ArgumentError, r"a mask expected the shape \(2,\)"),
    (lambda x: x[..., np.zeros((2,), bool)], X, ArgumentError, r"a mask expected the shape \(3,\)"),
    (lambda x: x[np.zeros((2, 3, 1), bool)], X, ArgumentError, r"a mask expected the shape \(2, 3\)"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "x", "error", "says"), MISTAKES)
def test_a_mistake_is_explained_when_it_is_computed(call: Any, x: lg.Tensor, error: Any, says: str):
    with pytest.raises(error, match=says):
        call(x)


@pytest.mark.parametrize(("call", "x", "error", "says"), MISTAKES)
def test_a_mistake_is_explained_when_it_is_traced(call: Any, x: lg.Tensor, error: Any, says: str):
    with pytest.raises(error, match=says):
        lg.compiler.trace(call, x)


def test_an_array_index_out_of_range_is_found_when_it_is_computed():
    with pytest.raises(ArgumentError, match="expected an index inside of shape"):
        X[:, [0, 3]]


def test_a_label_out_of_range_is_found_when_it_is_computed():
    with pytest.raises(ArgumentError, match="cross_entropy expected indices inside of its arrays, got index 3"):
        cross_entropy(X, lg.tensor([0, 3]))


def test_no_mistake_leaves_a_history_behind():
    x = lg.Tensor([1.0, 2.0])
    with pytest.raises(LucidgradError):
        x + np.zeros(3)
    (x * x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [2.0, 4.0]


def test_a_shape_rule_can_be_asked_without_arrays():
    spec = lg.ops.Spec((2, 3), np.dtype(np.float32))
    assert movement.transpose.shape(spec, order=(1, 0)).shape == (3, 2)
    assert str(spec) == "float32[2, 3]"
