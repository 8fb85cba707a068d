"""Rows to stop on count by their weights and by their classes as those to learn from do, whoever chose them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.errors import ArgumentError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
rng = np.random.default_rng(3)
N = 150
X = rng.normal(size=(N, 3))
Y = np.where(X[:, 0] + rng.normal(size=N) > 1, "rare", "usual")
X_VAL = rng.normal(size=(60, 3))
Y_VAL = np.where(X_VAL[:, 0] + rng.normal(size=60) > 0.5, "rare", "usual")
HALF = np.where(np.arange(60) % 2, 0.5, 2.0)
TABLE: dict[str, Any] = {
    "hidden_layer_sizes": (8,), "members": 1, "pieces": 0, "epochs": 3, "refit": False, "random_state": 0,
    "dropout": 0.0, "dtype": "float64",
}  # fmt: skip
PERCEPTRON: dict[str, Any] = {"hidden_layer_sizes": (8,), "max_iter": 3, "random_state": 0, "tol": 0.0}


def by_class(of: Any, **weights: float) -> Any:
    return np.array([weights[label] for label in of])


def balanced(labels: Any) -> dict[str, float]:
    names, counts = np.unique(labels, return_counts=True)
    return dict(zip(names.tolist(), len(labels) / (len(names) * counts), strict=True))


def log_loss(model: Any, weight: Any) -> float:
    p = model.predict_proba(X_VAL)[np.arange(60), np.searchsorted(model.classes_, Y_VAL)]
    return float(np.average(-np.log(p), weights=weight))


@pytest.mark.parametrize("class_weight", ["balanced", {"rare": 5.0}])
@pytest.mark.parametrize("weight", [None, HALF])
def test_the_loss_on_a_table_of_ones_own_is_weighted_as_that_of_training(class_weight: Any, weight: Any) -> None:
    model = lg.TabularClassifier(**TABLE, class_weight=class_weight)
    model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL, sample_weight_val=weight)
    told = balanced(Y) if class_weight == "balanced" else {"rare": 5.0, "usual": 1.0}
    counts = by_class(Y_VAL, **told) * (1.0 if weight is None else weight)
    assert min(model.history_["validation_loss"]) == pytest.approx(log_loss(model, counts), rel=1e-6)
    assert abs(log_loss(model, counts) - log_loss(model, None)) > 1e-3


def test_weights_of_numbers_to_stop_on_count_and_rows_of_weight_0_are_not_there() -> None:
    y, y_val = X[:, 0], X_VAL[:, 0]
    gone = np.arange(60) < 40
    model = lg.TabularRegressor(**TABLE)
    model.fit(X, y, X_val=X_VAL, y_val=np.where(gone, 1e9, y_val), sample_weight_val=~gone * HALF)
    some = lg.TabularRegressor(**TABLE)
    some.fit(X, y, X_val=X_VAL[40:], y_val=y_val[40:], sample_weight_val=HALF[40:])
    np.testing.assert_array_equal(model.predict(X), some.predict(X))
    np.testing.assert_array_equal(model.predict_interval(X), some.predict_interval(X))
    plain = lg.TabularRegressor(**TABLE).fit(X, y, X_val=X_VAL[40:], y_val=y_val[40:])
    assert plain.history_["validation_loss"] != some.history_["validation_loss"]


@pytest.mark.parametrize("given", [{"y_val": Y_VAL}, {"sample_weight_val": HALF}])
def test_targets_and_weights_without_their_table_are_told(given: Any) -> None:
    with pytest.raises(ArgumentError, match="fit expected X_val with y_val and sample_weight_val, got none"):
        lg.TabularClassifier(**TABLE).fit(X, Y, **given)


@pytest.mark.parametrize("class_weight", ["balanced", {"rare": 5.0}])
def test_the_score_of_a_perceptron_is_weighted_by_class_on_ones_own_rows_too(class_weight: Any) -> None:
    model = lg.MLPClassifier(**PERCEPTRON, class_weight=class_weight)
    model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL, sample_weight_val=HALF)
    told = balanced(Y) if class_weight == "balanced" else {"rare": 5.0, "usual": 1.0}
    expected = model.score(X_VAL, Y_VAL, by_class(Y_VAL, **told) * HALF)
    assert model.best_validation_score_ == pytest.approx(expected)
    assert expected != model.score(X_VAL, Y_VAL, HALF)


def test_several_labels_a_row_are_weighted_on_ones_own_rows_too() -> None:
    y, y_val = X[:, :2] > 0.7, np.stack([X_VAL[:, 0] > 0, np.zeros(60, bool)], axis=1)
    model = lg.MLPClassifier(**PERCEPTRON, class_weight=[{0: 1.0, 1: 3.0}, {0: 2.0}])
    model.fit(X, y.astype(int), X_val=X_VAL, y_val=y_val.astype(int))
    expected = model.score(X_VAL, y_val.astype(int), np.where(y_val[:, 0], 6.0, 2.0))
    assert model.best_validation_score_ == pytest.approx(expected)
