"""Activations of a few numbers in NumPy: in place where there is a function of NumPy's or SciPy's for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit, ndtr

from lucidgrad.autograd import no_grad
from lucidgrad.functional import gelu, relu, sigmoid, silu, tanh
from lucidgrad.tensor import Tensor

Array = np.ndarray[Any, np.dtype[Any]]

_IN_PLACE: dict[Any, Callable[[Array], Any]] = {
    relu: lambda z: np.maximum(z, 0, out=z),
    tanh: lambda z: np.tanh(z, out=z),
    sigmoid: lambda z: expit(z, out=z),
    gelu: lambda z: np.multiply(z, ndtr(z), out=z),
    silu: lambda z: np.multiply(z, expit(z), out=z),
}


def activated(function: Any, z: Array) -> Array:
    """A function of sums (rows, units), which are lost: in their place where that is quicker."""
    known = function if getattr(function, "__hash__", None) else None
    if known in _IN_PLACE:
        _IN_PLACE[known](z)
        return z
    with no_grad():
        made: Array = function(Tensor.wrap(z)).numpy()
    return made if made.flags.writeable else made.copy()
