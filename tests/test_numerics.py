"""How exact the functions are, everywhere a float can be: measured in units in the last place (ulp) against decimals.

The references are computed to 60 digits by Python's own ``decimal``.
"""

from collections.abc import Callable
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, localcontext
from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.ops.classes import cross_entropy
from lucidgrad.ops.reduce import log_softmax, softmax
from lucidgrad.tensor import Tensor

DIGITS = Context(prec=60, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])

# Where something overflows, underflows, cancels or saturates in float32 (88, 104) or float64 (709, 745).
EDGES = [1e-30, 1e-10, 1e-4, 0.01, 0.5, 1, 2, 5, 10, 17, 20, 36, 37, 50, 80, 87, 88, 89, 100, 104, 300, 700]
EDGES += [709, 710, 744, 746, 1e4, 1e10, 3e38]
INFINITE = Decimal("Infinity")


def exp(x: Decimal) -> Decimal:
    if abs(x) > 10**7:  # beyond every float
        return INFINITE if x > 0 else Decimal(0)
    return x.exp()


def log1p(t: Decimal) -> Decimal:
    return t - t * t / 2 + t * t * t / 3 if abs(t) < Decimal("1e-20") else (1 + t).ln()


def sigmoid(x: Decimal) -> Decimal:
    return 1 / (1 + exp(-x))


def softplus(x: Decimal) -> Decimal:
    return max(x, Decimal(0)) + log1p(exp(-abs(x)))


def expm1(x: Decimal) -> Decimal:
    return x + x * x / 2 + x * x * x / 6 if abs(x) < Decimal("1e-20") else exp(x) - 1


def tanh(x: Decimal) -> Decimal:
    e = expm1(-2 * abs(x))
    return (-e / (2 + e)).copy_sign(x)


# name: value, derivative, domain
Exact = Callable[[Decimal], Decimal]
FUNCTIONS: dict[str, tuple[Exact, Exact, str]] = {
    "exp": (exp, exp, "all"),
    "expm1": (expm1, exp, "all"),
    "log": (lambda x: x.ln(), lambda x: 1 / x, "positive"),
    "log1p": (log1p, lambda x: 1 / (1 + x), "positive"),
    "sqrt": (lambda x: x.sqrt(), lambda x: 1 / (2 * x.sqrt()), "positive"),
    "sigmoid": (sigmoid, lambda x: sigmoid(x) * sigmoid(-x), "all"),
    "softplus": (softplus, sigmoid, "all"),
}


def points(dtype: Any, domain: str) -> Any:
    """The edges, and as many ordinary numbers between them, as floats of ``dtype``."""
    random = np.random.default_rng(0)
    between = np.concatenate([random.normal(size=200), random.uniform(0, 100, 200), random.uniform(0, 750, 100)])
    x = np.abs(np.concatenate([EDGES, between]))
    x = np.concatenate([x, -x, [0.0, -0.0]]) if domain == "all" else x
    return x.astype(dtype)


def exactly(f: Exact, x: Any) -> list[Decimal]:
    with localcontext(DIGITS):
        return [f(Decimal(float(v))) for v in x]


def ulps(got: Any, exact: list[Decimal]) -> float:
    """The largest distance, in units in the last place of the rounded reference."""
    worst = 0.0
    with localcontext(DIGITS), np.errstate(over="ignore"):
        for a, e in zip(got, exact, strict=True):
            rounded = got.dtype.type(float(e))
            if not np.isfinite(rounded):
                assert a == rounded, f"expected {rounded}, got {a}"
                continue
            assert np.isfinite(a), f"expected {e:.8g}, got {a}"
            worst = max(worst, float(abs(Decimal(float(a)) - e) / Decimal(float(np.spacing(abs(rounded))))))
    return worst


FLOATS = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])


def gradient(y: Tensor, x: Tensor) -> Any:
    return lg.grad(y.sum(), x, create_graph=False).numpy()


@pytest.mark.parametrize("name", FUNCTIONS)
@FLOATS
def test_values_are_within_4_ulp_and_gradients_within_16(name: str, dtype: Any):
    value, derivative, domain = FUNCTIONS[name]
    x = points(dtype, domain)
    t = Tensor(x, dtype=dtype)
    y = getattr(t, name)()
    assert ulps(y.numpy(), exactly(value, x)) <= 4
    assert ulps(gradient(y, t), exactly(derivative, x)) <= 16


@FLOATS
def test_tanh_is_exact_and_its_slope_is_exact_to_a_unit_of_one(dtype: Any):
    """1 - y^2 cancels far out, where the slope is nothing beside 1: there it is 0."""
    x = points(dtype, "all")
    t = Tensor(x, dtype=dtype)
    assert ulps(t.tanh().numpy(), exactly(tanh, x)) <= 4
    slope = [1.0 - float(y) ** 2 for y in exactly(tanh, x)]
    np.testing.assert_allclose(gradient(t.tanh(), t), slope, rtol=0, atol=2 * np.finfo(dtype).eps)


AT_INFINITY = {  # value and slope at -inf, +inf
    "exp": ((0, 0), (np.inf, np.inf)),
    "sigmoid": ((0, 0), (1, 0)),
    "softplus": ((0, 0), (np.inf, 1)),
    "tanh": ((-1, 0), (1, 0)),
    "relu": ((0, 0), (np.inf, 1)),
    "erf": ((-1, 0), (1, 0)),
    "expm1": ((-1, 0), (np.inf, np.inf)),
}


@pytest.mark.parametrize("name", AT_INFINITY)
@FLOATS
def test_limits_at_infinity_are_exact(name: str, dtype: Any):
    t = Tensor([-np.inf, np.inf], dtype=dtype)
    y = getattr(t, name)()
    assert list(zip(y.tolist(), gradient(y, t).tolist(), strict=True)) == list(AT_INFINITY[name])


@pytest.mark.parametrize("name", ["exp", "log", "sigmoid", "softplus", "tanh", "erf", "sqrt", "abs"])
def test_nan_stays_visible_in_values_and_gradients(name: str):
    t = Tensor([np.nan, 0.5])
    y = getattr(t, name)()
    assert np.isnan(y.numpy()).tolist() == [True, False]
    assert np.isnan(gradient(y, t)).tolist() == [True, False]


def test_nan_stays_visible_through_relu_and_maximum():
    t = Tensor([np.nan, 0.5])
    assert np.isnan(t.relu().numpy()).tolist() == [True, False]
    assert np.isnan(lg.maximum(t, 0.0).numpy()).tolist() == [True, False]
    assert np.isnan(t.max().item())
    assert np.isnan(t.clip(0, 1).numpy()).tolist() == [True, False]


@pytest.mark.parametrize("make", [lambda t: t.logsumexp(), lambda t: softmax(t, axis=0).sum()])
def test_nan_stays_visible_in_sums_of_exponentials(make: Any):
    t = Tensor([np.nan, 0.5, 1.0])
    y = make(t)
    assert np.isnan(y.item())
    assert np.isnan(gradient(y, t)).all()


# --- sums of exponentials ----------------------------------------------------------------------------------------

ROWS = [
    [0.0, 0.0, 0.0],
    [1e-30, -1e-30, 0.0],
    [0.5, -0.25, 1.75],
    [88.0, 89.0, -88.0],
    [-88.0, -89.0, -104.0],
    [709.0, 710.0, 0.0],
    [-709.0, -710.0, -745.0],
    [1e4, 1e4 - 1, 1e4 + 0.5],
    [-1e4, -1e4 - 1, -1e4 + 0.5],
    [1e4, -1e4, 0.0],
    [3e38, 3e38, -3e38],
    [-3e38, -3e38, -3e38],
    [3e38, -3e38, 0.0],
    [16.0, -16.0, 40.0],
    [2.0, -np.inf, 1.0],
    [1e4, -np.inf, -np.inf],
]


def exact_logsumexp(row: Any) -> tuple[Decimal, list[Decimal]]:
    """The value and its gradient, which is softmax."""
    with localcontext(DIGITS):
        x = [Decimal(float(v)) for v in row]
        m = max(x)
        e = [exp(v - m) if v.is_finite() else Decimal(0) for v in x]
        return m + sum(e).ln(), [v / sum(e) for v in e]


@pytest.mark.parametrize("row", ROWS, ids=str)
@FLOATS
def test_logsumexp_is_exact_at_any_finite_numbers_and_masks(row: Any, dtype: Any):
    t = Tensor(row, dtype=dtype)
    y = t.logsumexp()
    value, weights = exact_logsumexp(t.numpy())
    assert ulps(y.numpy().reshape(1), [value]) <= 4
    assert ulps(gradient(y, t), weights) <= 16


@pytest.mark.parametrize("row", ROWS, ids=str)
@FLOATS
def test_softmax_is_exact_at_any_finite_numbers_and_masks(row: Any, dtype: Any):
    t = Tensor(row, dtype=dtype)
    y = softmax(t, axis=-1)
    _, weights = exact_logsumexp(t.numpy())
    assert ulps(y.numpy(), weights) <= 4
    # d softmax_0 / d x_j = s_0 ([j = 0] - s_j), which is at most 1/4: to a unit of that.
    s = np.array([float(w) for w in weights])
    got = lg.grad(y[0], t, create_graph=False).numpy()
    np.testing.assert_allclose(got, s[0] * (np.eye(3)[0] - s), rtol=0, atol=2 * np.finfo(dtype).eps)


@pytest.mark.parametrize("row", ROWS, ids=str)
@FLOATS
def test_log_softmax_is_exact_to_a_unit_of_one(row: Any, dtype: Any):
    t = Tensor(row, dtype=dtype)
    y = log_softmax(t, axis=-1).numpy()
    value, weights = exact_logsumexp(t.numpy())
    with localcontext(DIGITS), np.errstate(over="ignore"):
        expected = np.array([float(Decimal(float(v)) - value) for v in t.numpy()]).astype(dtype)
    finite = np.isfinite(expected)
    assert np.array_equal(y[~finite], expected[~finite])
    np.testing.assert_allclose(y[finite], expected[finite], rtol=2 * np.finfo(dtype).eps, atol=2 * np.finfo(dtype).eps)
    got = lg.grad(log_softmax(t, axis=-1)[0], t, create_graph=False).numpy()
    slope = np.eye(3)[0] - [float(w) for w in weights]
    np.testing.assert_allclose(got, slope, rtol=0, atol=2 * np.finfo(dtype).eps)


@pytest.mark.parametrize("row", ROWS, ids=str)
@FLOATS
def test_cross_entropy_and_its_slope_are_exact_also_where_the_answer_is_sure(row: Any, dtype: Any):
    label = int(np.argmax(row))
    t = Tensor([row], dtype=dtype)
    y = cross_entropy(t, lg.tensor([label]))
    _, weights = exact_logsumexp(t.numpy()[0])
    with localcontext(DIGITS):
        others = sum(w for i, w in enumerate(weights) if i != label)
        exact = [-log1p(-others)]
        slope = [-others if i == label else w for i, w in enumerate(weights)]
    assert ulps(y.numpy(), exact) <= 4
    assert ulps(gradient(y, t)[0], slope) <= 16


@FLOATS
def test_a_row_that_is_masked_as_a_whole_has_no_weights(dtype: Any):
    t = Tensor([[-np.inf, -np.inf], [0.0, 0.0]], dtype=dtype)
    y = t.logsumexp(1)
    assert y.tolist()[0] == -np.inf
    assert gradient(y, t).tolist() == [[0, 0], [0.5, 0.5]]
    assert softmax(t, axis=1).tolist() == [[0, 0], [0.5, 0.5]]
    assert gradient(softmax(t, axis=1)[:, 0], t)[0].tolist() == [0, 0]


@FLOATS
def test_an_infinite_number_makes_an_infinite_logsumexp_whose_gradient_is_not_defined(dtype: Any):
    t = Tensor([np.inf, 0.0], dtype=dtype)
    assert t.logsumexp().item() == np.inf
    assert np.isnan(gradient(t.logsumexp(), t)).any()


def test_logsumexp_of_many_numbers_keeps_its_digits():
    x = np.random.default_rng(0).normal(size=10_000).astype(np.float32) + 1000
    exact = 1000 + np.log(np.sum(np.exp(x.astype(np.float64) - 1000)))
    assert lg.tensor(x).logsumexp().item() == pytest.approx(float(exact), rel=2e-7)


# --- sums --------------------------------------------------------------------------------------------------------


def test_sums_and_means_of_a_million_float32_keep_their_digits():
    x = np.random.default_rng(0).uniform(size=1_000_000).astype(np.float32)
    exact = float(np.sum(x, dtype=np.float64))
    assert lg.tensor(x).sum().item() == pytest.approx(exact, rel=2e-7)
    assert lg.tensor(x).mean().item() == pytest.approx(exact / 1e6, rel=2e-7)


def test_a_power_of_zero_has_the_right_slopes():
    x = Tensor([0.0, 0.0, 0.0, 0.0], dtype=np.float64)
    b = Tensor([0.0, 1.0, 2.0, 0.5], dtype=np.float64)
    dx, db = lg.grad((x**b).sum(), [x, b])
    assert dx.tolist() == [0, 1, 0, np.inf]
    assert db.tolist() == [0, 0, 0, 0]
    assert lg.grad((x**0).sum(), x).tolist() == [0] * 4
    assert lg.grad(lg.grad((x**2).sum(), x).sum(), x).tolist() == [2] * 4


def test_a_negative_number_to_a_whole_power_has_a_slope():
    x = Tensor(-2.0)
    assert lg.grad(x**3, x).item() == 12
    assert lg.grad(x ** Tensor(3.0), x).item() == 12


def test_slopes_at_kinks_are_those_that_are_documented():
    def at(f: Any, *values: float) -> list[float]:
        x = Tensor([float(v) for v in values])
        return lg.grad(f(x).sum(), x).tolist()

    assert at(lambda x: x.relu(), 0.0) == [0]
    assert at(lambda x: x.abs(), 0.0) == [0]
    assert at(lambda x: x.clip(0, 1), -1, 0, 0.5, 1, 2) == [0, 1, 1, 1, 0]
    assert at(lambda x: lg.maximum(x, 1.0), 0.5, 1, 2) == [0, 0.5, 1]
    assert at(lambda x: lg.minimum(x, 1.0), 0.5, 1, 2) == [1, 0.5, 0]
    assert at(lambda x: x.max(), 1, 3, 3) == [0, 0.5, 0.5]


def test_a_branch_that_was_not_taken_does_not_poison_the_gradient_when_its_input_is_made_safe():
    x = Tensor([0.0, 4.0])
    safe = lg.where(x > 0, x, 1.0)
    y = lg.where(x > 0, safe.sqrt(), 0.0)
    assert lg.grad(y.sum(), x).tolist() == [0, 0.25]
