"""Illnesses of the samples: their scale, their classes, rows that are where they must not be, targets of other rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np

from lucidgrad.losses import Poisson
from lucidgrad.training.doctor.examination import Examination, column
from lucidgrad.training.doctor.neighbours import NEIGHBOURS, opinion_of_neighbours
from lucidgrad.training.doctor.verdict import Verdict
from lucidgrad.training.evaluating import evaluating
from lucidgrad.training.samples import Samples

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

LARGE_INPUT, SMALL_INPUT = 20.0, 0.01
LARGISH_INPUT, SMALLISH_INPUT = 5.0, 0.05
"""Inputs of such a size are blamed where little was learned."""
FAR_FROM_ZERO = 20.0
"""So many deviations from 0 a feature is little more than a second bias."""
LEARNED = 0.5
LARGE_TARGET, LARGISH_TARGET, SMALL_TARGET = 30.0, 5.0, 0.003
IMBALANCE = 10.0
RECALL_LOST = 0.1
LEAKING_SHARE = 0.01
MOST_ROWS, MOST_JUDGED = 100_000, 4096
CHANCE_Z = 3.0
FEW_COMBINATIONS = 10.0
"""Where features can be combined in no more than so many ways for each row, rows are alike by chance."""


def unscaled_inputs(e: Examination) -> Iterator[Verdict]:
    """The first weights meet inputs far larger or smaller than 1. What a model scales itself is scaled."""
    look = e.at_start or e.at_end
    if look is None or look.first_input is None or look.first_input.dtype.kind != "f":
        return
    x = look.first_input.reshape(len(look.first_input), -1).astype(np.float64)
    x = x[np.isfinite(x).all(axis=1)]  # what is no number is another illness
    if not x.size:
        return
    features = np.sqrt((x**2).mean(axis=0))
    # A word that is in few documents is a small feature of large numbers: its zeros say nothing about the scale.
    given = np.sqrt((x**2).sum(axis=0) / np.maximum((x != 0).sum(axis=0), 1))
    worst, size = int(features.argmax()), float(given.max())
    large, small = (LARGE_INPUT, SMALL_INPUT) if e.has_learned(LEARNED) else (LARGISH_INPUT, SMALLISH_INPUT)
    deviation = x.std(axis=0)
    far = (features > FAR_FROM_ZERO * deviation) & (deviation > 1e-6 * features) & (features > 1)
    if far.any() and not e.has_learned(LEARNED):
        worst = int(np.argmax(np.where(far, features, 0)))
    elif not (features[worst] > large or 0 < size < small):
        return
    rms = float(np.sqrt((x**2).mean()))
    yield Verdict("unscaled_inputs", {"rms": rms, "feature": worst, "largest": float(features[worst])})


def unscaled_targets(e: Examination) -> Iterator[Verdict]:
    """Numbers to predict that lie far from 0 or far from each other. A Poisson loss has its own scale."""
    if not e.is_regression or isinstance(e.run.loss, Poisson):
        return
    y = e.probe[1].numpy().astype(np.float64)
    y = y.reshape(len(y), -1)
    mean, deviation = y.mean(axis=0), y.std(axis=0)
    worst = int(np.argmax(np.maximum(abs(mean), deviation)))
    too_small = 0 < deviation.max() < SMALL_TARGET
    large = LARGISH_TARGET if e.knows_nothing else LARGE_TARGET
    if max(abs(mean[worst]), deviation[worst]) > large or too_small:
        yield Verdict("unscaled_targets", {"mean": float(mean[worst]), "deviation": float(deviation[worst])})


def class_imbalance(e: Examination) -> Iterator[Verdict]:
    """A class so rare that the network gives it up. Weighted classes or samples have been taken care of."""
    labels = e.labels
    if labels is None or e.train.weight is not None or getattr(e.run.loss, "class_weight", None) is not None:
        return
    names, counts = np.unique(labels, return_counts=True)
    largest, smallest = int(counts.argmax()), int(counts.argmin())
    ratio = counts[largest] / counts[smallest]
    if len(names) < 2 or ratio < IMBALANCE or e.at_end is None:
        return
    recall, recall_largest = (_recall(e, labels, int(names[c])) for c in (smallest, largest))
    if recall > recall_largest - RECALL_LOST:
        return
    evidence = {"largest": int(names[largest]), "smallest": int(names[smallest]), "ratio": float(ratio)}
    evidence |= {"most": int(counts[largest]), "fewest": int(counts[smallest])}
    yield Verdict("class_imbalance", evidence | {"recall": recall, "recall_largest": recall_largest})


def _recall(e: Examination, labels: Array, name: int) -> float:
    """The share of the training samples of a class (some of them) that are recognised."""
    rows = np.flatnonzero(labels == name)[:1000]
    with evaluating(e.run.model):
        outputs = e.run.model(e.train.batch(rows)[0]).numpy()
    return float((e.predicted_classes(outputs.reshape(len(outputs), -1)) == max(name, 0)).mean())


def leaking_rows(e: Examination) -> Iterator[Verdict]:
    """Rows of the validation set that the network was trained on."""
    held = e.run.validation
    if held is None:
        return
    known = set(_fingerprints(e.train))
    judged = list(_fingerprints(held))
    shared = sum(row in known for row in judged)
    if shared > 1 and shared / len(judged) >= LEAKING_SHARE and not _are_alike_by_chance(e, shared / len(judged)):
        yield Verdict("leaking_rows", {"shared": shared, "rows": len(judged), "share": shared / len(judged)})


def _are_alike_by_chance(e: Examination, share: float) -> bool:
    """Whether rows repeat as they do in a questionnaire: features of few values, and the training rows repeat too."""
    rows = list(_fingerprints(e.train))
    counts = Counter(rows)
    if sum(count for count in counts.values() if count > 1) < 0.5 * share * len(rows):
        return False
    x = e.train.batch(np.arange(len(rows)))[0].numpy().reshape(len(rows), -1)
    ways, most = 1.0, FEW_COMBINATIONS * len(rows)
    for feature in x.T:
        ways *= len(np.unique(feature))
        if ways > most:
            return False
    return True


def _fingerprints(samples: Samples) -> Iterator[int]:
    """A number for each row (of at most 100,000) that is the same for equal rows."""
    for start in range(0, min(len(samples), MOST_ROWS), 1024):
        rows = np.arange(start, min(start + 1024, len(samples), MOST_ROWS))
        x = np.ascontiguousarray(samples.batch(rows)[0].numpy() + 0)  # + 0: -0.0 is 0.0
        yield from (hash(row.tobytes()) for row in x)


def shuffled_labels(e: Examination) -> Iterator[Verdict]:
    """Targets that do not depend on the inputs: neighbours know no more than chance, nor does the network."""
    if e.labels is None and not e.is_regression:
        return
    x, y, _ = e.train.training_batch(np.linspace(0, len(e.train) - 1, min(len(e.train), 1024)).astype(np.int64))
    targets = y.numpy().reshape(len(y.numpy()), -1)[:, 0]
    opinion = opinion_of_neighbours(x.numpy(), targets, classes=e.labels is not None)
    if opinion is None or opinion.z > CHANCE_Z or _validation_is_learned(e):
        return
    yield Verdict("shuffled_labels", {"z": opinion.z, "rows": opinion.rows, "neighbours": NEIGHBOURS})


def _validation_is_learned(e: Examination) -> bool:
    """Whether what was held back is predicted: then targets do depend on inputs, in a way that neighbours miss."""
    if e.run.validation is None or e.at_end is None:
        # Without samples held back, a network that has fewer weights than samples and yet fits them has learned.
        weights = sum(w.size for w in e.run.parameters.values())
        return weights < len(e.train) and column(e.run, "loss")[-1] < 0.5 * e.ignorant_loss
    learned = np.nanmin(column(e.run, "validation_loss")) < 0.9 * e.constant_loss
    return bool(learned) or _agreement_with_validation(e, e.run.validation) > CHANCE_Z


def _agreement_with_validation(e: Examination, held: Samples) -> float:
    """How many deviations above chance predictions agree with what was held back: a weak dependence is one too."""
    x, y, _ = held.training_batch(np.linspace(0, len(held) - 1, min(len(held), MOST_JUDGED)).astype(np.int64))
    with evaluating(e.run.model):
        outputs = e.run.model(x).numpy().reshape(len(x), -1)
    truth = y.numpy().reshape(len(outputs), -1)[:, 0]
    if e.labels is None:
        found, truth = outputs[:, 0] - outputs[:, 0].mean(), truth - truth.mean()
        scale = float(np.sqrt((found**2).sum() * (truth**2).sum()))
        return float((found * truth).sum()) / scale * np.sqrt(len(truth)) if scale else 0.0
    found, truth = e.predicted_classes(outputs), np.maximum(truth, 0)
    chance = sum(float((found == name).mean() * (truth == name).mean()) for name in np.unique(truth))
    deviation = np.sqrt(chance * (1 - chance) / len(truth))
    return float((found == truth).mean() - chance) / deviation if deviation else 0.0
