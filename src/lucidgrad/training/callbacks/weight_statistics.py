"""Write down how the weights of each layer move, since that tells early whether a layer learns, dies or explodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, final

import numpy as np

from lucidgrad.training.callbacks.callback import Callback

if TYPE_CHECKING:
    from lucidgrad.training.run import Run

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


@final
class WeightStatistics(Callback):
    """Adds four columns to the history, each a dict with a number for every parameter by path.

    ``mean_weight`` and ``std_weight``: mean and standard deviation of the elements. ``max_abs_weight``: the largest
    of their absolute values (every history has this one). ``relative_update``: how far the epoch moved the parameter,
    ||w_end - w_begin|| / ||w_begin|| in the Euclidean norm; for one that began as zeros, as biases do, by its norm at
    the end instead. All are computed in float64.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> from lucidgrad.training import WeightStatistics, fit
    >>> x, y = lg.data.xor(40, seed=0)
    >>> run = fit(lg.nn.Linear(2, 2), x, y, loss="cross_entropy", optimizer=lg.optim.SGD(0.5), epochs=2,
    ...           callbacks=[WeightStatistics()])
    >>> sorted(run.history.last["relative_update"])
    ['bias', 'weight']
    """

    def __init__(self) -> None:
        self._begin: dict[str, Array] = {}

    def on_epoch_begin(self, run: Run) -> None:
        """Remember the weights; where an epoch is resumed in its middle, they came with the checkpoint."""
        if run.batch == 0:
            self._begin = {path: p.numpy() for path, p in run.parameters.items()}

    def on_epoch_end(self, run: Run) -> None:
        """Add the columns to the row of the epoch."""
        weights = {path: p.numpy().astype(np.float64) for path, p in run.parameters.items()}
        with np.errstate(all="ignore"):  # a model that has diverged has statistics too: inf and NaN
            run.history.last.update(
                mean_weight={path: _of(np.mean, w) for path, w in weights.items()},
                std_weight={path: _of(np.std, w) for path, w in weights.items()},
                max_abs_weight={path: float(np.max(np.abs(w), initial=0.0)) for path, w in weights.items()},
                relative_update={path: _relative_update(self._begin[path], w) for path, w in weights.items()},
            )
        self._begin = {}

    def state(self) -> dict[str, Any]:
        """The weights at the beginning of the epoch under way."""
        return {"begin": self._begin}

    def load_state(self, state: dict[str, Any]) -> None:
        """Put back what ``state`` gave."""
        self._begin = state["begin"]


def _of(statistic: Any, w: Array) -> float:
    return float(statistic(w)) if w.size else 0.0


def _relative_update(begin: Array, end: Array) -> float:
    begin = begin.astype(np.float64)
    moved, norm = float(np.linalg.norm(end - begin)), float(np.linalg.norm(begin)) or float(np.linalg.norm(end))
    return moved / norm if norm else 0.0
