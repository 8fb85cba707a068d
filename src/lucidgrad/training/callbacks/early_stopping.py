"""Stop when the model has stopped to get better on data it does not learn from, and take the best it was."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, final

from lucidgrad.errors import ArgumentError, counted, explain
from lucidgrad.training.callbacks.callback import Callback
from lucidgrad.training.callbacks.monitor import Mode, infer_mode, is_better, value_of

if TYPE_CHECKING:
    from lucidgrad.training.run import Run


@final
class EarlyStopping(Callback):
    """Ends the run when a column of the history was not better for ``patience`` epochs in a row.

    Parameters
    ----------
    monitor
        The column to watch: ``"validation_loss"``, ``"validation_accuracy"``, ...
    patience
        Epochs without a better value after which the run ends.
    min_delta
        How much better than the best a value must be to count, in units of the column. NaN never counts as better.
    mode
        Whether smaller (``"min"``) or larger (``"max"``) is better. None: what the name tells, so that losses and
        errors are to fall, and accuracies and scores to rise.
    restore_best
        Whether the model gets the weights and buffers of its best epoch when the run ends, whatever ended it. (Keras
        does so only when the run was stopped early; here the result does not depend on ``epochs`` in that way.)

    Attributes
    ----------
    best, best_epoch : float, int
        The best value so far and the epoch it is from, counted from 1 (0: none yet).
    wait : int
        Epochs since then.

    Raises
    ------
    ArgumentError
        When the column is not there (no ``validation`` was given to ``fit``), or its mode cannot be told.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> from lucidgrad.training import EarlyStopping, fit
    >>> x, y = lg.data.xor(60, seed=0)
    >>> stopping = EarlyStopping("validation_loss", patience=2)
    >>> run = fit(lg.nn.Linear(2, 2, key=lg.Key(0)), x, y, loss="cross_entropy", optimizer=lg.optim.SGD(1.0),
    ...           epochs=100, batch_size=4, validation=0.5, callbacks=[stopping])  # one layer cannot learn XOR
    >>> run.epoch < 100, run.stop_reason
    (True, 'validation_loss was not better for 2 epochs')
    """

    def __init__(
        self,
        monitor: str = "validation_loss",
        patience: int = 5,
        min_delta: float = 0.0,
        mode: Mode | None = None,
        restore_best: bool = True,
    ) -> None:
        if patience < 1 or not min_delta >= 0:
            raise ArgumentError(
                explain(
                    "EarlyStopping expected patience >= 1 epochs and min_delta >= 0",
                    f"patience={patience}, min_delta={min_delta}",
                    "patience=5 and min_delta=0.0 are usual",
                )
            )
        self.monitor, self.mode = monitor, infer_mode(monitor, mode)
        self.patience, self.min_delta, self.restore_best = patience, min_delta, restore_best
        self._forget()

    def _forget(self) -> None:
        self.best = math.nan
        self.best_epoch = 0
        self.wait = 0
        self._best_state: dict[str, Any] | None = None

    def on_run_begin(self, run: Run) -> None:
        """Begin anew, unless the run is resumed."""
        if not run.step:
            self._forget()

    def on_epoch_end(self, run: Run) -> None:
        """Compare, remember, and maybe stop."""
        value = value_of(run, self.monitor, "EarlyStopping")
        if is_better(value, self.best, self.mode, self.min_delta):
            self.best, self.best_epoch, self.wait = value, run.epoch, 0
            if self.restore_best:
                self._best_state = dict(run.model.state())  # not copied: arrays in tensors never change
        else:
            self.wait += 1
            if self.wait >= self.patience:
                run.stop(f"{self.monitor} was not better for {counted(self.patience, 'epoch')}")

    def on_run_end(self, run: Run) -> None:
        """Put the best weights and buffers back."""
        if self._best_state is not None:
            run.model.load_state(self._best_state)

    def state(self) -> dict[str, Any]:
        """The best value, its epoch and weights, and the epochs since."""
        return {"best": self.best, "best_epoch": self.best_epoch, "wait": self.wait, "best_state": self._best_state}

    def load_state(self, state: dict[str, Any]) -> None:
        """Put back what ``state`` gave."""
        self.best, self.best_epoch, self.wait = state["best"], state["best_epoch"], state["wait"]
        self._best_state = state["best_state"]
