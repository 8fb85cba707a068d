"""The progress bar of ``lucidgrad.fit`` beside scikit-learn's loop, which has no Run that it could be shown."""

from __future__ import annotations

import math
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
    """

    def __init__(self, me: Any) -> None:
        self.me = me
        self._bar = None if me.progress is False else Progress(always=me.progress is True)
        rate = math.nan if me.learning_rate != "constant" else float(me.learning_rate_init)
        self._run: Any = SimpleNamespace(
            epoch=0, epochs=me.max_iter, batch=0, batch_size=None, data={"rows": 1}, learning_rate=rate,
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
