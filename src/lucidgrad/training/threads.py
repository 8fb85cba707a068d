"""How many threads the matrix products of a run use: one, unless they are large enough to be worth sharing.

A product that takes a fraction of a millisecond gains little from a second thread and waits for it at every end: on
a machine that is also doing something else, 128x784 by 784x128 took 90 times as long on two threads as on one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import Any

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.nn import Module

# Below this many multiplications and additions in its largest product (a few milliseconds of one core) a step
# stays on one thread.
WORTH_SHARING = 2**28


def blas_threads_for(model: Module, rows: int) -> int | None:
    """1 where the largest matrix product for ``rows`` samples is small, else None: as many as BLAS is set to."""
    largest = max((p.size for p in model.parameters().values() if p.ndim > 1), default=0)
    return 1 if 2 * rows * largest < WORTH_SHARING else None


def check_threads(threads: Any) -> int | None:
    """The argument ``threads`` of ``fit``, as an integer >= 1 or None."""
    if threads is not None and (not isinstance(threads, int) or isinstance(threads, bool) or threads < 1):
        raise ArgumentError(
            explain("threads expected an integer >= 1 or None", repr(threads), "None chooses by the size of the model")
        )
    return threads


class _Limit:
    """The limit is a setting of the process: the first block sets it, the last one to end puts it back."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.depth = 0
        self.active: AbstractContextManager[Any] | None = None

    def enter(self, threads: int) -> None:
        with self.lock:
            if not self.depth:
                _take_control()
                self.active = _controller().limit(limits=threads, user_api="blas")
                self.active.__enter__()
            self.depth += 1

    def leave(self) -> None:
        with self.lock:
            self.depth -= 1
            if not self.depth and self.active is not None:
                _take_control()
                self.active.__exit__(None, None, None)
                self.active = None


_limit = _Limit()


def _take_control() -> None:
    """Let this thread set the limit: threadpoolctl (3.8) ignores others while the one that set it first is alive."""
    from threadpoolctl import OpenBLASController

    clear = getattr(OpenBLASController, "clear_controlling_thread", None)
    if clear is not None:
        clear(force=True)


@cache
def _controller() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@contextmanager
def blas_threads(threads: int | None) -> Iterator[None]:
    """Inside of the block matrix products use so many threads. None: as they are set.

    Blocks in several Python threads share one setting, that of the first; it is put back when the last has ended.
    """
    if threads is None:
        yield
        return
    _limit.enter(threads)
    try:
        yield
    finally:
        _limit.leave()
