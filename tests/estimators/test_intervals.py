"""Intervals cover the share of new targets that they are asked to cover."""

from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.errors import ArgumentError
from lucidgrad.estimators.intervals import conformal_quantile, cv_plus_interval, quantile_interval, split_interval
from lucidgrad.losses import Quantile

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
OPTIONS: dict[str, Any] = {"hidden_layer_sizes": (16,), "learning_rate_init": 0.02, "max_iter": 30, "random_state": 0}


def sample(n: int, seed: int) -> tuple[Any, Any]:
    """A curve with noise that grows along it, and that is far from normal."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (n, 1))
    return x, np.sin(3 * x[:, 0]) + (0.1 + 0.3 * (x[:, 0] + 1)) * (rng.exponential(size=n) - 1)


def covered(interval: Any, y: Any) -> Any:
    return ((interval[..., 0] <= y) & (y <= interval[..., 1])).mean(0)


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.95])
def test_the_quantile_of_scores_covers_exactly_that_much_on_average(coverage):
    """The exact law: the covered share of n + 1 exchangeable scores is ceil((n + 1) coverage) / (n + 1)."""
    n, rng = 39, np.random.default_rng(0)
    scores = rng.exponential(size=(20_000, n + 1))
    hit = [row[-1] <= conformal_quantile(row[:-1], coverage) for row in scores]
    assert np.mean(hit) == pytest.approx(np.ceil((n + 1) * coverage) / (n + 1), abs=4 * 0.5 / 20_000**0.5)


@pytest.mark.parametrize("options", [{"calibration": 0.3}, {"calibration": 4}, {"calibration": 0.3, "dropout": 0.05}])
@pytest.mark.parametrize("coverage", [0.6, 0.9])
def test_intervals_cover_new_targets(options, coverage):
    """Over several data sets, as the promise is about them too."""
    shares = []
    for seed in range(4):
        model = lg.MLPRegressor(**OPTIONS, **options).fit(*sample(400, seed))
        x, y = sample(2000, 100 + seed)
        interval = model.predict_interval(x, coverage)
        assert interval.shape == (2000, 2)
        assert (interval[:, 0] < model.predict(x)).all()
        shares.append(covered(interval, y))
    assert np.mean(shares) == pytest.approx(coverage, abs=0.05)


@pytest.mark.parametrize("calibration", [0.3, 4])
def test_quantiles_make_intervals_that_are_wider_where_the_noise_is(calibration):
    shares, widths = [], []
    for seed in range(3):
        model = lg.MLPRegressor(Quantile(q=(0.1, 0.5, 0.9)), **{**OPTIONS, "max_iter": 80}, batch_size=32)
        model.set_params(calibration=calibration).fit(*sample(400, seed))
        x, y = sample(2000, 100 + seed)
        interval = model.predict_interval(x, 0.8)
        shares.append(covered(interval, y))
        width = interval[:, 1] - interval[:, 0]
        widths.append(width[x[:, 0] > 0.5].mean() / width[x[:, 0] < -0.5].mean())
    assert np.mean(shares) == pytest.approx(0.8, abs=0.05)
    assert min(widths) > 1.5  # the noise is some four times as strong there


def test_several_targets_have_an_interval_each():
    x, y = sample(400, 0)
    both = np.stack([y, 10 * y], 1)
    for calibration in (0.3, 3):
        model = lg.MLPRegressor(**OPTIONS, calibration=calibration).fit(x, both)
        interval = model.predict_interval(x, 0.8)
        assert interval.shape == (400, 2, 2)
        assert covered(interval, both) == pytest.approx([0.8, 0.8], abs=0.08)


def test_a_fitted_model_is_calibrated_with_samples_of_ones_own():
    model = lg.MLPRegressor(**OPTIONS).fit(*sample(300, 0))
    with pytest.raises(ArgumentError, match="predict_interval expected errors on samples that were not trained on"):
        model.predict_interval([[0.0]])
    x, y = sample(2000, 2)
    assert covered(model.calibrate(*sample(300, 1)).predict_interval(x, 0.9), y) == pytest.approx(0.9, abs=0.04)
    model.fit(x, y)
    with pytest.raises(ArgumentError, match="a model that has not been calibrated"):
        model.predict_interval(x)


def test_samples_that_were_held_back_are_not_learned_from():
    x, y = sample(200, 0)
    model = lg.MLPRegressor(**OPTIONS, calibration=0.25).fit(x, y)
    assert model.t_ == 150 * model.n_iter_
    assert len(model._conformal.scores) == 50
    whole = lg.MLPRegressor(**OPTIONS).fit(x, y)
    folds = lg.MLPRegressor(**OPTIONS, calibration=4).fit(x, y)
    np.testing.assert_array_equal(folds.predict(x), whole.predict(x))  # CV+ learns from all


def test_frames_weights_and_a_validation_set_go_through():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    x, y = sample(200, 0)
    for calibration in (0.25, 3):
        plain = lg.MLPRegressor(**OPTIONS, calibration=calibration, activation="silu")
        plain.fit(x, y, np.ones(200), X_val=x, y_val=y)
        for frame, series in ((pandas.DataFrame, pandas.Series), (polars.DataFrame, polars.Series)):
            table = frame({"x": x[:, 0]})
            model = lg.MLPRegressor(**plain.get_params())
            model.fit(table, series(y), np.ones(200), X_val=table, y_val=y)
            np.testing.assert_array_equal(model.predict_interval(table), plain.predict_interval(x))


@pytest.mark.parametrize(
    ("coverage", "message"),
    [
        (1.0, "coverage expected a number between 0 and 1, got 1.0"),
        ("90 %", "coverage expected a number between 0 and 1"),
        (0.99, "a coverage of 0.99 expected at least 99 samples held back, got 20"),
    ],
)
def test_a_coverage_that_cannot_be_had(coverage, message):
    model = lg.MLPRegressor(**OPTIONS).fit(*sample(50, 0)).calibrate(*sample(20, 1))
    with pytest.raises(ArgumentError, match=message):
        model.predict_interval([[0.0]], coverage)
    with pytest.raises(ArgumentError, match="calibration expected at least two samples, got n_samples = 1"):
        lg.MLPRegressor(calibration=0.5).fit([[0.0]], [0.0])


def test_intervals_are_functions_of_arrays():
    residuals = np.array([-3.0, 1.0, 2.0, 0.5])
    np.testing.assert_array_equal(split_interval(np.array([0.0, 10.0]), residuals, 0.6), [[-2, 2], [8, 12]])
    crossed = quantile_interval(np.array([1.0]), np.array([0.0]), -np.ones(9), 0.5)
    np.testing.assert_array_equal(crossed, [[0.5, 0.5]])  # never turned around
    f = np.zeros((2, 1))
    np.testing.assert_array_equal(
        cv_plus_interval(f, f + 1, np.abs(residuals), np.array([0, 1, 0, 1]), 0.6), [[-2.0, 3.0]]
    )
