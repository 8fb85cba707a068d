"""Randomness as a value: a Key says which numbers are drawn, and every draw from the same key is the same.

>>> import lucidgrad as lg
>>> key = lg.Key(0)
>>> bool((key.uniform((3,)) == key.uniform((3,))).numpy().all())
True

Layers that start at random, or drop units, take a key. Where none is given they ask ``next_key()``, which counts
on from the innermost ``with use_key(key)`` block, or from the key set by ``seed(n)``.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.ops.random import fold_in, random_bits, shift_right
from lucidgrad.tensor import Tensor


class Key:
    """128 bits that stand for a stream of random numbers.

    Parameters
    ----------
    seed
        An integer from 0 to 2^64 - 1.

    Attributes
    ----------
    words
        The two 64-bit words, a Tensor (2,) of uint64.

    Raises
    ------
    ArgumentError
        When the seed is no integer of 64 bits.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.Key(7).fold_in(1).permutation(5)
    array([3, 0, 2, 1, 4])
    """

    __slots__ = ("words",)

    def __init__(self, seed: Any) -> None:
        if not isinstance(seed, int | np.integer) or not 0 <= int(seed) < 1 << 64:
            raise ArgumentError(
                explain("a seed expected an integer from 0 to 2**64 - 1", repr(seed), "Use a number such as seed=0")
            )
        self.words = Tensor(np.array([seed, 0], np.uint64))

    @classmethod
    def of_words(cls, words: Tensor) -> Key:
        """The key of two 64-bit words; while a step is traced the words are a value of its graph.

        Parameters
        ----------
        words
            (2,), uint64.
        """
        key = object.__new__(cls)
        key.words = words
        return key

    def fold_in(self, n: int | Tensor) -> Key:
        """A new key, from this one and a number: of an epoch, a step, a layer.

        Parameters
        ----------
        n
            The number, an integer >= 0 or a scalar Tensor of one.
        """
        return Key.of_words(fold_in(self.words, n))

    def split(self, n: int) -> tuple[Key, ...]:
        """``n`` independent keys.

        Parameters
        ----------
        n
            How many.
        """
        return tuple(self.fold_in(i) for i in range(n))

    def bits(self, shape: tuple[int, ...]) -> Tensor:
        """Random 32-bit numbers, uint32 of ``shape``.

        Parameters
        ----------
        shape
            Of what is drawn.
        """
        drawn: Tensor = random_bits(self.words, shape=tuple(shape))
        return drawn

    def uniform(
        self, shape: tuple[int, ...], low: float = 0.0, high: float = 1.0, dtype: DTypeLike = np.float32
    ) -> Tensor:
        """Uniform numbers from [low, high): multiples of 2^-24 of the range, which float32 holds exactly in [0, 1).

        In other ranges the last one may be rounded up to ``high`` itself, as in NumPy.

        Parameters
        ----------
        shape, dtype
            Of what is drawn.
        low, high
            The range.
        """
        unit: Tensor = shift_right(self.bits(shape), 8).astype(dtype) * 2.0**-24
        return unit if (low, high) == (0.0, 1.0) else unit * (high - low) + low

    def normal(
        self, shape: tuple[int, ...], mean: float = 0.0, std: float = 1.0, dtype: DTypeLike = np.float32
    ) -> Tensor:
        """Normal numbers by the transform of Box and Muller (1958, eq. 1), from two uniform numbers each.

        Parameters
        ----------
        shape, dtype
            Of what is drawn.
        mean, std
            The mean and the standard deviation.
        """
        radius, angle = (k.uniform(shape, dtype=np.float64) for k in self.split(2))
        # 1 - u lies in (0, 1], so the logarithm is finite.
        unit = (-2.0 * (1.0 - radius).log()).sqrt() * (angle * (2 * math.pi)).cos()
        return unit.astype(dtype) * std + mean

    def bernoulli(self, probability: float, shape: tuple[int, ...]) -> Tensor:
        """True with ``probability``: booleans of ``shape``.

        Parameters
        ----------
        probability
            From 0 to 1.
        shape
            Of what is drawn.
        """
        return self.uniform(shape) < probability

    def permutation(self, n: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The numbers from 0 to n - 1 in random order, (n,): sorted by 32 random bits each, ties by number.

        Parameters
        ----------
        n
            How many.
        """
        return np.argsort(self.bits((n,)).numpy(), kind="stable").astype(np.int64, copy=False)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and self.words.tolist() == other.words.tolist()

    def __hash__(self) -> int:
        return hash(tuple(self.words.tolist()))

    def __repr__(self) -> str:
        return f"Key({', '.join(f'{w:#x}' for w in self.words.tolist())})"


class _Stream:
    """Counts on from a key."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.count = 0

    def next(self) -> Key:
        key = self.key.fold_in(self.count)
        self.count += 1
        return key


class _Streams(threading.local):
    """The streams of this thread, the innermost last. The first is the one ``seed`` sets."""

    def __init__(self) -> None:
        self.stack = [_Stream(Key(0))]


_streams = _Streams()


def seed(n: int) -> None:
    """Start the keys that layers get when they are given none anew from ``n``, in this thread.

    Parameters
    ----------
    n
        An integer from 0 to 2^64 - 1.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.seed(1); a = lg.next_key()
    >>> lg.seed(1); a == lg.next_key()
    True
    """
    _streams.stack[0] = _Stream(Key(n))


def next_key() -> Key:
    """The next key of the innermost ``use_key`` block, or of ``seed``.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.seed(0)
    >>> lg.next_key() == lg.next_key()
    False
    """
    return _streams.stack[-1].next()


@contextmanager
def use_key(key: Key) -> Iterator[None]:
    """Inside of the block ``next_key()`` counts on from ``key``: what is drawn there depends on ``key`` alone.

    Parameters
    ----------
    key
        Where the keys start.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> with lg.use_key(lg.Key(3)):
    ...     layer = lg.nn.Linear(2, 2)
    >>> with lg.use_key(lg.Key(3)):
    ...     bool((layer.weight == lg.nn.Linear(2, 2).weight).numpy().all())
    True
    """
    _streams.stack.append(_Stream(key))
    try:
        yield
    finally:
        _streams.stack.pop()
