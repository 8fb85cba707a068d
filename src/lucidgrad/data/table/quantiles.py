"""Quantiles of weighted values: a weight of 2 counts a value twice, exactly as if it were there two times."""

from __future__ import annotations

import numpy as np

from lucidgrad.data.table.frame import Array


def quantiles(values: Array, shares: Array, weight: Array | None = None) -> Array:
    """The least values at which the cumulated weight reaches these shares of the whole.

    Examples
    --------
    >>> import numpy as np
    >>> quantiles(np.array([3.0, 1.0, 2.0]), np.array([0.5, 1.0]))
    array([2., 3.])
    >>> quantiles(np.array([3.0, 1.0, 2.0]), np.array([0.5, 1.0]), np.array([5.0, 1.0, 1.0]))
    array([3., 3.])
    """
    order = np.argsort(values, kind="stable")
    cumulated = np.arange(1.0, len(values) + 1) if weight is None else np.cumsum(weight[order])
    places = np.searchsorted(cumulated, shares * cumulated[-1] * (1 - 1e-12))
    picked: Array = values[order][np.minimum(places, len(values) - 1)]
    return picked


def spread(values: Array, weight: Array | None, most: int) -> tuple[Array, Array]:
    """Knots, and where they lie in a normal distribution that has as many values below: at most ``most`` of them."""
    from scipy.special import ndtri

    distinct, places = np.unique(values, return_inverse=True)
    mass = np.bincount(places, weights=weight, minlength=len(distinct)).astype(np.float64)
    total = mass.sum()
    middle = (np.cumsum(mass) - 0.5 * mass) / total  # the values of a tie share the middle of their ranks
    if len(distinct) > most:
        kept = np.unique(np.searchsorted(middle, np.linspace(middle[0], middle[-1], most)))
        kept = np.unique(np.concatenate([[0], np.minimum(kept, len(distinct) - 1), [len(distinct) - 1]]))
        distinct, middle = distinct[kept], middle[kept]
    return distinct.astype(np.float64), np.asarray(ndtri(middle), np.float64)
