"""The order of samples is a function of seed and epoch, so that a run stopped anywhere goes on where it was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np

from lucidgrad.data.checks import whole_number
from lucidgrad.errors import ArgumentError, explain
from lucidgrad.random import Key

Indices: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]


def epoch_order(n: int, key: Key, epoch: int, shuffle: bool = True) -> Indices:
    """The order in which one epoch visits ``n`` samples.

    Parameters
    ----------
    n
        How many samples there are.
    key
        The key of the whole run. Each epoch folds its number in, so no epoch depends on those before it.
    epoch
        The number of the epoch, from 0.
    shuffle
        ``False`` gives 0, 1, ..., n - 1 in every epoch.

    Returns
    -------
    ndarray
        The numbers from 0 to n - 1, int64 of shape (n,).

    Raises
    ------
    ArgumentError
        When ``n`` or ``epoch`` is no whole number or below 0, or ``key`` is no Key.

    Examples
    --------
    >>> from lucidgrad.data import epoch_order
    >>> from lucidgrad.random import Key
    >>> epoch_order(5, Key(0), epoch=3, shuffle=False)
    array([0, 1, 2, 3, 4])
    >>> bool((epoch_order(5, Key(0), epoch=3) == epoch_order(5, Key(0), epoch=3)).all())
    True
    """
    n = whole_number("epoch_order(n)", n, at_least=0)
    epoch = whole_number("epoch_order(epoch)", epoch, at_least=0)
    given: object = key
    if shuffle and not isinstance(given, Key):
        got = f"{given!r}, of the type {type(given).__name__}"
        raise ArgumentError(explain("epoch_order(key) expected a lucidgrad.Key", got, "Make one of a seed: Key(0)"))
    return key.fold_in(epoch).permutation(n) if shuffle else np.arange(n, dtype=np.int64)


def batches(order: Indices, batch_size: int, *, start: int = 0) -> Iterator[Indices]:
    """Cut ``order`` into batches; the last one is short when ``batch_size`` does not divide the number of samples.

    Parameters
    ----------
    order
        Indices of samples, of shape (n,): what ``epoch_order`` gives.
    batch_size
        Samples in a batch.
    start
        How many batches to leave out at the beginning: to go on in the middle of an epoch.

    Returns
    -------
    Iterator of ndarray
        Indices of shape (batch_size,), the last (n % batch_size,). They are views of ``order``, not copies.

    Raises
    ------
    ArgumentError
        When ``batch_size`` is below 1 or ``start`` below 0.

    Examples
    --------
    >>> import numpy as np
    >>> from lucidgrad.data import batches
    >>> [batch.tolist() for batch in batches(np.arange(5), 2)]
    [[0, 1], [2, 3], [4]]
    >>> [batch.tolist() for batch in batches(np.arange(5), 2, start=2)]
    [[4]]
    """
    size = whole_number("batches(batch_size)", batch_size, at_least=1)
    first = whole_number("batches(start)", start, at_least=0)
    return (order[i : i + size] for i in range(first * size, len(order), size))


def batch_count(n: int, batch_size: int) -> int:
    """How many batches ``batches`` cuts ``n`` samples into: the steps of an epoch.

    Parameters
    ----------
    n
        How many samples there are.
    batch_size
        Samples in a batch.

    Raises
    ------
    ArgumentError
        When ``n`` is below 0 or ``batch_size`` below 1.

    Examples
    --------
    >>> from lucidgrad.data import batch_count
    >>> batch_count(5, 2)
    3
    """
    size = whole_number("batch_count(batch_size)", batch_size, at_least=1)
    return -(-whole_number("batch_count(n)", n, at_least=0) // size)
