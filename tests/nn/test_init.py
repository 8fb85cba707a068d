"""Initialisers: the variances their papers ask for, bounds, orthogonality, and the same bits for the same key."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lucidgrad as lg
from lucidgrad import Key
from lucidgrad.errors import ShapeError
from lucidgrad.nn import Linear, init
from lucidgrad.nn.init import INITIALIZERS, fans

FAN_OUT, FAN_IN = 200, 300
VARIANCES = {
    "normal": 0.01**2,
    "uniform": 0.1**2 / 12,
    "glorot_uniform": 2 / (FAN_IN + FAN_OUT),
    "glorot_normal": 2 / (FAN_IN + FAN_OUT),
    "he_uniform": 2 / FAN_IN,
    "he_normal": 2 / FAN_IN,
    "lecun_uniform": 1 / FAN_IN,
    "lecun_normal": 1 / FAN_IN,
    "orthogonal": 1 / FAN_IN,  # rows of length 1
    "zeros": 0.0,
    "ones": 0.0,
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", INITIALIZERS)
def test_mean_and_variance_are_those_of_the_paper(name: str, dtype: Any) -> None:
    weight = INITIALIZERS[name](Key(1), (FAN_OUT, FAN_IN), dtype)
    assert weight.dtype == dtype
    assert weight.shape == (FAN_OUT, FAN_IN)
    assert not weight.requires_grad
    std = np.sqrt(VARIANCES[name])
    mean = 1.0 if name == "ones" else 0.0
    assert abs(weight.numpy().mean() - mean) <= 5 * std / np.sqrt(weight.size)
    assert abs(weight.numpy().std() - std) <= 0.01 * std


@pytest.mark.parametrize("name", [name for name in VARIANCES if name.endswith("uniform")])
def test_uniform_weights_fill_their_bounds_and_keep_them(name: str) -> None:
    weight = INITIALIZERS[name](Key(2), (FAN_OUT, FAN_IN), np.float32).numpy()
    limit = np.sqrt(3 * VARIANCES[name])
    assert np.abs(weight).max() <= limit * (1 + 1e-6)
    assert weight.max() > 0.999 * limit
    assert weight.min() < -0.999 * limit
    counts, _ = np.histogram(weight, 10, (-limit, limit))
    np.testing.assert_allclose(counts / weight.size, 0.1, atol=0.006)


@pytest.mark.parametrize("name", [name for name in VARIANCES if name.endswith("normal")])
def test_normal_weights_are_normal(name: str) -> None:
    weight = INITIALIZERS[name](Key(2), (FAN_OUT, FAN_IN), np.float64).numpy() / np.sqrt(VARIANCES[name])
    for bound, share in ((1, 0.682689), (2, 0.954500), (3, 0.997300)):
        assert abs((np.abs(weight) < bound).mean() - share) < 0.005


@pytest.mark.parametrize("name", INITIALIZERS)
def test_one_key_gives_one_start_and_another_key_another(name: str) -> None:
    first, again, other = (INITIALIZERS[name](Key(seed), (4, 6), np.float32).numpy() for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first == other).all() == (VARIANCES[name] == 0)


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32), st.sampled_from([0.5, 1.0, 2.0]))
def test_orthogonal_has_orthonormal_rows_or_columns_times_its_gain(
    rows: int, columns: int, seed: int, gain: float
) -> None:
    w = init.orthogonal(Key(seed), (rows, columns), np.float64, gain=gain).numpy() / gain
    product = w @ w.T if rows <= columns else w.T @ w
    np.testing.assert_allclose(product, np.eye(min(rows, columns)), atol=1e-12)


def test_orthogonal_matrices_are_uniform_so_the_diagonal_has_no_preferred_sign() -> None:
    signs = [np.sign(init.orthogonal(Key(seed), (3, 3), np.float64).numpy().diagonal()) for seed in range(400)]
    assert np.abs(np.mean(signs, axis=0)).max() < 0.2  # without the sign fix LAPACK's are mostly negative


def test_the_signal_of_a_deep_relu_net_keeps_its_size_under_he_and_fades_under_lecun() -> None:
    x = lg.tensor(np.random.default_rng(0).normal(size=(64, 256)))
    sizes = {}
    for name in ("he_normal", "he_uniform", "lecun_normal"):
        y = x
        for depth in range(20):
            y = Linear(256, 256, init=INITIALIZERS[name], key=Key(depth))(y).relu()
        sizes[name] = float((y * y).mean().sqrt())
    assert 0.3 < sizes["he_normal"] < 3
    assert 0.3 < sizes["he_uniform"] < 3
    assert sizes["lecun_normal"] < 0.01


def test_constants_and_options_are_given_by_partial() -> None:
    layer = Linear(2, 2, init=partial(init.constant, value=0.5), bias_init=init.ones)
    np.testing.assert_array_equal(layer.weight.numpy(), np.full((2, 2), 0.5))
    np.testing.assert_array_equal(layer.bias.numpy(), [1, 1])
    wide = init.glorot_normal(Key(0), (50, 50), np.float64, gain=3.0)
    np.testing.assert_allclose(wide.numpy(), 3 * init.glorot_normal(Key(0), (50, 50), np.float64).numpy())


@pytest.mark.parametrize(("shape", "expected"), [((128, 784), (784, 128)), ((8, 3, 5), (15, 40))])
def test_fans_are_the_inputs_of_an_output_and_the_outputs_of_an_input(shape: Any, expected: Any) -> None:
    assert fans(shape) == expected


@pytest.mark.parametrize("shape", [(3,), (), (3, 0)])
def test_vectors_have_no_fans(shape: Any) -> None:
    with pytest.raises(
        ShapeError, match=r"expected the shape of a weight, \(fan_out, fan_in\), got \(.*\)\. Start vec"
    ):
        init.he_uniform(Key(0), shape)
