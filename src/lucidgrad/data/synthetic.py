"""Classes drawn from a seed: the small problems on which one sees what a network can and cannot tell apart."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from lucidgrad.data.checks import check_drawn, is_number, whole_number
from lucidgrad.errors import ArgumentError, explain
from lucidgrad.random import Key

Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]
Labels: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]
_Float64s: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]


def xor(n: int = 400, noise: float = 0.1, seed: int = 0) -> tuple[Floats, Labels]:
    """Four clouds on the corners of a square; the class is whether the two coordinates differ.

    No straight line parts the classes, so a network of one layer fails (Minsky and Papert, *Perceptrons*, 1969).

    Parameters
    ----------
    n
        Samples, shared out evenly among the corners (0, 0), (0, 1), (1, 0), (1, 1).
    noise
        Standard deviation of a cloud, in sides of the square.
    seed
        Of the noise and the order: the same seed gives the same bits.

    Returns
    -------
    x, y
        float32 (n, 2) and int64 (n,): 1 where the coordinates of the corner differ.

    Raises
    ------
    ArgumentError
        When ``n`` is not a whole number of at least 1 or ``noise`` is negative or not finite.

    Examples
    --------
    >>> from lucidgrad.data import xor
    >>> x, y = xor(4, noise=0)
    >>> sorted((*map(int, row), int(label)) for row, label in zip(x, y))
    [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)]
    """
    check_drawn("xor", n, noise)
    corner = np.arange(n) % 4
    points = np.stack([corner // 2, corner % 2], axis=1).astype(np.float64)
    return _noisy_and_shuffled(points, (corner // 2) ^ (corner % 2), noise, seed)


def moons(n: int = 400, noise: float = 0.1, seed: int = 0) -> tuple[Floats, Labels]:
    """Two half circles of radius 1 that reach into one another, one class each.

    Parameters
    ----------
    n
        Samples: ``n - n // 2`` on the upper half circle (class 0), ``n // 2`` on the lower (class 1).
    noise
        Standard deviation of what is added to each coordinate, in radii.
    seed
        Of the noise and the order: the same seed gives the same bits.

    Returns
    -------
    x, y
        float32 (n, 2) and int64 (n,).

    Raises
    ------
    ArgumentError
        When ``n`` is not a whole number of at least 2 or ``noise`` is negative or not finite.

    Examples
    --------
    >>> from lucidgrad.data import moons
    >>> x, y = moons(100, noise=0.05, seed=1)
    >>> x.shape, int(y.sum())
    ((100, 2), 50)
    """
    check_drawn("moons", n, noise, at_least=2)
    upper, lower = (np.linspace(0, math.pi, count) for count in _even_counts(n, 2))
    points = np.concatenate(
        [
            np.stack([np.cos(upper), np.sin(upper)], axis=1),
            np.stack([1 - np.cos(lower), 0.5 - np.sin(lower)], axis=1),
        ]
    )
    return _noisy_and_shuffled(points, np.repeat([0, 1], [len(upper), len(lower)]), noise, seed)


def circles(n: int = 400, noise: float = 0.05, factor: float = 0.5, seed: int = 0) -> tuple[Floats, Labels]:
    """A circle (class 1) inside of a circle of radius 1 (class 0).

    Parameters
    ----------
    n
        Samples: ``n - n // 2`` on the outer circle, ``n // 2`` on the inner.
    noise
        Standard deviation of what is added to each coordinate, in radii of the outer circle.
    factor
        Radius of the inner circle, between 0 and 1.
    seed
        Of the noise and the order: the same seed gives the same bits.

    Returns
    -------
    x, y
        float32 (n, 2) and int64 (n,).

    Raises
    ------
    ArgumentError
        When ``n`` is not a whole number of at least 2, ``noise`` is negative or not finite, or ``factor`` is not
        between 0 and 1.

    Examples
    --------
    >>> from lucidgrad.data import circles
    >>> x, y = circles(100, noise=0, factor=0.25)
    >>> float((x[y == 1] ** 2).sum(axis=1).max())
    0.0625
    """
    check_drawn("circles", n, noise, at_least=2)
    if not (is_number(factor) and 0 < factor < 1):
        raise ArgumentError(explain("circles(factor) expected a radius between 0 and 1", repr(factor), "Try 0.5"))
    counts = _even_counts(n, 2)
    angle = np.concatenate([np.arange(count) * (2 * math.pi / count) for count in counts])
    label = np.repeat([0, 1], counts)
    radius = np.where(label == 1, factor, 1.0)
    return _noisy_and_shuffled(_polar(radius, angle), label, noise, seed)


def spirals(
    n: int = 400, classes: int = 2, turns: float = 1.0, noise: float = 0.03, seed: int = 0
) -> tuple[Floats, Labels]:
    """Arms that wind around one another from the middle out to radius 1, one class each.

    Two arms are the benchmark of Lang and Witbrock, "Learning to Tell Two Spirals Apart" (1988).

    Parameters
    ----------
    n
        Samples, shared out evenly among the arms.
    classes
        Arms, at least 2.
    turns
        How often an arm winds around the middle: the more, the harder.
    noise
        Standard deviation of what is added to each coordinate; the arms end at radius 1.
    seed
        Of the noise and the order: the same seed gives the same bits.

    Returns
    -------
    x, y
        float32 (n, 2) and int64 (n,) with values below ``classes``.

    Raises
    ------
    ArgumentError
        When ``classes`` is not a whole number of at least 2, ``n`` not one of at least ``classes``, ``noise`` is
        negative or not finite, or ``turns`` is not a positive number.

    Examples
    --------
    >>> from lucidgrad.data import spirals
    >>> x, y = spirals(300, classes=3)
    >>> x.shape, [int((y == label).sum()) for label in range(3)]
    ((300, 2), [100, 100, 100])
    """
    whole_number("spirals(classes)", classes, at_least=2)
    check_drawn("spirals", n, noise, at_least=classes)
    if not (is_number(turns) and 0 < turns < math.inf):
        raise ArgumentError(explain("spirals(turns) expected a positive number", repr(turns), "Try 1.0"))
    counts = _even_counts(n, classes)
    # The arms begin at 0.05, since in the very middle they are one point.
    radius = np.concatenate([np.linspace(0.05, 1, count) for count in counts])
    label = np.repeat(np.arange(classes), counts)
    angle = 2 * math.pi * (turns * radius + label / classes)
    return _noisy_and_shuffled(_polar(radius, angle), label, noise, seed)


def blobs(n: int = 400, centers: int | ArrayLike = 3, spread: float = 0.6, seed: int = 0) -> tuple[Floats, Labels]:
    """Round clouds, one class each.

    Parameters
    ----------
    n
        Samples, shared out evenly among the clouds.
    centers
        Where the clouds are, (classes, in_features), or how many: that many are set evenly on a circle of radius 3,
        which the seed turns.
    spread
        Standard deviation of a cloud.
    seed
        Of the circle, the noise and the order: the same seed gives the same bits.

    Returns
    -------
    x, y
        float32 (n, in_features), where in_features is 2 unless ``centers`` says otherwise, and int64 (n,).

    Raises
    ------
    ArgumentError
        When ``centers`` is not a whole number of at least 1 or a finite array (classes, in_features), ``n`` is not a
        whole number of at least the number of clouds, or ``spread`` is negative or not finite.

    Examples
    --------
    >>> from lucidgrad.data import blobs
    >>> x, y = blobs(90, centers=[[0, 0, 0], [5, 5, 5]])
    >>> x.shape, int(y.max())
    ((90, 3), 1)
    """
    middles = _centers(centers, seed)
    check_drawn("blobs", n, spread, at_least=len(middles), noise_name="spread")
    label = np.repeat(np.arange(len(middles)), _even_counts(n, len(middles)))
    return _noisy_and_shuffled(middles[label], label, spread, seed)


def _noisy_and_shuffled(points: _Float64s, label: Labels, noise: float, seed: int) -> tuple[Floats, Labels]:
    """Add the noise and mix the classes, so that the first half of the samples is not the first half of the classes."""
    noise_key, order_key = Key(seed).split(2)
    noisy = points + noise_key.normal(points.shape, dtype=np.float64).numpy() * noise
    order = order_key.permutation(len(points))
    return noisy[order].astype(np.float32), label[order].astype(np.int64)


def _polar(radius: _Float64s, angle: _Float64s) -> _Float64s:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _even_counts(n: int, parts: int) -> list[int]:
    """``n`` shared out: the first parts get one more where it does not come out even."""
    return [n // parts + (part < n % parts) for part in range(parts)]


def _centers(centers: int | ArrayLike, seed: int) -> _Float64s:
    if isinstance(centers, int | np.integer):
        whole_number("blobs(centers)", centers, at_least=1)
        turn = float(Key(seed).fold_in(2).uniform((), dtype=np.float64).numpy())
        return _polar(np.full(int(centers), 3.0), 2 * math.pi * (np.arange(centers) / centers + turn))
    try:
        middles = np.asarray(centers, dtype=np.float64)
    except (TypeError, ValueError):
        middles = np.empty(())
    if middles.ndim != 2 or 0 in middles.shape or not np.isfinite(middles).all():
        raise ArgumentError(
            explain(
                "blobs(centers) expected how many, or a finite array (classes, in_features)",
                repr(centers),
                "Try 3, or [[0, 0], [5, 5]]",
            )
        )
    return middles
