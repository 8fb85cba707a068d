"""Train a model of a table by its plan, and measure it on the rows that were held back."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lucidgrad.estimators import TabularClassifier, TabularRegressor
from lucidgrad.tables.measuring import Importance, Measured, importances, measure
from lucidgrad.tables.plan import Plan


@dataclass
class Trained:
    """A model, and how good it is.

    Parameters
    ----------
    plan
        What it was trained on.
    estimator
        The fitted TabularClassifier or TabularRegressor.
    validation, training
        Measured on the rows that were held back, and on those it has learned from.
    importance, importance_note
        Of the columns, and how it was measured.
    seconds
        Of training.
    """

    plan: Plan
    estimator: Any
    validation: Measured
    training: Measured
    importance: list[Importance]
    importance_note: str
    seconds: float

    @property
    def metrics(self) -> dict[str, float]:
        """What goes into the model file."""
        return {s.name: s.model for s in self.validation.scores if np.isfinite(s.model)}


def train(plan: Plan, settings: Mapping[str, Any]) -> Trained:
    """Train and measure.

    Parameters
    ----------
    plan
        From ``make_plan``.
    settings
        Arguments of ``TabularClassifier`` or ``TabularRegressor``.
    """
    cls = TabularClassifier if plan.task == "classification" else TabularRegressor
    estimator: Any = cls(kinds=plan.kinds or None, **settings)
    began = time.perf_counter()
    estimator.fit(plan.x_train, plan.y_train, plan.weight, X_val=plan.x_validation, y_val=plan.y_validation)
    seconds = time.perf_counter() - began
    estimator.set_params(progress=False)  # of the training, not of who loads the model
    estimator.target_name_ = plan.wishes.target
    base = baseline(plan)
    validation = asked(estimator, plan.x_validation, plan.y_validation, base)
    training = asked(estimator, plan.x_train, plan.y_train, base)
    found, note = importances(estimator, plan.x_validation, validation.y, plan.wishes.seed)
    return Trained(plan, estimator, validation, training, found, note, seconds)


def baseline(plan: Plan) -> Any:
    """What is best said without looking at a row: the shares of the classes, or the mean."""
    if plan.task == "regression":
        return np.array([np.average(plan.y_train, weights=plan.weight)])
    codes = np.unique(plan.y_train, return_inverse=True)[1]
    shares = np.bincount(codes, weights=plan.weight).astype(np.float64)
    return shares / shares.sum()


def asked(estimator: Any, x: Any, y: Any, base: Any) -> Measured:
    """What the estimator says of a table, compared with the targets."""
    if hasattr(estimator, "classes_"):
        return measure(numbers_of_labels(estimator, y), estimator.predict_proba(x), estimator.classes_, base)
    return measure(np.asarray(y, np.float64), estimator.predict(x), None, base)


def numbers_of_labels(estimator: Any, y: Any) -> Any:
    """The number of the class of each label, -1 for one that the model does not know."""
    classes = estimator.classes_
    places = {label: i for i, label in enumerate(classes.tolist())}
    return np.array([places.get(label, -1) for label in y.tolist()], np.int64)
