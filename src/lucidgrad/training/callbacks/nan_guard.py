"""Stop at the first loss or weight that is no number, say where it came from, and keep the weights from before."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, final

import numpy as np

from lucidgrad.errors import ArgumentError, DivergenceError, explain
from lucidgrad.tensor import Tensor
from lucidgrad.training.callbacks.callback import Callback
from lucidgrad.training.divergence import first_not_finite, remedy, watched_step

if TYPE_CHECKING:
    from lucidgrad.training.run import Run

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


class _Kept(NamedTuple):
    """The arrays of the model as they were before step ``step`` (counted from 0)."""

    step: int
    arrays: dict[str, Array]


@final
class NaNGuard(Callback):
    """Ends the run with a DivergenceError when the loss of a batch, or a weight, is NaN or infinite.

    It looks at the loss of the batch after a step and at the weights at the end of an epoch, which costs next to
    nothing. Only when it finds something it goes back to the last weights that were finite, repeats the step after
    them with every op watched, and says in which layer and line the first bad number was made, or the gradient or
    the update of which parameter. The model is left with those last finite weights and buffers.

    Parameters
    ----------
    every_steps
        How often to keep the weights. At 1 the update that made a weight infinite is known exactly; else the error
        says between which steps it lies.

    Raises
    ------
    DivergenceError
        From ``fit``.
    ArgumentError
        When ``every_steps`` is not at least 1.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> from lucidgrad.training import NaNGuard, fit
    >>> x, y = [[1.0], [2.0]], [[0.0], [0.0]]
    >>> fit(lg.nn.Linear(1, 1, key=lg.Key(0)), x, y, loss="squared_error", optimizer=lg.optim.SGD(1e20), epochs=9,
    ...     callbacks=[NaNGuard()])
    Traceback (most recent call last):
        ...
    lucidgrad.errors.DivergenceError: training expected finite numbers, got a loss of inf in epoch 2, step 2. ...
    """

    def __init__(self, every_steps: int = 1) -> None:
        if every_steps < 1:
            raise ArgumentError(explain("NaNGuard(every_steps) expected at least 1", f"{every_steps}", "1 is usual"))
        self.every_steps = every_steps
        self._tensors: dict[str, Tensor] = {}
        self._kept: list[_Kept] = []

    def on_run_begin(self, run: Run) -> None:
        """Keep the weights that the run begins with."""
        self._tensors = {**run.parameters, **run.model.buffers()}
        self._kept = [self._now(run)]

    def on_step_end(self, run: Run) -> None:
        """Look at the loss of the batch."""
        if not math.isfinite(run.batch_loss):
            self._kept.append(_Kept(run.step - 1, self._now(run).arrays))  # such a step has not changed the weights
            self._fail(run, f"a loss of {run.batch_loss} in epoch {run.epoch + 1}, step {run.step}")
        if run.step % self.every_steps:
            return
        # A finite loss shows that the weights before the step were sound; those after it are not known yet.
        self._kept = [*self._kept[-1:], self._now(run)]

    def on_epoch_end(self, run: Run) -> None:
        """Look at the weights: those after the last step had no loss yet."""
        for path, largest in run.history.last["max_abs_weight"].items():
            if not math.isfinite(largest):
                self._fail(run, f"a weight of {largest} in {path} after epoch {run.epoch}, step {run.step}")

    def on_run_end(self, run: Run) -> None:
        """Let go of the weights."""
        self._tensors, self._kept = {}, []

    def _now(self, run: Run) -> _Kept:
        return _Kept(run.step, {path: t.numpy() for path, t in self._tensors.items()})  # arrays never change: no copy

    def _fail(self, run: Run, seen: str) -> None:
        after = self._now(run).arrays
        sound = [kept for kept in self._kept if first_not_finite(kept.arrays) is None]
        if not sound:
            path = first_not_finite(self._kept[0].arrays)
            raise DivergenceError(
                explain("training expected finite weights to begin with", f"{path} that is not", "Start the model anew")
            )
        last = sound[-1]
        cause = self._cause(run, last, after)
        self._put(last.arrays)
        raise DivergenceError(
            f"training expected finite numbers, got {seen}. {cause} The model has the weights it had before step "
            f"{last.step + 1} again. {remedy()}"
        )

    def _cause(self, run: Run, last: _Kept, after: dict[str, Array]) -> str:
        """Where the first bad number was made, as a sentence or two."""
        self._put(last.arrays)
        found = None if run.optimizer.full_batch else watched_step(run, last.step)
        if found is not None:
            return f"In step {last.step + 1}, {found}"
        path = first_not_finite(after)
        between = f"between steps {last.step + 1} and {run.step}"
        return f"The first weight that is not finite is {path}, since the update {between}." if path else ""

    def _put(self, arrays: dict[str, Array]) -> None:
        for path, tensor in self._tensors.items():
            tensor.data = Tensor.wrap(arrays[path])
