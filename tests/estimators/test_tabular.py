"""TabularClassifier and TabularRegressor: tables of any columns, trained natively, as scikit-learn's estimators."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pandas
import polars
import pytest
from sklearn.base import clone

import lucidgrad as lg
from lucidgrad.errors import ArgumentError, DataError

SMALL: dict[str, Any] = {
    "hidden_layer_sizes": (24,), "members": 3, "pieces": 4, "epochs": 25, "batch_size": 32, "refit": False,
    "random_state": 0,
}  # fmt: skip
rng = np.random.default_rng(8)
N = 300
TOWN = np.array(["Bonn", "Köln", "Ulm"])[rng.integers(3, size=N)]
AREA = np.where(rng.random(N) < 0.1, np.nan, rng.uniform(20, 200, N))
BUILT = np.datetime64("1990-01-01") + rng.integers(0, 10_000, N)
TABLE = {"area": AREA, "town": TOWN, "built": BUILT, "unit": ["m2"] * N}
PRICE = 1000.0 * np.nan_to_num(AREA, nan=100.0) * np.where(TOWN == "Köln", 5, 3) + rng.normal(0, 5000, N)
DEAR = np.where(PRICE > 400_000, "dear", "cheap")


@pytest.fixture(scope="module")
def classifier() -> Any:
    return lg.TabularClassifier(**SMALL).fit(TABLE, DEAR)


@pytest.fixture(scope="module")
def regressor() -> Any:
    return lg.TabularRegressor(**SMALL).fit(TABLE, PRICE)


def test_a_table_is_learned(classifier, regressor):
    assert classifier.score(TABLE, DEAR) > 0.93
    assert regressor.score(TABLE, PRICE) > 0.9
    assert classifier.classes_.tolist() == ["cheap", "dear"]
    np.testing.assert_allclose(classifier.predict_proba(TABLE).sum(axis=1), 1)
    assert {c.name: c.kind for c in classifier.columns_} == {
        "area": "numeric", "town": "categorical", "built": "date", "unit": "constant",
    }  # fmt: skip
    assert classifier.history_["validation_loss"][-1] < classifier.history_["validation_loss"][0]


def test_training_runs_natively():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lg.TabularRegressor(**{**SMALL, "epochs": 2, "engine": "native"}).fit(TABLE, PRICE)


def test_columns_may_come_in_any_order_from_any_library(classifier):
    expected = classifier.predict_proba(TABLE)
    turned = dict(reversed(TABLE.items()))
    for table in (pandas.DataFrame(turned), polars.DataFrame(turned), polars.DataFrame(turned).to_arrow()):
        np.testing.assert_array_equal(classifier.predict_proba(table), expected)
    with pytest.raises(DataError, match="which it lacks: 'town'"):
        classifier.predict({name: v for name, v in TABLE.items() if name != "town"})


def test_missing_and_unseen_values_have_an_answer(classifier, regressor):
    new = {"area": [None, 50], "town": [None, "Trier"], "built": [None, "2001-05-06"]}
    assert set(classifier.predict(new)) <= {"cheap", "dear"}
    assert np.isfinite(regressor.predict(new)).all()


@pytest.mark.parametrize("members", [1, 3])
def test_the_same_seed_gives_the_same_bits_and_pickling_keeps_them(members):
    options = {**SMALL, "members": members, "epochs": 3}
    first, second = (lg.TabularClassifier(**options).fit(TABLE, DEAR) for _ in range(2))
    np.testing.assert_array_equal(first.predict_proba(TABLE), second.predict_proba(TABLE))
    again = pickle.loads(pickle.dumps(first))
    np.testing.assert_array_equal(again.predict_proba(TABLE), first.predict_proba(TABLE))
    assert clone(first).get_params() == first.get_params()


def test_intervals_hold_the_share_that_was_asked_for(regressor):
    some = lg.TabularRegressor(**SMALL).fit({"area": AREA[:200], "town": TOWN[:200]}, PRICE[:200])
    low, high = some.predict_interval({"area": AREA[200:], "town": TOWN[200:]}, coverage=0.8).T
    assert 0.65 < np.mean((low <= PRICE[200:]) & (PRICE[200:] <= high)) < 0.95
    with pytest.raises(
        ArgumentError, match=r"predict_interval\(coverage=0.999\) expected 999 rows that were held back"
    ):
        some.predict_interval({"area": AREA, "town": TOWN}, coverage=0.999)


def test_a_validation_table_of_ones_own_stops_early():
    held = {name: v[:100] for name, v in TABLE.items()}
    rest = {name: v[100:] for name, v in TABLE.items()}
    model = lg.TabularClassifier(**{**SMALL, "patience": 2, "epochs": 100})
    model.fit(rest, DEAR[100:], X_val=held, y_val=DEAR[:100])
    assert len(model.history_.rows) < 100
    with pytest.raises(DataError, match="y_val expected the classes of y, got 'free'"):
        model.fit(rest, DEAR[100:], X_val=held, y_val=["free"] * 100)
    with pytest.raises(ArgumentError, match="fit expected y_val with X_val, got none"):
        model.fit(rest, DEAR[100:], X_val=held)


def test_targets_that_cannot_be_learned_are_explained():
    model = lg.TabularClassifier(**SMALL)
    with pytest.raises(DataError, match=r"targets of at least 2 classes, got 1 class in 300 rows: 'dear'"):
        model.fit(TABLE, ["dear"] * N)
    gone = [None if i < 12 else DEAR[i] for i in range(N)]
    with pytest.raises(DataError, match=r"a target in every row .*, got none in 12 of 300 rows\. Leave these rows out"):
        model.fit(TABLE, gone)
    with pytest.raises(DataError, match="y expected a target for each of 300 rows"):
        model.fit(TABLE, DEAR[:5])
    with pytest.raises(DataError, match=r"a column that can tell rows apart, got unit: constant, only one value: 'm2'"):
        model.fit({"unit": TABLE["unit"]}, DEAR)
    with pytest.raises(DataError, match=r"fit expected at least 2 rows \(n_samples\), got 0 sample"):
        model.fit({"a": []}, [])


def test_several_targets_and_counts():
    both = np.stack([PRICE, -2 * PRICE], axis=1)
    model = lg.TabularRegressor(**SMALL).fit(TABLE, both)
    assert model.predict(TABLE).shape == (N, 2)
    assert model.predict_interval(TABLE).shape == (N, 2, 2)
    assert model.score(TABLE, both) > 0.8
    counts = rng.poisson(np.nan_to_num(AREA, nan=100) / 20)
    model = lg.TabularRegressor(**SMALL, loss="poisson").fit(TABLE, counts)
    assert (model.predict(TABLE) > 0).all()
    assert model.predict(TABLE).mean() == pytest.approx(counts.mean(), rel=0.15)


def test_class_weights_move_the_answers():
    y = np.where(rng.random(N) < 0.2, "rare", "usual")
    options = {**SMALL, "epochs": 5}
    usual = lg.TabularClassifier(**options).fit(TABLE, y)
    balanced = lg.TabularClassifier(**options, class_weight="balanced").fit(TABLE, y)
    assert np.mean(balanced.predict(TABLE) == "rare") > np.mean(usual.predict(TABLE) == "rare")
    with pytest.raises(ArgumentError, match="class_weight expected classes of y, got 'seldom'"):
        lg.TabularClassifier(**options, class_weight={"seldom": 2.0}).fit(TABLE, y)
