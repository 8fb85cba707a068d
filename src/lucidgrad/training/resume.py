"""Go on from a checkpoint exactly as if the run had never been interrupted."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lucidgrad.errors import ArgumentError, CheckpointError, explain
from lucidgrad.io import checkpoint
from lucidgrad.training.callbacks.checkpoint import Checkpoint

if TYPE_CHECKING:
    from lucidgrad.training.run import Run


def resume_run(run: Run, resume: bool | str | Path) -> None:
    """Put a saved state into a run that has not begun.

    Weights, the optimiser's state, the place in the order of the samples, the random keys, the history and the
    state of the callbacks are then those of the saved run, bit for bit. ``epochs`` may be larger than it was.

    Parameters
    ----------
    run
        Made with the same model, data, settings and callbacks as the saved one. Callbacks without a state of their
        own, such as Progress, may differ.
    resume
        A checkpoint, or a folder of them: the newest that is whole. True: the folder of the run's Checkpoint
        callback; the run begins from the start where that has none yet.

    Raises
    ------
    CheckpointError
        When there is no checkpoint that is whole, or it is of another run: other data, settings, model or callbacks.
    ArgumentError
        For True without a Checkpoint callback.

    Warns
    -----
    RuntimeWarning
        When the checkpoint was written with other versions or on another kind of machine: the run goes on, but the
        last bits of its numbers may not be those it would have had.
    """
    folder = _folder_of(run) if resume is True else Path(str(resume))
    if resume is True and not checkpoint.steps(folder):
        return
    state, path = checkpoint.load(folder)
    _load(run, state, path)
    _warn_of_changes(path)


def _folder_of(run: Run) -> Path:
    for callback in run.callbacks:
        if isinstance(callback, Checkpoint):
            return callback.folder
    raise ArgumentError(
        explain(
            "resume=True expected a Checkpoint callback that says where",
            f"{[type(c).__name__ for c in run.callbacks]}",
            "Add callbacks=[Checkpoint(folder)], or pass resume=folder",
        )
    )


def _load(run: Run, state: Any, path: Path) -> None:
    try:
        run.load_state(state)
    except ArgumentError as error:
        raise CheckpointError(f"resuming from {path} expected the model that was saved: {error}") from error
    except (KeyError, TypeError) as error:
        raise CheckpointError(
            explain(
                f"resuming expected the state of a run in {path}",
                f"{type(error).__name__}: {error}",
                "Resume from what the Checkpoint callback has written",
            )
        ) from error
    if run.stop_reason is not None and run.stop_reason.startswith(("interrupted", "failed")):
        run.stop_reason = None  # what stopped it is over; a callback's decision to stop stands


def _warn_of_changes(path: Path) -> None:
    then, now = checkpoint.written_with(path), checkpoint.environment()
    changes = [f"{name} {then.get(name)} then, {now[name]} now" for name in now if then.get(name) != now[name]]
    if changes:
        warnings.warn(
            f"{path} was written with another environment ({'; '.join(changes)}): the run goes on from it, but may "
            "differ in the last bits from one that was not interrupted.",
            RuntimeWarning,
            stacklevel=4,
        )
