"""Linear: the weighted sums themselves, how they start, and what they refuse."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lucidgrad as lg
from lucidgrad import Key
from lucidgrad.errors import ArgumentError, DtypeError, ShapeError
from lucidgrad.nn import Linear, init


def test_the_output_is_x_times_the_transposed_weight_plus_the_bias() -> None:
    layer = Linear(2, 3)
    layer.load_state(
        {
            "weight": np.array([[1, 2], [3, 4], [5, 6]], np.float32),
            "bias": np.array([10, 20, 30], np.float32),
        }
    )
    np.testing.assert_array_equal(layer([[1.0, -1.0]]).numpy(), [[9.0, 19.0, 29.0]])


def test_axes_between_batch_and_features_are_kept() -> None:
    layer = Linear(3, 2)
    x = np.random.default_rng(0).normal(size=(4, 5, 3)).astype(np.float32)
    flat = layer(x.reshape(20, 3)).numpy()
    np.testing.assert_allclose(layer(x).numpy(), flat.reshape(4, 5, 2), rtol=1e-6)


def test_without_bias_there_is_none() -> None:
    layer = Linear(2, 1, bias=False)
    assert layer.bias is None
    assert list(layer.parameters()) == ["weight"]
    np.testing.assert_array_equal(layer([[0.0, 0.0]]).numpy(), [[0.0]])


def test_biases_start_at_zero_unless_told() -> None:
    assert not Linear(2, 3).bias.numpy().any()
    layer = Linear(2, 3, bias_init=partial(init.uniform, low=1.0, high=2.0), key=Key(0))
    assert (layer.bias.numpy() >= 1).all()
    assert len(set(layer.bias.tolist())) == 3


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**64 - 1))
def test_the_start_is_that_of_the_initialiser_for_any_size_and_key(n: int, m: int, seed: int) -> None:
    layer = Linear(n, m, key=Key(seed))
    assert layer.weight.shape == (m, n)
    assert np.abs(layer.weight.numpy()).max() <= np.sqrt(6 / n) * (1 + 1e-6)
    again = Linear(n, m, key=Key(seed))
    np.testing.assert_array_equal(layer.weight.numpy(), again.weight.numpy())


def test_without_a_key_the_next_one_is_taken() -> None:
    lg.seed(3)
    first, second = Linear(2, 2), Linear(2, 2)
    assert (first.weight.numpy() != second.weight.numpy()).all()
    lg.seed(3)
    np.testing.assert_array_equal(Linear(2, 2).weight.numpy(), first.weight.numpy())
    with lg.use_key(Key(9)):
        named = Linear(2, 2)
    with lg.use_key(Key(9)):
        np.testing.assert_array_equal(Linear(2, 2).weight.numpy(), named.weight.numpy())


@pytest.mark.parametrize(
    ("n", "shape", "advice"),
    [
        (784, (64, 28, 28), "Flatten them first: x.reshape(len(x), 784)."),
        (3, (3,), "Make a batch of the single sample: x.reshape(1, 3)."),
        (1, (5,), "Make a column of it: x.reshape(-1, 1)."),
        (3, (5, 4), "Give each sample 3 features, or build the layer with the in_features of your data."),
        (3, (), "Give each sample 3 features, or build the layer with the in_features of your data."),
    ],
)
def test_a_wrong_shape_comes_with_advice(n: int, shape: tuple[int, ...], advice: str) -> None:
    with pytest.raises(ShapeError) as caught:
        Linear(n, 2)(np.zeros(shape))
    assert str(caught.value) == f"Linear(in_features={n}) expected inputs of shape (batch, {n}), got {shape}. {advice}"


@pytest.mark.parametrize("size", [0, -1, 2.5, True, "3"])
def test_sizes_are_positive_integers(size: Any) -> None:
    for sizes, name in (((size, 2), "in_features"), ((2, size), "out_features")):
        with pytest.raises(ArgumentError, match=f"Linear expected {name} to be an integer of at least 1, got {size!r}"):
            Linear(*sizes)


def test_sizes_may_be_numpy_integers() -> None:
    assert Linear(np.int64(2), np.int64(3)).weight.shape == (3, 2)


def test_parameters_are_floats() -> None:
    with pytest.raises(DtypeError, match=r"parameters expected dtype float32 or float64, got int64\. Pass dtype="):
        Linear(2, 2, dtype=np.int64)


def test_an_initialiser_of_the_wrong_shape_is_refused() -> None:
    def wrong(key: Key, shape: Any, dtype: Any) -> lg.Tensor:
        return lg.zeros((1,))

    with pytest.raises(ArgumentError, match=r"an initialiser expected to give a Tensor float32\(2, 3\), got float32\("):
        Linear(3, 2, init=wrong)
    with pytest.raises(ArgumentError, match=r"got a ndarray\. Write it as init\(key, shape, dtype\)"):
        Linear(3, 2, init=lambda key, shape, dtype: np.zeros(shape, dtype))
