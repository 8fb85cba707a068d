"""Write the history to a file that other programs read, a row as soon as an epoch is done."""

from __future__ import annotations

import csv
import io
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from lucidgrad.atomic import atomic_write
from lucidgrad.training.callbacks.callback import Callback

if TYPE_CHECKING:
    from lucidgrad.training.history import Row
    from lucidgrad.training.run import Run


@final
class CSVLog(Callback):
    """A CSV file (RFC 4180, UTF-8) with a line for every epoch of the run's history.

    The columns are those of the first epoch. Numbers are written in full, so that reading them gives the same bits.
    Columns with a number for each parameter or class become one column each: ``max_abs_weight/0.weight``.

    Parameters
    ----------
    path
        The file. A run from the start replaces it; a resumed run first makes it hold the epochs that the checkpoint
        had, each once, and then goes on. Its folder must exist.

    Raises
    ------
    OSError
        When the file cannot be written: the run ends rather than going on without its log.

    Warns
    -----
    RuntimeWarning
        Once, when a later epoch has a column that the first had not: it is left out.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import lucidgrad as lg
    >>> from lucidgrad.training import CSVLog, fit
    >>> x, y = lg.data.xor(40, seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = Path(folder) / "log.csv"
    ...     run = fit(lg.nn.Linear(2, 2), x, y, loss="cross_entropy", optimizer=lg.optim.SGD(0.5), epochs=2,
    ...               callbacks=[CSVLog(log)])
    ...     lines = log.read_text().splitlines()
    >>> lines[0]
    'epoch,loss,learning_rate,seconds,max_abs_weight/weight,max_abs_weight/bias'
    >>> float(lines[2].split(",")[1]) == run.history["loss"][-1]
    True
    """

    runs_last = True

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._columns: list[str] = []
        self._warned = False

    def on_run_begin(self, run: Run) -> None:
        """Make the file hold what the history holds: nothing, or the epochs before the checkpoint."""
        self._columns, self._warned = [], False
        with atomic_write(self.path) as file:
            file.write("".join(self._lines(row) for row in run.history).encode())

    def on_epoch_end(self, run: Run) -> None:
        """Add the line of the epoch."""
        with self.path.open("a", encoding="utf-8", newline="") as file:
            file.write(self._lines(run.history.last))

    def _lines(self, row: Row) -> str:
        """The line of a row; before the first one, that of the names."""
        flat = _flat(row)
        text = io.StringIO()
        writer = csv.DictWriter(text, self._columns or list(flat), restval="", extrasaction="ignore")
        if not self._columns:
            self._columns = list(flat)
            writer.writeheader()
        writer.writerow(flat)
        self._warn_of_new(flat)
        return text.getvalue()

    def _warn_of_new(self, flat: dict[str, Any]) -> None:
        new = [name for name in flat if name not in self._columns]
        if new and not self._warned:
            self._warned = True
            warnings.warn(
                f"{self.path} expected the columns of its first line, got also {', '.join(new)} in epoch "
                f"{flat.get('epoch')}. They are left out; run.history has them.",
                RuntimeWarning,
                stacklevel=2,
            )


def _flat(row: Row) -> dict[str, Any]:
    """Dicts and arrays as a column for each of their numbers."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat |= {f"{name}/{key}": v for key, v in _flat(value).items()}
        elif isinstance(value, np.ndarray):
            flat |= {f"{name}/{'/'.join(map(str, index))}": v.item() for index, v in np.ndenumerate(value)}
        else:
            flat[name] = value.item() if isinstance(value, np.generic) else value
    return flat
