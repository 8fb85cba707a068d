"""Arrays for compiled programs, with a fence around each that shows who writes outside of it."""

from __future__ import annotations

from typing import Any

import numpy as np


class Fenced:
    """Arrays with a fence in front and behind, which nobody may write to."""

    WIDTH, BYTE = 256, 0xA5

    def __init__(self) -> None:
        self._raw: list[Any] = []

    def like(self, array: Any) -> Any:
        """A copy of an array, row after row."""
        raw = np.full(array.nbytes + 2 * self.WIDTH + 64, self.BYTE, np.uint8)
        raw = raw[-raw.ctypes.data % 64 :][: array.nbytes + 2 * self.WIDTH]
        inside = raw[self.WIDTH : self.WIDTH + array.nbytes].view(array.dtype).reshape(array.shape)
        inside[...] = array
        self._raw.append(raw)
        return inside

    def whole(self) -> bool:
        """Whether all fences are as they were."""
        return all((r[: self.WIDTH] == self.BYTE).all() and (r[-self.WIDTH :] == self.BYTE).all() for r in self._raw)
