"""A part of the samples held back, drawn from a seed: by chance, or with the classes in proportion."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from lucidgrad.data.checks import is_number, whole_number
from lucidgrad.errors import ArgumentError, DataError, counted, explain
from lucidgrad.ops.arrays import regular
from lucidgrad.random import Key

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Indices: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]


def train_validation_split(
    x: ArrayLike, y: ArrayLike, fraction: float = 0.2, *, seed: int = 0, stratify: ArrayLike | bool | None = None
) -> tuple[Array, Array, Array, Array]:
    """Hold ``fraction`` of the samples back.

    Parameters
    ----------
    x, y
        Samples (n, ...) and targets (n, ...).
    fraction
        The part to hold back, between 0 and 1.
    seed
        Which samples: the same seed gives the same ones.
    stratify
        ``True`` keeps the classes of ``y`` in proportion, labels (n,) keep theirs, ``None`` leaves it to chance.

    Returns
    -------
    x_train, x_validation, y_train, y_validation
        In scikit-learn's order; copies, with the samples in the order they had.

    Raises
    ------
    DataError
        When ``x``, ``y`` and ``stratify`` differ in length, or a class is too small to be in both parts.
    ArgumentError
        When ``fraction`` is not between 0 and 1, or leaves one part without samples.

    Examples
    --------
    >>> from lucidgrad.data import moons, train_validation_split
    >>> x_train, x_validation, y_train, y_validation = train_validation_split(*moons(200), 0.25, stratify=True)
    >>> len(x_train), len(x_validation), int(y_validation.sum())
    (150, 50, 25)
    """
    samples, targets = regular(x), regular(y)
    if samples.ndim == 0 or targets.ndim == 0 or len(samples) != len(targets):
        raise DataError(
            explain(
                "train_validation_split expected a target for each sample",
                f"x of shape {samples.shape} and y of shape {targets.shape}",
                "Give x and y the same length",
            )
        )
    labels = (targets if stratify else None) if stratify is None or isinstance(stratify, bool) else stratify
    train, validation = split_indices(len(samples), fraction, seed=seed, stratify=labels)
    return samples[train], samples[validation], targets[train], targets[validation]


def split_indices(
    n: int, fraction: float = 0.2, *, seed: int = 0, stratify: ArrayLike | None = None
) -> tuple[Indices, Indices]:
    """Which of ``n`` samples to train on and which to hold back.

    Parameters
    ----------
    n
        How many samples there are, at least 2.
    fraction
        The part to hold back, between 0 and 1: n * fraction samples, rounded.
    seed
        Which samples: the same seed gives the same ones.
    stratify
        Labels (n,) of any kind. Each class gets its share of the samples held back by largest remainders, and every
        class is in both parts.

    Returns
    -------
    train, validation
        int64 indices, ascending: arrays on disk are read in their order, and shuffling belongs to the epoch.

    Raises
    ------
    DataError
        When ``stratify`` is not of shape (n,), a class has only one member, or a part is too small for all classes.
    ArgumentError
        When ``n`` is below 2, or ``fraction`` is not between 0 and 1 or leaves one part without samples.

    Examples
    --------
    >>> from lucidgrad.data import split_indices
    >>> train, validation = split_indices(6, 0.5, stratify=["a", "a", "b", "b", "b", "b"])
    >>> sum(int(i) < 2 for i in validation), len(validation)
    (1, 3)
    """
    n = whole_number("split_indices(n)", n, at_least=2)
    held_back = _held_back(n, fraction)
    order = Key(seed).permutation(n)
    if stratify is None:
        chosen = order[:held_back]
    else:
        codes, sizes, names = _classes(stratify, n)
        chosen = _first_of_each_class(codes, sizes, _shares(sizes, held_back, names), order)
    is_held_back = np.zeros(n, bool)
    is_held_back[chosen] = True
    return np.flatnonzero(~is_held_back).astype(np.int64), np.flatnonzero(is_held_back).astype(np.int64)


def _held_back(n: int, fraction: float) -> int:
    if not (is_number(fraction) and 0 < fraction < 1):
        raise ArgumentError(explain("a split expected a fraction between 0 and 1", repr(fraction), "Try 0.2"))
    held_back = math.floor(n * fraction + 0.5)
    if not 0 < held_back < n:
        raise ArgumentError(
            explain(
                "a split expected both parts to have samples",
                f"{n - held_back} and {held_back} of {n}",
                "Give more samples, or a fraction nearer to 0.5",
            )
        )
    return held_back


def _classes(stratify: ArrayLike, n: int) -> tuple[Indices, Indices, Array]:
    """The number of the class of each sample, the size of each class, and its name."""
    labels = np.asarray(regular(stratify))
    if labels.shape != (n,):
        raise DataError(
            explain(f"stratify expected labels of shape ({n},)", str(labels.shape), "Give one label for each sample")
        )
    try:
        names, codes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    except TypeError as error:
        raise DataError(
            explain("stratify expected labels that can be sorted", str(error), "Make them all text or all numbers")
        ) from error
    lonely = np.flatnonzero(sizes < 2)
    if len(lonely):
        more = f" (and {counted(len(lonely) - 1, 'more class', 'more classes')})" if len(lonely) > 1 else ""
        raise DataError(
            explain(
                "stratify expected at least 2 members in every class, one for each part",
                f"1 of class {names[lonely[0]]!s}{more}",
                "Leave such classes out, or split without stratify",
            )
        )
    return codes.astype(np.int64), sizes.astype(np.int64), names


def _shares(sizes: Indices, held_back: int, names: Array) -> Indices:
    """How many of each class to hold back: largest remainders, but from 1 to size - 1 of each."""
    n, classes = int(sizes.sum()), len(sizes)
    if not classes <= held_back <= n - classes:
        part, members = ("validation", held_back) if held_back < classes else ("training", n - held_back)
        raise DataError(
            explain(
                f"stratify expected a {part} part of at least {counted(classes, 'sample')}, one for each class",
                str(members),
                f"Give a fraction from {classes / n:.3g} to {1 - classes / n:.3g}, or split without stratify",
            )
        )
    # In whole numbers, n times the quota: no rounding decides a tie. Ties go to the class that comes first.
    quotas = sizes * held_back
    shares = np.clip(quotas // n, 1, sizes - 1)
    while missing := held_back - int(shares.sum()):
        sign = 1 if missing > 0 else -1
        free = np.flatnonzero(shares < sizes - 1 if sign > 0 else shares > 1)
        lacking = sign * (quotas - shares * n)[free]
        shares[free[np.argsort(-lacking, kind="stable")[: abs(missing)]]] += sign
    return shares


def _first_of_each_class(codes: Indices, sizes: Indices, shares: Indices, order: Indices) -> Indices:
    """Walk the samples in a random ``order``, and take the first ``shares[c]`` of each class c."""
    by_class = order[np.argsort(codes[order], kind="stable")]
    rank_in_class = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return by_class[rank_in_class < np.repeat(shares, sizes)]
