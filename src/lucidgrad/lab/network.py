"""The multi-layer perceptron of the lab, and the optimiser a trial asks for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from lucidgrad.functional import ACTIVATIONS
from lucidgrad.lab.plan import Trial
from lucidgrad.nn import Dropout, Linear, Sequential
from lucidgrad.nn.init import Initializer, glorot_uniform, he_uniform, lecun_normal
from lucidgrad.optim import OPTIMIZERS, Optimizer, Schedule, cosine, one_cycle
from lucidgrad.random import Key

_HALF_OFF = ("relu", "leaky_relu", "elu", "gelu", "silu", "mish", "softplus")
"""Activations that pass about half of the signal, which he_uniform makes good for."""


def perceptron(
    sizes: Sequence[int], activation: str = "", *, dropout: float = 0.0, dtype: str = "float32", seed: int = 0
) -> Sequential:
    """A multi-layer perceptron: z1 = w1 x + b1, z2 = w2 alpha(z1) + b2, ... The last layer gives logits.

    Parameters
    ----------
    sizes
        Numbers of inputs, of the units of each hidden layer, and of outputs.
    activation
        alpha, by name.
    dropout
        The share of hidden units that is dropped while training.
    dtype, seed
        Of the weights. They start by he_uniform in front of relu and its kin, by lecun_normal in front of selu, and
        by glorot_uniform elsewhere.

    Examples
    --------
    >>> from lucidgrad.lab import perceptron
    >>> perceptron([784, 128, 10], "relu")
    Sequential(
      (0): Linear(in_features=784, out_features=128)
      (1): relu
      (2): Linear(in_features=128, out_features=10)
    )
    """
    layers: list[Any] = []
    last = len(sizes) - 2
    for i, (in_features, out_features) in enumerate(pairwise(sizes)):
        init = _initializer(activation if i < last else "")
        layers.append(Linear(in_features, out_features, init=init, dtype=dtype, key=Key(seed).fold_in(i)))
        if i < last:
            layers.append(ACTIVATIONS[activation])
            layers += [Dropout(dropout)] if dropout else []
    return Sequential(*layers)


def optimizer_of(trial: Trial, samples: int) -> Optimizer:
    """The optimiser of a trial, with its schedule laid out over the steps that ``samples`` training samples take."""
    steps = trial.epochs * math.ceil(samples / (trial.batch_size or samples))
    schedules: dict[str, Schedule | float] = {
        "constant": trial.learning_rate,
        "cosine": cosine(trial.learning_rate, steps),
        "one_cycle": one_cycle(trial.learning_rate, steps),
    }
    options: dict[str, Any] = {"weight_decay": trial.weight_decay} if trial.optimizer == "adamw" else {}
    make: Any = OPTIMIZERS[trial.optimizer]
    optimizer: Optimizer = make(schedules[trial.schedule], **options)
    return optimizer


def _initializer(activation: str) -> Initializer:
    if activation in _HALF_OFF:
        return he_uniform
    return lecun_normal if activation == "selu" else glorot_uniform
