"""Random models trained by both engines: layers, activations, losses, optimisers, batches and weights of samples.

Native and eager training have to end with the same weights, buffers and history: within 1e-4 (float32) or 1e-11
(float64) of the size of each array. A run that is itself unstable, because it diverges, stands at the corner of a relu,
or divides rounding errors by rounding errors as Adam does behind a saturated tanh, is judged like the random programs:
eager training is repeated with every rounded result moved (``uncertainty``), and the native weights may be as far away
as those are.

    python -m tests.native.models 17   # the model of this seed, and what is wrong with it, if anything
"""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import lucidgrad as lg
from lucidgrad import losses, nn, optim
from lucidgrad.functional import ACTIVATIONS
from tests.native.uncertainty import eager_results_moved

TOLERANCE = {"float32": 1e-4, "float64": 1e-11}
SIZES = (1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 65)
MOVED = 6  # eager runs with other rounding
MARGIN = 10
WORDS = 11


@dataclass(frozen=True)
class Job:
    """One training run: what is trained, on what, and how. ``text`` says it in words."""

    text: str
    make: Callable[[], nn.Module]
    x: Any
    y: Any
    settings: dict[str, Any]
    dtype: str


def job(seed: int) -> Job:
    """The random run of a seed."""
    rng = np.random.default_rng([20261125, seed])
    dtype = str(rng.choice(["float32", "float32", "float64"]))
    rows, features, outputs = int(rng.integers(1, 90)), _size(rng), int(rng.integers(2, 9))
    reads_words = rng.random() < 0.12
    x: Any = rng.standard_normal((rows, features)).astype(dtype)
    if reads_words:
        x = rng.integers(0, WORDS, (rows, 3))
    loss, y, columns = _loss(rng, rows, outputs)
    layers, words = _layers(rng, 12 if reads_words else features, columns, dtype)
    rate = float(10 ** rng.uniform(-3, -1.3))
    normed = any("Norm" in word for word in words)
    optimizer = _optimizer(rng, rate, normed)
    batch = [None, 1, rows, int(rng.integers(1, rows + 1)), int(rng.integers(1, rows + 1))][rng.integers(5)]
    if batch == 1 and rows > 20:
        batch = 16  # an uneven last batch more; single rows are for small sets
    settings: dict[str, Any] = {"loss": loss, "optimizer": optimizer, "epochs": int(rng.integers(1, 6))}
    settings |= {"batch_size": batch, "seed": int(rng.integers(1000)), "shuffle": bool(rng.random() < 0.8)}
    if rng.random() < 0.25:
        settings["sample_weight"] = rng.integers(0, 3, rows) + (np.arange(rows) == 0).astype(float)
    if rng.random() < 0.3:
        settings["threads"] = int(rng.integers(1, 4))

    def make() -> nn.Module:
        lg.seed(seed)
        first = [nn.Embedding(WORDS, 4, dtype=dtype), nn.Flatten()] if reads_words else []
        return nn.Sequential(*first, *(layer() for layer in layers))

    known = {k: v for k, v in settings.items() if k != "sample_weight"}
    text = f"{dtype} {x.shape}{' words' if reads_words else ''} -> {', '.join(words)}\n{known}"
    return Job(text + (" weighted" if "sample_weight" in settings else ""), make, x, y, settings, dtype)


def _size(rng: np.random.Generator) -> int:
    return int(rng.choice(SIZES))


def _layers(rng: np.random.Generator, size: int, columns: int, dtype: Any) -> tuple[list[Any], list[str]]:
    """Makers of layers, and their names."""
    made: list[Any] = []
    words: list[str] = []

    def add(word: str, maker: Callable[[], Any]) -> None:
        made.append(maker)
        words.append(word)

    for _ in range(int(rng.integers(0, 4))):
        new, bias = _size(rng), bool(rng.random() < 0.8)
        add(f"Linear({size}, {new}, {bias})", lambda a=size, b=new, c=bias: nn.Linear(a, b, bias=c, dtype=dtype))
        size = new
        kind = rng.integers(8)
        if kind == 0:
            add("BatchNorm", lambda n=size: nn.BatchNorm(n, dtype=dtype))
        elif kind == 1:
            add("LayerNorm", lambda n=size: nn.LayerNorm(n, dtype=dtype))
        elif kind == 2:
            rate = float(rng.choice([0.1, 0.5]))
            add(f"Dropout({rate})", lambda p=rate: nn.Dropout(p))
        elif kind == 3:
            add("Residual", lambda n=size: nn.Residual(nn.Sequential(nn.Linear(n, n, dtype=dtype), lg.functional.tanh)))
        name = str(rng.choice(sorted(ACTIVATIONS)))
        add(name, lambda f=ACTIVATIONS[name]: f)
    add(f"Linear({size}, {columns})", lambda: nn.Linear(size, columns, dtype=dtype))
    return made, words


def _loss(rng: np.random.Generator, rows: int, outputs: int) -> tuple[Any, Any, int]:
    """A loss, targets for it, and how many columns of predictions it takes."""
    labels = rng.integers(0, outputs, rows)
    numbers = rng.standard_normal((rows, outputs))
    bits = rng.integers(0, 2, (rows, outputs))
    weights = rng.integers(1, 4, outputs).astype(float)
    reduction = str(rng.choice(["mean", "mean", "mean", "sum"]))
    options: list[tuple[Any, Any, int]] = [
        (losses.CrossEntropy(reduction), labels, outputs),
        (losses.CrossEntropy(reduction), labels.astype(np.uint8), outputs),
        (losses.CrossEntropy(reduction, label_smoothing=0.1), labels, outputs),
        (losses.CrossEntropy(reduction, class_weight=weights), labels, outputs),
        (losses.CrossEntropy(reduction), rng.dirichlet(np.ones(outputs), rows), outputs),
        (losses.Logistic(reduction), bits, outputs),
        (losses.Hinge(reduction), labels, outputs),
        (losses.SquaredError(reduction), numbers, outputs),
        (losses.SquaredError(reduction), numbers[:, :1], 1),
        (losses.AbsoluteError(reduction), numbers, outputs),
        (losses.Huber(reduction, delta=0.7), numbers, outputs),
        (losses.LogCosh(reduction), numbers, outputs),
        (losses.Quantile(reduction, q=0.3), numbers, outputs),
        (losses.Poisson(reduction), rng.integers(0, 4, (rows, outputs)), outputs),
    ]
    return options[rng.integers(len(options))]


def _optimizer(rng: np.random.Generator, rate: float, normed: bool) -> Any:
    """An optimiser of this rate, or of a schedule around it."""
    r: Any = rate
    if rng.random() < 0.3:
        r = [optim.cosine(rate, 20), optim.exponential(rate, 0.9), optim.step_decay(rate, 3, 0.5)][rng.integers(3)]
    steady = [
        optim.SGD(r),
        optim.SGD(r, momentum=0.9),
        optim.SGD(r, momentum=0.9, nesterov=True, weight_decay=0.01),
        optim.clipped(optim.SGD(r), max_norm=0.5),
        optim.regularized(optim.SGD(r, momentum=0.5), l1=1e-3, l2=1e-2),
    ]
    # These make steps of full size of gradients that are rounding errors, as those of a bias before a norm are.
    bold = [
        optim.Adam(r),
        optim.AdamW(r, weight_decay=0.1),
        optim.RMSprop(r),
        optim.RMSprop(r, centered=True, momentum=0.5),
        optim.Adagrad(r),
        optim.Lion(rate / 10),
        optim.clipped(optim.Adam(r), max_value=0.05),
    ]
    options = steady if normed else [*steady, *bold]
    return options[rng.integers(len(options))]


Arrays = dict[str, Any]


def train(described: Job, engine: str) -> Arrays:
    """Weights, buffers, history and number of steps behind a run; or the error it ended with."""
    model = described.make()
    try:
        with warnings.catch_warnings():
            # Falling back to eager training is a failure; a loss that is no number is none, if both engines stop at it.
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", "training stopped", RuntimeWarning)
            run = lg.fit(model, described.x, described.y, engine=engine, progress=False, **described.settings)
    except lg.errors.LucidgradError as error:
        return {"error": np.array(type(error).__name__)}
    history = {f"history {name}": np.asarray(run.history[name], float) for name in ("loss", "learning_rate")}
    return {**model.state(), **history, "step": np.asarray(run.step)}


def train_otherwise(described: Job, number: int) -> Arrays:
    """The same run as another implementation may do it."""
    with eager_results_moved(np.random.default_rng(number)):
        return train(described, "eager")


def differs(got: Any, expected: Any, dtype: str) -> Any:
    """Where elements are further apart than the tolerance allows, or one is no number and the other is."""
    if expected.dtype.kind != "f":
        return np.asarray(got != expected)
    size = max(1.0, float(np.abs(expected[np.isfinite(expected)]).max(initial=0.0)))
    return ~np.isclose(got, expected, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] * size, equal_nan=True)


def check(seed: int) -> str:
    """What the native run of a seed has otherwise than the eager one; nothing where they agree."""
    described = job(seed)
    try:
        expected, got = train(described, "eager"), train(described, "native")
    except Exception as error:
        return f"{''.join(traceback.format_exception(error)[-3:])}\n{described.text}"
    if expected.keys() != got.keys():
        return f"{got.get('error', 'no error')} instead of {expected.get('error', 'no error')}\n{described.text}"
    wrong = {k: differs(got[k], e, described.dtype) for k, e in expected.items()}
    if not any(w.any() for w in wrong.values()):
        return ""
    near = [train_otherwise(described, number) for number in range(MOVED)]
    if any(n.keys() != expected.keys() for n in near):
        return ""  # whether it ends well hangs on the last place
    for name, places in wrong.items():
        left = places & ~_reached(got[name], expected[name], [n[name] for n in near])
        if left.any():
            at = tuple(int(i) for i in np.argwhere(left)[0])
            return f"{name}{list(at)} is {got[name][at]!r} instead of {expected[name][at]!r}\n{described.text}"
    return ""


def _reached(got: Any, expected: Any, near: list[Any]) -> Any:
    """Where other eager runs come as far from the expected one: NaN and infinities have to be seen."""
    every = np.stack([expected, *near])
    if expected.dtype.kind != "f":
        return np.any(every == got, axis=0)
    with np.errstate(all="ignore"):
        # As far as any element of the array is moved: a step of a momentum or a norm moves them together.
        spread = np.abs(np.where(np.isfinite(every - expected), every - expected, 0)).max(initial=0.0)
        close = np.abs(got - expected) <= MARGIN * spread
    return close | np.any(np.isnan(every) & np.isnan(got), axis=0) | np.any(np.isinf(every) & (every == got), axis=0)


if __name__ == "__main__":
    print(job(int(sys.argv[1])).text)
    found = check(int(sys.argv[1]))
    print(found or "agrees")
    sys.exit(bool(found))
