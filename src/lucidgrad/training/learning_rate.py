"""Find a learning rate by trying: a few steps with ever larger ones tell where the loss falls, and where it bursts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from lucidgrad.autograd import no_grad
from lucidgrad.data import epoch_order
from lucidgrad.errors import ArgumentError, explain
from lucidgrad.losses import as_loss
from lucidgrad.nn import Module
from lucidgrad.optim import SGD, Optimizer
from lucidgrad.random import Key
from lucidgrad.training.samples import Samples
from lucidgrad.training.step import assign, forward_pass, model_dtype, training_step
from lucidgrad.training.working import working

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
BURST = 4.0
"""The trial ends where the smoothed loss is this many times its least value."""
LEAST_FALL = 0.01
"""A loss that falls by less than this share never fell."""
MARGIN = 4
"""How far the suggestion stays below the rate of the least loss."""
SMOOTHED_DECADES = 0.1
PROBE_ROWS = 512
"""The loss is measured on these samples, the same ones each time: batches would add noise of their own."""

_REASONS = {
    "fell": {
        "en": "The loss begins to fall at a learning rate of about {begins:.2g}, is least at {least:.2g}, and "
        "{end}. Where "
        "it is least, steps are already on the edge: {suggestion:.2g}, a quarter of that, leaves room.",
        "ko": "손실은 학습률 {begins:.2g} 부근에서 줄기 시작해 {least:.2g}에서 가장 작아지고, {end}. 가장 "
        "작아지는 자리는 이미 "
        "아슬아슬하므로 여유를 두어 그 4분의 1({suggestion:.2g})을 추천합니다.",
    },
    "burst": {"en": "bursts at {burst:.2g}", "ko": "{burst:.2g}에서 발산합니다"},
    "calm": {
        "en": "does not burst up to {burst:.2g}, the largest one tried",
        "ko": "시험한 가장 큰 값인 {burst:.2g}까지 발산하지 않습니다",
    },
    "never": {
        "en": "The loss never fell, from {first:.3g} at learning rates from {low:.2g} to {burst:.2g}: there is none to "
        "suggest. Look at the data and the initial weights, or widen the range (low, high).",
        "ko": "학습률을 {low:.2g}부터 {burst:.2g}까지 키우는 동안 손실({first:.3g})이 한 번도 줄지 않아 추천할 "
        "값이 없습니다. "
        "데이터와 초기 가중치를 확인하거나 범위(low, high)를 넓히세요.",
    },
    "nan": {
        "en": "Even the first loss, at a learning rate of {low:.2g}, is no finite number: there is no rate to suggest. "
        "Look for NaN and infinities in the data.",
        "ko": "학습률 {low:.2g}에서 계산한 첫 손실부터 유한한 수가 아니어서 추천할 값이 없습니다. 데이터에 "
        "NaN이나 무한대가 "
        "있는지 확인하세요.",
    },
}


@dataclass(frozen=True, eq=False)
class LearningRateSearch:
    """What the trial has shown. ``lucidgrad.plot.learning_rate_curve`` draws it.

    Attributes
    ----------
    rates, losses : (steps,)
        The learning rate of each step and the loss before it, on the same samples each time; up to where it burst.
    smoothed : (steps,)
        The losses, averaged over neighbouring steps.
    suggestion : float or None
        A quarter of the learning rate where the smoothed loss is least; None where it never fell.
    facts : dict
        What the reason is made of.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> x, y = lg.data.moons(100, seed=0)
    >>> search = lg.find_learning_rate(lg.nn.Linear(2, 2, key=lg.Key(0)), x, y, loss="cross_entropy", steps=30)
    >>> search.rates.shape == search.losses.shape == search.smoothed.shape
    True
    >>> print(search.reason())
    The loss begins to fall at a learning rate of about ...
    """

    rates: Array
    losses: Array
    smoothed: Array
    suggestion: float | None
    facts: dict[str, Any]

    def reason(self, language: str = "en") -> str:
        """Why this one, in words.

        Parameters
        ----------
        language
            ``"en"`` or ``"ko"``.

        Raises
        ------
        ArgumentError
            For another language.
        """
        if language not in ("en", "ko"):
            raise ArgumentError(explain("language expected one of en, ko", repr(language), "Use 'en' or 'ko'"))
        facts = dict(self.facts)
        if facts["kind"] == "fell":
            facts["end"] = _REASONS["burst" if facts["bursts"] else "calm"][language].format_map(facts)
        return _REASONS[facts["kind"]][language].format_map(facts)

    def __repr__(self) -> str:
        suggestion = None if self.suggestion is None else float(f"{self.suggestion:.2g}")
        return f"LearningRateSearch(suggestion={suggestion}, steps={len(self.rates)})\n{self.reason()}"


def find_learning_rate(
    model: Module,
    x: ArrayLike,
    y: ArrayLike,
    *,
    loss: Any,
    optimizer: Optimizer | None = None,
    batch_size: int = 32,
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 120,
    seed: int = 0,
    sample_weight: ArrayLike | None = None,
) -> LearningRateSearch:
    """Suggest a learning rate: the range test of Smith (2017, "Cyclical learning rates", section 3.3).

    The model takes ``steps`` steps while the learning rate grows by the same factor from each to the next. Its weights
    and buffers are put back afterwards, whatever happened to them.

    Parameters
    ----------
    model, loss
        As for ``fit``.
    x, y, sample_weight
        The samples, of shapes (rows, ...), (rows,) or (rows, ...), and (rows,), as for ``fit``.
    optimizer
        The rule that is to train: each has rates of its own. What learning rate it holds does not matter. None: SGD.
    batch_size
        As it is to be in training: larger batches bear larger rates.
    low, high
        The range that is tried.
    steps
        How many rates are tried, at least 10.
    seed
        Decides the order of the samples and dropout.

    Returns
    -------
    LearningRateSearch
        With ``suggestion``, the curve, and ``reason()`` in words.

    Raises
    ------
    ArgumentError
        For a range that is none, fewer than 10 steps, or an optimiser without a learning rate (L-BFGS).

    Examples
    --------
    >>> import lucidgrad as lg
    >>> x, y = lg.data.moons(400, noise=0.1, seed=0)
    >>> keys = lg.Key(0).split(2)
    >>> model = lg.nn.Sequential(lg.nn.Linear(2, 16, key=keys[0]), lg.functional.tanh, lg.nn.Linear(16, 2, key=keys[1]))
    >>> search = lg.find_learning_rate(model, x, y, loss="cross_entropy", optimizer=lg.optim.Adam())
    >>> 0.001 < search.suggestion < 0.3
    True
    """
    rule = SGD(1.0) if optimizer is None else optimizer
    _check(rule, low, high, steps, batch_size)
    samples = Samples.of(x, y, sample_weight, model_dtype(model), "find_learning_rate")
    rates = np.geomspace(low, high, steps)
    with working(model):
        losses = _trial(model, samples, as_loss(loss), rule, rates, batch_size, Key(seed))
    return _result(rates, losses)


def _trial(
    model: Module, samples: Samples, loss: Any, optimizer: Optimizer, rates: Array, batch_size: int, key: Key
) -> Array:
    """The loss of each step, up to the first that is not finite or far above the best."""
    n, parameters = len(samples), model.train().parameters()
    size, state = min(batch_size, n), optimizer.init(parameters)
    probe = samples.training_batch(np.unique(np.linspace(0, n - 1, min(n, PROBE_ROWS)).astype(np.int64)))
    losses: list[float] = []
    order = np.empty(0, np.int64)
    for step, rate in enumerate(rates):
        with no_grad():
            losses.append(float(forward_pass(model, loss, probe, key.fold_in(2)).loss))
        if not np.isfinite(losses[-1]) or losses[-1] > BURST * losses[0]:
            break
        epoch, i = divmod(step, n // size)
        if not i:  # drawing the order of a large set takes longer than a step
            order = epoch_order(n, key.fold_in(0), epoch)
        batch = samples.training_batch(order[i * size : (i + 1) * size])
        own = key.fold_in(1).fold_in(step)
        done = training_step(model, loss, optimizer, parameters, state, batch, own, float(rate))
        assign(parameters, done.parameters)
        state = done.optimizer_state
    return np.array(losses)


def _result(rates: Array, losses: Array) -> LearningRateSearch:
    tried = len(losses)
    facts: dict[str, Any] = {"low": float(rates[0]), "burst": float(rates[max(tried - 2, 0)])}
    facts["bursts"] = tried < len(rates) or not losses[-1] <= BURST * losses[0]
    per_step = float(np.log10(rates[1] / rates[0]))
    rates = rates[:tried]
    if not np.isfinite(losses[0]):
        return LearningRateSearch(rates, losses, losses, None, {**facts, "kind": "nan"})
    smoothed = _smooth(
        np.where(np.isfinite(losses), np.minimum(losses, BURST * losses[0]), BURST * losses[0]), per_step
    )
    least, first = int(smoothed.argmin()), float(losses[0])
    facts |= {"first": first}
    if first - smoothed[least] < LEAST_FALL * abs(first):
        return LearningRateSearch(rates, losses, smoothed, None, {**facts, "kind": "never"})
    suggestion = float(rates[least]) / MARGIN
    begins = int(np.argmax(smoothed < first - 0.1 * (first - smoothed[least])))
    facts |= {"kind": "fell", "suggestion": suggestion, "least": float(rates[least])}
    facts["begins"] = float(rates[begins])
    return LearningRateSearch(rates, losses, smoothed, suggestion, facts)


def _smooth(values: Array, decades_per_step: float) -> Array:
    """The mean over neighbouring steps with the weights of a normal distribution: noise of batches goes, no delay."""
    deviation = max(SMOOTHED_DECADES / decades_per_step, 0.3)
    reach = int(np.ceil(3 * deviation))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    padded = np.pad(values, reach, mode="edge")
    return np.convolve(padded, weights / weights.sum(), mode="valid")


def _check(optimizer: Optimizer, low: float, high: float, steps: int, batch_size: int) -> None:
    numbers = all(isinstance(n, int | float | np.number) for n in (low, high))
    counts = all(isinstance(n, int | np.integer) for n in (steps, batch_size))
    if not (numbers and counts and 0 < low < high < np.inf and steps >= 10 and batch_size >= 1):
        raise ArgumentError(
            explain(
                "find_learning_rate expected 0 < low < high, at least 10 steps and a batch_size of at least 1",
                f"low={low!r}, high={high!r}, steps={steps!r}, batch_size={batch_size!r}",
                "low=1e-6, high=10, steps=120 and the batch_size of fit are usual",
            )
        )
    if optimizer.full_batch:
        raise ArgumentError(
            explain(
                "find_learning_rate expected an optimiser with a learning rate",
                type(optimizer).__name__,
                "It searches along a line by itself and needs none",
            )
        )
