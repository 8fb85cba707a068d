"""How far the lab is: a line and a bar in a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lucidgrad.lab.plan import Trial

if TYPE_CHECKING:
    from lucidgrad.training import Run

SECONDS_BETWEEN_UPDATES = 0.1


class NoProgress:
    """Shows nothing."""

    @contextmanager
    def showing(self, trials: Sequence[Trial], samples: int) -> Iterator[NoProgress]:
        """For the time of the block."""
        yield self

    def begin(self, trial: Trial) -> None:
        """A trial begins."""

    def update(self, run: Run) -> None:
        """A step or an epoch is done."""


class LabProgress:
    """A bar over all trials on standard error, with the network under way, its epoch and its accuracy."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None
        self._work: list[float] = []
        self._place = -1
        self._count = 0
        self._title = ""
        self._next_update = 0.0

    @staticmethod
    def is_wanted() -> bool:
        """Whether anybody would see it."""
        return sys.stderr is not None and sys.stderr.isatty()

    @contextmanager
    def showing(self, trials: Sequence[Trial], samples: int) -> Iterator[LabProgress]:
        """For the time of the block; the terminal is as before afterwards, whatever happens inside."""
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(24),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        self._work = [_work(trial, samples) for trial in trials]
        self._count, self._place = len(trials), -1
        with Progress(*columns, console=Console(stderr=True), auto_refresh=False) as self._bar:
            self._task = self._bar.add_task("", total=sum(self._work))
            yield self

    def begin(self, trial: Trial) -> None:
        """A trial begins: the bar stands where those before it end."""
        self._place += 1
        self._title = f"{self._place + 1}/{self._count}  {trial.label}"
        self._bar.update(self._task, completed=sum(self._work[: self._place]), description=self._title, refresh=True)

    def update(self, run: Run) -> None:
        """Move the bar, at most ten times a second."""
        now = time.perf_counter()
        if now < self._next_update:
            return
        self._next_update = now + SECONDS_BETWEEN_UPDATES
        batches = -(-run.data["rows"] // (run.batch_size or run.data["rows"]))
        done = (run.epoch + run.batch / batches) / run.epochs
        text = f"{self._title}  epoch {min(run.epoch + 1, run.epochs)}/{run.epochs}"
        if "validation_accuracy" in run.history.last:
            text += f"  accuracy {100 * run.history.last['validation_accuracy']:.1f} %"
        completed = sum(self._work[: self._place]) + done * self._work[self._place]
        self._bar.update(self._task, completed=completed, description=text, refresh=True)


def _work(trial: Trial, samples: int) -> float:
    """About how much there is to do: samples looked at, those in small batches and deep networks counting for more."""
    seen = trial.epochs * min(samples, trial.samples or samples)
    return seen * (1 + 0.3 * len(trial.widths)) * (1 + 20 / (trial.batch_size or samples))
