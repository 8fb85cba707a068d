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
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

import lucidgrad as lg
from benchmarks.table_problems import PROBLEMS
from benchmarks.tables import measure
from lucidgrad.errors import ArgumentError, DataError
from lucidgrad.estimators import table_training
from lucidgrad.training import fit

SMALL: dict[str, Any] = {
    "hidden_layer_sizes": (24,), "members": 3, "pieces": 4, "epochs": 25, "batch_size": 32, "refit": False,
    "random_state": 0,
}  # fmt: skip
# With whole batches, without dropout and in double precision a weight of 2 is as good as a row that is there twice.
CHECKED: dict[str, Any] = {
    "hidden_layer_sizes": (16,), "members": 2, "pieces": 2, "epochs": 30, "batch_size": 500, "dropout": 0.0,
    "learning_rate": 0.03, "refit": False, "dtype": "float64", "column_order": "same",
}  # fmt: skip
CHECKED_EAGERLY = [kind(**CHECKED, engine="eager") for kind in (lg.TabularClassifier, lg.TabularRegressor)]
CHECKED_NATIVELY = [kind(**CHECKED) for kind in (lg.TabularClassifier, lg.TabularRegressor)]
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


@parametrize_with_checks(CHECKED_EAGERLY)
def test_scikit_learns_own_checks(estimator: Any, check: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


@pytest.mark.long
@parametrize_with_checks(CHECKED_NATIVELY)
def test_scikit_learns_own_checks_in_machine_code(estimator: Any, check: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


def test_in_a_pipeline_a_search_and_a_cross_validation() -> None:
    options = {**SMALL, "epochs": 3, "engine": "eager"}
    numbers = pandas.DataFrame({"area": AREA, "size": AREA**2})
    pipeline = make_pipeline(SimpleImputer(), lg.TabularRegressor(**options))
    assert len(cross_val_score(pipeline, numbers, PRICE, cv=2)) == 2
    frame = pandas.DataFrame(TABLE)
    search = GridSearchCV(lg.TabularClassifier(**options), {"members": [1, 2]}, cv=2, n_jobs=1).fit(frame, DEAR)
    assert search.best_params_["members"] in (1, 2)
    assert search.predict(frame).shape == (N,)


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


def test_rows_that_are_held_back_may_be_chosen_and_are_learned_from_in_the_end() -> None:
    held = np.arange(N) < 100
    told = lg.TabularClassifier(**{**SMALL, "epochs": 5}).fit(TABLE, DEAR, held_back=held)
    rest = {name: values[100:] for name, values in TABLE.items() if name != "unit"}
    asked = {name: values[:5] for name, values in TABLE.items()}
    assert len(told.history_["validation_loss"]) == 5
    changed = np.where(held, "cheap", DEAR)
    other = lg.TabularClassifier(**{**SMALL, "epochs": 1}).fit(TABLE, changed, held_back=held)
    same = lg.TabularClassifier(**{**SMALL, "epochs": 1}).fit(TABLE, DEAR, held_back=held)
    assert np.array_equal(other.predict_proba(asked), same.predict_proba(asked)), "not learned from"
    settings = {**SMALL, "epochs": 1, "refit": True}
    other, same = (lg.TabularClassifier(**settings).fit(TABLE, y, held_back=[held, ~held]) for y in (changed, DEAR))
    assert not np.array_equal(other.predict_proba(asked), same.predict_proba(asked)), "learned from in the end"
    for wrong in (held[1:], held.astype(int), [[held]]):
        with pytest.raises(ArgumentError, match="held_back expected a bool for each of 300 rows"):
            told.fit(TABLE, DEAR, held_back=wrong)
    with pytest.raises(ArgumentError, match="expected rows to learn from and rows to stop on, got all rows or none"):
        told.fit(TABLE, DEAR, sample_weight=held, held_back=held)
    with pytest.raises(ArgumentError, match="expected held_back or X_val, got both"):
        told.fit(TABLE, DEAR, X_val=rest, y_val=DEAR[100:], held_back=held)


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


@pytest.mark.parametrize("targets", [np.stack([TOWN, TOWN], axis=1), np.eye(2, dtype=int)[np.arange(N) % 2]])
def test_a_classifier_has_one_label_a_row(targets: Any) -> None:
    with pytest.raises(
        DataError, match=r"one label for each row, \(rows,\), got shape \(300, 2\)\. Train one for each"
    ):
        lg.TabularClassifier(**SMALL).fit(TABLE, targets)
    with pytest.raises(DataError, match=r"one label for each row, \(rows,\), got shape \(300, 2\)"):
        lg.TabularClassifier(**SMALL).fit(TABLE, DEAR, X_val=TABLE, y_val=targets)


WRONG_SETTINGS: dict[str, Any] = {
    "hidden_layer_sizes": "ab", "dropout": 1.0, "normalization": "batch", "embedding_dim": 0, "pieces": -1,
    "members": 2.5, "batch_size": "many", "epochs": 0, "early_stopping": "yes", "patience": 1.5, "refit": "no",
    "column_order": "as it was", "progress": "bar", "dtype": "float16", "callbacks": None,
}  # fmt: skip


@pytest.mark.parametrize("setting", WRONG_SETTINGS)
@pytest.mark.parametrize("kind", [lg.TabularClassifier, lg.TabularRegressor])
def test_a_setting_that_is_none_is_refused_before_anything_is_trained(kind: Any, setting: str) -> None:
    wrong = WRONG_SETTINGS[setting]
    with pytest.raises(ArgumentError, match=rf"{kind.__name__}\({setting}=\.\.\.\) expected .*, got {wrong!r}\. "):
        kind(**{setting: wrong}).fit(TABLE, PRICE > 400_000)


def test_yes_and_no_may_be_numpys() -> None:
    stopped = lg.TabularClassifier(**{**SMALL, "early_stopping": np.True_}).fit(TABLE, DEAR)
    assert "validation_loss" in stopped.history_.columns


@pytest.mark.parametrize(("targets", "got"), [(TOWN, "could not convert string"), (PRICE + 1j, "complex numbers")])
def test_a_regressor_has_targets_that_are_real_numbers(targets: Any, got: str) -> None:
    with pytest.raises(DataError, match=f"TabularRegressor expected real numbers as targets, got {got}.*Classifier"):
        lg.TabularRegressor(**SMALL).fit(TABLE, targets)
    with pytest.raises(DataError, match=f"real numbers as targets, got {got}"):
        lg.TabularRegressor(**SMALL).fit(TABLE, PRICE, X_val=TABLE, y_val=targets)


def test_targets_to_stop_on_have_the_columns_of_those_to_learn() -> None:
    both = np.stack([PRICE, PRICE], axis=1)
    with pytest.raises(DataError, match="y_val expected 2 targets for each row, as y has, got 1"):
        lg.TabularRegressor(**SMALL).fit(TABLE, both, X_val=TABLE, y_val=PRICE)


@pytest.mark.parametrize("loss", ["cross_entropy", "logistic", "hinge"])
def test_a_regressor_refuses_a_loss_for_classes_before_it_trains(loss: str) -> None:
    with pytest.raises(ArgumentError, match=r"TabularRegressor expected a loss for numbers, got .*TabularClassifier"):
        lg.TabularRegressor(**SMALL, loss=loss).fit(TABLE, PRICE)


def test_a_table_has_one_quantile_for_each_target() -> None:
    several = lg.losses.Quantile(q=(0.1, 0.9))
    with pytest.raises(ArgumentError, match=r"as many q as targets, 1, got q=\(0.1, 0.9\)\. .*MLPRegressor"):
        lg.TabularRegressor(**SMALL, loss=several).fit(TABLE, PRICE)
    model = lg.TabularRegressor(**SMALL, loss=several).fit(TABLE, np.stack([PRICE, PRICE], axis=1))
    low, high = model.predict(TABLE).T
    assert low.mean() < high.mean()


def test_targets_of_different_lengths_are_told() -> None:
    with pytest.raises(DataError, match="y expected a target for each of 300 rows, got rows of different lengths"):
        lg.TabularRegressor(**SMALL).fit(TABLE, [[1.0], [1.0, 2.0]] * 150)


def test_a_single_target_is_none_for_each_row() -> None:
    with pytest.raises(DataError, match=r"a target for each of 300 rows, got shape \(\)"):
        lg.TabularRegressor(**SMALL).fit(TABLE, 5.0)


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


def test_probabilities_too_small_for_a_number_have_a_logarithm_all_the_same() -> None:
    model = lg.TabularClassifier(**SMALL, dtype="float64").fit(TABLE, DEAR)
    model.model_.eval().load_state({k: 1e3 * np.asarray(v) for k, v in model.model_.state().items()})
    logarithms = model.predict_log_proba(TABLE)
    assert logarithms.min() < -1e3
    np.testing.assert_allclose(np.exp(logarithms), model.predict_proba(TABLE))


def test_class_weights_move_the_answers():
    y = np.where(rng.random(N) < 0.2, "rare", "usual")
    options = {**SMALL, "epochs": 5}
    usual = lg.TabularClassifier(**options).fit(TABLE, y)
    balanced = lg.TabularClassifier(**options, class_weight="balanced").fit(TABLE, y)
    assert np.mean(balanced.predict(TABLE) == "rare") > np.mean(usual.predict(TABLE) == "rare")
    with pytest.raises(ArgumentError, match="class_weight expected classes of y, got 'seldom'"):
        lg.TabularClassifier(**options, class_weight={"seldom": 2.0}).fit(TABLE, y)
    with pytest.raises(ArgumentError, match="expected 'balanced' or a dict from classes to weights, got 'balance'"):
        lg.TabularClassifier(**options, class_weight="balance").fit(TABLE, y)


def test_numbers_are_cut_into_pieces_where_that_is_better_beyond_chance():
    x = np.random.default_rng(3).uniform(-1, 1, size=(600, 1))
    options = {**SMALL, "pieces": "auto"}
    straight = lg.TabularRegressor(**options).fit(x, x[:, 0])
    stairs = lg.TabularRegressor(**options).fit(x, np.floor(4 * x[:, 0]) % 2)
    assert straight.model_[0].pieces == 0
    assert stairs.model_[0].pieces > 8
    untold = lg.TabularRegressor(**{**options, "early_stopping": False, "epochs": 1}).fit(x, x[:, 0])
    assert untold.model_[0].pieces == 0


def test_a_training_that_diverges_is_not_the_one_that_is_kept(monkeypatch):
    losses = iter([np.array([np.nan, 1.0]), np.array([0.5, 0.5])])
    monkeypatch.setattr(lg.TabularRegressor, "_losses", lambda *_: next(losses))
    x = np.random.default_rng(3).uniform(-1, 1, size=(200, 1))
    kept = lg.TabularRegressor(**{**SMALL, "pieces": "auto", "epochs": 2}).fit(x, x[:, 0])
    assert kept.model_[0].pieces > 0


def test_text_in_a_column_of_numbers_is_told_when_a_table_is_asked_about(regressor):
    area = np.array(["80", "?", "eighty", None, "large"], object)
    rows = {name: column[:5] for name, column in TABLE.items()} | {"area": area}
    with pytest.warns(UserWarning, match=r"column 'area' expected numbers, as in training, got 'eighty' and 1 more"):
        told = regressor.predict(rows)
    missing = rows | {"area": np.array([80.0, *[np.nan] * 4])}
    np.testing.assert_array_equal(told, regressor.predict(missing))


def test_of_few_rows_several_splits_say_how_long_to_train_on_all(monkeypatch):
    runs = []
    monkeypatch.setattr(
        table_training,
        "fit",
        lambda *a, **k: runs.append((len(a[1]), k["epochs"], run := fit(*a, **k))) or run,
    )
    model = lg.TabularClassifier(**{**SMALL, "epochs": 12, "refit": True, "engine": "eager"}).fit(TABLE, DEAR)
    assert [rows for rows, _, _ in runs] == [255, 255, 255, N]
    best = [table_training.best_epoch(run.history) for _, _, run in runs[:3]]
    assert runs[3][1] == sorted(best)[1]
    assert model.best_epoch_ == best[0]


def test_names_that_are_not_those_of_training_are_refused_on_request():
    frame = pandas.DataFrame(TABLE)
    model = lg.TabularClassifier(**{**SMALL, "epochs": 2}, column_order="same").fit(frame, DEAR)
    model.predict(frame)
    with pytest.raises(ValueError, match="Feature names must be in the same order as they were in fit"):
        model.predict(frame[frame.columns[::-1]])


def test_thousands_of_columns_and_categories_are_learned_in_reasonable_memory():
    x = rng.normal(size=(80, 3000))
    y = (x[:, 0] > 0).astype(int)
    model = lg.TabularClassifier(**{**SMALL, "epochs": 2}).fit(x, y)
    assert model.predict(x).shape == (80,)
    many = {"name": [f"n{i % 150}" for i in range(300)], **TABLE}
    assert lg.TabularClassifier(**{**SMALL, "epochs": 2}).fit(many, DEAR).preprocessing_.places[0] == 152


def test_labels_of_any_kind_come_back_as_they_were():
    for labels in (np.array([True, False]), np.array([3, 7]), np.array(["a", "b"], object)):
        y = labels[(DEAR == "dear").astype(int)]
        model = lg.TabularClassifier(**{**SMALL, "epochs": 2, "engine": "eager"}).fit(TABLE, y)
        assert model.predict(TABLE).dtype == labels.dtype
        assert set(model.predict(TABLE)) <= set(labels)
    mixed = np.array([3 if d == "dear" else "x" for d in DEAR], object)
    with pytest.raises((DataError, ValueError, TypeError)):
        lg.TabularClassifier(**SMALL).fit(TABLE, mixed)


def test_no_rows_have_no_predictions(classifier, regressor):
    nothing = {name: values[:0] for name, values in TABLE.items()}
    assert classifier.predict(nothing).shape == (0,)
    assert classifier.predict_proba(nothing).shape == (0, 2)
    assert regressor.predict(nothing).shape == (0,)


def test_the_defaults_are_within_two_percent_of_boosted_trees_on_a_bundled_table():
    """A small share of ``python -m benchmarks.tables``."""
    ours, trees = (measure("diabetes", who, seed=1)[0] for who in ("lucidgrad", "boosted trees"))
    assert ours > trees - 0.02


@pytest.mark.long
@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_defaults_are_within_two_percent_of_the_best(problem):
    scores = {
        who: np.mean([measure(problem, who, seed)[0] for seed in range(3)])
        for who in ("lucidgrad", "perceptron", "boosted trees")
    }
    assert scores["lucidgrad"] > max(scores.values()) - 0.02, scores
    assert scores["lucidgrad"] > scores["perceptron"] - 0.01, scores  # three seeds say no more


def test_each_of_the_runs_for_one_model_says_what_it_is_for(capsys: Any) -> None:
    options = {**SMALL, "epochs": 2, "refit": True, "pieces": "auto", "progress": True, "engine": "eager"}
    lg.TabularRegressor(**options).fit(TABLE, PRICE)
    lines = capsys.readouterr().err.splitlines()
    assert list(dict.fromkeys(line.split("  ")[0] for line in lines)) == [
        "1/5 plain numbers",
        "2/5 numbers in 2 pieces",
        "3/5 other rows to stop on (2 of 3)",
        "4/5 other rows to stop on (3 of 3)",
        "5/5 all rows",
    ]
    lg.TabularRegressor(**options | {"early_stopping": False}).fit(TABLE, PRICE)
    assert capsys.readouterr().err.startswith("epoch 1/2")
