"""Programs that estimators work with in turn: one that nobody uses is kept for the next that needs its kind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

Kind = TypeVar("Kind")
Made = TypeVar("Made")


class Idle(Generic[Kind, Made]):
    """What nobody uses at the moment. Estimators hold none of it, as they are to be pickled.

    Parameters
    ----------
    most
        So many are kept, those that were used last.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: list[tuple[Kind, Made]] = []
        self._lock = threading.Lock()

    @contextmanager
    def borrowed(self, kind: Kind, make: Callable[[], Made]) -> Iterator[Made]:
        """One of a kind for the length of the block, for it alone: an idle one, or a new one."""
        with self._lock:
            place = next((i for i in reversed(range(len(self._kept))) if self._kept[i][0] == kind), None)
            made = None if place is None else self._kept.pop(place)[1]
        if made is None:
            made = make()
        try:
            yield made
        finally:
            with self._lock:
                self._kept.append((kind, made))
                del self._kept[: -self._most]
