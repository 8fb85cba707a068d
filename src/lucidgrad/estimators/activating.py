"""Activations of many numbers at once: in place in NumPy where that is one pass, else compiled once for all models."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from scipy.special import expit

from lucidgrad.autograd import no_grad
from lucidgrad.compiler import jit
from lucidgrad.compiler.machine import available
from lucidgrad.functional import ACTIVATIONS, log_softmax, relu, sigmoid, softmax, tanh
from lucidgrad.tensor import Tensor

Array = np.ndarray[Any, np.dtype[Any]]

AT_ONCE = 2**14  # numbers, which stay in the cache of a core
# Numbers from which on a function is compiled, which takes some hundredths of a second, once in a process.
WORTH_COMPILING = 2**16
_IN_PLACE: dict[Any, Callable[[Array], Any]] = {
    relu: lambda z: np.maximum(z, 0, out=z),
    tanh: lambda z: np.tanh(z, out=z),
    sigmoid: lambda z: expit(z, out=z),
}
# Of each number by itself, in any order.
_ELEMENTWISE = {*ACTIVATIONS.values()} - {*_IN_PLACE, softmax, log_softmax}


def activated(function: Any, z: Array) -> Array:
    """A function of sums (rows, units), which are lost: in their place where that is quicker."""
    known = function if getattr(function, "__hash__", None) else None
    if known in _IN_PLACE:
        _IN_PLACE[known](z)
        return z
    if z.size >= WORTH_COMPILING and known in _ELEMENTWISE and z.flags.c_contiguous and available():
        return _natively(known, z)
    with no_grad():
        made: Array = function(Tensor.wrap(z)).numpy()
    return made if made.flags.writeable else made.copy()


def _natively(function: Any, z: Array) -> Array:
    """In place, so many at once that one program serves for all shapes."""
    program, flat = _program(function), z.reshape(-1)
    whole = len(flat) - len(flat) % AT_ONCE
    for start in range(0, whole, AT_ONCE):
        part = flat[start : start + AT_ONCE]
        part[:] = program(Tensor.wrap(part)).numpy()
    if whole < len(flat):
        last = np.zeros(AT_ONCE, z.dtype)
        last[: len(flat) - whole] = flat[whole:]
        flat[whole:] = program(Tensor.wrap(last)).numpy()[: len(flat) - whole]
    return z


@cache
def _program(function: Any) -> Any:
    """Nothing of it is in an estimator, which is to be pickled: there is one for each function."""
    return jit(function)
