"""Losses for quantities: their options, what they are least at, and what is said about wrong targets."""

import math

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.errors import ArgumentError, DataError, ShapeError
from lucidgrad.losses import AbsoluteError, Huber, LogCosh, Poisson, Quantile, SquaredError


def test_a_column_beside_a_vector_is_not_stretched_to_a_square():
    predictions, targets = np.zeros((3, 1)), np.array([1.0, 2.0, 3.0])
    assert float(SquaredError("sum")(predictions, targets)) == 14.0
    with pytest.raises(ShapeError, match=r"in the shape of the predictions \(3, 2\), got \(3,\)"):
        SquaredError()(np.zeros((3, 2)), targets)


def test_columns_are_added_up_where_others_average_them():
    predictions = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert float(AbsoluteError()(predictions, np.zeros((2, 2)))) == 5.0


def test_the_slope_where_the_prediction_is_exact_is_zero():
    for loss in (AbsoluteError(), SquaredError(), Huber(), LogCosh(), Quantile(q=0.9)):
        x = lg.Tensor([2.0])
        assert lg.grad(loss(x, [2.0]), x).tolist() == [0.0]


@pytest.mark.parametrize("q", [0.1, 0.5, 0.75])
def test_the_best_constant_for_the_pinball_loss_is_the_quantile(q):
    targets = np.random.default_rng(5).normal(size=101)
    tries = np.sort(targets)
    values = [float(Quantile(q=q)(np.full(101, c), targets)) for c in tries]
    assert tries[int(np.argmin(values))] == np.quantile(targets, q, method="inverted_cdf")


def test_predicted_quantiles_share_one_target():
    loss = Quantile(q=(0.1, 0.9))
    assert loss.per_sample([[1.0, 3.0], [5.0, 5.0]], [2.0, 4.0]).tolist() == pytest.approx([0.2, 1.0])


@pytest.mark.parametrize("q", [0.0, 1.0, (0.5, 1.5), (), ((0.5,),), math.nan])
def test_quantiles_lie_between_zero_and_one(q):
    with pytest.raises(ArgumentError, match=r"q in \(0, 1\).*The median is q=0.5"):
        Quantile(q=q)


def test_several_quantiles_need_a_column_each():
    with pytest.raises(ShapeError, match=r"predictions \(batch, 2\), a column for each q, got \(3, 3\)"):
        Quantile(q=(0.1, 0.9))(np.zeros((3, 3)), np.zeros(3))
    with pytest.raises(ShapeError, match="expected targets in the shape"):
        Quantile(q=(0.1, 0.9))(np.zeros((3, 2)), np.zeros((3, 3)))


@pytest.mark.parametrize("delta", [0.0, -1.0, math.inf, math.nan])
def test_huber_needs_a_positive_delta(delta):
    with pytest.raises(ArgumentError, match="finite delta > 0"):
        Huber(delta=delta)


def test_huber_meets_parabola_and_line_with_one_slope():
    x = lg.Tensor([1.9999999, 2.0, 2.0000001], dtype=np.float64)
    np.testing.assert_allclose(lg.grad(Huber("sum", delta=2.0)(x, [0, 0, 0]), x).numpy(), 2.0, rtol=1e-6)


def test_the_slope_of_log_cosh_is_tanh():
    x = lg.Tensor([-30.0, -1.0, -1e-12, 0.0, 1e-300, 0.999, 1.0, 1.001, 30.0, 1e300], dtype=np.float64)
    gradient = lg.grad(LogCosh("sum")(x, np.zeros(10)), x)
    np.testing.assert_allclose(gradient.numpy(), np.tanh(x.numpy()), rtol=1e-15)


def test_poisson_counts():
    with pytest.raises(DataError, match="counts >= 0, got -1"):
        Poisson()([0.0, 0.0], [1, -1])
    with pytest.raises(DataError, match=r"predicted means > 0, got 0.*softplus"):
        Poisson(log_input=False)([0.0], [1])
    with pytest.raises(DataError, match="predicted means > 0, got -2"):
        Poisson(log_input=False)([-2.0], [0])


def test_where_nothing_was_counted_a_mean_of_zero_is_perfect():
    x = lg.Tensor([0.0])
    loss = Poisson(log_input=False)(x, [0])
    assert (float(loss), lg.grad(loss, x).tolist()) == (0.0, [1.0])
