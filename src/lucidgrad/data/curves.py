"""Curves drawn from a seed: the small problems of regression on which one sees what a network can bend to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from lucidgrad.data.checks import check_drawn, is_number
from lucidgrad.errors import ArgumentError, explain
from lucidgrad.random import Key

Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]
_Float64s: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]


def sine(n: int = 200, noise: float = 0.1, seed: int = 0) -> tuple[Floats, Floats]:
    """Regression: y = sin(x) for x from -pi to pi, with noise.

    Parameters
    ----------
    n
        Samples; their x are drawn uniformly.
    noise
        Standard deviation of what is added to y.
    seed
        Of x and the noise: the same seed gives the same bits.

    Returns
    -------
    x, y
        float32 (n, 1) both.

    Raises
    ------
    ArgumentError
        When ``n`` is not a whole number of at least 1 or ``noise`` is negative or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from lucidgrad.data import sine
    >>> x, y = sine(50, noise=0)
    >>> bool(np.allclose(y, np.sin(x), atol=1e-6))
    True
    """
    check_drawn("sine", n, noise)
    x = _uniform(n, -math.pi, math.pi, seed)
    return _curve(x, np.sin(x), noise, seed)


def step(n: int = 200, noise: float = 0.1, seed: int = 0) -> tuple[Floats, Floats]:
    """Regression: y is 0 left of x = 0 and 1 from there on, for x from -1 to 1; a smooth network must bend hard.

    Parameters
    ----------
    n
        Samples; their x are drawn uniformly.
    noise
        Standard deviation of what is added to y.
    seed
        Of x and the noise: the same seed gives the same bits.

    Returns
    -------
    x, y
        float32 (n, 1) both.

    Raises
    ------
    ArgumentError
        When ``n`` is not a whole number of at least 1 or ``noise`` is negative or not finite.

    Examples
    --------
    >>> from lucidgrad.data import step
    >>> x, y = step(50, noise=0)
    >>> bool(((x >= 0) == (y == 1)).all())
    True
    """
    check_drawn("step", n, noise)
    x = _uniform(n, -1, 1, seed)
    return _curve(x, (x >= 0).astype(np.float64), noise, seed)


def polynomial(
    n: int = 200, coefficients: Sequence[float] = (0, -1, 0, 2), noise: float = 0.1, seed: int = 0
) -> tuple[Floats, Floats]:
    """Regression: y = c0 + c1 x + c2 x^2 + ... for x from -1 to 1, with noise.

    Parameters
    ----------
    n
        Samples; their x are drawn uniformly.
    coefficients
        c0, c1, c2, ...: at least one, all finite.
    noise
        Standard deviation of what is added to y.
    seed
        Of x and the noise: the same seed gives the same bits.

    Returns
    -------
    x, y
        float32 (n, 1) both.

    Raises
    ------
    ArgumentError
        When ``n`` is not a whole number of at least 1, ``noise`` is negative or not finite, or ``coefficients`` is
        empty or not finite.

    Examples
    --------
    >>> from lucidgrad.data import polynomial
    >>> x, y = polynomial(50, coefficients=(1, 2), noise=0)
    >>> float(abs(y - (1 + 2 * x)).max()) < 1e-6
    True
    """
    check_drawn("polynomial", n, noise)
    given: Any = coefficients
    is_list = (isinstance(given, np.ndarray) and given.ndim == 1) or isinstance(given, Sequence)
    if not (is_list and len(given) and all(is_number(c) and math.isfinite(c) for c in given)):
        try_ = "Give one for each power of x from 0 on: (0, -1, 0, 2)"
        raise ArgumentError(explain("polynomial(coefficients) expected finite numbers", repr(given), try_))
    x = _uniform(n, -1, 1, seed)
    return _curve(x, _polynomial(coefficients, x), noise, seed)


def _uniform(n: int, low: float, high: float, seed: int) -> _Float64s:
    x = Key(seed).fold_in(0).uniform((n, 1), low, high, dtype=np.float64).numpy()
    # Through float32 first: y is then the curve at the very x that is handed out.
    return x.astype(np.float32).astype(np.float64)


def _curve(x: _Float64s, y: _Float64s, noise: float, seed: int) -> tuple[Floats, Floats]:
    noisy = y + Key(seed).fold_in(1).normal(y.shape, dtype=np.float64).numpy() * noise
    return x.astype(np.float32), noisy.astype(np.float32)


def _polynomial(coefficients: Sequence[float], x: _Float64s) -> _Float64s:
    """Horner's rule: c0 + x (c1 + x (c2 + ...))."""
    y = np.zeros_like(x)
    for c in reversed(coefficients):
        y = y * x + c
    return y
