"""What an answer is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """An answer to a question.

    Parameters
    ----------
    question
        As it was asked.
    verdict
        The answer in a sentence or two.
    reasons
        What was measured, a paragraph each.

    Examples
    --------
    >>> from lucidgrad.lab import answers
    >>> answers([], test_samples=100, train_samples=100)[0].question
    'Does the activation matter?'
    """

    question: str
    verdict: str
    reasons: tuple[str, ...] = ()
