"""Prediction intervals that cover: conformal prediction, which needs residuals on data the model has not learned.

No assumption about the errors is made but that the new samples are exchangeable with those held back. Functions of
arrays, for any regressor.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lucidgrad.errors import ArgumentError, explain

Array = np.ndarray[Any, np.dtype[Any]]

ROWS_AT_ONCE = 2**22  # numbers that are sorted together


def conformal_quantile(scores: Array, coverage: float) -> Array:
    """The ceil((n + 1) coverage)-th smallest of n scores, by column: (n,) or (n, outputs) -> () or (outputs,).

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
    n = len(scores)
    rank = _rank(n, coverage)
    if rank > n:
        raise ArgumentError(
            explain(
                f"a coverage of {coverage:g} expected at least {least_scores(coverage)} samples held back",
                str(n),
                "Hold more back, or ask for less coverage",
            )
        )
    quantile: Array = np.partition(np.asarray(scores), rank - 1, axis=0)[rank - 1]
    return np.asarray(quantile)


def split_interval(predictions: Array, residuals: Array, coverage: float) -> Array:
    """Split-conformal intervals: as far on both sides as the held-back samples were off.

    Parameters
    ----------
    predictions : (m,) or (m, outputs)
        For the new samples.
    residuals : (n,) or (n, outputs)
        y - f(x) on samples held back.
    coverage
        The share of new targets that is to lie inside, by output.

    Returns
    -------
    (m, 2) or (m, outputs, 2): lower and upper end.

    Examples
    --------
    >>> split_interval(np.array([10.0]), np.array([-1.0, 0.5, 2.0, -3.0]), 0.8)
    array([[ 7., 13.]])
    """
    radius = conformal_quantile(np.abs(residuals), coverage)
    return np.stack([predictions - radius, predictions + radius], axis=-1)


def quantile_interval(low: Array, high: Array, scores: Array, coverage: float) -> Array:
    """Conformalised quantile regression (Romano, Patterson and Candès 2019, eq. 6 and 7), for quantiles (m,).

    ``scores`` (n,) are those of ``quantile_scores``. The width follows the noise where the quantiles do.

    Examples
    --------
    >>> quantile_interval(np.array([0.0]), np.array([1.0]), np.array([-0.5, 0.25, 0.5, 1.0]), 0.8)
    array([[-1.,  2.]])
    """
    radius = conformal_quantile(scores, coverage)
    middle = (low + high) / 2  # quantiles that cross, or shrink below nothing, meet there
    return np.stack([np.minimum(low - radius, middle), np.maximum(high + radius, middle)], axis=-1)


def quantile_scores(low: Array, high: Array, y: Array) -> Array:
    """How far each target lies outside of its two quantiles; negative inside (Romano et al. 2019, eq. 5)."""
    return np.asarray(np.maximum(low - y, y - high))


def cv_plus_interval(low: Array, high: Array, scores: Array, folds: Array, coverage: float) -> Array:
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
    coverage
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
    conformal_quantile(scores, coverage)  # enough of them?
    n, m = len(scores), low.shape[1]
    rank = _rank(n, coverage)
    ends = np.empty((*low.shape[1:], 2), low.dtype)
    step = max(1, ROWS_AT_ONCE // max(1, scores.size))
    radius = scores[:, None]
    for start in range(0, m, step):
        part = slice(start, min(start + step, m))
        ends[part, ..., 0] = -np.partition(radius - low[folds, part], rank - 1, axis=0)[rank - 1]
        ends[part, ..., 1] = np.partition(high[folds, part] + radius, rank - 1, axis=0)[rank - 1]
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
