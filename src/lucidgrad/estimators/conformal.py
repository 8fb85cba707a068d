"""Intervals of a regressor: data held back from its training, or folds of it, and what it is wrong by there."""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import KFold, train_test_split
from sklearn.utils import _safe_indexing, check_random_state, indexable
from sklearn.utils.validation import _check_sample_weight

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.estimators.intervals import cv_plus_interval, quantile_interval, quantile_scores, split_interval

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass
class Calibration:
    """What is known of the errors on data that was not learned from.

    Attributes
    ----------
    scores : (n,) or (n, outputs)
        |y - f(x)|, or, where the model predicts quantiles, how far y lies outside of them.
    quantiles
        Whether the first and the last column of the predictions are quantiles.
    folds, models
        For CV+: the fold of each sample, and the model that was fitted without each fold.
    weight : (n,), optional
        How much each sample counts; None: all alike.
    """

    scores: Array
    quantiles: bool
    folds: Array | None = None
    models: list[Any] = field(default_factory=list)
    weight: Array | None = None

    @classmethod
    def of(cls, model: Any, X: Any, y: Any, quantiles: bool, sample_weight: Any = None) -> Calibration:
        """By samples that a fitted model has not seen."""
        scores = _scores(model.predict(X), y, quantiles)
        return cls(scores, quantiles, weight=_weight(sample_weight, scores))

    def interval(self, model: Any, X: Any, coverage: float) -> Array:
        """Lower and upper ends for new samples, (m, 2) or (m, outputs, 2)."""
        if self.folds is not None:
            made = np.stack([m.predict(X) for m in self.models])
            low, high = (made[..., 0], made[..., -1]) if self.quantiles else (made, made)
            return cv_plus_interval(low, high, self.scores, self.folds, coverage, self.weight)
        made = model.predict(X)
        if self.quantiles:
            return quantile_interval(made[:, 0], made[:, -1], self.scores, coverage, self.weight)
        return split_interval(made, self.scores, coverage, self.weight)


def _weight(sample_weight: Any, scores: Array) -> Array | None:
    """Weights as conformal quantiles take them."""
    if sample_weight is None:
        return None
    rows = np.empty((len(scores), 1))
    return np.asarray(_check_sample_weight(sample_weight, rows, dtype=np.float64, ensure_non_negative=True))


def _scores(predictions: Array, y: Any, quantiles: bool) -> Array:
    targets = np.asarray(y)
    if quantiles:
        return quantile_scores(predictions[:, 0], predictions[:, -1], targets.reshape(len(predictions)))
    return np.asarray(np.abs(targets.reshape(predictions.shape) - predictions))


def fit_and_calibrate(me: Any, fit: Any, X: Any, y: Any, sample_weight: Any, validation: Any, quantiles: bool) -> None:
    """Fit a regressor as its ``calibration`` says: a share held back, or folds.

    ``fit`` is its fit without calibration, called with X, y, sample_weight and the three of the validation set.
    """
    X, y, sample_weight = indexable(X, None if y is None else np.asarray(y), sample_weight)
    random_state = check_random_state(me.random_state).randint(np.iinfo(np.int32).max)
    rows = np.arange(X.shape[0] if hasattr(X, "shape") else len(X))
    if len(rows) < 2:
        raise ArgumentError(
            explain("calibration expected at least two samples", f"n_samples = {len(rows)}", "Use calibration=None")
        )
    if not isinstance(me.calibration, Integral):
        train, held_back = train_test_split(rows, test_size=me.calibration, random_state=random_state)
        fit(_part(X, train), _part(y, train), _part(sample_weight, train), *validation)
        parts = _part(X, held_back), _part(y, held_back)
        me._conformal = Calibration.of(me, *parts, quantiles, _part(sample_weight, held_back))
        return
    fit(X, y, sample_weight, *validation)  # first, as it checks the data
    folds, scores, models = np.empty(len(rows), np.int64), None, []
    for k, (train, held_back) in enumerate(KFold(me.calibration, shuffle=True, random_state=random_state).split(rows)):
        model = clone(me).set_params(calibration=None, callbacks=None, warm_start=False, random_state=random_state)
        model.fit(_part(X, train), _part(y, train), _part(sample_weight, train), *validation)
        found = _scores(model.predict(_part(X, held_back)), _part(y, held_back), quantiles)
        scores = np.empty((len(rows), *found.shape[1:]), found.dtype) if scores is None else scores
        scores[held_back], folds[held_back] = found, k
        models.append(model)
    assert scores is not None  # there are at least two folds
    me._conformal = Calibration(scores, quantiles, folds, models, _weight(sample_weight, scores))


def _part(data: Any, rows: Array) -> Any:
    return None if data is None else _safe_indexing(data, rows)
