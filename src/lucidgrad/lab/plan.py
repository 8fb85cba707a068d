"""The plan of the lab: every training run that the questions need, before any is made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from lucidgrad.errors import counted
from lucidgrad.lab.settings import LEARNING_RATES, Settings

Group: TypeAlias = Literal["main", "control", "descent", "depth"]
"""What a run is for: the comparison of networks; the one without an activation; full batch against minibatch; depth."""

DEPTH_ACTIVATIONS = ("relu", "sigmoid")
"""The two whose slopes differ most: 1 wherever a unit is on, against never more than 1/4."""


@dataclass(frozen=True)
class Trial:
    """One network to train.

    Parameters
    ----------
    group
        What it is for.
    widths
        Hidden units, layer by layer; empty for a network of one layer.
    activation
        Between the layers, by name; ``""`` for a network of one layer, which has none.
    optimizer, learning_rate, schedule, epochs, batch_size, seed
        How it is trained. ``batch_size=None``: gradient descent over the whole set.
    weight_decay, dropout
        What holds it back from overfitting.
    samples
        How many training samples it gets; None: all.

    Examples
    --------
    >>> from lucidgrad.lab import Settings, plan
    >>> trial = plan(Settings(layers=(2,), activations=("tanh",)))[0]
    >>> trial.label, trial.widths, trial.optimizer
    ('2 layers, tanh', (128,), 'adamw')
    """

    group: Group
    widths: tuple[int, ...]
    activation: str
    optimizer: str
    learning_rate: float
    schedule: str
    epochs: int
    batch_size: int | None
    seed: int
    weight_decay: float = 0.0
    dropout: float = 0.0
    samples: int | None = None

    @property
    def layers(self) -> int:
        """Layers with weights."""
        return len(self.widths) + 1

    @property
    def label(self) -> str:
        """What the network is called in tables and legends, such as ``2 layers, relu``."""
        layers = counted(self.layers, "layer")
        activation = {"": "", "identity": ", no activation"}.get(self.activation, f", {self.activation}")
        if self.group == "descent":
            return "whole set in a step" if self.batch_size is None else f"minibatches of {self.batch_size}"
        if self.group == "depth":
            return f"{len(self.widths)} hidden{activation}, {self.optimizer}"
        return layers + activation


def plan(settings: Settings) -> list[Trial]:
    """All runs of the lab, in the order in which they are made.

    Parameters
    ----------
    settings
        From ``default_settings``, or others.

    Examples
    --------
    >>> from lucidgrad.lab import Settings, plan
    >>> for trial in plan(Settings(activations=("relu",), descent_epochs=0, depths=())):
    ...     print(trial.group, trial.label, trial.widths)
    main 1 layer ()
    main 2 layers, relu (128,)
    main 3 layers, relu (256, 128)
    control 2 layers, no activation (128,)
    """
    main = [replace(trial, seed=settings.seed + i) for trial in _compared(settings) for i in range(settings.seeds)]
    return [*main, *_control(settings), *_descent(settings), *_depth(settings)]


def _compared(settings: Settings) -> list[Trial]:
    return [
        _trial(settings, settings.hidden(layers), activation)
        for layers in dict.fromkeys(settings.layers)
        for activation in (dict.fromkeys(settings.activations) if layers > 1 else ("",))
    ]


def _control(settings: Settings) -> list[Trial]:
    """A network with a hidden layer but without an activation, where it can be compared with one that has one."""
    if max(settings.layers) < 2 or "identity" in settings.activations:
        return []
    layers = min(n for n in settings.layers if n > 1)
    return [replace(_trial(settings, settings.hidden(layers), "identity"), group="control")]


def _trial(settings: Settings, widths: tuple[int, ...], activation: str) -> Trial:
    return Trial(
        "main",
        widths,
        activation,
        settings.optimizer,
        settings.learning_rate,
        settings.schedule,
        settings.epochs,
        settings.batch_size,
        settings.seed,
        settings.weight_decay if settings.optimizer == "adamw" else 0.0,
        settings.dropout if widths else 0.0,
        settings.train_samples,
    )


def _descent(settings: Settings) -> list[Trial]:
    """Plain gradient descent with one network: the only difference is how much is looked at before each step."""
    if not settings.descent_epochs:
        return []
    activation = settings.activations[0]
    base = Trial(
        "descent",
        settings.hidden(2),
        activation,
        "sgd",
        LEARNING_RATES["sgd"],
        "constant",
        settings.descent_epochs,
        settings.batch_size,
        settings.seed,
        samples=settings.train_samples,
    )
    # The whole set gives a gradient without noise, which bears longer steps.
    whole = replace(base, batch_size=None, learning_rate=5 * base.learning_rate, epochs=settings.full_batch_epochs)
    return [base, whole]


def _depth(settings: Settings) -> list[Trial]:
    """Ever deeper networks by plain gradient descent, whose steps shrink with the gradient; and the last by Adam."""
    if not settings.depths:
        return []

    def trial(depth: int, activation: str, optimizer: str) -> Trial:
        return Trial(
            "depth",
            (settings.depth_width,) * depth,
            activation,
            optimizer,
            LEARNING_RATES[optimizer],
            "constant",
            settings.depth_epochs,
            min(settings.batch_size, 50),
            settings.seed,
            samples=settings.depth_samples,
        )

    series = [trial(depth, activation, "sgd") for activation in DEPTH_ACTIVATIONS for depth in settings.depths]
    return [*series, trial(max(settings.depths), DEPTH_ACTIVATIONS[-1], "adam")]
