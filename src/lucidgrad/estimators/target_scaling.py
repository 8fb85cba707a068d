"""How the targets of a table are scaled for training, and what a network puts out is brought back to their unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Scaling:
    """How targets are scaled for training: (y - center) / scale, a number for each output."""

    center: Array
    scale: Array

    @classmethod
    def of(cls, values: Array, weight: Array | None, *, by_mean: bool) -> Scaling:
        """By mean and standard deviation; ``by_mean`` divides by the mean alone, so that what is positive stays so."""
        mean = np.average(values, axis=0, weights=weight)
        if by_mean:
            return cls(np.zeros_like(mean), np.where(mean > 0, mean, 1.0))
        scale = np.sqrt(np.average((values - mean) ** 2, axis=0, weights=weight))
        return cls(mean, np.where(scale > 0, scale, 1.0))

    def down(self, values: Array) -> Array:
        """From the unit of the targets to that of the network."""
        return (values - self.center) / self.scale

    def up(self, values: Array) -> Array:
        """And back."""
        return values * self.scale + self.center
