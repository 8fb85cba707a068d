"""What each metric is tried on: batches that Hypothesis varies, and the same number from scikit-learn.

To test a new metric, add its name here with a kind of batch and what it should agree with; ``test_metric_contract.py``
does the rest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from sklearn import metrics as sk

Batch = tuple[np.ndarray, np.ndarray, np.ndarray]  # predictions, targets, weights


@dataclass
class Sample:
    """A kind of batch, the number scikit-learn has for it, and how its functions want the predictions."""

    batches: st.SearchStrategy[Batch]
    reference: Callable[[np.ndarray, np.ndarray, np.ndarray], Any]


def _seeds() -> st.SearchStrategy[np.random.Generator]:
    return st.integers(0, 2**32 - 1).map(np.random.default_rng)


def _weights(rng: np.random.Generator, n: int) -> np.ndarray:
    """Some are zero, one at least is not."""
    w = rng.uniform(0, 3, n) * rng.integers(0, 2, n)
    w[rng.integers(n)] = 1.0
    return w


@st.composite
def logits(draw: Any, classes: int = 4, least: int = 1) -> Batch:
    """Logits of several classes, of which not each need occur."""
    rng, n = draw(_seeds()), draw(st.integers(least, 40))
    occurring = draw(st.integers(1, classes))
    return rng.normal(size=(n, classes)) * 3, rng.integers(0, occurring, n), _weights(rng, n)


@st.composite
def quantities(draw: Any) -> Batch:
    """One column, none, or three; far from 0 at times, where sums of squares cancel."""
    rng, n, columns = draw(_seeds()), draw(st.integers(2, 40)), draw(st.sampled_from([(), (1,), (3,)]))
    offset, scale = draw(st.sampled_from([0.0, 100.0])), draw(st.sampled_from([1e-3, 1.0, 1e3]))
    targets = offset + scale * rng.normal(size=(n, *columns))
    return targets + 0.3 * scale * rng.normal(size=(n, *columns)), targets, rng.uniform(0.1, 3, n)


def predicted(p: np.ndarray) -> np.ndarray:
    return p.argmax(axis=1)


def softmax(p: np.ndarray) -> np.ndarray:
    e = np.exp(p - p.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def share(function: Callable[..., Any], average: str | None = "macro") -> Callable[..., Any]:
    def reference(p: np.ndarray, t: np.ndarray, w: np.ndarray) -> Any:
        # Classes without weight do not occur: scikit-learn looks at samples of weight 0 as well, so leave them out.
        kept = w > 0
        labels = None if average else np.arange(p.shape[1])
        return function(
            t[kept], predicted(p)[kept], sample_weight=w[kept], average=average, labels=labels, zero_division=0
        )

    return reference


SAMPLES: dict[str, Sample] = {
    "accuracy": Sample(logits(), lambda p, t, w: sk.accuracy_score(t, predicted(p), sample_weight=w)),
    "zero_one": Sample(logits(), lambda p, t, w: sk.zero_one_loss(t, predicted(p), sample_weight=w)),
    "top_5": Sample(
        logits(classes=8),
        lambda p, t, w: sk.top_k_accuracy_score(t, p, k=5, sample_weight=w, labels=np.arange(8)),
    ),
    "log_loss": Sample(
        logits(), lambda p, t, w: sk.log_loss(t, softmax(p), sample_weight=w, labels=np.arange(p.shape[1]))
    ),
    "precision": Sample(logits(), share(sk.precision_score)),
    "recall": Sample(logits(), share(sk.recall_score)),
    "f1": Sample(logits(), share(sk.f1_score)),
    "mae": Sample(quantities(), lambda p, t, w: sk.mean_absolute_error(t, p, sample_weight=w)),
    "mse": Sample(quantities(), lambda p, t, w: sk.mean_squared_error(t, p, sample_weight=w)),
    "r2": Sample(quantities(), lambda p, t, w: sk.r2_score(t, p, sample_weight=w)),
}
