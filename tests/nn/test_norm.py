"""Normalisation: mean 0 and variance 1 where they should be, running statistics, and batches too small for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lucidgrad as lg
from lucidgrad.errors import ArgumentError, ShapeError
from lucidgrad.nn import BatchNorm, LayerNorm


def data(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(3.0, 5.0, (rows, columns))


@given(st.integers(2, 20), st.integers(1, 6), st.integers(0, 1000))
def test_in_training_each_feature_has_mean_0_and_variance_1_over_the_batch(rows: int, columns: int, seed: int) -> None:
    y = BatchNorm(columns, eps=1e-12, dtype=np.float64)(data(rows, columns, seed)).numpy()
    np.testing.assert_allclose(y.mean(0), 0, atol=1e-9)
    np.testing.assert_allclose(y.var(0), 1, atol=1e-6)


@given(st.integers(1, 20), st.integers(2, 6), st.integers(0, 1000))
def test_each_sample_has_mean_0_and_variance_1_over_its_features(rows: int, columns: int, seed: int) -> None:
    y = LayerNorm(columns, eps=1e-12, dtype=np.float64)(data(rows, columns, seed)).numpy()
    np.testing.assert_allclose(y.mean(1), 0, atol=1e-9)
    np.testing.assert_allclose(y.var(1), 1, atol=1e-5)


def test_running_statistics_move_towards_those_of_the_batches() -> None:
    layer = BatchNorm(2, momentum=0.25, dtype=np.float64)
    mean, var = np.zeros(2), np.ones(2)
    for seed in range(4):
        x = data(6, 2, seed)
        layer(x)
        mean, var = 0.75 * mean + 0.25 * x.mean(0), 0.75 * var + 0.25 * x.var(0, ddof=1)
    np.testing.assert_allclose(layer.running_mean.numpy(), mean)
    np.testing.assert_allclose(layer.running_var.numpy(), var)
    x = data(3, 2, 9)
    np.testing.assert_allclose(layer.eval()(x).numpy(), (x - mean) / np.sqrt(var + layer.eps))


def test_running_statistics_have_no_history_and_stay_the_same_tensors() -> None:
    layer = BatchNorm(2)
    mean = layer.running_mean
    layer(lg.Tensor(data(4, 2)))
    assert layer.running_mean is mean
    assert mean.node is None
    assert not mean.requires_grad


def test_a_constant_feature_comes_out_as_0_with_a_finite_gradient() -> None:
    for layer in (BatchNorm(2), LayerNorm(2)):
        x = lg.Tensor([[5.0, 5.0], [5.0, 5.0]])
        y = layer(x)
        np.testing.assert_array_equal(y.numpy(), np.zeros((2, 2)))
        assert np.isfinite(lg.grad((y * lg.tensor([[1.0, 2.0], [3.0, 5.0]])).sum(), x).numpy()).all()


def test_batch_norm_learns_from_at_least_two_samples_and_evaluates_one() -> None:
    layer = BatchNorm(2)
    before = layer.state()
    with pytest.raises(ShapeError) as caught:
        layer([[1.0, 2.0]])
    assert str(caught.value) == (
        "BatchNorm expected at least 2 samples in a training batch, got 1. "
        "Choose a batch_size that leaves no single sample over, or call eval() to use what it has learned."
    )
    assert all(layer.state()[path] is array for path, array in before.items())
    assert layer.eval()([[1.0, 2.0]]).shape == (1, 2)


def test_layer_norm_takes_a_single_sample() -> None:
    assert LayerNorm(2)([[1.0, 2.0]]).shape == (1, 2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BatchNorm(2, momentum=1.5), "BatchNorm expected momentum from 0 to 1, got 1.5. Try momentum=0.1."),
        (lambda: BatchNorm(2, eps=0.0), "BatchNorm expected eps to be a small positive number, got 0.0. Try eps=1e-5."),
        (lambda: LayerNorm(2, eps=-1), "LayerNorm expected eps to be a small positive number, got -1. Try eps=1e-5."),
        (
            lambda: BatchNorm(0),
            "BatchNorm expected num_features to be an integer of at least 1, got 0. Pass num_features=16, say.",
        ),
        (
            lambda: LayerNorm(2.0),
            "LayerNorm expected num_features to be an integer of at least 1, got 2.0. Pass num_features=16, say.",
        ),
    ],
)
def test_options_are_checked_where_they_are_given(make: Any, message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        make()
    assert str(caught.value) == message
