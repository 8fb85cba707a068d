"""record: a real training step, run once more in slow motion, as a page to step through."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from html import escape
from typing import Any, final

from lucidgrad.atomic import atomic_write
from lucidgrad.errors import ArgumentError, explain
from lucidgrad.seeing.collapse import collapsed
from lucidgrad.seeing.draw import MOST_VERTICES, Drawing
from lucidgrad.seeing.frames import Frame, frames_of
from lucidgrad.seeing.kernels import Code, Kernels, kernels_of
from lucidgrad.seeing.page import page_of
from lucidgrad.seeing.phrases import LANGUAGES
from lucidgrad.seeing.slow import SlowStep, slow_motion
from lucidgrad.seeing.tables import Tables
from lucidgrad.seeing.words import words_of
from lucidgrad.training import Callback, Run
from lucidgrad.training.moment import Moment
from lucidgrad.training.replay import Replayed, replay
from lucidgrad.training.step import assign
from lucidgrad.training.working import working

PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class Recording:
    """A recorded step, which notebooks show.

    Attributes
    ----------
    html
        The page: one file that needs nothing else.
    frames
        What it shows, one after the other.
    step
        Values, gradients and updates as arrays.
    codes
        The kernels of the native program, or why there is none.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> x, y = lg.data.xor(8, seed=0)
    >>> run = lg.fit(lg.nn.Linear(2, 2), x, y, loss="cross_entropy", optimizer=lg.optim.SGD(0.1), epochs=1)
    >>> recording = lg.record(run, kernels=False)
    >>> recording
    <Recording of epoch 1, minibatch 1: 13 frames>
    >>> recording.codes
    'kernels=False'
    """

    html: str = field(repr=False)
    frames: list[Frame] = field(repr=False)
    step: SlowStep = field(repr=False)
    codes: list[Code] | str = field(repr=False)

    @property
    def replayed(self) -> Replayed:
        """The step as the run did it."""
        return self.step.replayed

    def save(self, path: PathLike) -> None:
        """Write the page to a file, ``step.html``; a browser opens it without a server.

        Parameters
        ----------
        path
            Where; what was there is replaced, in one act.
        """
        with atomic_write(path) as file:
            file.write(self.html.encode())

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{escape(self.html)}" sandbox="allow-scripts allow-modals" '
            'style="width:100%;height:760px;border:0"></iframe>'
        )

    def __repr__(self) -> str:
        done = self.replayed
        return f"<Recording of epoch {done.epoch}, minibatch {done.batch}: {len(self.frames)} frames>"


def record(
    run: Run,
    *,
    epoch: int = 1,
    batch: int = 1,
    path: PathLike | None = None,
    checkpoint: PathLike | None = None,
    expand: bool | None = None,
    kernels: bool = True,
    language: str = "en",
) -> Recording:
    """Replay a training step in slow motion, and write a page on which it is stepped through with the keyboard.

    The page shows what the step did op by op: the values on the way forward, the loss, the gradients on the way back,
    and the update of each parameter, with the formula, an element worked out, and the arrays before and after; beside
    it, on request, the assembly of the kernel that does this natively. English and Korean are both on it.

    Nothing has to be prepared: as training depends on nothing but settings, data and seed, the step is found by doing
    the steps before it once more, on the engine that did them. That they come out as they did is checked against
    the run's history, to the last bit.

    Parameters
    ----------
    run
        What ``fit`` has returned; or the run a callback is given, while it goes on. It needs the data that ``fit`` got,
        unchanged; the run holds on to it.
    epoch, batch
        Which step, counted from 1.
    path
        Where to write the page, ``step.html``. None: nowhere yet.
    checkpoint
        A folder of the Checkpoint callback, for a shorter way to a late step, or to one before the run was resumed.
    expand
        Whether the graph shows each op (True) or each layer as one box (False). None: as one box where there would be
        more than 60. The steps go op by op in any case.
    kernels
        Whether to add the kernels of the native program, which takes the time to compile the step.
    language
        The page begins in ``"en"`` or ``"ko"``; the key L changes it.

    Raises
    ------
    ArgumentError
        For a step that the run has not done, or another language.
    CheckpointError
        For a checkpoint of another run.
    ReplayError
        Where the steps come out another way than they did: the data was changed, or a callback changed weights. A
        ``Recorder`` takes the step down while the run goes on.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.seed(0)
    >>> x, y = lg.data.xor(40, seed=0)
    >>> model = lg.nn.Sequential(lg.nn.Linear(2, 3), lg.functional.tanh, lg.nn.Linear(3, 2))
    >>> run = lg.fit(model, x, y, loss="cross_entropy", optimizer=lg.optim.SGD(0.1), epochs=3, batch_size=8)
    >>> recording = lg.record(run, epoch=2, batch=5)
    >>> recording
    <Recording of epoch 2, minibatch 5: 19 frames>
    >>> recording.frames[1].formulas
    ['z₁ = x · W₁ᵀ + b₁']
    """
    words_of(language)
    return _recorded(replay(run, epoch=epoch, batch=batch, checkpoint=checkpoint), path, expand, kernels, language)


def _recorded(done: Replayed, path: PathLike | None, expand: bool | None, kernels: bool, language: str) -> Recording:
    step, tables = slow_motion(done), Tables()
    frames = frames_of(step, tables)
    codes: list[Code] | str = _add_kernels(done, frames) if kernels else "kernels=False"
    many = len(step.chart.vertices) > MOST_VERTICES
    chart = collapsed(step.chart) if step.chart.layers and (many if expand is None else not expand) else step.chart
    drawings = {name: Drawing(chart, name) for name in LANGUAGES}
    recording = Recording(page_of(step, frames, tables.shown, drawings, codes, language), frames, step, codes)
    if path is not None:
        recording.save(path)
    return recording


def _add_kernels(done: Replayed, frames: list[Frame]) -> list[Code] | str:
    """Find the kernel of each frame."""
    model = done.run.model
    with working(model):
        assign({**model.parameters(), **model.buffers()}, done.before.tensors)
        model.train()
        found = kernels_of(done)
    if not isinstance(found, Kernels):
        return found
    for frame in frames:
        numbers = (found.computing(array) for array in frame.arrays)
        frame.kernel = next((n for n in numbers if n is not None), None)
    return found.codes


@final
class Recorder(Callback):
    """A callback that records a step while the run goes on, and writes its page at the end of the step's epoch.

    It keeps the state at the beginning of that epoch, so that only the epoch is done once more: the way to a step late
    in a long run, or of a run whose weights a callback changes between epochs.

    Parameters
    ----------
    epoch, batch
        Which step, counted from 1.
    path
        Where to write the page. None: it is in ``recording`` only.
    expand, kernels, language
        As for ``record``.

    Attributes
    ----------
    recording
        What was recorded, or None where the run ended before the step.

    Raises
    ------
    ArgumentError
        For an epoch or a batch that is no integer of at least 1, or another language.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> x, y = lg.data.xor(40, seed=0)
    >>> recorder = lg.Recorder(epoch=2, batch=3)
    >>> run = lg.fit(lg.nn.Linear(2, 2), x, y, loss="cross_entropy", optimizer=lg.optim.Adam(0.1), epochs=2,
    ...              batch_size=8, callbacks=[recorder])
    >>> recorder.recording
    <Recording of epoch 2, minibatch 3: 13 frames>
    """

    def __init__(
        self,
        *,
        epoch: int = 1,
        batch: int = 1,
        path: PathLike | None = None,
        expand: bool | None = None,
        kernels: bool = True,
        language: str = "en",
    ) -> None:
        counts: dict[str, Any] = {"epoch": epoch, "batch": batch}
        for name, value in counts.items():
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ArgumentError(
                    explain(f"Recorder({name}) expected an integer >= 1", repr(value), "The first is number 1")
                )
        words_of(language)
        self.epoch, self.batch, self.path = epoch, batch, path
        self.expand, self.kernels, self.language = expand, kernels, language
        self.recording: Recording | None = None
        self._beginning: Moment | None = None

    def on_run_begin(self, run: Run) -> None:
        """Forget an earlier run."""
        self.recording = self._beginning = None

    def on_epoch_begin(self, run: Run) -> None:
        """Keep the state that the epoch begins with."""
        if run.epoch == self.epoch - 1:
            self._beginning = Moment.of(run)

    def on_epoch_end(self, run: Run) -> None:
        """Record the step, when its epoch is done."""
        if run.epoch == self.epoch:
            self._record(run)

    def on_run_end(self, run: Run) -> None:
        """Record it when the run was stopped within the epoch, behind the step."""
        if self._beginning is not None and run.epoch == self.epoch - 1 and run.batch >= self.batch:
            self._record(run)
        self._beginning = None

    def _record(self, run: Run) -> None:
        if self.recording is None and self._beginning is not None:
            done = replay(run, epoch=self.epoch, batch=self.batch, beginning=self._beginning)
            self.recording = _recorded(done, self.path, self.expand, self.kernels, self.language)
