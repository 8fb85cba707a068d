"""Save the run while it goes, so that nothing that stops it costs more than the time since the last save."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, final

from lucidgrad.errors import ArgumentError, CheckpointError, explain
from lucidgrad.io import checkpoint
from lucidgrad.training.callbacks.callback import Callback
from lucidgrad.training.callbacks.monitor import Mode, infer_mode, is_better, value_of

if TYPE_CHECKING:
    from lucidgrad.training.run import Run


@final
class Checkpoint(Callback):
    """Writes everything that ``fit(..., resume=folder)`` needs to go on exactly where the run was.

    Each checkpoint is whole or not there, whenever the process or the machine stops (see ``lucidgrad.io.checkpoint``).
    One is also written when Ctrl-C ends the run. An error while saving ends the run: training on without the
    checkpoints that were asked for would be the worse surprise.

    Parameters
    ----------
    folder
        Where; made when it is not there. It belongs to one run.
    every_epochs
        Save after every so many epochs; None: not after epochs.
    every_steps
        Save after every so many steps; None: not after steps.
    keep
        How many of them to keep, the newest; None: all.
    monitor
        A column of the history, such as ``"validation_loss"``: the state after its best epoch is kept besides, as
        ``best.json``.
    mode
        Whether the smallest (``"min"``) or largest (``"max"``) value is the best; None: what the name tells.

    Raises
    ------
    CheckpointError
        At the beginning, when a run that is not resumed finds the checkpoints of an earlier one in the folder; and
        when a checkpoint cannot be written.
    ArgumentError
        When a number is below 1, the column to monitor is not there, or its mode cannot be told from the name.

    Examples
    --------
    >>> import tempfile
    >>> import lucidgrad as lg
    >>> from lucidgrad.training import Checkpoint, fit
    >>> def train(epochs, folder):
    ...     x, y = lg.data.xor(40, seed=0)
    ...     return fit(lg.nn.Linear(2, 2, key=lg.Key(0)), x, y, loss="cross_entropy", optimizer=lg.optim.Adam(0.1),
    ...                epochs=epochs, batch_size=10, callbacks=[Checkpoint(folder)], resume=True)
    >>> with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
    ...     first = train(2, folder)
    ...     resumed, at_once = train(4, folder), train(4, other)
    >>> resumed.history["loss"] == at_once.history["loss"]
    True
    """

    runs_last: ClassVar[bool] = True

    def __init__(
        self,
        folder: str | os.PathLike[str],
        every_epochs: int | None = 1,
        every_steps: int | None = None,
        keep: int | None = 3,
        monitor: str | None = None,
        mode: Mode | None = None,
    ) -> None:
        for name, value in (("every_epochs", every_epochs), ("every_steps", every_steps), ("keep", keep)):
            if value is not None and value < 1:
                raise ArgumentError(
                    explain(f"Checkpoint({name}) expected at least 1", f"{value}", "Use None for never")
                )
        self.folder = Path(folder)
        self.every_epochs, self.every_steps, self.keep = every_epochs, every_steps, keep
        self.monitor = monitor
        self.mode = None if monitor is None else infer_mode(monitor, mode)
        self.best = math.nan
        self._saved_at: tuple[int, int, int] | None = None

    def on_run_begin(self, run: Run) -> None:
        """Look at the folder before any work is done for it.

        Raises
        ------
        CheckpointError
            When a new run finds checkpoints of another in the folder.
        """
        self._saved_at = _place(run) if run.step else None
        checkpoint.clean(self.folder)
        if run.step:
            return
        self.best = math.nan
        earlier = checkpoint.steps(self.folder)
        if earlier:
            raise CheckpointError(
                explain(
                    f"a new run expected no checkpoints of another in {self.folder}",
                    f"{len(earlier)}, the newest {earlier[-1].name}",
                    "Go on from them with fit(..., resume=True), or name another folder",
                )
            )

    def on_step_end(self, run: Run) -> None:
        """Save, if it is time."""
        if self.every_steps is not None and run.step % self.every_steps == 0:
            self._save(run)

    def on_epoch_end(self, run: Run) -> None:
        """Save, if it is time, and if the epoch was the best so far."""
        if self.monitor is not None and self.mode is not None:
            value = value_of(run, self.monitor, "Checkpoint(monitor)")
            if is_better(value, self.best, self.mode):
                self.best = value
                checkpoint.save(self.folder, "best", run.state())
        if self.every_epochs is not None and run.epoch % self.every_epochs == 0:
            self._save(run)

    def on_run_end(self, run: Run) -> None:
        """Save what was done since the last time, when Ctrl-C or a callback ended the run between two saves."""
        is_between_steps = run.stop_reason is None or not run.stop_reason.startswith("failed")
        if run.step and is_between_steps and self._saved_at != _place(run):
            self._save(run)

    def state(self) -> dict[str, Any]:
        """The best value so far."""
        return {"best": self.best}

    def load_state(self, state: dict[str, Any]) -> None:
        """Put back what ``state`` gave."""
        self.best = state["best"]

    def _save(self, run: Run) -> None:
        checkpoint.save(self.folder, run.step, run.state(), keep=self.keep)
        self._saved_at = _place(run)


def _place(run: Run) -> tuple[int, int, int]:
    """Where in the run: the end of an epoch's last step and the end of the epoch are two places."""
    return run.epoch, run.batch, run.step
