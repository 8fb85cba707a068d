"""Metrics of quantities: how far predictions are off, and how much of the variation they explain."""

from __future__ import annotations

from typing import Any, final

import numpy as np

from lucidgrad.metrics.base import Metric, SampleMean, State, batch_of, weights_of
from lucidgrad.targets import Array, check_finite, check_same_shape, check_total_weight


@final
class MeanAbsoluteError(SampleMean):
    """The mean of abs(f(x) - y). See ``mean_absolute_error``.

    Examples
    --------
    >>> from lucidgrad.metrics import MeanAbsoluteError
    >>> MeanAbsoluteError()([1.0, 4.0], [2.0, 2.0])
    1.5
    """

    name = "mae"

    def per_sample(self, predictions: Array, targets: Array) -> Array:
        """abs(f(x) - y), averaged over the columns."""
        p, t = _columns(self.name, predictions, targets)
        error: Array = np.abs(p - t).mean(axis=1)
        return error


@final
class MeanSquaredError(SampleMean):
    """The mean of (f(x) - y)^2. See ``mean_squared_error``.

    Examples
    --------
    >>> from lucidgrad.metrics import MeanSquaredError
    >>> MeanSquaredError()([1.0, 4.0], [2.0, 2.0])
    2.5
    """

    name = "mse"

    def per_sample(self, predictions: Array, targets: Array) -> Array:
        """(f(x) - y)^2, averaged over the columns."""
        p, t = _columns(self.name, predictions, targets)
        with np.errstate(over="ignore"):
            error: Array = np.square(p - t).mean(axis=1)
        return error


@final
class R2(Metric):
    """The share of the targets' variance that is explained. See ``r2_score``.

    Means and squared deviations of batches are merged as by Chan, Golub and LeVeque (1979, eq. 2.1), so that one
    pass over the data is as accurate as two. Deviations are taken from the first target, so that those of a constant
    are exactly 0.

    Examples
    --------
    >>> from lucidgrad.metrics import R2
    >>> R2()([1.0, 2.0, 3.5], [1.0, 2.0, 3.0])
    0.875
    """

    name = "r2"

    def init(self) -> State:
        """No sample, and so no number of columns."""
        return {name: np.zeros(()) for name in ("weight", "origin", "mean", "deviation", "residual")}

    def update(self, state: State, predictions: Any, targets: Any, sample_weight: Any = None) -> State:
        """Merge the moments of a batch into those before it."""
        p, t = _columns(self.name, *batch_of(self.name, predictions, targets))
        w = weights_of(sample_weight, len(p))
        batch_weight = w.sum()
        if not batch_weight > 0:
            return state
        before = state["weight"]
        origin = state["origin"] if before > 0 else t[0]
        d = t - origin
        mean = w @ d / batch_weight
        shift, weight = mean - state["mean"], before + batch_weight
        return {
            "weight": weight,
            "origin": origin,
            "mean": state["mean"] + shift * (batch_weight / weight),
            "deviation": state["deviation"] + w @ np.square(d - mean) + shift**2 * (before * batch_weight / weight),
            "residual": state["residual"] + w @ np.square(p - t),
        }

    def result(self, state: State) -> float:
        """1 - residual / deviation, averaged over the columns."""
        check_total_weight(self.name, float(state["weight"]))
        residual, deviation = state["residual"], state["deviation"]
        constant = deviation == 0
        explained = 1 - residual / np.where(constant, 1, deviation)
        return float(np.where(constant, np.where(residual == 0, 1.0, 0.0), explained).mean())


def mean_absolute_error(predictions: Any, targets: Any, sample_weight: Any = None) -> float:
    """The mean of abs(f(x) - y) over samples and columns, in the unit of the targets.

    Parameters
    ----------
    predictions, targets
        (batch,) or (batch, columns), the same for both; a single column and none are taken as the same.
    sample_weight
        (batch,), none negative and not all 0.

    Notes
    -----
    Columns are averaged, as scikit-learn does; the loss ``AbsoluteError`` adds them up.

    Examples
    --------
    >>> from lucidgrad.metrics import mean_absolute_error
    >>> mean_absolute_error([1.0, 4.0], [2.0, 2.0])
    1.5
    """
    return MeanAbsoluteError()(predictions, targets, sample_weight)  # type: ignore[no-any-return]


def mean_squared_error(predictions: Any, targets: Any, sample_weight: Any = None) -> float:
    """The mean of (f(x) - y)^2 over samples and columns, in the unit of the targets squared.

    Parameters
    ----------
    predictions, targets, sample_weight
        As ``mean_absolute_error``: (batch,) or (batch, columns), and (batch,).

    Examples
    --------
    >>> from lucidgrad.metrics import mean_squared_error
    >>> mean_squared_error([1.0, 4.0], [2.0, 2.0])
    2.5
    """
    return MeanSquaredError()(predictions, targets, sample_weight)  # type: ignore[no-any-return]


def r2_score(predictions: Any, targets: Any, sample_weight: Any = None) -> float:
    """1 - squared error / squared deviation from the mean, averaged over the columns: 1 is perfect, 0 the mean's.

    Where the targets are constant there is nothing to explain: 1 if the predictions are exact, else 0, as in
    scikit-learn (which has NaN for a single sample).

    Parameters
    ----------
    predictions, targets, sample_weight
        As ``mean_absolute_error``: (batch,) or (batch, columns), and (batch,).

    Examples
    --------
    >>> from lucidgrad.metrics import r2_score
    >>> r2_score([1.0, 2.0, 3.5], [1.0, 2.0, 3.0]), r2_score([1.0, 2.0], [2.0, 2.0])
    (0.875, 0.0)
    """
    return R2()(predictions, targets, sample_weight)  # type: ignore[no-any-return]


def _columns(who: str, predictions: Array, targets: Array) -> tuple[Array, Array]:
    """Both as float64 (batch, columns), with finite targets."""
    check_same_shape(who, predictions.shape, targets.shape)
    p, t = (x.reshape(len(x), -1).astype(np.float64) for x in (predictions, targets))
    check_finite(who, t)
    return p, t
