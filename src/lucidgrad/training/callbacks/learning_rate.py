"""Change the learning rate between epochs: by a function of the epoch, or when a column stops to get better.

A schedule of the optimiser (``lucidgrad.optim.cosine``) is a function of the step. These multiply whatever it gives.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, final

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.optim import Plateau
from lucidgrad.training.callbacks.callback import Callback
from lucidgrad.training.callbacks.monitor import infer_mode, value_of

if TYPE_CHECKING:
    from lucidgrad.training.run import Run


@final
class LearningRate(Callback):
    """Sets the learning rate of each epoch.

    Parameters
    ----------
    function
        From the number of the epoch, counted from 0 as steps are in a schedule, to a factor that the optimiser's
        learning rate is multiplied by.
    absolute
        The function gives the learning rate itself instead of a factor.

    Raises
    ------
    ArgumentError
        When the function gives a number that is negative or not finite; for ``absolute`` when the optimiser has a
        schedule, or the learning rate 0; together with another callback that sets the learning rate; and with an
        optimiser that has none (L-BFGS).

    Examples
    --------
    >>> import lucidgrad as lg
    >>> from lucidgrad.training import LearningRate, fit
    >>> x, y = lg.data.xor(40, seed=0)
    >>> run = fit(lg.nn.Linear(2, 2), x, y, loss="cross_entropy", optimizer=lg.optim.SGD(0.5), epochs=3,
    ...           callbacks=[LearningRate(lambda epoch: 0.5**epoch)])
    >>> run.history["learning_rate"]
    [0.5, 0.25, 0.125]
    """

    def __init__(self, function: Callable[[int], float], absolute: bool = False) -> None:
        self.function = function
        self.absolute = absolute

    def on_run_begin(self, run: Run) -> None:
        """Look whether the learning rate is ours to set.

        Raises
        ------
        ArgumentError
            When the optimiser has none to set, or another callback sets it.
        """
        _check_sets_rate_alone(run)
        base = run.optimizer.learning_rate
        if self.absolute and (callable(base) or not base > 0):
            raise ArgumentError(
                explain(
                    "LearningRate(absolute=True) expected an optimiser whose learning rate is a number above 0",
                    repr(base),
                    "Give the optimiser a number, or multiply its schedule with absolute=False",
                )
            )

    def on_epoch_begin(self, run: Run) -> None:
        """Set the factor of this epoch.

        Raises
        ------
        ArgumentError
            When the function gives no finite number of at least 0.
        """
        value = float(self.function(run.epoch))
        if not (math.isfinite(value) and value >= 0):
            raise ArgumentError(
                explain(
                    "LearningRate expected its function to give a finite number of at least 0",
                    f"{value} for epoch {run.epoch}",
                    "Look at the function around that epoch; epochs count from 0",
                )
            )
        base = run.optimizer.learning_rate
        run.learning_rate_factor = value / base if self.absolute and not callable(base) else value

    def state(self) -> dict[str, Any]:
        """Nothing but that it is there: a run resumed without it would go another way."""
        return {"absolute": self.absolute}


@final
class ReduceOnPlateau(Callback):
    """Lowers the learning rate when a column of the history has stopped to get better, by the rule of a ``Plateau``.

    Parameters
    ----------
    monitor
        The column to watch.
    plateau
        The rule: patience, factor, threshold, cooldown. None: ``Plateau()``, to fall or rise as the column's name
        tells.

    Raises
    ------
    ArgumentError
        When the column is not there or the mode cannot be told from its name; together with another callback that
        sets the learning rate; and with an optimiser that has none (L-BFGS).

    Examples
    --------
    >>> import lucidgrad as lg
    >>> from lucidgrad.training import ReduceOnPlateau, fit
    >>> x, y = lg.data.xor(40, seed=0)
    >>> rule = lg.optim.Plateau(patience=0, factor=0.5, threshold=10.0, threshold_mode="abs")  # nothing is that good
    >>> run = fit(lg.nn.Linear(2, 2), x, y, loss="cross_entropy", optimizer=lg.optim.SGD(0.5), epochs=4,
    ...           callbacks=[ReduceOnPlateau("loss", rule)])
    >>> run.history["learning_rate"]
    [0.5, 0.5, 0.25, 0.125]
    """

    def __init__(self, monitor: str = "validation_loss", plateau: Plateau | None = None) -> None:
        self.monitor = monitor
        self.plateau = plateau or Plateau(infer_mode(monitor, None))
        self._state = self.plateau.init()

    def on_run_begin(self, run: Run) -> None:
        """Begin anew, unless the run is resumed."""
        _check_sets_rate_alone(run)
        if not run.step:
            self._state = self.plateau.init()

    def on_epoch_end(self, run: Run) -> None:
        """Tell the rule the value, and set the factor it gives."""
        value = value_of(run, self.monitor, "ReduceOnPlateau")
        self._state = self.plateau.update(self._state, value)
        run.learning_rate_factor = self._state["factor"]

    def state(self) -> dict[str, Any]:
        """The state of the rule."""
        return dict(self._state)

    def load_state(self, state: dict[str, Any]) -> None:
        """Put back what ``state`` gave."""
        self._state = state


def _check_sets_rate_alone(run: Run) -> None:
    setters = [type(c).__name__ for c in run.callbacks if isinstance(c, LearningRate | ReduceOnPlateau)]
    if len(setters) > 1:
        raise ArgumentError(
            explain(
                "callbacks expected one that sets the learning rate", f"{setters}", "Put both rules into one function"
            )
        )
    if run.optimizer.full_batch:
        raise ArgumentError(
            explain(f"{setters[0]} expected an optimiser with a learning rate", repr(run.optimizer), "Use SGD or Adam")
        )
