"""Arrays to try ops on: of every shape that has caught somebody, in every layout that NumPy knows."""

from collections.abc import Iterator
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

SHAPES = ((), (1,), (0,), (3,), (2, 0, 3), (3, 5), (2, 3, 4), (7, 11))


def floats(*shape: int, low: float = -2.0, high: float = 2.0, seed: int = 0) -> Array:
    """Uniform float64 numbers."""
    return np.asarray(np.random.default_rng([seed, *shape]).uniform(low, high, shape))


def away_from_zero(*shape: int, seed: int = 0) -> Array:
    """Numbers of both signs with magnitudes from 0.2 to 2."""
    sign = np.where(floats(*shape, seed=seed + 1) < 0, -1.0, 1.0)
    return np.asarray(sign * floats(*shape, low=0.2, high=2.0, seed=seed))


def distinct(*shape: int, seed: int = 0) -> Array:
    """Numbers of which no two are closer than 0.05."""
    size = int(np.prod(shape, dtype=int))
    order = np.random.default_rng([seed, size]).permutation(np.arange(size) - size // 2 + 0.5)
    return np.asarray(0.05 * order).reshape(shape)


def layouts(make: Any) -> Iterator[tuple[str, Array]]:
    """The array ``make(*shape)`` of each shape, then views with other strides."""
    for shape in SHAPES:
        yield f"shape {shape}", make(*shape)
    yield "negative strides", make(3, 5)[::-1, ::-2]
    yield "columns first", make(4, 3).T
    yield "every other", make(6, 4)[::2, 1::2]
    yield "stride 0", np.broadcast_to(make(3), (4, 3))
    yield "stride 0 of a scalar", np.broadcast_to(make(), (2, 3))


def pairs(make: Any) -> Iterator[tuple[str, Array, Array]]:
    """Pairs of arrays whose shapes broadcast, the second drawn with another seed."""
    shapes = [
        ((), ()), ((3,), (3,)), ((2, 3), (2, 3)), ((3, 1), (1, 4)), ((), (2, 3)), ((2, 3), ()), ((4,), (3, 4)),
        ((2, 1, 3), (5, 1)), ((0,), (1,)), ((2, 0), (1,)), ((1, 1), (1,)), ((9, 11), (11,)),
    ]  # fmt: skip
    for a, b in shapes:
        yield f"{a} with {b}", make(*a), make(*b, seed=7)
    yield "negative strides", make(5)[::-1], make(3, 10, seed=7)[:, ::-2]
    yield "stride 0", np.broadcast_to(make(3), (4, 3)), np.broadcast_to(make(4, 1, seed=7), (4, 3))
    yield "columns first", make(3, 4).T, make(4, 3, seed=7)
