"""What a run of the lab is set to, and the settings that suit each task."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.functional import ACTIVATIONS
from lucidgrad.lab.task import Task
from lucidgrad.optim import OPTIMIZERS

SCHEDULES = ("constant", "cosine", "one_cycle")
"""The schedules that follow from a learning rate and the number of steps alone."""

LEARNING_RATES = {
    "sgd": 0.1,
    "adam": 3e-3,
    "adamw": 3e-3,
    "rmsprop": 1e-3,
    "adagrad": 2e-2,
    "lion": 3e-4,
}
"""Where each optimiser does well on small networks. L-BFGS, which takes no minibatches, is not for the lab."""


@dataclass(frozen=True)
class Settings:
    """What the lab trains, and how.

    Parameters
    ----------
    layers
        Numbers of layers to compare; one of L layers has L - 1 hidden ones.
    widths
        Hidden units. A network takes the last of them that it needs; where there are too few, the first is repeated.
    activations
        To compare, by name.
    optimizer, learning_rate, schedule, weight_decay
        How the compared networks are updated. Weight decay only for ``adamw``.
    dropout
        The share of hidden units that is dropped while training.
    epochs, batch_size
        Of the compared networks.
    seed, seeds
        The first seed, and how many from there on each network is trained with.
    dtype
        ``"float32"`` or ``"float64"``.
    train_samples
        How many of the training samples to use; None: all.
    descent_epochs
        Of plain gradient descent over minibatches, which is compared with that over the whole set; 0: no comparison.
    full_batch_epochs
        Of plain gradient descent over the whole set.
    depths
        Numbers of hidden layers of the depth series; empty: none.
    depth_width, depth_epochs, depth_samples
        Of the networks in it: units of a hidden layer, epochs, and how many training samples (None: all).

    Raises
    ------
    ArgumentError
        For a setting that has no meaning.

    Examples
    --------
    >>> from lucidgrad.lab import Settings
    >>> [Settings(widths=(256, 128)).hidden(layers) for layers in (1, 2, 3, 4)]
    [(), (128,), (256, 128), (256, 256, 128)]
    """

    layers: tuple[int, ...] = (1, 2, 3)
    widths: tuple[int, ...] = (256, 128)
    activations: tuple[str, ...] = ("relu", "tanh", "sigmoid")
    optimizer: str = "adamw"
    learning_rate: float = 3e-3
    schedule: str = "one_cycle"
    weight_decay: float = 0.01
    dropout: float = 0.1
    epochs: int = 15
    batch_size: int = 128
    seed: int = 0
    seeds: int = 1
    dtype: str = "float32"
    train_samples: int | None = None
    descent_epochs: int = 10
    full_batch_epochs: int = 30
    depths: tuple[int, ...] = (1, 2, 3, 4, 5)
    depth_width: int = 64
    depth_epochs: int = 5
    depth_samples: int | None = 10_000

    def __post_init__(self) -> None:
        for name in ("layers", "widths", "activations"):
            if not getattr(self, name):
                raise ArgumentError(
                    explain(f"{name} expected at least one value", "none", "Leave it out for the default")
                )
        for name in ("layers", "widths"):
            _check_at_least(name, min(getattr(self, name)), 1)
        for name in ("epochs", "batch_size", "seeds"):
            _check_at_least(name, getattr(self, name), 1)
        _check_at_least("seed", self.seed, 0)
        _check_choices("activations", self.activations, ACTIVATIONS)
        _check_choices("optimizer", (self.optimizer,), LEARNING_RATES)
        _check_choices("schedule", (self.schedule,), SCHEDULES)
        _check_choices("dtype", (self.dtype,), ("float32", "float64"))
        _check_range("learning_rate", self.learning_rate, 0, float("inf"))
        _check_range("weight_decay", self.weight_decay, 0, float("inf"))
        _check_range("dropout", self.dropout, 0, 1)

    def hidden(self, layers: int) -> tuple[int, ...]:
        """The hidden units of a network of so many layers.

        Parameters
        ----------
        layers
            Those with weights, the hidden ones and the output.
        """
        n = layers - 1
        missing = max(0, n - len(self.widths))
        return (self.widths[0],) * missing + self.widths[len(self.widths) - (n - missing) :]


def default_settings(task: Task, *, quick: bool = False, **changes: Any) -> Settings:
    """The settings that suit a task.

    A learning rate that is not given follows from the optimiser.

    Parameters
    ----------
    task
        From ``load_task``.
    quick
        Less of everything.
    changes
        Fields of ``Settings`` that are to be other than the defaults.

    Raises
    ------
    ArgumentError
        For a setting that has no meaning.

    Examples
    --------
    >>> from lucidgrad.lab import default_settings, load_task
    >>> default_settings(load_task("digits"), optimizer="sgd").learning_rate
    0.1
    """
    if "optimizer" in changes and "learning_rate" not in changes:
        changes["learning_rate"] = LEARNING_RATES.get(changes["optimizer"], 1e-3)
    settings = Settings()
    if task.is_plane:
        settings = replace(settings, **_PLANE)
    elif len(task.data.x_train) < 10_000:
        settings = replace(settings, **_SMALL)
    if quick:
        settings = replace(settings, **_quick(settings, len(task.data.x_train)))
    return replace(settings, **changes)


_PLANE: dict[str, Any] = {
    "widths": (32, 32),
    "learning_rate": 3e-2,
    "dropout": 0.0,
    "epochs": 150,
    "batch_size": 40,
    "descent_epochs": 150,
    "full_batch_epochs": 600,
    "depth_width": 16,
    "depth_epochs": 60,
}
_SMALL: dict[str, Any] = {
    "widths": (128, 64),
    "learning_rate": 1e-2,
    "epochs": 40,
    "batch_size": 32,
    "descent_epochs": 40,
    "full_batch_epochs": 160,
    "depth_epochs": 20,
}


def _quick(settings: Settings, samples: int) -> dict[str, Any]:
    """A quarter of the epochs, and of a large data set a sixth."""
    epochs = ("epochs", "descent_epochs", "full_batch_epochs", "depth_epochs")
    fewer: dict[str, Any] = {name: max(3, getattr(settings, name) // 4) for name in epochs}
    return fewer | {"train_samples": 10_000 if samples > 10_000 else None, "depths": (1, 3, 5)}


def _check_at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise ArgumentError(
            explain(f"{name} expected whole numbers of at least {least}", f"{value}", "Take a larger one")
        )


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value < high:
        raise ArgumentError(explain(f"{name} expected a number in [{low}, {high})", f"{value}", "Take one from there"))


def _check_choices(name: str, values: tuple[str, ...], choices: Any) -> None:
    unknown = [value for value in values if value not in choices]
    if unknown:
        raise ArgumentError(
            explain(f"{name} expected some of {', '.join(choices)}", ", ".join(unknown), "Choose from these")
        )


assert set(LEARNING_RATES) < set(OPTIMIZERS)
