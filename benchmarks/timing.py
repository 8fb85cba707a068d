"""Compare ways of doing the same thing on a noisy machine: in turn, A B A B ..., medians, and ratios of pairs."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable

Seconds = list[float]
# Threads of OpenBLAS and OpenMP go on spinning for up to 0.2 s after their work, on cores that the next in turn needs.
REST = 0.25


def in_turn(
    ways: dict[str, Callable[[], object]],
    rounds: int,
    repeats: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Seconds]:
    """Seconds of one call of each way, ``rounds`` times (a mean of ``repeats``), after a warm-up and a rest."""
    measured: dict[str, Seconds] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            time.sleep(REST)
            start = clock()
            for _ in range(repeats):
                way()
            if turn:
                measured[name].append((clock() - start) / repeats)
    return measured


def table(title: str, measured: dict[str, Seconds], against: str, unit: str = "ms") -> str:
    """A Markdown table: median, spread, and the median of the ratios to ``against``, pair by pair."""
    scale = {"s": 1.0, "ms": 1e3, "µs": 1e6}[unit]
    lines = [f"| {title} | median, {unit} | from – to | ratio to {against} |", "|---|---|---|---|"]
    for name, seconds in measured.items():
        ratio = statistics.median(s / o for s, o in zip(seconds, measured[against], strict=True))
        low, middle, high = (scale * f(seconds) for f in (min, statistics.median, max))
        lines.append(f"| {name} | {middle:.3g} | {low:.3g} – {high:.3g} | {ratio:.2f} |")
    return "\n".join(lines)


def machine() -> str:
    """The machine in general terms."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
