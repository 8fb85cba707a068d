"""Illnesses of the step: a learning rate too high or too low, found by trying out some steps with another one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lucidgrad.training.doctor.examination import TRIAL_STEPS, Examination, column
from lucidgrad.training.doctor.verdict import Verdict

LEARNED = 0.1
"""Where the loss came down to this share of what it began with, the learning rate has done its work."""
SPIKE = 3.0
"""An epoch whose loss is this many times that before training."""
SMALLER = (0.1, 1e-4, 1e-8)
FACTORS = (10, 100, 1000, 10_000, 100_000)


def learning_rate_too_high(e: Examination) -> Iterator[Verdict]:
    """Steps at a tenth of the rate go down where those at the rate go up; or an epoch was far worse than the start.

    Where nothing was learned, the steps are tried from the beginning too: by now every unit may be dead.
    """
    losses, rate = column(e.run, "loss"), e.run.learning_rate
    arrived = e.at_end is not None and np.isfinite(e.at_end.loss) and np.isfinite(losses).all()
    moment = e.end if arrived else e.start
    if e.run.optimizer.full_batch or moment is None or not moment.is_finite:
        return
    before = e.loss_at(moment)
    worst = int(np.argmax(np.where(np.isfinite(losses), losses, np.inf)))
    spike = not losses[worst] <= SPIKE * e.start_loss
    if not spike and before < LEARNED * e.start_loss:
        return
    moments = [moment]
    if moment is e.end and e.start is not None and e.knows_nothing:
        moments.append(e.start)
    if not arrived and not any(np.isfinite(e.trial(factor, rate, moment)) for factor in SMALLER):
        return  # it is not the steps that are to blame
    for moment in moments:
        before, at, tenth = e.loss_at(moment), e.trial(1, rate, moment), e.trial(0.1, rate, moment)
        if spike or (not at <= 0.95 * before and tenth < 0.8 * before):
            break
    else:
        return
    evidence = {"start": e.start_loss, "worst": float(losses[worst]), "steps": TRIAL_STEPS, "rate": rate}
    yield Verdict("learning_rate_too_high", evidence | {"before": before, "at": at, "tenth": tenth}, epoch=worst + 1)


def learning_rate_too_low(e: Examination) -> Iterator[Verdict]:
    """Little was learned, and steps many times as long would go on where those at the rate hardly move."""
    rates = column(e.run, "learning_rate")
    if e.run.optimizer.full_batch or e.at_end is None or not np.isfinite(rates).all():
        return
    before, rate = e.at_end.loss, float(rates.max())
    if not before > 0.5 * e.start_loss:
        return
    at = e.trial(1, rate, e.end)
    better, factor = min((e.trial(factor, rate, e.end), factor) for factor in FACTORS)
    here, there = before - at, before - better
    crawls = here < 0.02 * before or (here < 0.05 * before and there > 10 * here)
    if there > max(0.1 * before, 5 * here) and crawls:
        evidence = {"start": e.start_loss, "before": before, "at": at, "better": better, "factor": factor}
        yield Verdict("learning_rate_too_low", evidence | {"rate": rate, "steps": TRIAL_STEPS})
