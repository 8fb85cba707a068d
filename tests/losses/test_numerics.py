"""Losses far out and close by: finite where mathematics is, and exact to a few units in the last place of float32."""

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.losses import CrossEntropy, Hinge, Huber, LogCosh, Logistic, Loss, Quantile, SquaredError

SEED = 11
SCALES = [1e-6, 1e-3, 0.1, 1.0, 10.0, 80.0]
FAR = [88.0, 1e4, 3e38]


def ulps(result: np.ndarray, exact: np.ndarray, unit: float = 0.0) -> float:
    """How far float32 results are off, in units in the last place of the exact value, or of ``unit`` if larger."""
    spacing = np.spacing(np.maximum(np.abs(exact), unit).astype(np.float32)).astype(np.float64)
    return float((np.abs(result.astype(np.float64) - exact) / spacing).max())


def value_and_gradient(loss: Loss, x: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    p = lg.Tensor(x, dtype=x.dtype)
    return loss.per_sample(p, targets).numpy(), lg.grad(loss(p, targets), p).numpy()


def softplus(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def sigmoid(x: np.ndarray) -> np.ndarray:
    return np.where(x < 0, np.exp(-np.abs(x)), 1) / (1 + np.exp(-np.abs(x)))


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("offset", [0.0, 1e4, 1e6])
def test_cross_entropy_keeps_the_gap_between_large_logits(scale: float, offset: float):
    rng = np.random.default_rng(SEED)
    x, y = (offset + scale * rng.normal(size=(500, 10))).astype(np.float32), rng.integers(0, 10, 500)
    wide = x.astype(np.float64)
    z = wide - wide.max(axis=1, keepdims=True)
    exact = np.log(np.exp(z).sum(axis=1)) - z[np.arange(500), y]
    value, gradient = value_and_gradient(CrossEntropy("sum"), x, y)
    # Losses much smaller than 1 come from the logarithm of a number next to 1: exact in units of 1/2.
    assert ulps(value, exact, unit=0.5) <= 4
    assert ulps(gradient, softmax(wide) - np.eye(10)[y], unit=0.5) <= 4
    # The slopes of the other classes are their probabilities, as exact as the rounded gap z they are computed from.
    probable = (np.eye(10)[y] == 0) & (softmax(wide) > 1e-4)
    assert ulps(gradient[probable], softmax(wide)[probable]) <= 16


@pytest.mark.parametrize("scale", SCALES)
def test_logistic_keeps_the_digits_of_a_sure_right_answer(scale: float):
    rng = np.random.default_rng(SEED)
    x, y = (scale * rng.normal(size=500)).astype(np.float32), rng.integers(0, 2, 500)
    wide = x.astype(np.float64) * (1 - 2 * y)
    value, gradient = value_and_gradient(Logistic("sum"), x, y)
    assert ulps(value, softplus(wide)) <= 4
    assert ulps(gradient, (1 - 2 * y) * sigmoid(wide)) <= 4


@pytest.mark.parametrize("scale", SCALES)
def test_log_cosh_is_exact_near_zero_and_far_out(scale: float):
    x = (scale * np.random.default_rng(SEED).normal(size=500)).astype(np.float32)
    wide = x.astype(np.float64)
    series = wide**2 / 2 - wide**4 / 12 + wide**6 / 45
    exact = np.where(np.abs(wide) < 1e-2, series, np.abs(wide) + np.log1p(np.exp(-2 * np.abs(wide))) - np.log(2))
    value, gradient = value_and_gradient(LogCosh("sum"), x, np.zeros(500))
    assert ulps(value, exact) <= 4.5
    assert ulps(gradient, np.tanh(wide)) <= 4


@pytest.mark.parametrize("scale", SCALES)
def test_huber_and_quantile_are_exact(scale: float):
    x = (scale * np.random.default_rng(SEED).normal(size=500)).astype(np.float32)
    wide, far = x.astype(np.float64), np.float64(np.float32(0.7))
    value, gradient = value_and_gradient(Huber("sum", delta=float(far)), x, np.zeros(500))
    assert ulps(value, np.where(np.abs(wide) <= far, wide**2 / 2, far * (np.abs(wide) - far / 2))) <= 4
    assert ulps(gradient, np.clip(wide, -far, far)) <= 4
    value, gradient = value_and_gradient(Quantile("sum", q=0.999), x, np.zeros(500))
    assert ulps(value, np.where(wide < 0, -0.999, 0.001) * wide) <= 4
    assert ulps(gradient, np.where(wide < 0, -0.999, 0.001)) <= 4


@pytest.mark.parametrize("far", FAR)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cross_entropy_of_extreme_logits(far: float, dtype: type):
    x = np.array([[far, 0, 0], [far, 0, 0], [-far, 0, 0], [far, far, far], [-far, -far, -far]], dtype)
    value, gradient = value_and_gradient(CrossEntropy("sum"), x, np.array([0, 1, 0, 2, 1]))
    log3 = np.log(3.0)
    exact = [2 * np.exp(-far), far, far + np.log(2.0), log3, log3]
    np.testing.assert_allclose(value, np.asarray(exact, dtype), rtol=1e-6, atol=1e-37)
    half, third = 0.5, 1 / 3
    slopes = [
        [0, 0, 0],
        [1, -1, 0],
        [-1, half, half],
        [third, third, third - 1],
        [third, third - 1, third],
    ]
    np.testing.assert_allclose(gradient, slopes, rtol=1e-6, atol=1e-37)


def test_a_gap_beyond_the_largest_float_is_infinite_with_the_right_slope():
    value, gradient = value_and_gradient(CrossEntropy("sum"), np.array([[3e38, -3e38]], np.float32), np.array([1]))
    assert value.tolist() == [np.inf]
    assert gradient.tolist() == [[1.0, -1.0]]


@pytest.mark.parametrize("options", [{}, {"class_weight": [1.0, 2.0, 3.0, 4.0]}])
def test_a_class_ruled_out_has_no_part_in_cross_entropy(options: dict):
    masked = np.array([[1.0, -np.inf, 2.0, 0.5], [0.0, -np.inf, -np.inf, 3.0]], np.float32)
    labels = np.array([2, 3])
    value, gradient = value_and_gradient(CrossEntropy("sum", **options), masked, labels)
    weight = np.array(options.get("class_weight", [1.0] * 4))[labels]
    np.testing.assert_allclose(value, -weight * np.log(softmax(masked.astype(np.float64))[[0, 1], labels]), rtol=1e-6)
    np.testing.assert_allclose(
        gradient, weight[:, None] * (softmax(masked.astype(np.float64)) - np.eye(4)[labels]), rtol=1e-5, atol=1e-8
    )
    assert gradient[np.isinf(masked)].tolist() == [0.0] * 3


def test_probabilities_without_the_ruled_out_class_are_as_safe():
    masked = np.array([[1.0, -np.inf, 2.0]], np.float32)
    value, gradient = value_and_gradient(CrossEntropy(), masked, np.array([[0.25, 0.0, 0.75]]))
    assert np.isfinite(value).all()
    np.testing.assert_allclose(gradient, softmax(masked.astype(np.float64)) - [[0.25, 0, 0.75]], atol=1e-7)


def test_a_label_that_is_ruled_out_is_infinitely_wrong_and_pulls_back():
    value, gradient = value_and_gradient(CrossEntropy(), np.array([[0.0, -np.inf]], np.float32), np.array([1]))
    assert value.tolist() == [np.inf]
    assert gradient.tolist() == [[1.0, -1.0]]


@pytest.mark.parametrize("far", FAR)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logistic_of_extreme_logits(far: float, dtype: type):
    x, y = np.array([far, far, -far, -far], dtype), np.array([0.0, 1.0, 0.0, 1.0])
    value, gradient = value_and_gradient(Logistic("sum"), x, y)
    np.testing.assert_allclose(value, np.array([far, np.exp(-far), np.exp(-far), far], dtype), rtol=2e-6, atol=1e-37)
    np.testing.assert_allclose(gradient, [1, -np.exp(-far), np.exp(-far), -1], rtol=2e-6, atol=1e-37)
    value, gradient = value_and_gradient(Logistic("sum"), x, np.full(4, 0.25))
    np.testing.assert_allclose(value, np.array([0.75 * far, 0.75 * far, 0.25 * far, 0.25 * far], dtype), rtol=1e-6)
    np.testing.assert_allclose(gradient, [0.75, 0.75, -0.25, -0.25], rtol=1e-6)


@pytest.mark.parametrize("far", FAR)
@pytest.mark.parametrize("loss", [LogCosh(), Huber(), Quantile(q=0.25), Hinge()])
def test_losses_that_grow_in_a_line_stay_finite_far_out(loss: Loss, far: float):
    x = np.array([far, -far], np.float32)
    value, gradient = value_and_gradient(loss, x, np.array([1.0, 1.0]))
    assert np.isfinite(value).all()
    assert np.isfinite(gradient).all()
    assert gradient[1] < 0


def test_the_mean_of_large_batches_does_not_drift_in_float32():
    x = np.full(1_000_000, 0.1, np.float32)
    mean = float(SquaredError()(x, np.zeros(1_000_000)))
    assert mean == pytest.approx(float(np.float32(0.1)) ** 2, rel=1e-6)
