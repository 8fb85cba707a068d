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

    Examples
    --------
    >>> import lucidgrad as lg
    >>> class Every(lg.training.Callback):
    ...     def on_epoch_end(self, run):
    ...         if run.epoch % 2 == 0:
    ...             print(run.epoch, round(run.history.last["loss"], 1))
    >>> x, y = lg.data.xor(40, seed=0)
    >>> model = lg.nn.Linear(2, 2, init=lg.nn.init.zeros)
    >>> run = lg.fit(model, x, y, loss="cross_entropy", optimizer=lg.optim.SGD(0.1), epochs=4, callbacks=[Every()])
    2 0.7
    4 0.7
    """

    runs_last: ClassVar[bool] = False

    def on_run_begin(self, run: Run) -> None:
        """Before the first step, after a resumed state was loaded.

        Parameters
        ----------
        run
            The run; ``run.step`` counts the steps done before, 0 unless it was resumed.
        """

    def on_epoch_begin(self, run: Run) -> None:
        """Before the first step of an epoch (or the first after resuming in the middle of one).

        Parameters
        ----------
        run
            The run; ``run.epoch`` counts epochs completed.
        """

    def on_step_end(self, run: Run) -> None:
        """After each update.

        Parameters
        ----------
        run
            The run; ``run.step`` counts steps done, and ``run.batch_loss`` is the loss before the update.
        """

    def on_epoch_end(self, run: Run) -> None:
        """After the validation at the end of an epoch.

        Parameters
        ----------
        run
            The run; ``run.history.last`` is the row of the epoch.
        """

    def on_run_end(self, run: Run) -> None:
        """After the last step, also when the run was stopped, interrupted, or failed.

        Parameters
        ----------
        run
            The run; ``run.stop_reason`` says why it ended early, or is None.
        """

    def state(self) -> dict[str, Any]:
        """What a checkpoint has to keep of this callback: numbers, strings and arrays in (nested) dicts and lists."""
        return {}

    def load_state(self, state: dict[str, Any]) -> None:
        """Put back what ``state`` gave.

        Parameters
        ----------
        state
            What ``state`` gave when the checkpoint was written.
        """
