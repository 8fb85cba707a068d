"""Illnesses of what is learned: by heart, too little, or with weights that never stop growing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lucidgrad.losses import Poisson, Quantile
from lucidgrad.training.callbacks.early_stopping import EarlyStopping
from lucidgrad.training.doctor.examination import Examination, column
from lucidgrad.training.doctor.neighbours import NEIGHBOURS, opinion_of_neighbours
from lucidgrad.training.doctor.verdict import Verdict

LARGE_WEIGHT = 20.0
GROWTH = 4.0
RISE = 1.1
EPOCHS_SINCE = 3
MORE_TO_LEARN = 0.1


def growing_weights(e: Examination) -> Iterator[Verdict]:
    """A weight that is large, several times what it began with, and grows to the last."""
    rows = e.run.history.rows
    if len(rows) < 4:
        return
    for path in (p for p, w in e.run.parameters.items() if w.ndim > 1):
        largest = np.array([row["max_abs_weight"].get(path, np.nan) for row in rows])
        begin = float(np.abs(e.start.arrays[path]).max(initial=0.0)) if e.start is not None else float(largest[0])
        last = float(largest[-1])
        quarter = float(largest[-1 - len(rows) // 4])
        if LARGE_WEIGHT < last < np.inf and last > GROWTH * begin and last > 1.02 * quarter:
            yield Verdict("growing_weights", {"path": path, "first": begin, "last": last}, epoch=len(rows))
            return


def overfitting(e: Examination) -> Iterator[Verdict]:
    """The validation loss has been rising for epochs while the training loss falls."""
    held, train = column(e.run, "validation_loss"), column(e.run, "loss")
    if len(held) <= EPOCHS_SINCE or not np.isfinite(held).all() or not np.isfinite(train).all():
        return
    if any(isinstance(c, EarlyStopping) and c.restore_best for c in e.run.callbacks):
        return  # the model has the weights of its best epoch
    best = int(held.argmin())
    last, train_last = float(held[-EPOCHS_SINCE:].min()), float(train[-EPOCHS_SINCE:].mean())
    since = len(held) - 1 - best
    rises = last > RISE * held[best] and last - held[best] > 0.02 * e.start_loss
    if since >= EPOCHS_SINCE and rises and train_last < train[best]:
        evidence = {"best": float(held[best]), "last": float(held[-1])}
        evidence |= {"train_best": float(train[best]), "train_last": float(train[-1])}
        yield Verdict("overfitting", evidence, epoch=best + 1)


def underfitting(e: Examination) -> Iterator[Verdict]:
    """The training loss stands still, and the nearest neighbours of a sample know more than the network."""
    losses = column(e.run, "loss")
    third = max(2, len(losses) // 3)
    if len(losses) < 6 or e.at_end is None or e.train.weight is not None:
        return
    if isinstance(e.run.loss, Poisson | Quantile):
        return  # predictions are logarithms or quantiles: not to be compared with the targets' mean
    if losses[-third - 1] - losses[-third:].min() > 0.02 * e.start_loss:
        return
    x, y, _ = e.probe
    targets = y.numpy().reshape(len(y.numpy()), -1)
    if targets.shape[1] != 1 or (e.labels is None and not e.is_regression):
        return
    opinion = opinion_of_neighbours(x.numpy(), targets[:, 0], classes=e.labels is not None)
    reached = _score(e, targets)
    if opinion is not None and opinion.score - reached > MORE_TO_LEARN:
        kind = "accuracy" if e.labels is not None else "r2"
        evidence = {"score": kind, "reached": reached, "possible": opinion.score, "neighbours": NEIGHBOURS}
        yield Verdict("underfitting", evidence, epoch=len(losses) - third)


def _score(e: Examination, targets: np.ndarray) -> float:
    """Accuracy or R² of the network on the probe."""
    if e.labels is not None:
        return float((e.predicted_classes(e.predictions) == np.maximum(targets[:, 0], 0)).mean())
    spread = float(((targets - targets.mean()) ** 2).sum()) or 1.0
    return 1 - float(((targets - e.predictions[:, :1]) ** 2).sum()) / spread
