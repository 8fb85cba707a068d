"""Which engine does the work, and on how many threads: the arguments ``engine`` and ``threads``."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.nn import Module

ENGINES = ("auto", "native", "eager")
# Arithmetic operations of a step from which on threads are worth their meeting at barriers: some ten microseconds.
WORTH_THREADS = 2**20


class Engine(NamedTuple):
    """What was asked for: the engine, its threads, and how often the same will be done."""

    name: str
    threads: int | None = None
    times: int = 1


EAGER = Engine("eager")


def check_engine(engine: Any) -> str:
    """The argument ``engine`` of ``fit``."""
    if engine not in ENGINES:
        raise ArgumentError(explain(f"engine expected one of {ENGINES}", repr(engine), "engine='auto' is usual"))
    return str(engine)


def native_threads(model: Module, rows: int) -> int:
    """One for a step that takes a few microseconds, else as many as there are cores (up to eight)."""
    return available_cores() if step_work(model, rows) >= WORTH_THREADS else 1


def available_cores() -> int:
    """The cores, at most eight, and no more than OMP_NUM_THREADS says, which pools of processes set for theirs."""
    limit = os.environ.get("OMP_NUM_THREADS", "")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(8, cores, int(limit) if limit.isdigit() and int(limit) else cores)


def step_work(model: Module, rows: int) -> int:
    """Arithmetic operations of a training step, roughly: two a parameter and row, forward, backward and once more."""
    return 6 * rows * sum(p.size for p in model.parameters().values())
