"""Show how far a run is, so that nobody has to wonder whether it hangs: a bar in terminals, a line in notebooks."""

from __future__ import annotations

import math
import sys
import time
from typing import TYPE_CHECKING, Protocol, final

from lucidgrad.training.callbacks.callback import Callback

if TYPE_CHECKING:
    from lucidgrad.training.run import Run

SECONDS_BETWEEN_UPDATES = 0.1
"""Drawing takes about a millisecond: ten times a second costs a run about a hundredth."""
SECONDS_OF_QUIET = 1.0
"""In which a run that is one of many short ones shows nothing."""


@final
class Progress(Callback):
    """A bar over epochs and steps, with the loss, the metrics of the last epoch, the learning rate and the time left.

    ``fit`` adds one by itself; it draws only where someone can see it: when standard error is a terminal, or in a
    notebook. It never changes what the run computes.

    Parameters
    ----------
    always
        Draw also where standard error is no terminal.
    label
        What is trained, to stand in front.
    passing
        For one of many short runs, such as the calls of ``partial_fit``: nothing is drawn in its first second, and
        what is drawn then goes away at the end, so that a screen is not filled.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> from lucidgrad.training import Progress, fit
    >>> x, y = lg.data.xor(40, seed=0)
    >>> run = fit(lg.nn.Linear(2, 2), x, y, loss="cross_entropy", optimizer=lg.optim.SGD(0.1), epochs=2,
    ...           callbacks=[Progress()])  # standard error is no terminal here: nothing is drawn
    >>> run.epoch
    2
    """

    def __init__(self, always: bool = False, *, label: str = "", passing: bool = False) -> None:
        self.always = always
        self.label = label
        self.passing = passing
        self._display: _Display | None = None
        self._is_waiting = False
        self._next_update = 0.0

    def on_run_begin(self, run: Run) -> None:
        """Choose where to draw; what draws is loaded only then."""
        self._display, self._is_waiting = None, True
        if self.passing:
            self._next_update = time.perf_counter() + SECONDS_OF_QUIET
        else:
            self._draw(run)

    def on_step_end(self, run: Run) -> None:
        """Draw, unless that was done less than a tenth of a second ago."""
        is_drawn = self._is_waiting or (self._display is not None and self._display.within_epochs)
        if is_drawn and time.perf_counter() >= self._next_update:
            self._draw(run)

    def on_epoch_end(self, run: Run) -> None:
        """Draw, as after a step."""
        if time.perf_counter() >= self._next_update:
            self._draw(run)

    def on_run_end(self, run: Run) -> None:
        """Leave the last state on the screen, unless the run was to pass, and the terminal as it was."""
        display, self._display, self._is_waiting = self._display, None, False
        if display is not None:
            try:
                self._show(display, run)
            finally:
                display.close()

    def _draw(self, run: Run) -> None:
        if self._is_waiting:
            self._display, self._is_waiting = _display(self.always, self.passing), False
        if self._display is not None:
            self._show(self._display, run)
            self._next_update = time.perf_counter() + SECONDS_BETWEEN_UPDATES

    def _show(self, display: _Display, run: Run) -> None:
        done, total, text = _shown(run)
        display.show(done, total, f"{self.label}  {text}" if self.label else text)


def _shown(run: Run) -> tuple[float, int, str]:
    """Epochs done (with the part of the one under way), epochs in all, and the text beside the bar."""
    batches = -(-run.data["rows"] // (run.batch_size or run.data["rows"]))
    return run.epoch + run.batch / batches, run.epochs, _text(run, batches)


def _text(run: Run, batches: int) -> str:
    """``epoch 3/30  step 12/150  loss 0.2310  accuracy 0.9120  learning rate 0.001``."""
    row = run.history.last
    parts = [f"epoch {min(run.epoch + 1, run.epochs)}/{run.epochs}"]
    if batches > 1 and run.epoch < run.epochs:
        parts.append(f"step {run.batch}/{batches}")
    if run.batch or row:
        parts.append(f"loss {_loss_so_far(run) if run.batch else row['loss']:.4f}")
    measured = {k: v for k, v in row.items() if k not in _NOT_MEASURED and isinstance(v, float)}
    parts += [f"{name.replace('_', ' ')} {value:.4f}" for name, value in measured.items()]
    if math.isfinite(run.learning_rate):  # NaN before the first step, and where the optimiser has none
        parts.append(f"learning rate {run.learning_rate:.3g}")
    return "  ".join(parts)


_NOT_MEASURED = ("epoch", "loss", "learning_rate", "seconds")


def _loss_so_far(run: Run) -> float:
    """The mean over the batches so far, or the loss of the batch: a sum over a part of an epoch says nothing."""
    return run.totals.mean_loss() if run.loss.reduction == "mean" else run.batch_loss


class _Display(Protocol):
    """Something that can show a state of the run, again and again."""

    within_epochs: bool

    def show(self, done: float, total: int, text: str) -> None: ...

    def close(self) -> None: ...


def _display(always: bool, passing: bool) -> _Display | None:
    """Where to draw; None where nobody looks. What passes leaves nothing behind where that can be taken away."""
    stream = sys.stderr
    if stream is None:
        return None
    if stream.isatty():
        return _Bar(passing)
    if type(stream).__module__.startswith("ipykernel"):  # a notebook: its output areas know "\r", not more
        return _Line(over_itself=True, passing=passing)
    return _Line(over_itself=False) if always else None


class _Bar:
    """A bar in a terminal, by rich. What others print meanwhile appears above it."""

    within_epochs = True

    def __init__(self, passing: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
        from rich.table import Column

        text = TextColumn(
            "{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)
        )
        self._bar = Progress(
            text,
            BarColumn(12),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            expand=True,
            # Drawn from the training thread: a thread of its own would compete with it.
            auto_refresh=False,
            transient=passing,
            # What goes to a file or a pipe stays on its way there.
            redirect_stdout=sys.stdout is not None and sys.stdout.isatty(),
        )
        self._task = self._bar.add_task("", total=None)

    def show(self, done: float, total: int, text: str) -> None:
        self._bar.update(self._task, completed=done, total=total, description=text)
        if self._bar.live.is_started:
            self._bar.refresh()
        else:
            self._bar.start()

    def close(self) -> None:
        self._bar.stop()


class _Line:
    """A line of text: written over itself in notebooks, a new one for each epoch in logs."""

    def __init__(self, over_itself: bool, passing: bool = False) -> None:
        self.within_epochs = over_itself
        self._passing = passing
        self._over_itself = over_itself
        self._width = 0
        self._begun: tuple[float, float] | None = None

    def show(self, done: float, total: int, text: str) -> None:
        now = time.perf_counter()
        started, done_before = self._begun = self._begun or (now, done)
        if done_before < done < total:
            text += f"  {(total - done) * (now - started) / (done - done_before):.0f} s left"
        sys.stderr.write(f"\r{text:<{self._width}}" if self._over_itself else f"{text}\n")
        sys.stderr.flush()
        self._width = len(text)

    def close(self) -> None:
        if self._over_itself:
            sys.stderr.write(f"\r{'':<{self._width}}\r" if self._passing else "\n")
