"""Weights in intervals and tables: 2 is as good as the sample twice, and all weights times 2 are what they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.errors import ArgumentError, ModelFileError
from lucidgrad.estimators.intervals import (
    conformal_quantile,
    cv_plus_interval,
    quantile_interval,
    split_interval,
    worth,
)
from lucidgrad.estimators.table_network import edges_of
from lucidgrad.io.kinds import from_tree, kind_of
from lucidgrad.losses import Quantile

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
OPTIONS: dict[str, Any] = {
    "hidden_layer_sizes": (8,), "learning_rate_init": 0.02, "max_iter": 20, "alpha": 0.0, "random_state": 0,
}  # fmt: skip
TABLES: dict[str, Any] = {
    "hidden_layer_sizes": (8,), "members": 2, "pieces": 2, "epochs": 30, "batch_size": 5000, "dropout": 0.0,
    "learning_rate": 0.03, "refit": False, "dtype": "float64", "random_state": 0, "patience": 3,
    "kinds": {"x": "numeric", "town": "categorical"},
}  # fmt: skip


def sample(n: int, seed: int) -> tuple[Any, Any, Any]:
    """Inputs, targets, and whole weights: what weighs more is noisier."""
    rng = np.random.default_rng(seed)
    weight = rng.choice([0.0, 1.0, 1.0, 4.0], n)
    x = np.stack([rng.uniform(-1, 1, n), weight], 1)
    return x, np.sin(3 * x[:, 0]) + 0.1 * (1 + weight) * rng.normal(size=n), weight


def as_of_repeated(coverage: float, weight: Any) -> float:
    """The coverage of the repeated samples that is that of the weighted ones: they are worth a few more samples."""
    return coverage * (1 + 1 / worth(weight)) / (1 + 1 / weight.sum())


@pytest.mark.parametrize("coverage", [0.3, 0.5, 0.8, 0.9])
@pytest.mark.parametrize("outputs", [(), (2,)])
def test_weights_are_repeated_scores_and_their_unit_does_not_count(coverage: float, outputs: tuple[int, ...]) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        scores, weight = rng.normal(size=(60, *outputs)).round(1), rng.integers(0, 4, 60).astype(float)
        made = conformal_quantile(scores, coverage, weight)
        again = np.repeat(scores, weight.astype(int), axis=0)
        np.testing.assert_array_equal(made, conformal_quantile(again, as_of_repeated(coverage, weight)))
        for factor in (1e-300, 0.1, 3.0, 1e300):
            np.testing.assert_array_equal(conformal_quantile(scores, coverage, factor * weight), made)
            alike = conformal_quantile(scores, coverage, np.full(60, factor))
            np.testing.assert_array_equal(alike, conformal_quantile(scores, coverage))


@pytest.mark.parametrize("coverage", [0.5, 0.9])
def test_every_kind_of_interval_is_weighted(coverage: float) -> None:
    rng = np.random.default_rng(0)
    scores, folds = rng.exponential(size=50), rng.integers(0, 3, 50)
    weight = rng.integers(1, 4, 50).astype(float)
    low, high, made = rng.normal(size=(3, 7)), 3 + rng.normal(size=(3, 7)), rng.normal(size=7)
    twice, same = np.repeat(np.arange(50), weight.astype(int)), as_of_repeated(coverage, weight)
    for one, other in (
        (split_interval(made, scores, coverage, weight), split_interval(made, scores[twice], same)),
        (quantile_interval(made, made, scores, coverage, weight), quantile_interval(made, made, scores[twice], same)),
        (cv_plus_interval(low, high, scores, folds, coverage, weight),
         cv_plus_interval(low, high, scores[twice], folds[twice], same)),
    ):  # fmt: skip
        np.testing.assert_array_equal(one, other)


def test_weights_are_worth_as_many_samples_as_they_say() -> None:
    assert worth(np.full(7, 0.3)) == pytest.approx(7)
    assert worth(np.array([5.0, 0.0, 5.0])) == 2.0
    assert worth(np.zeros(3)) == 0.0
    weight = np.array([1e6, *[1.0] * 98])
    with pytest.raises(ArgumentError, match=r"at least 9 samples held back, got 99, whose weights make them worth 1\."):
        conformal_quantile(np.arange(99.0), 0.9, weight)


def test_where_rounding_alone_is_missing_to_enough_samples_the_largest_score_is_taken() -> None:
    weight = np.ones(9)
    weight[0] += 3e-5
    assert 0 < 9 - worth(weight) < 1e-9
    assert conformal_quantile(np.arange(9.0), 0.9, weight) == 8.0


@pytest.mark.parametrize("loss", ["squared_error", Quantile(q=(0.1, 0.9))], ids=["one", "quantiles"])
def test_a_model_is_calibrated_by_weights_as_by_rows_that_are_there_more_than_once(loss: Any) -> None:
    x, y, weight = sample(300, 0)
    model = lg.MLPRegressor(loss, **OPTIONS).fit(x, y)
    weighted = model.calibrate(x, y, weight).predict_interval(x, 0.8)
    np.testing.assert_array_equal(model.calibrate(x, y, 0.1 * weight).predict_interval(x, 0.8), weighted)
    twice = np.repeat(np.arange(300), weight.astype(int))
    repeated = model.calibrate(x[twice], y[twice])
    np.testing.assert_array_equal(repeated.predict_interval(x, as_of_repeated(0.8, weight)), weighted)
    plain = model.calibrate(x, y).predict_interval(x, 0.8)
    assert (plain[:, 1] < weighted[:, 1]).all()  # what weighs more is noisier


@pytest.mark.parametrize("calibration", [0.4, 3])
def test_fitting_with_weights_times_a_number_gives_the_same_intervals(calibration: Any) -> None:
    x, y, weight = sample(300, 1)
    made = [
        lg.MLPRegressor(calibration=calibration, **OPTIONS).fit(x, y, factor * weight).predict_interval(x, 0.8)
        for factor in (1.0, 8.0)
    ]
    np.testing.assert_array_equal(*made)
    new, targets, w = sample(4000, 2)
    model = lg.MLPRegressor(calibration=calibration, **OPTIONS).fit(x, y, weight)
    low, high = model.predict_interval(new, 0.8).T
    assert np.average((low <= targets) & (targets <= high), weights=w) == pytest.approx(0.8, abs=0.08)


def table(rows: Any, x: Any) -> dict[str, Any]:
    return {"x": x[rows, 0], "town": np.where(x[rows, 1] > 1, "Bonn", "Ulm")}


def fitted(rows: Any, weight: Any, x: Any, y: Any, held: Any) -> lg.TabularRegressor:
    w = None if weight is None else weight[rows]
    return lg.TabularRegressor(**TABLES).fit(table(rows, x), y[rows], sample_weight=w, held_back=held[rows])


def test_a_table_with_weights_is_the_table_with_rows_that_are_there_more_than_once() -> None:
    x, y, weight = sample(200, 3)
    all_rows, held = np.arange(200), np.random.default_rng(0).random(200) < 0.4
    weighted = fitted(all_rows, weight, x, y, held)
    scaled = fitted(all_rows, 4 * weight, x, y, held)
    repeated = fitted(np.repeat(all_rows, weight.astype(int)), None, x, y, held)
    asked = table(all_rows, x)
    np.testing.assert_array_equal(scaled.predict_interval(asked, 0.8), weighted.predict_interval(asked, 0.8))
    assert repeated.best_epoch_ == weighted.best_epoch_ < 30
    np.testing.assert_allclose(repeated.predict(asked), weighted.predict(asked), rtol=1e-9)
    same = as_of_repeated(0.8, weight[held])
    intervals = repeated.predict_interval(asked, same), weighted.predict_interval(asked, 0.8)
    np.testing.assert_allclose(*intervals, rtol=1e-9)


def test_pieces_of_numbers_do_not_depend_on_the_unit_of_weights() -> None:
    rng = np.random.default_rng(6)
    column, weight = rng.normal(size=(300, 1)), rng.uniform(0.5, 2, 300)
    targets = (column > 0.3) + 0.5 * rng.normal(size=(300, 1))
    plain = edges_of(column, 13, targets, weight)
    for factor in (2.0**-20, 2.0**20):
        np.testing.assert_array_equal(edges_of(column, 13, targets, factor * weight), plain)


def test_rows_that_say_when_to_stop_count_as_much_as_they_weigh() -> None:
    """Of two kinds of rows with opposite targets those that weigh decide, in stopping too."""
    x, y, weight = sample(200, 3)
    held = np.random.default_rng(0).random(200) < 0.4
    plain = fitted(np.arange(200), np.ones(200), x, y, held).history_["validation_loss"]
    weighted = fitted(np.arange(200), weight, x, y, held).history_["validation_loss"]
    assert plain[0] != weighted[0]


@pytest.mark.parametrize("kind", ["mlp", "folds", "table"])
def test_weights_of_a_calibration_are_in_the_file_and_forged_ones_refused(kind: str, tmp_path: Path) -> None:
    x, y, weight = sample(100, 4)
    if kind == "table":
        model: Any = lg.TabularRegressor(**TABLES, early_stopping=True).fit(table(slice(None), x), y, weight)
        given: Any = table(slice(None), x)
    else:
        model, given = lg.MLPRegressor(calibration=0.5 if kind == "mlp" else 2, **OPTIONS).fit(x, y, weight), x
    lg.save(model, tmp_path / "m.lucidgrad")
    again = lg.load(tmp_path / "m.lucidgrad")
    np.testing.assert_array_equal(again.predict_interval(given, 0.6), model.predict_interval(given, 0.6))
    saved = kind_of(model)
    name = "residual_weight" if kind == "table" else "weight"
    for forged in (lambda w: w[1:], lambda w: -w, lambda w: w * np.nan, lambda w: w.astype(np.float32), lambda w: None):
        tree = saved.to_tree(model)
        part = tree["target" if kind == "table" else "calibration"]
        part[name] = forged(part[name])
        with pytest.raises(ModelFileError, match="its weights have to be"):
            from_tree(saved.name, tree)


def test_weights_that_are_none_are_refused() -> None:
    x, y, weight = sample(50, 5)
    model = lg.MLPRegressor(**OPTIONS).fit(x, y)
    with pytest.raises(ValueError, match=r"[Nn]egative"):
        model.calibrate(x, y, -1 - weight)
    with pytest.raises(ValueError, match=r"inconsistent|expected"):
        model.calibrate(x, y, weight[1:])
