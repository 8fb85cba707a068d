"""Dropout: a known share of units is left out, the mean stays, and a key says which."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lucidgrad as lg
from lucidgrad import Key
from lucidgrad.errors import ArgumentError
from lucidgrad.nn import Dropout


@given(st.floats(0.0, 0.95), st.integers(0, 2**32))
def test_elements_are_dropped_or_scaled_so_that_the_mean_stays(p: float, seed: int) -> None:
    y = Dropout(p)(lg.ones((100, 100), np.float64), Key(seed)).numpy()
    kept = y != 0
    np.testing.assert_allclose(y[kept], 1 / (1 - p), rtol=1e-12)
    assert abs(kept.mean() - (1 - p)) < 6 * np.sqrt(p * (1 - p) / y.size) + 1e-7


def test_the_same_key_drops_the_same_units_and_another_key_others() -> None:
    layer, x = Dropout(0.5), lg.ones((8, 8))
    np.testing.assert_array_equal(layer(x, Key(1)).numpy(), layer(x, Key(1)).numpy())
    assert (layer(x, Key(1)).numpy() != layer(x, Key(2)).numpy()).any()


def test_without_a_key_each_call_takes_the_next_one() -> None:
    layer, x = Dropout(0.5), lg.ones((8, 8))
    with lg.use_key(Key(5)):
        first, second = layer(x).numpy(), layer(x).numpy()
    assert (first != second).any()
    with lg.use_key(Key(5)):
        np.testing.assert_array_equal(layer(x).numpy(), first)


def test_the_gradient_is_the_mask() -> None:
    x = lg.Tensor(np.ones((4, 4)))
    y = Dropout(0.5)(x, Key(3))
    np.testing.assert_array_equal(lg.grad(y.sum(), x).numpy(), y.numpy())


def test_in_evaluation_and_with_p_0_nothing_happens_and_no_key_is_taken() -> None:
    x = lg.ones((3,))
    with lg.use_key(Key(5)):
        assert Dropout(0.5).eval()(x) is x
        assert Dropout(0.0)(x) is x
        assert lg.next_key() == Key(5).fold_in(0)


def test_with_p_1_everything_is_dropped() -> None:
    x = lg.Tensor([1.0, 2.0])
    y = Dropout(1.0)(x)
    assert not y.numpy().any()
    assert not lg.grad(y.sum(), x).numpy().any()


@pytest.mark.parametrize("p", [-0.1, 1.5, float("nan")])
def test_p_is_a_probability(p: float) -> None:
    with pytest.raises(ArgumentError, match=r"Dropout expected a probability p from 0 to 1, got .*\. Dropout\(0\.5\)"):
        Dropout(p)


@pytest.mark.parametrize("training", [True, False])
def test_what_is_not_a_key_is_refused_in_both_modes(training: Any) -> None:
    with pytest.raises(
        ArgumentError, match=r"Dropout expected a key, got a int\. Make one of a number: lucidgrad\.Key"
    ):
        Dropout(0.5).train(training)([1.0], 3)
