"""The lab's questions, answered in words that follow from what was measured: other numbers, other words.

The first four are the lesson's. A file for each question; none of them knows what the answer will be.
"""

from __future__ import annotations

from collections.abc import Sequence

from lucidgrad.lab.answers.activation import does_the_activation_matter
from lucidgrad.lab.answers.answer import Answer as Answer
from lucidgrad.lab.answers.depth import what_goes_wrong_as_depth_grows
from lucidgrad.lab.answers.descent import whole_set_or_minibatches
from lucidgrad.lab.answers.layers import are_more_layers_needed
from lucidgrad.lab.answers.overfitting import do_the_networks_overfit
from lucidgrad.lab.answers.weights import how_do_the_weights_behave
from lucidgrad.lab.evidence import Evidence
from lucidgrad.lab.result import Result

QUESTIONS = (
    does_the_activation_matter,
    are_more_layers_needed,
    what_goes_wrong_as_depth_grows,
    how_do_the_weights_behave,
    do_the_networks_overfit,
    whole_set_or_minibatches,
)


def answers(results: Sequence[Result], *, test_samples: int, train_samples: int) -> list[Answer]:
    """The lab's questions with their answers.

    Parameters
    ----------
    results
        Of ``run_lab``, or any others.
    test_samples, train_samples
        How many samples accuracies were measured on: it decides which differences mean something.

    Examples
    --------
    >>> from lucidgrad.lab import answers
    >>> for answer in answers([], test_samples=100, train_samples=100)[:2]:
    ...     print(answer.question, answer.verdict)
    Does the activation matter? Not measured: it takes two networks that differ in nothing but their activation.
    Are 2 or 3 layers needed? Not measured: it takes networks with different numbers of layers.
    """
    evidence = Evidence(results, test_samples, train_samples)
    return [answer(evidence) for answer in QUESTIONS]
