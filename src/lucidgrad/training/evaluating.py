"""Evaluation mode for the length of a block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from lucidgrad.autograd import mode, no_grad
from lucidgrad.nn import Module
from lucidgrad.nn.modes import in_evaluation_mode


@contextmanager
def evaluating(model: Module) -> Iterator[None]:
    """Inside of the block the model is in evaluation mode and nothing is recorded; then it is as it was."""
    quiet = mode.quiet
    try:
        with in_evaluation_mode(model), no_grad(), np.errstate(all="ignore"):
            mode.quiet = True
            yield
    finally:
        mode.quiet = quiet
