"""Metrics of quantities: columns are averaged, and a constant target has nothing to explain."""

import numpy as np
import pytest

from lucidgrad.errors import DataError, ShapeError
from lucidgrad.metrics import R2, mean_absolute_error, mean_squared_error, r2_score

T = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 10.0]])


def test_columns_are_averaged():
    assert mean_absolute_error(T + np.array([1.0, 3.0]), T) == pytest.approx(2.0)
    assert mean_squared_error(T + np.array([1.0, 3.0]), T) == pytest.approx(5.0)


@pytest.mark.parametrize("metric", [mean_absolute_error, mean_squared_error, r2_score])
def test_a_column_and_none_are_the_same_and_nothing_is_stretched(metric):
    p = T[:, 0] + [0.5, -0.5, 0.25]
    assert metric(p, T[:, :1]) == metric(p[:, None], T[:, 0]) == metric(p, T[:, 0])
    with pytest.raises(ShapeError, match=r"in the shape of the predictions \(3, 2\), got \(3,\)"):
        metric(T, T[:, 0])


@pytest.mark.parametrize("metric", [mean_absolute_error, mean_squared_error, r2_score])
def test_a_missing_target_is_named_and_a_diverged_prediction_shows(metric):
    with pytest.raises(DataError, match=r"finite targets, got .*nan.* for sample 1"):
        metric([1.0, 2.0], [0.0, np.nan])
    assert np.isnan(metric([np.nan, 2.0], [0.0, 1.0]))


def test_a_constant_target_is_explained_only_by_itself():
    constant = np.full(1000, 0.1)
    assert r2_score(constant, constant) == 1.0
    assert r2_score(constant + 1e-9, constant) == 0.0
    assert r2_score([2.0], [2.0]) == 1.0
    assert r2_score(np.c_[constant, np.arange(1000.0)], np.c_[constant, np.arange(1000.0)]) == 1.0


def test_the_mean_of_the_targets_explains_nothing():
    assert r2_score(np.full(3, T[:, 0].mean()), T[:, 0]) == pytest.approx(0.0, abs=1e-15)


def test_r2_in_batches_keeps_its_digits_far_from_zero():
    rng = np.random.default_rng(4)
    t = 1e8 + rng.normal(size=10_000)
    p = t + 0.5 * rng.normal(size=10_000)
    metric = R2()
    state = metric.init()
    for i in range(0, 10_000, 64):
        state = metric.update(state, p[i : i + 64], t[i : i + 64])
    deviation = (t - t[0]) - (t - t[0]).mean()
    assert metric.result(state) == pytest.approx(1 - ((p - t) ** 2).sum() / (deviation**2).sum(), rel=1e-12)
