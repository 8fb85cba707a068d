"""What a run is between two steps: all that the next step depends on, as it was at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lucidgrad.errors import CheckpointError, explain
from lucidgrad.io import checkpoint
from lucidgrad.tensor import Tensor

if TYPE_CHECKING:
    from lucidgrad.training.run import Run


@dataclass(frozen=True)
class Moment:
    """The state before a step. Nothing is copied: arrays in tensors never change.

    Attributes
    ----------
    epoch, batch, step
        Epochs completed, batches done in the epoch under way, and steps done in all.
    tensors
        Parameters and buffers by path.
    optimizer_state
        As ``Optimizer.update`` takes it.
    learning_rate_factor
        What callbacks have multiplied the schedule by.
    totals
        The sums over the epoch so far.
    """

    epoch: int
    batch: int
    step: int
    tensors: dict[str, Tensor]
    optimizer_state: dict[str, Any]
    learning_rate_factor: float
    totals: dict[str, Any]

    @classmethod
    def of(cls, run: Run) -> Moment:
        """Now."""
        held = {**run.model.parameters(), **run.model.buffers()}
        return cls(
            run.epoch,
            run.batch,
            run.step,
            {path: tensor.detach() for path, tensor in held.items()},
            run.optimizer_state,
            run.learning_rate_factor,
            run.totals.state(),
        )

    @classmethod
    def of_checkpoint(cls, path: Path, run: Run) -> Moment:
        """The moment at which a checkpoint of the run was saved.

        Raises
        ------
        CheckpointError
            When the file is damaged, or of another run.
        """
        state, _ = checkpoint.load(path)
        try:
            run.check_same(state["settings"])
            progress, held = state["progress"], state["model"]
            return cls(
                progress["epoch"],
                progress["batch"],
                progress["step"],
                {name: Tensor(array, dtype=array.dtype, requires_grad=False) for name, array in held.items()},
                as_tensors(state["optimizer"]),
                progress["learning_rate_factor"],
                state["totals"],
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise CheckpointError(
                explain(
                    f"replaying expected the state of a run in {path}",
                    f"{type(error).__name__}: {error}",
                    "Name what the Checkpoint callback has written",
                )
            ) from error

    def put_into(self, run: Run) -> None:
        """Let the run, and its model, go on from here."""
        for path, tensor in {**run.model.parameters(), **run.model.buffers()}.items():
            tensor.data = self.tensors[path]
        run.epoch, run.batch, run.step = self.epoch, self.batch, self.step
        run.optimizer_state = self.optimizer_state
        run.learning_rate_factor = self.learning_rate_factor
        run.totals.load_state(self.totals)


def as_tensors(tree: Any) -> Any:
    """Arrays in nested dicts as tensors."""
    if isinstance(tree, dict):
        return {name: as_tensors(value) for name, value in tree.items()}
    return Tensor(tree, dtype=tree.dtype, requires_grad=False)
