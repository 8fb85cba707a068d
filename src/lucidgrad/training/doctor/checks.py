"""The table of checks: to add an illness, add its row here and its words in every language."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lucidgrad.training.doctor import layers, learning, numbers, rate, samples
from lucidgrad.training.doctor.examination import Examination
from lucidgrad.training.doctor.verdict import Verdict


@dataclass(frozen=True)
class Check:
    """How an illness is looked for.

    Parameters
    ----------
    look
        Gives a verdict for each place where it sits; none in a healthy run.
    unless
        Illnesses of which this one would be a mere consequence: where one of them was found, it is not looked for.

    Examples
    --------
    >>> from lucidgrad.training.doctor import CHECKS
    >>> CHECKS["vanishing_gradients"].unless
    ('saturated_activations', 'shuffled_labels')
    """

    look: Callable[[Examination], Iterator[Verdict]]
    unless: tuple[str, ...] = ()


# Causes stand before their consequences.
CHECKS: dict[str, Check] = {
    "unscaled_inputs": Check(samples.unscaled_inputs),
    "unscaled_targets": Check(samples.unscaled_targets),
    "leaking_rows": Check(samples.leaking_rows),
    "shuffled_labels": Check(samples.shuffled_labels),
    "class_imbalance": Check(samples.class_imbalance),
    "first_nan": Check(numbers.first_nan),
    "exploding_gradients": Check(layers.exploding_gradients),
    "saturated_activations": Check(layers.saturated_activations),
    "dead_relu": Check(layers.dead_relu),
    "vanishing_gradients": Check(layers.vanishing_gradients, unless=("saturated_activations", "shuffled_labels")),
    "learning_rate_too_high": Check(
        rate.learning_rate_too_high, unless=("unscaled_inputs", "unscaled_targets", "exploding_gradients")
    ),
    "learning_rate_too_low": Check(
        rate.learning_rate_too_low,
        unless=(
            "unscaled_targets",
            "learning_rate_too_high",
            "exploding_gradients",
            "vanishing_gradients",
            "dead_relu",
            "saturated_activations",
            "shuffled_labels",
        ),
    ),
    "growing_weights": Check(learning.growing_weights),
    "overfitting": Check(learning.overfitting, unless=("shuffled_labels",)),
    "underfitting": Check(
        learning.underfitting,
        unless=(
            "unscaled_inputs",
            "first_nan",
            "learning_rate_too_high",
            "learning_rate_too_low",
            "vanishing_gradients",
            "saturated_activations",
            "dead_relu",
        ),
    ),
}
