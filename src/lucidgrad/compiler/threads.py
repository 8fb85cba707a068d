"""Several threads in one program: a barrier in machine code, and Python threads that call native functions.

While a native function runs, Python's lock is free, so that the calls of a pool run side by side. Inside of them the
threads meet at barriers: a round takes well below a microsecond where each thread has a core of its own.
"""

from __future__ import annotations

import ctypes
import os
import platform
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

BARRIER = "lucidgrad_barrier"
X86 = "x86_64", "amd64", "i686"
# Looks at the counter (about 40 cycles each) before the core is offered to other threads. Where each of our threads may
# have a core, offering it soon would give it to another program for milliseconds, whenever one runs.
SPINS, PATIENT_SPINS = 1000, 50_000
# Places in a barrier's state, in 64-bit words: what changes has cache lines of its own.
_TICKETS, _STOP, _YIELD, _SPINS, _WORDS = 0, 8, 16, 17, 24


def barrier_text(name: str = BARRIER, architecture: str | None = None, internal: bool = False) -> str:
    """The function ``i64 name(ptr state, i64 threads)``: 0 when all have called it, another at a stop.

    Each call takes a ticket, counted up for good, and waits for the last one of its round. What a thread has written
    before is read by the others behind it, what went past the caches too.
    """
    architecture = (architecture or platform.machine()).lower()
    pause = _pause(architecture)
    fence = "call void @llvm.x86.sse.sfence()" if architecture in X86 else "; no store is late"
    return f"""\
define {"internal " if internal else ""}i64 @{name}(ptr %state, i64 %threads) noinline {{
entry:
  %stop = getelementptr i64, ptr %state, i64 {_STOP}
  %patience = getelementptr i64, ptr %state, i64 {_SPINS}
  %limit = load i64, ptr %patience, align 8
  {fence}
  %ticket = atomicrmw add ptr %state, i64 1 acq_rel
  %round = udiv i64 %ticket, %threads
  %next = add i64 %round, 1
  %last = mul i64 %next, %threads
  br label %look
look:
  %spins = phi i64 [ 0, %entry ], [ %more, %wait ], [ 0, %offer ], [ 0, %none ]
  %count = load atomic i64, ptr %state acquire, align 8
  %complete = icmp uge i64 %count, %last
  br i1 %complete, label %passed, label %check
check:
  %stopped = load atomic i64, ptr %stop acquire, align 8
  %left = icmp ne i64 %stopped, 0
  br i1 %left, label %gone, label %spin
spin:
  %more = add i64 %spins, 1
  %tired = icmp ugt i64 %more, %limit
  br i1 %tired, label %rest, label %wait
wait:
  {pause}
  br label %look
rest:
  %place = getelementptr i64, ptr %state, i64 {_YIELD}
  %yield = load ptr, ptr %place, align 8
  %nobody = icmp eq ptr %yield, null
  br i1 %nobody, label %none, label %offer
offer:
  call i32 %yield()
  br label %look
none:
  br label %look
passed:
  ret i64 0
gone:
  ret i64 %stopped
}}"""


def _pause(architecture: str) -> str:
    """Tells the core that the thread only waits."""
    if architecture in X86:
        return "call void @llvm.x86.sse2.pause()"
    if architecture in ("aarch64", "arm64"):
        return "call void @llvm.aarch64.hint(i32 1)"
    return "; nothing"


@cache
def _yield_address() -> int:
    """Where the system's function begins that offers the core to other threads."""
    found = ctypes.CDLL("kernel32").SwitchToThread if os.name == "nt" else ctypes.CDLL(None).sched_yield
    return ctypes.cast(found, ctypes.c_void_p).value or 0


def _cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Barrier:
    """The state of a barrier: memory that the threads of one program share.

    A barrier belongs to as many threads as its first round had; ``reset`` while nobody waits makes it new.

    Parameters
    ----------
    threads
        How many will meet. Where there are as many cores, they wait longer before they offer theirs; None: not known.
    """

    def __init__(self, threads: int | None = None) -> None:
        memory = np.zeros(_WORDS + 8, np.int64)
        skip = -memory.ctypes.data % 64 // 8
        self._memory = memory  # the addresses are valid as long as this lives
        self._words = memory[skip : skip + _WORDS]
        self._words[_YIELD] = _yield_address()
        self._words[_SPINS] = PATIENT_SPINS if threads is not None and threads <= _cores() else SPINS

    @property
    def address(self) -> int:
        """What native functions take as ``state``."""
        return int(self._words.ctypes.data)

    @property
    def spins(self) -> int:
        """How often a thread looks whether the others are there before it offers its core."""
        return int(self._words[_SPINS])

    @property
    def stopped(self) -> bool:
        """Whether the barrier lets everybody go."""
        return bool(self._words[_STOP])

    def stop(self) -> None:
        """Let go who waits, and who comes from now on before its round is complete: they get a number other than 0."""
        self._words[_STOP] = 1

    def reset(self) -> None:
        """As at the beginning."""
        self._words[_TICKETS] = self._words[_STOP] = 0


class _Worker:
    """A Python thread that makes one call after the other. Each step may be repeated when Ctrl-C came between."""

    def __init__(self) -> None:
        self.call: Callable[[], Any] | None = None
        self.error: BaseException | None = None
        self.wanted = self.finished = 0  # numbers of calls
        self._start, self._done = threading.Lock(), threading.Lock()
        self._start.acquire()
        self._done.acquire()
        threading.Thread(target=self._work, name="lucidgrad worker", daemon=True).start()

    def begin(self, call: Callable[[], Any] | None) -> None:
        self.call, self.error = call, None
        self.wanted += 1
        _release(self._start)

    def wait(self) -> None:
        _release(self._start)
        while self.finished < self.wanted:
            self._done.acquire()

    def _work(self) -> None:
        while True:
            while self.finished == self.wanted:
                self._start.acquire()
            call, number = self.call, self.wanted
            if call is None:
                return
            try:
                call()
            except BaseException as error:
                self.error = error
            self.call = call = None
            self.finished = number
            _release(self._done)


def _release(lock: threading.Lock) -> None:
    try:
        lock.release()
    except RuntimeError:  # released already
        return


def _end(workers: list[_Worker]) -> None:
    for worker in workers:
        worker.begin(None)


class Pool:
    """Threads that are kept from call to call.

    Parameters
    ----------
    threads
        How many calls run at a time, the one of the calling thread among them.

    Examples
    --------
    >>> seen = []
    >>> Pool(2).run(seen.append, [(1,), (2,)])
    >>> sorted(seen)
    [1, 2]
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._lock = threading.Lock()
        self._workers: list[_Worker] = []
        weakref.finalize(self, _end, self._workers).atexit = False
        _pools.add(self)

    def run(
        self, function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]], barrier: Barrier | None = None
    ) -> None:
        """Call ``function`` with each of the arguments at the same time, the first in this thread; return behind all.

        The first error is raised when all calls have ended; ``barrier`` is stopped by it, so that nobody waits for who
        has left. Several Python threads may call: one waits for the other.
        """
        with self._lock:
            workers = self._hired(len(arguments) - 1)
            try:
                for worker, given in zip(workers, arguments[1:], strict=True):
                    worker.begin(_guarded(function, given, barrier))
                _guarded(function, arguments[0], barrier)()
            finally:
                _wait_for(workers, barrier)
            for worker in workers:
                if worker.error is not None:
                    error, worker.error = worker.error, None
                    raise error

    def _hired(self, count: int) -> list[_Worker]:
        while len(self._workers) < count:
            self._workers.append(_Worker())
        return self._workers[:count]

    def _after_fork(self) -> None:
        """The child of a fork has none of the threads."""
        self._lock = threading.Lock()
        self._workers.clear()


def _guarded(function: Callable[..., Any], arguments: tuple[Any, ...], barrier: Barrier | None) -> Callable[[], Any]:
    def call() -> None:
        try:
            function(*arguments)
        except BaseException:
            if barrier is not None:
                barrier.stop()
            raise

    return call


def _wait_for(workers: list[_Worker], barrier: Barrier | None) -> None:
    """Wait for the calls to end; Ctrl-C stops the barrier, and is raised when they have ended."""
    interrupt: KeyboardInterrupt | None = None
    for worker in workers:
        while worker.finished < worker.wanted:
            try:
                worker.wait()
            except KeyboardInterrupt as error:
                interrupt = error
                if barrier is not None:
                    barrier.stop()
    if interrupt is not None:
        raise interrupt


_pools: weakref.WeakSet[Pool] = weakref.WeakSet()
_free: list[Pool] = []


@contextmanager
def borrowed(threads: int) -> Iterator[Pool]:
    """A pool for this block alone: one that is free, or a new one."""
    try:
        pool = _free.pop()
    except IndexError:
        pool = Pool(threads)
    pool.threads = threads
    try:
        yield pool
    finally:
        _free.append(pool)


def _after_fork() -> None:
    for pool in list(_pools):
        pool._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
