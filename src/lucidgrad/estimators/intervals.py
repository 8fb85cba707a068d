"""Prediction intervals that cover: conformal prediction, which needs residuals on data the model has not learned.

No assumption about the errors is made but that the new samples are exchangeable with those held back. Functions of
arrays, for any regressor.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lucidgrad.errors import ArgumentError, counted, explain

Array = np.ndarray[Any, np.dtype[Any]]

ROWS_AT_ONCE = 2**22  # numbers that are sorted together


def conformal_quantile(scores: Array, coverage: float, weight: Array | None = None) -> Array:
    """The ceil((n + 1) coverage)-th smallest of n scores, by column: (n,) or (n, outputs) -> () or (outputs,).

    With weights, (n,) or one for each score, the smallest score at or below which there is (1 + 1 / n) coverage of the
    whole weight, n being how many samples the weights are worth: see ``worth``. As many weights times any number are
    the same, and a weight of 2 counts twice.

    Lei, G'Sell, Rinaldo, Tibshirani and Wasserman 2018, "Distribution-free predictive inference for regression",
    Algorithm 2: a new score is at most that with a probability of at least ``coverage``, and, without ties, of at
    most ``coverage`` + 1 / (n + 1).

    Raises
    ------
    ArgumentError
        When there are too few scores for the coverage.

    Examples
    --------
    >>> conformal_quantile(np.arange(1.0, 10.0), 0.8)
    array(8.)
    """
    check_coverage(coverage)
    if not is_enough(scores, weight, coverage):
        got = (
            f"{len(scores)}" if weight is None else f"{len(scores)}, whose weights make them worth {worth(weight):.3g}"
        )
        raise ArgumentError(
            explain(
                f"a coverage of {coverage:g} expected at least {counted(least_scores(coverage), 'sample')} held back",
                got,
                "Hold more back, or ask for less coverage",
            )
        )
    return _quantile(np.asarray(scores), coverage, weight)


def _quantile(scores: Array, coverage: float, weight: Array | None) -> Array:
    """Along the first axis; there are enough of them."""
    if weight is None:
        rank = _rank(len(scores), coverage)
        picked: Array = np.partition(scores, rank - 1, axis=0)[rank - 1]
        return np.asarray(picked)
    order = np.argsort(scores, axis=0, kind="stable")
    sorted_weight = np.take_along_axis(weight, order, 0) if weight.ndim == scores.ndim else weight[order]
    cumulated = np.cumsum(sorted_weight.astype(np.float64), axis=0)
    level = min(1.0, coverage * (1 + 1 / worth(weight)) * (1 - 1e-12))  # what rounding adds does not count
    place = (cumulated < level * cumulated[-1]).sum(axis=0, keepdims=True)
    return np.asarray(np.take_along_axis(scores, np.take_along_axis(order, place, 0), 0)[0])


def worth(weight: Array) -> float:
    """How many samples of equal weight weighted ones are worth: (sum of w)^2 / sum of w^2 (Kish 1965).

    Columns hold the same weights in orders of their own, so that the first says it for all.

    >>> worth(np.array([2.0, 2.0, 2.0])), worth(np.array([1.0, 0.0]))
    (3.0, 1.0)
    """
    w = weight[:, 0] if weight.ndim == 2 else weight
    scaled = w.astype(np.float64) / (w.max(initial=0) or 1.0)  # no square is too large or too small
    return float(scaled.sum() ** 2 / np.square(scaled).sum()) if scaled.any() else 0.0


def is_enough(scores: Array | None, weight: Array | None, coverage: float) -> bool:
    """Whether there are as many scores as a coverage takes."""
    if scores is None:
        return False
    return (len(scores) if weight is None else worth(weight)) > coverage / (1 - coverage) - 1e-9


def split_interval(predictions: Array, residuals: Array, coverage: float, weight: Array | None = None) -> Array:
    """Split-conformal intervals: as far on both sides as the held-back samples were off.

    Parameters
    ----------
    predictions : (m,) or (m, outputs)
        For the new samples.
    residuals : (n,) or (n, outputs)
        y - f(x) on samples held back.
    coverage
        The share of new targets that is to lie inside, by output.
    weight : (n,), optional
        How much each of these samples counts.

    Returns
    -------
    (m, 2) or (m, outputs, 2): lower and upper end.

    Examples
    --------
    >>> split_interval(np.array([10.0]), np.array([-1.0, 0.5, 2.0, -3.0]), 0.8)
    array([[ 7., 13.]])
    """
    radius = conformal_quantile(np.abs(residuals), coverage, weight)
    return np.stack([predictions - radius, predictions + radius], axis=-1)


def quantile_interval(low: Array, high: Array, scores: Array, coverage: float, weight: Array | None = None) -> Array:
    """Conformalised quantile regression (Romano, Patterson and Candès 2019, eq. 6 and 7), for quantiles (m,).

    ``scores`` (n,) are those of ``quantile_scores``. The width follows the noise where the quantiles do.

    Examples
    --------
    >>> quantile_interval(np.array([0.0]), np.array([1.0]), np.array([-0.5, 0.25, 0.5, 1.0]), 0.8)
    array([[-1.,  2.]])
    """
    radius = conformal_quantile(scores, coverage, weight)
    middle = (low + high) / 2  # quantiles that cross, or shrink below nothing, meet there
    return np.stack([np.minimum(low - radius, middle), np.maximum(high + radius, middle)], axis=-1)


def quantile_scores(low: Array, high: Array, y: Array) -> Array:
    """How far each target lies outside of its two quantiles; negative inside (Romano et al. 2019, eq. 5)."""
    return np.asarray(np.maximum(low - y, y - high))


def cv_plus_interval(
    low: Array, high: Array, scores: Array, folds: Array, coverage: float, weight: Array | None = None
) -> Array:
    """CV+ (Barber, Candès, Ramdas and Tibshirani 2021, "Predictive inference with the jackknife+", section 3).

    All samples are learned from, and all serve to calibrate: each one by the model that has not seen it. The
    coverage is at least 2 coverage - 1 - sqrt(2 / n) in theory, and about ``coverage`` unless training is unstable.

    Parameters
    ----------
    low, high : (folds, m) or (folds, m, outputs)
        For the new samples, of the model that was fitted without each fold: two quantiles, or twice the prediction.
    scores : (n,) or (n, outputs)
        |y - f(x)|, or ``quantile_scores``, by the model that had not seen the sample.
    folds : (n,)
        The number of the fold of each sample.
    coverage, weight
        As above.

    Returns
    -------
    (m, 2) or (m, outputs, 2): lower and upper end.

    Examples
    --------
    >>> f = np.array([[1.0], [2.0]])
    >>> cv_plus_interval(f, f, np.array([0.5, 1.0, 0.25, 0.125]), np.array([0, 0, 1, 1]), 0.8)
    array([[0. , 2.25]])
    """
    conformal_quantile(scores, coverage, weight)  # enough of them?
    m = low.shape[1]
    ends = np.empty((*low.shape[1:], 2), low.dtype)
    step = max(1, ROWS_AT_ONCE // max(1, scores.size))
    radius = scores[:, None]
    for start in range(0, m, step):
        part = slice(start, min(start + step, m))
        ends[part, ..., 0] = -_quantile(radius - low[folds, part], coverage, weight)
        ends[part, ..., 1] = _quantile(high[folds, part] + radius, coverage, weight)
    return ends


def least_scores(coverage: float) -> int:
    """How many scores it takes for a coverage: the least n whose ceil((n + 1) coverage) is not beyond n.

    >>> least_scores(0.9)
    9
    """
    return math.ceil(coverage / (1 - coverage) - 1e-9)


def _rank(n: int, coverage: float) -> int:
    """ceil((n + 1) coverage), to which what rounding adds does not count."""
    return math.ceil((n + 1) * coverage - 1e-9)


def check_coverage(coverage: Any) -> None:
    """Raise unless it is a share that can be asked for."""
    if not isinstance(coverage, int | float | np.floating) or isinstance(coverage, bool) or not 0 < coverage < 1:
        raise ArgumentError(explain("coverage expected a number between 0 and 1", repr(coverage), "0.9 is usual"))
