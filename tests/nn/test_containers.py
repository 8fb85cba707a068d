"""Containers: layers and functions in order, and errors that say in which layer they arose."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.errors import ArgumentError, ShapeError
from lucidgrad.functional import relu, tanh
from lucidgrad.nn import Flatten, Linear, Reshape, Residual, Sequential


def test_sequential_applies_layers_and_functions_in_order() -> None:
    first, last = Linear(2, 3), Linear(3, 1)
    x = lg.tensor([[1.0, -2.0], [0.5, 3.0]])
    y = Sequential(first, tanh, last)(x)
    np.testing.assert_array_equal(y.numpy(), last(first(x).tanh()).numpy())


def test_sequential_has_a_length_places_and_slices_of_the_same_layers() -> None:
    model = Sequential(Linear(2, 3), relu, Linear(3, 1))
    assert len(model) == 3
    assert model[1] is relu
    assert list(model) == [model[0], relu, model[-1]]
    front = model[:2]
    assert isinstance(front, Sequential)
    assert front[0].weight is model[0].weight


def test_an_empty_sequential_is_the_identity() -> None:
    x = lg.tensor([1.0])
    assert Sequential()(x) is x
    assert repr(Sequential()) == "Sequential()"


def test_an_error_inside_names_the_whole_path_of_the_layer() -> None:
    model = Sequential(Linear(2, 4), Sequential(relu, Residual(Sequential(tanh, Linear(3, 3)))))
    with pytest.raises(ShapeError) as caught:
        model([[1.0, 2.0]])
    assert str(caught.value).startswith("in layer 1.1.inner.1: Linear(in_features=3) expected inputs of shape")


def test_residual_adds_its_input() -> None:
    layer = Linear(2, 2)
    x = lg.tensor([[1.0, 2.0]])
    np.testing.assert_array_equal(Residual(layer)(x).numpy(), (x + layer(x)).numpy())


def test_residual_refuses_an_inner_layer_that_changes_the_shape() -> None:
    with pytest.raises(ShapeError) as caught:
        Residual(Linear(2, 1))([[1.0, 2.0]])
    assert str(caught.value) == (
        "Residual expected its inner layer to keep the shape (1, 2), got (1, 1). "
        "Give the inner layer as many outputs as inputs."
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Sequential(Linear(2, 2), Flatten),
            "Sequential expected a layer or function at place 1, got the class Flatten. Make one: Flatten(...).",
        ),
        (
            lambda: Sequential([relu]),
            (
                "Sequential expected a layer or function at place 0, got a list. "
                "Pass layers one by one: Sequential(*layers) for a list."
            ),
        ),
        (
            lambda: Residual(Linear),
            "Residual expected a layer or function, got the class Linear. Make one: Linear(...).",
        ),
        (
            lambda: Reshape(-1, -1),
            "Reshape expected sizes, at most one of them -1, got (-1, -1). For images: Reshape(28, 28).",
        ),
        (
            lambda: Reshape((28, 28)),
            "Reshape expected sizes, at most one of them -1, got ((28, 28),). For images: Reshape(28, 28).",
        ),
    ],
)
def test_what_is_not_a_layer_is_refused_where_it_is_given(make: Any, message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        make()
    assert str(caught.value) == message


def test_flatten_and_reshape_undo_each_other_also_for_an_empty_batch() -> None:
    for batch in (0, 1, 3):
        x = np.arange(batch * 12.0).reshape(batch, 3, 4)
        flat = Flatten()(x)
        assert flat.shape == (batch, 12)
        np.testing.assert_array_equal(Reshape(3, 4)(flat).numpy(), x)
        np.testing.assert_array_equal(Reshape(3, -1)(flat).numpy(), x)


def test_flatten_makes_a_column_of_single_numbers() -> None:
    assert Flatten()([1.0, 2.0, 3.0]).shape == (3, 1)
