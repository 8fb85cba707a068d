"""The points in training that one can react to. A concrete callback overrides those it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from lucidgrad.training.run import Run


class Callback:
    """Reacts to points in training. A hook that is not overridden costs nothing.

    A callback may read everything of the run, add to ``run.history.last``, and call ``run.stop(reason)``. One that
    overrides ``state`` is a part of what is saved, and has to be there again when the run is resumed.

    Attributes
    ----------
    runs_last : bool
        Whether it is called after the others, because it writes down what they did. Apart from that the order is
        that of ``fit(callbacks=...)``; ``on_run_end`` is called in the opposite order, as with nested blocks.
    """

    runs_last: ClassVar[bool] = False

    def on_run_begin(self, run: Run) -> None:
        """Before the first step, after a resumed state was loaded."""

    def on_epoch_begin(self, run: Run) -> None:
        """Before the first step of an epoch (or the first after resuming in the middle of one)."""

    def on_step_end(self, run: Run) -> None:
        """After each update. ``run.step`` counts steps done; ``run.batch_loss`` is the loss before the update."""

    def on_epoch_end(self, run: Run) -> None:
        """After the validation at the end of an epoch; ``run.history.last`` is its row."""

    def on_run_end(self, run: Run) -> None:
        """After the last step, also when the run was stopped, interrupted, or failed (``run.stop_reason``)."""

    def state(self) -> dict[str, Any]:
        """What a checkpoint has to keep of this callback: numbers, strings and arrays in (nested) dicts and lists."""
        return {}

    def load_state(self, state: dict[str, Any]) -> None:
        """Put back what ``state`` gave."""
