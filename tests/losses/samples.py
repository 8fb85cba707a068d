"""What each loss is tried on: a batch, and the loss of each sample written out in plain NumPy.

To test a new loss, add its class here with a batch for each form of targets it takes; ``test_loss_contract.py`` does
the rest. Predictions stay away from corners, where finite differences and slopes do not agree.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lucidgrad import losses
from lucidgrad.losses import Loss

SEED = 20240607


@dataclass
class Sample:
    """A loss with its options, predictions (float64), targets, and the loss of each sample as plain NumPy has it."""

    loss: Callable[..., Loss]  # takes the reduction and the options below
    predictions: np.ndarray
    targets: np.ndarray
    reference: Callable[[np.ndarray, np.ndarray], np.ndarray]
    options: dict[str, Any]

    def make(self, reduction: str = "mean") -> Loss:
        return self.loss(reduction, **self.options)


def _rng() -> np.random.Generator:
    return np.random.default_rng(SEED)


def quantities(*shape: int) -> tuple[np.ndarray, np.ndarray]:
    """Predictions, and targets that differ from them by something between 0.1 and 3, either way."""
    rng = _rng()
    predictions = rng.normal(size=shape)
    return predictions, predictions + rng.uniform(0.1, 3.0, shape) * rng.choice([-1.0, 1.0], shape)


def regression(loss: type[Loss], reference: Any, **options: Any) -> dict[str, Sample]:
    """A loss of f(x) - y, on one column, none, and several."""
    return {
        name: Sample(loss, *quantities(*shape), lambda p, t: reference(p - t).reshape(len(p), -1).sum(1), options)
        for name, shape in (("(batch,)", (7,)), ("one column", (7, 1)), ("columns", (7, 3)))
    }


def logits(*shape: int) -> np.ndarray:
    return 2 * _rng().normal(size=shape)


def labels(n: int, classes: int) -> np.ndarray:
    return np.r_[np.arange(classes), _rng().integers(0, classes, n - classes)]


def distributions(n: int, classes: int) -> np.ndarray:
    return _rng().dirichlet(np.ones(classes), n)


def log_softmax(x: np.ndarray) -> np.ndarray:
    z = x - x.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def cross_entropy(p: np.ndarray, t: np.ndarray, smoothing: float = 0.0, weight: Any = 1.0) -> np.ndarray:
    q = np.eye(p.shape[1])[t] if t.ndim == 1 else t
    q = (1 - smoothing) * q + smoothing / p.shape[1]
    return -(q * weight * log_softmax(p)).sum(1)


def logistic(p: np.ndarray, t: np.ndarray) -> np.ndarray:
    s, t = 1 / (1 + np.exp(-p)), t.astype(float)
    return (-t * np.log(s) - (1 - t) * np.log(1 - s)).reshape(len(p), -1).sum(1)


def signs_hinge(p: np.ndarray, t: np.ndarray) -> np.ndarray:
    y = np.where(t > 0, 1, -1)
    return np.maximum(0, 1 - y * p).reshape(len(p), -1).sum(1)


def classes_hinge(p: np.ndarray, t: np.ndarray) -> np.ndarray:
    return np.array([max(0, 1 + np.delete(row, y).max() - row[y]) for row, y in zip(p, t, strict=True)])


def pinball(q: Any) -> Any:
    return lambda p, t: np.where(t > p, q * (t - p), (1 - np.asarray(q)) * (p - t)).reshape(len(p), -1).sum(1)


WEIGHTS = (0.5, 2.0, 1.0, 0.25)
COUNTS = np.array([0, 1, 5, 2, 0, 3, 1])
BITS = np.array([0, 1, 1, 0, 1, 0, 0])


def _cross_entropy(targets: np.ndarray, **options: Any) -> Sample:
    return Sample(
        losses.CrossEntropy,
        logits(7, 4),
        targets,
        lambda p, t: cross_entropy(
            p, t, options.get("label_smoothing", 0), np.asarray(options.get("class_weight", 1.0))
        ),
        options,
    )


def _quantile(shape: tuple[int, ...], target_shape: tuple[int, ...], q: Any) -> Sample:
    predictions, targets = quantities(*shape)
    targets = targets if shape == target_shape else targets[:, :1].reshape(target_shape)

    def reference(p: np.ndarray, t: np.ndarray) -> np.ndarray:
        return pinball(q)(p, t if t.shape == p.shape else t.reshape(-1, 1))

    return Sample(losses.Quantile, predictions, targets, reference, {"q": q})


SAMPLES: dict[type[Loss], dict[str, Sample]] = {
    losses.AbsoluteError: regression(losses.AbsoluteError, np.abs),
    losses.SquaredError: regression(losses.SquaredError, np.square),
    losses.Huber: regression(
        losses.Huber, lambda d: np.where(np.abs(d) <= 1.3, d * d / 2, 1.3 * (np.abs(d) - 0.65)), delta=1.3
    ),
    losses.LogCosh: regression(losses.LogCosh, lambda d: np.log(np.cosh(d))),
    losses.Quantile: {
        "one for all columns": _quantile((7, 3), (7, 3), 0.8),
        "several of one target": _quantile((7, 3), (7,), (0.1, 0.5, 0.9)),
        "several of one target column": _quantile((7, 3), (7, 1), (0.1, 0.5, 0.9)),
        "several of several targets": _quantile((7, 3), (7, 3), (0.1, 0.5, 0.9)),
    },
    losses.Poisson: {
        "logarithm": Sample(losses.Poisson, logits(7), COUNTS, lambda p, t: np.exp(p) - t * p, {}),
        "mean": Sample(
            losses.Poisson,
            _rng().uniform(0.5, 4, 7),
            COUNTS,
            lambda p, t: p - t * np.log(p),
            {"log_input": False},
        ),
    },
    losses.Logistic: {
        "labels": Sample(losses.Logistic, logits(7), BITS, logistic, {}),
        "booleans": Sample(losses.Logistic, logits(7), BITS.astype(bool), logistic, {}),
        "probabilities": Sample(losses.Logistic, logits(7), _rng().uniform(0, 1, 7), logistic, {}),
        "several questions": Sample(losses.Logistic, logits(7, 3), BITS[:, None] ^ np.array([0, 1, 0]), logistic, {}),
    },
    losses.CrossEntropy: {
        "labels": _cross_entropy(labels(7, 4)),
        "labels of one byte": _cross_entropy(labels(7, 4).astype(np.uint8)),
        "probabilities": _cross_entropy(distributions(7, 4)),
        "smoothed": _cross_entropy(labels(7, 4), label_smoothing=0.1),
        "class weights": _cross_entropy(labels(7, 4), class_weight=WEIGHTS),
        "class weights and smoothing": _cross_entropy(labels(7, 4), class_weight=WEIGHTS, label_smoothing=0.2),
        "class weights of probabilities": _cross_entropy(distributions(7, 4), class_weight=WEIGHTS),
    },
    losses.Hinge: {
        "signs": Sample(losses.Hinge, logits(7), 2 * BITS - 1, signs_hinge, {}),
        "bits": Sample(losses.Hinge, logits(7), BITS, signs_hinge, {}),
        "several questions": Sample(losses.Hinge, logits(7, 3), BITS[:, None] ^ np.array([0, 1, 0]), signs_hinge, {}),
        "several classes": Sample(losses.Hinge, logits(7, 4), labels(7, 4), classes_hinge, {}),
    },
}
