"""Borrow a model: let it run, learn, and have other weights for a while, and give it back as it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np

from lucidgrad.autograd import enable_grad, mode
from lucidgrad.nn import Module
from lucidgrad.nn.modes import keeping_modes
from lucidgrad.tensor import Tensor

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


@contextmanager
def working(model: Module, arrays: Mapping[str, Array] | None = None) -> Iterator[None]:
    """Inside of the block the model may have other weights and run; then all of it is as it was before."""
    tensors = {**model.parameters(), **model.buffers()}
    before = {path: t.raw for path, t in tensors.items()}
    quiet, mode.quiet = mode.quiet, True
    try:
        for path, array in (arrays or {}).items():
            tensors[path].data = Tensor.wrap(array)
        with keeping_modes(model), enable_grad(), np.errstate(all="ignore"):
            yield
    finally:
        mode.quiet = quiet
        for path, t in tensors.items():
            t.data = Tensor.wrap(before[path])
