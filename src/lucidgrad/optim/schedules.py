"""Schedules: the learning rate as a function of the step, counted from 0.

A schedule remembers nothing. Asked for step 500 it answers the same whether or not it was asked for 499, so a run
can be resumed, replayed or compiled from any step. A schedule that reacts to the loss is ``Plateau``.
"""

# ruff: noqa: N801 - schedules read as functions: SGD(cosine(0.1, steps=1000))

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias, final

from lucidgrad.optim.checks import check_count, check_learning_rate, check_number
from lucidgrad.optim.optimizer import Schedule

_RATE = "[0, inf)"
_RATE_ADVICE = "A learning rate such as 0.1 is usual"


@final
@dataclass(frozen=True)
class constant:
    """The same learning rate at every step.

    Parameters
    ----------
    value
        The learning rate.

    Examples
    --------
    >>> from lucidgrad.optim import constant
    >>> constant(0.1)(1000)
    0.1
    """

    value: float

    def __post_init__(self) -> None:
        check_number("constant(value=...)", self.value, _RATE, _RATE_ADVICE)

    def __call__(self, step: int) -> float:
        """step: counted from 0 → its learning rate."""
        return float(self.value)


@final
@dataclass(frozen=True)
class step_decay:
    """``initial`` times ``factor`` after each ``every`` steps (PyTorch: StepLR).

    Parameters
    ----------
    initial
        The learning rate at first.
    every
        A number of steps.
    factor
        In (0, 1].

    Examples
    --------
    >>> from lucidgrad.optim import step_decay
    >>> [step_decay(1.0, every=2, factor=0.5)(step) for step in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    initial: float
    every: int
    factor: float = 0.1

    def __post_init__(self) -> None:
        check_number("step_decay(initial=...)", self.initial, _RATE, _RATE_ADVICE)
        check_count("step_decay(every=...)", self.every, "It is a number of steps, such as 1000")
        check_number("step_decay(factor=...)", self.factor, "(0, 1]", "The rate falls to this share: 0.1 is usual")

    def __call__(self, step: int) -> float:
        """step: counted from 0 → its learning rate."""
        return self.initial * self.factor ** (step // self.every)


@final
@dataclass(frozen=True)
class exponential:
    """``initial`` times ``factor`` after each step: initial factor^step (PyTorch: ExponentialLR).

    Parameters
    ----------
    initial
        The learning rate at first.
    factor
        In (0, 1].

    Examples
    --------
    >>> from lucidgrad.optim import exponential
    >>> exponential(1.0, factor=0.5)(3)
    0.125
    """

    initial: float
    factor: float

    def __post_init__(self) -> None:
        check_number("exponential(initial=...)", self.initial, _RATE, _RATE_ADVICE)
        check_number("exponential(factor=...)", self.factor, "(0, 1]", "It acts at every step: 0.999 is usual")

    def __call__(self, step: int) -> float:
        """step: counted from 0 → its learning rate."""
        return self.initial * self.factor**step


@final
@dataclass(frozen=True)
class cosine:
    """From ``initial`` down to ``final`` over ``steps`` along half a cosine (Loshchilov and Hutter 2017, eq. 5).

    At step ``steps`` and from there on it is ``final``; PyTorch's CosineAnnealingLR goes up again.

    Parameters
    ----------
    initial, final
        Learning rates.
    steps
        How many there are from one to the other: epochs times batches.

    Examples
    --------
    >>> from lucidgrad.optim import cosine
    >>> [cosine(1.0, steps=4)(step) for step in (0, 2, 4, 5)]
    [1.0, 0.5, 0.0, 0.0]
    """

    initial: float
    steps: int
    final: float = 0.0

    def __post_init__(self) -> None:
        check_number("cosine(initial=...)", self.initial, _RATE, _RATE_ADVICE)
        check_count("cosine(steps=...)", self.steps, "It is the number of steps of the run: epochs times batches")
        check_number("cosine(final=...)", self.final, _RATE, "0 is usual")

    def __call__(self, step: int) -> float:
        """step: counted from 0 → its learning rate."""
        return _half_cosine(self.initial, self.final, min(step / self.steps, 1.0))


@final
@dataclass(frozen=True)
class warm_up:
    """A straight line up to ``then`` over ``steps``, and then ``then`` from its beginning (Goyal et al. 2017, 2.2).

    Step s of the line is the share (s + 1) / (steps + 1) of what ``then`` begins with, so that no step is lost at 0
    (PyTorch: LinearLR with start_factor=1 / (steps + 1) before the other in SequentialLR).

    Parameters
    ----------
    then
        A schedule, or a learning rate that stays.
    steps
        How many the line has.

    Examples
    --------
    >>> from lucidgrad.optim import constant, warm_up
    >>> [warm_up(constant(1.0), steps=3)(step) for step in range(5)]
    [0.25, 0.5, 0.75, 1.0, 1.0]
    """

    then: float | Schedule
    steps: int

    def __post_init__(self) -> None:
        check_learning_rate("warm_up", self.then, "then")
        check_count("warm_up(steps=...)", self.steps, "It is the number of steps of the line, such as 500")

    def __call__(self, step: int) -> float:
        """step: counted from 0 → its learning rate."""
        then = self.then if callable(self.then) else constant(self.then)
        return then(step - self.steps) if step >= self.steps else then(0) * ((step + 1) / (self.steps + 1))


@final
@dataclass(frozen=True)
class one_cycle:
    """Up to ``max_learning_rate`` and down to almost 0, once (Smith and Topin 2018, "Super-Convergence").

    Both ways are half a cosine, as in PyTorch's OneCycleLR (the paper has straight lines). Momentum stays as it is.
    After the last of the ``steps`` the rate stays where it ended.

    Parameters
    ----------
    max_learning_rate
        The peak.
    steps
        Of the whole run: epochs times batches.
    rise
        In [0, 1]: the share of the steps that go up.
    start_divisor
        It begins at max_learning_rate / start_divisor ...
    end_divisor
        ... and ends at that, divided by end_divisor.

    Examples
    --------
    >>> from lucidgrad.optim import one_cycle
    >>> schedule = one_cycle(1.0, steps=12, rise=0.5)
    >>> [round(schedule(step), 3) for step in (0, 4, 5, 11)]
    [0.04, 0.908, 1.0, 0.0]
    """

    max_learning_rate: float
    steps: int
    rise: float = 0.3
    start_divisor: float = 25.0
    end_divisor: float = 1e4

    def __post_init__(self) -> None:
        check_number("one_cycle(max_learning_rate=...)", self.max_learning_rate, _RATE, _RATE_ADVICE)
        check_count("one_cycle(steps=...)", self.steps, "It is the number of steps of the run: epochs times batches")
        check_number("one_cycle(rise=...)", self.rise, "[0, 1]", "It is a share of the steps: 0.3 is usual")
        check_number("one_cycle(start_divisor=...)", self.start_divisor, "[1, inf)", "25 is usual")
        check_number("one_cycle(end_divisor=...)", self.end_divisor, "[1, inf)", "1e4 is usual")

    def __call__(self, step: int) -> float:
        """step: counted from 0 → its learning rate."""
        step = min(step, self.steps - 1)
        start = self.max_learning_rate / self.start_divisor
        peak = self.rise * self.steps - 1  # the step of the peak, not a whole number in general
        if step <= peak:
            return _half_cosine(start, self.max_learning_rate, step / peak if peak else 1.0)
        return _half_cosine(self.max_learning_rate, start / self.end_divisor, (step - peak) / (self.steps - 1 - peak))


AnySchedule: TypeAlias = constant | step_decay | exponential | cosine | warm_up | one_cycle

SCHEDULES: dict[str, type[AnySchedule]] = {
    row.__name__: row for row in (constant, step_decay, exponential, cosine, warm_up, one_cycle)
}
"""By the name that the command line and saved runs use."""


def _half_cosine(start: float, end: float, share: float) -> float:
    """From start at share 0 to end at share 1."""
    return end + (start - end) * ((1 + math.cos(math.pi * share)) / 2)
