"""Activations: right, with right slopes, finite wherever the numbers are, traced as they are eager."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import special, stats

import lucidgrad as lg
from lucidgrad import functional as F
from lucidgrad.compiler import interpret, trace
from lucidgrad.functional import ACTIVATIONS
from lucidgrad.gradcheck import gradcheck

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def _elu(x: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _gelu_tanh(x: np.ndarray) -> np.ndarray:
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


# What each activation is, said by NumPy and SciPy.
REFERENCES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "identity": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "elu": _elu,
    "selu": lambda x: SELU_SCALE * _elu(x, SELU_ALPHA),
    "gelu": lambda x: x * stats.norm.cdf(x),
    "silu": lambda x: x * special.expit(x),
    "mish": lambda x: x * np.tanh(np.logaddexp(x, 0)),
    "softplus": lambda x: np.logaddexp(x, 0),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "tanh": np.tanh,
    "sigmoid": special.expit,
    "log_sigmoid": special.log_expit,
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "softmax": lambda x: special.softmax(x, -1),
    "log_softmax": lambda x: special.log_softmax(x, -1),
}
OPTIONS: dict[str, tuple[Callable[[Any], Any], Callable[[np.ndarray], np.ndarray]]] = {
    "leaky_relu(0.2)": (partial(F.leaky_relu, negative_slope=0.2), lambda x: np.where(x > 0, x, 0.2 * x)),
    "elu(2)": (partial(F.elu, alpha=2.0), partial(_elu, alpha=2.0)),
    "gelu(tanh)": (partial(F.gelu, approximate=True), _gelu_tanh),
    "softmax(0)": (partial(F.softmax, axis=0), lambda x: special.softmax(x, 0)),
    "log_softmax(0)": (partial(F.log_softmax, axis=0), lambda x: special.log_softmax(x, 0)),
}
CASES = {name: (ACTIVATIONS[name], reference) for name, reference in REFERENCES.items()} | OPTIONS
EVERY_CASE = pytest.mark.parametrize(("f", "reference"), CASES.values(), ids=CASES.keys())
EVERY_ACTIVATION = pytest.mark.parametrize("f", [f for f, _ in CASES.values()], ids=CASES.keys())
MONOTONE = REFERENCES.keys() - {"gelu", "silu", "mish"}

# No point on a corner (0, and -3 and 3 of hard_sigmoid), none close enough to one for finite differences to cross it.
GRID = np.array([[-7.3, -3.2, -2.9, -1.1], [-0.4, -0.01, 0.01, 0.3], [0.9, 2.8, 3.1, 6.7]])


def slope(f: Callable[[Any], Any], x: np.ndarray, direction: np.ndarray | None = None) -> np.ndarray:
    """The gradient of the outputs, weighted by ``direction``, at x."""
    point = lg.tensor(x, dtype=x.dtype, requires_grad=True)
    y = f(point)
    return lg.grad((y * (np.ones(x.shape, x.dtype) if direction is None else direction)).sum(), point).numpy()


def test_every_activation_has_a_reference() -> None:
    assert ACTIVATIONS.keys() == REFERENCES.keys()
    assert all(ACTIVATIONS[name] is getattr(F, name) for name in ACTIVATIONS)


@EVERY_CASE
def test_values_are_those_of_the_formula(f: Any, reference: Any) -> None:
    np.testing.assert_allclose(f(GRID).numpy(), reference(GRID), rtol=1e-13, atol=1e-15)
    single = GRID.astype(np.float32)
    np.testing.assert_allclose(f(single).numpy(), reference(GRID), rtol=3e-6, atol=1e-6)


@EVERY_ACTIVATION
def test_gradients_and_their_gradients_agree_with_finite_differences(f: Any) -> None:
    assert gradcheck(f, GRID, order=2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [0.0, 1e-30, 1.0, 20.0, 88.0, 89.0, 104.0, 710.0, 1e4, 3e38])
@EVERY_ACTIVATION
def test_values_and_slopes_are_finite_and_right_however_large_the_numbers(f: Any, size: float, dtype: Any) -> None:
    for x in (size, -size):
        for logits in ([x, x], [x, 0.0], [0.0, x]):
            point = np.array([logits], dtype)
            y, g = f(point).numpy(), slope(f, point, np.array([[1.0, 100.0]], dtype))
            assert y.dtype == g.dtype == dtype
            assert np.isfinite(y).all()
            assert np.isfinite(g).all()


@pytest.mark.parametrize("size", [88.0, 1e4, 3e38])
@EVERY_CASE
def test_float32_is_right_at_large_numbers(f: Any, reference: Any, size: float) -> None:
    for x in (size, -size):
        logits = np.array([[x, 0.0], [x, x]], np.float32)
        with np.errstate(over="ignore"):
            expected = reference(logits.astype(np.float64))
        np.testing.assert_allclose(f(logits).numpy(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["elu", "gelu", "silu", "mish", "softplus", "sigmoid", "softmax", "log_softmax"])
def test_far_out_the_slope_is_that_of_the_asymptote(name: str) -> None:
    far = np.array([[1e4, -1e4], [3e38, -3e38]], np.float32)
    expected = {"sigmoid": [0, 0], "softmax": [0, 0], "log_softmax": [0, 1]}.get(name, [1, 0])
    direction = np.array([[0, 1], [0, 1]], np.float32) if name == "log_softmax" else None
    if name == "log_softmax":  # d/dx of the log-probability of the unlikely class: -1 for the likely, 1 for it
        expected = [-1, 1]
    np.testing.assert_allclose(slope(ACTIVATIONS[name], far, direction), [expected, expected], atol=1e-6)


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (F.relu, 0.0, 0.0),
        (F.leaky_relu, 0.0, 0.01),
        (F.elu, 0.0, 1.0),
        (partial(F.elu, alpha=2.0), 0.0, 2.0),
        (F.selu, 0.0, SELU_SCALE * SELU_ALPHA),
        (F.hard_sigmoid, -3.0, 1 / 6),
        (F.hard_sigmoid, 3.0, 1 / 6),
        (F.hard_sigmoid, 3.01, 0.0),
        (F.softsign, 0.0, 1.0),
    ],
)
def test_the_slope_at_a_corner_is_one_of_the_two(f: Any, x: float, expected: float) -> None:
    np.testing.assert_allclose(slope(f, np.array([x])), [expected], rtol=1e-12)


@pytest.mark.parametrize("name", sorted(MONOTONE))
@given(a=st.floats(-100, 100), b=st.floats(-100, 100))
def test_a_larger_input_gives_no_smaller_output(name: str, a: float, b: float) -> None:
    low, high = sorted((a, b))
    # The class beside it stays, so that softmax has something to compare with.
    y = ACTIVATIONS[name](np.array([[low, 0.5], [high, 0.5]])).numpy()[:, 0]
    assert y[0] <= y[1] + 1e-14 * max(1, abs(y[1]))


@EVERY_ACTIVATION
def test_traced_values_and_gradients_are_the_eager_ones_bit_by_bit(f: Any) -> None:
    x = lg.Tensor(GRID)

    def both(x: Any) -> list[Any]:
        y = f(x)
        return [y, lg.grad((y * y).sum(), x)]

    for traced, eager in zip(interpret(trace(both, x), x.numpy()), both(x), strict=True):
        np.testing.assert_array_equal(traced, eager.numpy())


@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid", "softplus"])
def test_the_most_used_activations_are_a_single_row(name: str) -> None:
    (instruction,) = trace(ACTIVATIONS[name], lg.Tensor([1.0])).instructions
    assert instruction.op.name == name


@EVERY_ACTIVATION
def test_lists_arrays_and_integers_are_taken_too(f: Any) -> None:
    expected = f(lg.tensor([[1.0, -2.0]])).numpy()
    assert expected.dtype == np.float32
    for given_ in ([[1.0, -2.0]], np.array([[1.0, -2.0]], np.float32), lg.tensor([[1.0, -2.0]])):
        np.testing.assert_array_equal(f(given_).numpy(), expected)
    np.testing.assert_allclose(f(np.array([[1, -2]])).numpy(), expected, rtol=1e-6)
    assert f(np.array([[1.0, -2.0]])).dtype == np.float64


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if "softmax" not in name])
def test_a_number_is_taken_too(name: str) -> None:
    y = ACTIVATIONS[name](0.5)
    assert y.shape == ()
    np.testing.assert_allclose(y.item(), REFERENCES[name](np.array(0.5)), rtol=1e-6)


@EVERY_ACTIVATION
def test_not_a_number_stays_one(f: Any) -> None:
    assert np.isnan(f(np.array([[np.nan, np.nan]])).numpy()).all()


# --- probabilities ------------------------------------------------------------------------------------------------

LOGITS = arrays(
    np.float32,
    array_shapes(min_dims=1, max_dims=3, max_side=5),
    elements=st.floats(-3.0000000054977558e38, 3.0000000054977558e38, width=32),
)


@given(LOGITS)
def test_softmax_of_any_finite_logits_is_a_distribution_in_their_order(x: np.ndarray) -> None:
    p = F.softmax(x).numpy()
    assert ((p >= 0) & (p <= 1)).all()
    np.testing.assert_allclose(p.sum(-1), 1, rtol=1e-5)
    np.testing.assert_array_equal(np.take_along_axis(p, x.argmax(-1)[..., None], -1)[..., 0], p.max(-1))
    assert np.isfinite(slope(F.softmax, x, x > 0)).all()


@given(LOGITS)
def test_log_softmax_is_the_logarithm_of_softmax(x: np.ndarray) -> None:
    log_p, p = F.log_softmax(x).numpy(), F.softmax(x).numpy()
    likely = p > 1e-30
    np.testing.assert_allclose(log_p[likely], np.log(p[likely]), rtol=1e-4, atol=1e-6)
    assert (log_p <= 0).all()
    assert (log_p[~likely] < -60).all()


@pytest.mark.parametrize("large", [3e38, -3e38, 1e4, 88.0])
def test_equal_logits_are_equally_likely_however_large(large: float) -> None:
    np.testing.assert_array_equal(F.softmax([large, large]).numpy(), [0.5, 0.5])
    np.testing.assert_allclose(F.log_softmax([large, large]).numpy(), [-math.log(2)] * 2, rtol=1e-6)


def test_masked_logits_have_probability_0_and_no_gradient() -> None:
    x = np.array([[1.0, -np.inf, 2.0], [-np.inf, -np.inf, 0.5]], np.float32)
    p = F.softmax(x).numpy()
    np.testing.assert_allclose(p[0], special.softmax(x[0]), rtol=1e-6)
    np.testing.assert_array_equal(p[1], [0, 0, 1])
    log_p = F.log_softmax(x).numpy()
    np.testing.assert_array_equal(np.isneginf(log_p), np.isneginf(x))
    picked = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], np.float32)
    for f in (F.softmax, lambda x: F.where(picked > 0, F.log_softmax(x), 0.0)):
        g = slope(f, x, picked)
        assert np.isfinite(g).all()
        assert not g[np.isneginf(x)].any()
    np.testing.assert_allclose(slope(F.softmax, x, picked)[0], p[0, 0] * (picked[0] - p[0]), rtol=1e-5)


def test_a_row_that_is_masked_whole_has_no_probabilities_and_leaves_the_others_alone() -> None:
    x = np.array([[-np.inf, -np.inf], [0.0, 0.0]], np.float32)
    p = F.softmax(x).numpy()
    np.testing.assert_array_equal(p[0], [0.0, 0.0])
    np.testing.assert_array_equal(p[1], [0.5, 0.5])


def test_selu_keeps_mean_0_and_variance_1() -> None:
    x = np.random.default_rng(0).normal(size=200_000)
    y = F.selu(x).numpy()
    assert abs(y.mean()) < 0.01
    assert abs(y.var() - 1) < 0.02


def test_the_two_gelus_differ_by_less_than_their_documentation_says() -> None:
    x = np.linspace(-8, 8, 10_001)
    gap = np.abs(F.gelu(x).numpy() - F.gelu(x, approximate=True).numpy()).max()
    assert 0.0004 < gap < 0.0005
