"""The whole set in a step, or minibatches? The same network, the same rule, two ways to look at the samples."""

from __future__ import annotations

import math

from lucidgrad.errors import counted
from lucidgrad.lab.answers.answer import Answer
from lucidgrad.lab.evidence import Evidence
from lucidgrad.lab.result import Result

QUESTION = "Gradient descent over the whole set, or over random minibatches?"


def whole_set_or_minibatches(e: Evidence) -> Answer:
    """The answer from two runs of plain gradient descent that differ in the size of their batches."""
    runs = {r.trial.batch_size is None: r for r in e.of("descent")}
    if len(runs) < 2 or not all(r.history.rows for r in runs.values()):
        return Answer(QUESTION, "Not measured: it takes a run of each kind.")
    whole, mini = runs[True], runs[False]
    common = min(len(whole.history), len(mini.history))
    after = {r.trial.batch_size: r.history.rows[common - 1]["validation_accuracy"] for r in (whole, mini)}
    ahead = after[mini.trial.batch_size] - after[None]
    samples = e.train_samples if mini.trial.samples is None else min(mini.trial.samples, e.train_samples)
    steps = common * math.ceil(samples / (mini.trial.batch_size or samples))
    ahead_is = "Minibatches" if ahead > 0 else "The whole set"
    verdict = (
        f"{ahead_is}: after {_epochs(common)}, which is {counted(steps, 'step')} over minibatches and "
        f"{common} over the whole set, accuracy is {e.percent(after[mini.trial.batch_size])} and "
        f"{e.percent(after[None])}."
    )
    if ahead == 0:
        verdict = f"After {_epochs(common)} both are right for {e.percent(after[None])} of the test samples."
    return Answer(QUESTION, verdict, (_settings(mini, whole), *_in_the_end(e, mini, whole), _pace(mini, whole)))


def _settings(mini: Result, whole: Result) -> str:
    return (
        f"Both trained {mini.name} by w <- w - eta dL/dw without momentum: over minibatches of {mini.trial.batch_size} "
        f"with eta = {mini.trial.learning_rate:g}, over the whole set, whose gradient has no noise and bears longer "
        f"steps, with eta = {whole.trial.learning_rate:g}."
    )


def _in_the_end(e: Evidence, mini: Result, whole: Result) -> list[str]:
    if len(mini.history) == len(whole.history):
        return []
    text = (
        f"In the end the minibatches were at {e.percent(mini.test_accuracy)} (training loss {mini.train_loss:.3f}) "
        f"after {_epochs(len(mini.history))}, the whole set at {e.percent(whole.test_accuracy)} "
        f"({whole.train_loss:.3f}) after {len(whole.history)}."
    )
    return [text]


def _pace(mini: Result, whole: Result) -> str:
    """When both had reached the best accuracy that both do reach."""
    best = min(max(r.history["validation_accuracy"]) for r in (mini, whole))
    target = math.floor(200 * best) / 200
    times = {r.trial.batch_size: _reached(r, target) for r in (mini, whole)}
    (mini_epochs, mini_seconds), (epochs, seconds) = times[mini.trial.batch_size], times[None]
    return (
        f"To {100 * target:g} % of the test samples it took the minibatches {_epochs(mini_epochs)} "
        f"({mini_seconds:.1f} s of training) and the whole set {epochs} ({seconds:.1f} s)."
    )


def _epochs(n: int) -> str:
    return counted(n, "epoch")


def _reached(result: Result, target: float) -> tuple[int, float]:
    seconds = 0.0
    for row in result.history:
        seconds += row["seconds"]
        if row["validation_accuracy"] >= target:
            return row["epoch"], seconds
    return len(result.history), seconds
