"""Evaluation mode for the length of a block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from lucidgrad.autograd import mode, no_grad
from lucidgrad.nn import Module


@contextmanager
def evaluating(model: Module) -> Iterator[None]:
    """Inside of the block the model is in evaluation mode and nothing is recorded; then it is as it was."""
    before = {path: module.training for path, module in model.modules().items()}
    quiet = mode.quiet
    model.eval()
    try:
        with no_grad(), np.errstate(all="ignore"):
            mode.quiet = True
            yield
    finally:
        mode.quiet = quiet
        for path, module in model.modules().items():
            module.training = before[path]
