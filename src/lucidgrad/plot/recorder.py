"""Keeps the decision boundary at moments of a run, for pictures side by side and for an animation."""

from __future__ import annotations

from typing import final

import numpy as np
from numpy.typing import ArrayLike

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.plot.boundary import Boundary
from lucidgrad.training import Callback, Run


@final
class BoundaryRecorder(Callback):
    """A callback that keeps the decision boundary of the model before the first epoch and after some of them.

    Parameters
    ----------
    x : (n, 2)
        Samples, whose range is drawn.
    moments
        How many boundaries to keep at most; they lie closer together early on, when most happens.
    points
        Of the grid along each axis.

    Attributes
    ----------
    frames
        What ``boundary_animation`` takes: a list with one Boundary for each moment.
    titles
        The epoch of each.

    Raises
    ------
    ArgumentError
        When ``moments`` is less than 2.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> from lucidgrad import plot
    >>> x, y = lg.data.xor(40, seed=0)
    >>> recorder = plot.BoundaryRecorder(x, moments=3, points=20)
    >>> run = lg.fit(lg.nn.Linear(2, 2), x, y, loss="cross_entropy", optimizer=lg.optim.SGD(0.5), epochs=4,
    ...              callbacks=[recorder])
    >>> recorder.titles
    ['epoch 0', 'epoch 1', 'epoch 4']
    """

    def __init__(self, x: ArrayLike, *, moments: int = 32, points: int = 110) -> None:
        if moments < 2:
            raise ArgumentError(explain("BoundaryRecorder expected at least 2 moments", f"{moments}", "32 are usual"))
        self.x, self.moments, self.points = x, moments, points
        self.frames: list[list[Boundary]] = []
        self.titles: list[str] = []
        self._epochs: set[int] = set()

    def on_run_begin(self, run: Run) -> None:
        """Choose the moments, and keep the first."""
        self.frames, self.titles = [], []
        self._epochs = {round(run.epochs * share**2) for share in np.linspace(0, 1, self.moments)}
        self._keep(run)

    def on_epoch_end(self, run: Run) -> None:
        """Keep the boundary if this is one of the moments."""
        self._keep(run)

    def _keep(self, run: Run) -> None:
        from lucidgrad.plot.language import word

        if run.epoch in self._epochs:
            title = f"{word('epoch')} {run.epoch}"
            self.frames.append([Boundary.of(run.model, self.x, points=self.points, title=title)])
            self.titles.append(title)
