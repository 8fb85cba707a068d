"""The modes of a model's modules, training or evaluation, for the length of a block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def keeping_modes(model: Any) -> Iterator[None]:
    """Whatever happens in the block: each module goes back to the mode it was in."""
    before = [(module, module.training) for module in model.modules().values()]
    try:
        yield
    finally:
        for module, training in before:
            module.training = training


@contextmanager
def in_evaluation_mode(model: Any) -> Iterator[None]:
    """Evaluation mode for the block; each module goes back to the mode it was in."""
    with keeping_modes(model):
        model.eval()
        yield
