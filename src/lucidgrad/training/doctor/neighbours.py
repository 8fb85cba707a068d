"""What the nearest neighbours of a sample say about its target: a judge who needs no network (Cover and Hart 1967)."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
NEIGHBOURS = 5
LEAST_ROWS = 50
MOST_ROWS = 1024


class Opinion(NamedTuple):
    """How well neighbours predict: accuracy or R² of a sample's target from its neighbours', itself left out."""

    score: float
    z: float  # how many standard deviations their agreement lies above chance
    rows: int


def opinion_of_neighbours(x: Array, y: Array, classes: bool) -> Opinion | None:
    """Predict each target y (n,) from its nearest neighbours among x (n, ...); None for too few rows."""
    if len(x) < LEAST_ROWS:
        return None
    if len(x) > MOST_ROWS:
        chosen = np.linspace(0, len(x) - 1, MOST_ROWS).astype(np.int64)
        x, y = x[chosen], y[chosen]
    rows = x.reshape(len(x), -1).astype(np.float64)
    if not np.isfinite(rows).all():
        return None
    deviation = rows.std(axis=0)
    rows = (rows - rows.mean(axis=0)) / np.where(deviation > 0, deviation, 1)
    square = (rows**2).sum(axis=1)
    distance = square[:, None] + square - 2 * rows @ rows.T
    np.fill_diagonal(distance, np.inf)
    nearest = np.argpartition(distance, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    return _classes(y, y[nearest]) if classes else _numbers(y.astype(np.float64), y[nearest].astype(np.float64))


def _classes(y: Array, near: Array) -> Opinion:
    n = len(y)
    names, index = np.unique(y, return_inverse=True)
    votes = (near[:, :, None] == names).sum(axis=1)
    chance = float(((np.bincount(index) / n) ** 2).sum())
    agreement = float((near == y[:, None]).mean())
    deviation = np.sqrt(max(chance * (1 - chance), 1e-12) / n)
    return Opinion(float((names[votes.argmax(axis=1)] == y).mean()), (agreement - chance) / deviation, n)


def _numbers(y: Array, near: Array) -> Opinion:
    n = len(y)
    spread = float(((y - y.mean()) ** 2).sum()) or 1.0
    mean = near.mean(axis=1)
    scale = float(y.std() * mean.std()) or 1.0
    correlation = float(((y - y.mean()) * (mean - mean.mean())).mean()) / scale
    return Opinion(1 - float(((y - mean) ** 2).sum()) / spread, correlation * np.sqrt(n), n)
