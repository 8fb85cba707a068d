"""How good a model is: against scikit-learn's measures, beside a baseline, and by shuffling columns."""

from __future__ import annotations

import numpy as np
import polars
import pytest
from sklearn import metrics

import lucidgrad as lg
from lucidgrad.errors import ShapeError
from lucidgrad.tables.measuring import importances, measure
from lucidgrad.tables.report import number


def test_the_measures_of_classes_are_those_of_scikit_learn():
    rng = np.random.default_rng(3)
    y, p = rng.integers(3, size=200), rng.dirichlet([1, 1, 1], size=200)
    made = measure(y, p, np.array(["a", "b", "c"]), np.array([0.5, 0.3, 0.2]))
    predicted = p.argmax(axis=1)
    expected = {
        "accuracy": metrics.accuracy_score(y, predicted),
        "balanced accuracy": metrics.balanced_accuracy_score(y, predicted),
        "macro F1": metrics.f1_score(y, predicted, average="macro"),
        "log loss": metrics.log_loss(y, p),
    }
    assert {s.name: s.model for s in made.scores} == pytest.approx(expected)
    base = {s.name: s.baseline for s in made.scores}
    assert base["accuracy"] == pytest.approx((y == 0).mean())
    assert base["balanced accuracy"] == pytest.approx(1 / 3)
    assert made.baseline == "always the most frequent class of training, a"
    assert [c.rows for c in made.classes] == np.bincount(y).tolist()
    np.testing.assert_array_equal(made.confusion, metrics.confusion_matrix(y, predicted))


def test_two_classes_have_an_area_under_the_curve():
    y, p = np.array([0, 1, 1, 0, 1]), np.array([0.2, 0.4, 0.9, 0.5, 0.6])
    made = measure(y, np.stack([1 - p, p], axis=1), np.array([False, True]), None)
    assert made.scores[-1].name == "ROC AUC"
    assert made.scores[-1].model == pytest.approx(metrics.roc_auc_score(y, p))


def test_a_class_that_the_model_does_not_know_counts_as_wrong():
    made = measure(np.array([0, -1]), np.array([[1.0, 0.0], [0.0, 1.0]]), np.array(["a", "b"]), None)
    assert made.scores[0].model == 0.5
    assert made.confusion.sum() == 1  # type: ignore[union-attr]


def test_the_measures_of_numbers_are_those_of_scikit_learn():
    rng = np.random.default_rng(4)
    y = rng.normal(size=50)
    p = y + rng.normal(size=50)
    made = {s.name: (s.model, s.baseline) for s in measure(y, p, None, np.array([0.25])).scores}
    flat = np.full(50, 0.25)
    assert made["R2"] == pytest.approx((metrics.r2_score(y, p), metrics.r2_score(y, flat)))
    assert made["mean absolute error"] == pytest.approx(
        (metrics.mean_absolute_error(y, p), metrics.mean_absolute_error(y, flat))
    )
    assert made["root mean squared error"][0] == pytest.approx(metrics.root_mean_squared_error(y, p))
    constant = measure(np.ones(3), np.ones(3), None, None)
    assert number(constant.scores[0].model) == "undefined"


def test_the_columns_that_decide_are_the_important_ones(monkeypatch):
    rng = np.random.default_rng(5)
    x = polars.DataFrame({f"n{i}": rng.normal(size=300) for i in range(6)})
    town = rng.choice(["a", "b"], 300)
    x = x.with_columns(town=polars.Series(town))
    y = 3 * x["n1"].to_numpy() + np.where(town == "a", 2.0, -2.0)
    model = lg.TabularRegressor(random_state=0, epochs=12, engine="eager", members=1).fit(x, y)
    found, note = importances(model, x, y, seed=0)
    assert {found[0].column, found[1].column} == {"n1", "town"}
    assert found[1].rise > 10 * abs(found[2].rise)
    assert note == "how much the root mean squared error of 300 measured rows grows when the column is shuffled"
    monkeypatch.setattr("lucidgrad.tables.measuring.IMPORTANCE_COLUMNS", 3)
    few, note = importances(model, x, y, seed=0)
    assert [one.column for one in few[:2]] == [one.column for one in found[:2]]
    assert len(few) == 3
    assert note.endswith("of 7 columns, the 3 that go along most with what is predicted")


@pytest.mark.parametrize(
    ("y", "answer", "classes", "base", "message"),
    [
        (
            np.zeros(3),
            np.zeros(4),
            None,
            None,
            r"targets of shape \(3,\) and answers of shape \(4,\). Ask the model abou",
        ),
        (np.zeros(0), np.zeros(0), None, None, r"targets of shape \(0,\) .* at least one"),
        (np.zeros((3, 1)), np.zeros((3, 1)), None, None, r"values \(rows,\), got targets of shape \(3, 1\)"),
        ([0, 1], [[1, 0]], ["a", "b"], None, r"probabilities \(rows, 2\), got targets of shape \(2,\) and .* \(1, 2\)"),
        ([0, 1], [[1, 0, 0]] * 2, ["a", "b"], None, r"probabilities \(rows, 2\), .* answers of shape \(2, 3\)"),
        ([0, 1], [[1, 0]] * 2, ["a", "b"], [0.5], r"measure\(base\) expected shape \(2,\), got shape \(1,\)"),
        ([1.0, 2.0], [1.0, 2.0], None, [0.5, 0.5], r"measure\(base\) expected shape \(1,\), got shape \(2,\)"),
    ],
)
def test_answers_that_are_not_to_these_targets_are_refused(y, answer, classes, base, message):
    with pytest.raises(ShapeError, match=message):
        measure(y, answer, classes, base)


def test_measures_take_lists_too():
    assert measure([1.0, 3.0], [1.0, 3.0], None, [2.0]).scores[0].model == 1
