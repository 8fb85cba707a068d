"""The progress bars of estimators: beside scikit-learn's loop, which has no Run, and for one run after another."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from types import SimpleNamespace, TracebackType
from typing import Any, Self

from lucidgrad.training import History, Progress


class ProgressOfLoop:
    """A bar over the epochs of an estimator, where its ``progress`` asks for one; it changes nothing.

    Parameters
    ----------
    me
        The estimator: its ``max_iter``, ``n_iter_``, ``loss_`` and ``validation_scores_`` are shown. Inside of the
        ``with`` it has this as ``_bar``.
    incremental
        For a call of ``partial_fit``: one epoch of one call of many.
    """

    def __init__(self, me: Any, incremental: bool) -> None:
        self.me = me
        self._bar = None if me.progress is False else Progress(always=me.progress is True, passing=incremental)
        epochs = 1 if incremental else me.max_iter
        rate = math.nan if me.learning_rate != "constant" else float(me.learning_rate_init)
        self._run: Any = SimpleNamespace(
            epoch=0, epochs=epochs, batch=0, batch_size=None, data={"rows": 1}, learning_rate=rate,
            history=History(),
        )  # fmt: skip

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.on_run_begin(self._run)
        self.me._bar = self
        return self

    def show(self) -> None:
        """An epoch is done."""
        if self._bar is None:
            return
        me = self.me
        row = {"epoch": me.n_iter_, "loss": me.loss_}
        if me.validation_scores_:
            row["validation_score"] = me.validation_scores_[-1]
        self._run.history.rows[:] = [row]
        self._run.epoch = me.n_iter_
        self._bar.on_epoch_end(self._run)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        del self.me._bar
        if self._bar is not None:
            self._bar.on_run_end(self._run)


def labels_of_runs(pieces: Sequence[int], drawings: int, again: bool) -> Iterator[str]:
    """What stands in front of the bars of the runs of which an estimator for tables makes one network, in their order.

    >>> list(labels_of_runs([0, 16], 2, again=True))
    ['1/4 plain numbers', '2/4 numbers in 16 pieces', '3/4 other rows to stop on (2 of 2)', '4/4 all rows']
    >>> list(labels_of_runs([0], 1, again=False))
    ['']
    """
    first = [f"numbers in {n} pieces" if n else "plain numbers" for n in pieces]
    others = [f"other rows to stop on ({i} of {drawings})" for i in range(2, drawings + 1)]
    doing = [*first, *others, "all rows"] if again else first
    return (f"{i}/{len(doing)} {what}" if len(doing) > 1 else "" for i, what in enumerate(doing, 1))
