"""How good a model is on rows it has not learned from, beside an answer that does not look at the row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from lucidgrad.errors import ShapeError, counted, explain
from lucidgrad.estimators.table_network import inputs_of
from lucidgrad.functional import softmax
from lucidgrad.random import Key
from lucidgrad.tensor import Tensor
from lucidgrad.training import predict
from lucidgrad.training.step import model_dtype

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

IMPORTANCE_ROWS = 1000
IMPORTANCE_COLUMNS = 200
REPEATS = 5
LEAST = 1e-15  # the least probability that a logarithm is taken of


@dataclass(frozen=True)
class Score:
    """A measure of the model and of the baseline.

    Parameters
    ----------
    name
        What is measured: ``"accuracy"``.
    model
        Of the model.
    baseline
        Of an answer that does not look at the row; None where that is not known.
    better
        ``"higher"`` or ``"lower"``.

    Examples
    --------
    >>> from lucidgrad.tables.measuring import Score
    >>> Score("accuracy", 0.97, 0.5, "higher")
    Score(name='accuracy', model=0.97, baseline=0.5, better='higher')
    """

    name: str
    model: float
    baseline: float | None
    better: str


@dataclass(frozen=True)
class ClassRow:
    """How one class is told from the others.

    Parameters
    ----------
    label
        Of the class, as text.
    precision
        Of the rows that were taken for it, the share that is of it.
    recall
        Of the rows that are of it, the share that was taken for it.
    f1
        The harmonic mean of the two.
    rows
        How many are of it.

    Examples
    --------
    >>> from lucidgrad.tables.measuring import ClassRow
    >>> ClassRow("melon", precision=1.0, recall=0.5, f1=2 / 3, rows=10).label
    'melon'
    """

    label: str
    precision: float
    recall: float
    f1: float
    rows: int


@dataclass
class Measured:
    """What was measured on some rows.

    Parameters
    ----------
    rows
        How many.
    baseline
        What the baseline answers, in words.
    scores
        The first is the one to look at.
    classes
        A row for each class.
    confusion : (classes, classes)
        Rows are true classes.
    y, predicted : (rows,)
        Classes by number, or values.
    probabilities
        Of classification, (rows, classes).

    Examples
    --------
    >>> import numpy as np
    >>> from lucidgrad.tables import measure
    >>> measured = measure(np.array([0, 1]), np.array([[0.9, 0.1], [0.6, 0.4]]), np.array(["apple", "melon"]), None)
    >>> [(row.label, row.recall) for row in measured.classes]
    [('apple', 1.0), ('melon', 0.0)]
    >>> measured.confusion
    array([[1, 0],
           [1, 0]])
    """

    rows: int
    baseline: str
    scores: list[Score]
    classes: list[ClassRow] = field(default_factory=list)
    confusion: Array | None = None
    y: Array = field(default_factory=lambda: np.empty(0))
    predicted: Array = field(default_factory=lambda: np.empty(0))
    probabilities: Array | None = None

    def record(self) -> dict[str, Any]:
        """All of it but the rows, as plain data."""
        return {
            "rows": self.rows,
            "baseline": self.baseline,
            "scores": {s.name: {"model": s.model, "baseline": s.baseline} for s in self.scores},
            "classes": [vars(c) for c in self.classes],
            "confusion": None if self.confusion is None else self.confusion.tolist(),
        }


def measure(y: Array, answer: Array, classes: Array | None, base: Array | None, where: str = "training") -> Measured:
    """Compare answers with targets.

    Parameters
    ----------
    y : (rows,)
        Numbers of classes, -1 for one the model does not know; or values.
    answer
        Probabilities (rows, classes), or values (rows,).
    classes
        Labels of classes; None: values.
    base
        What a model that does not look at the row would say: the shares of the classes, (classes,), or the mean, (1,).
        None: not known.
    where
        Where the baseline is from.

    Raises
    ------
    ShapeError
        When there is not an answer to each target, or the baseline is not one for these.

    Examples
    --------
    >>> import numpy as np
    >>> from lucidgrad.tables import measure
    >>> m = measure(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0]), None, np.array([2.0]))
    >>> [(s.name, round(s.model, 3), round(s.baseline, 3)) for s in m.scores]
    [('R2', 0.5, 0.0), ('mean absolute error', 0.333, 0.667), ('root mean squared error', 0.577, 0.816)]
    """
    y, answer = np.asarray(y), np.asarray(answer)
    labels, rows = None if classes is None else np.asarray(classes), len(y) if y.ndim else 0
    wanted = (rows,) if labels is None else (rows, len(labels))
    if y.ndim != 1 or not rows or answer.shape != wanted:
        what = "values (rows,)" if labels is None else f"probabilities (rows, {len(labels)})"
        raise ShapeError(
            explain(
                f"measure expected targets (rows,) and an answer to each, {what}",
                f"targets of shape {y.shape} and answers of shape {answer.shape}",
                "Ask the model about the very rows whose targets are given, at least one",
            )
        )
    share = None if base is None else np.asarray(base)
    if share is not None and share.shape != (wanted[1:] or (1,)):
        got, try_ = (
            f"shape {share.shape}",
            "Give one number for each class, or the mean alone; None where it is not known",
        )
        raise ShapeError(explain(f"measure(base) expected shape {wanted[1:] or (1,)}", got, try_))
    return _of_values(y, answer, share, where) if labels is None else _of_classes(y, answer, labels, share, where)


def _of_values(y: Array, answer: Array, base: Array | None, where: str) -> Measured:
    def scores(values: Array) -> tuple[float, float, float]:
        error = values - y
        spread = ((y - y.mean()) ** 2).sum()
        r2 = 1 - (error**2).sum() / spread if spread > 0 else float("nan")
        return float(r2), float(np.abs(error).mean()), float(np.sqrt((error**2).mean()))

    mine = scores(answer)
    others: tuple[float | None, ...] = (None,) * 3 if base is None else scores(np.full(len(y), base[0]))
    names = (("R2", "higher"), ("mean absolute error", "lower"), ("root mean squared error", "lower"))
    made = [Score(n, a, b, better) for (n, better), a, b in zip(names, mine, others, strict=True)]
    what = "none" if base is None else f"always the mean of {where}, {base[0]:.6g}"
    return Measured(len(y), what, made, y=y, predicted=answer)


def _of_classes(y: Array, p: Array, classes: Array, base: Array | None, where: str) -> Measured:
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    n = len(classes)
    predicted = p.argmax(axis=1)
    known = y >= 0
    labels = np.arange(n)
    precision, recall, f1, count = precision_recall_fscore_support(y, predicted, labels=labels, zero_division=0.0)
    rows = [
        ClassRow(str(c), float(a), float(b), float(f), int(k))
        for c, a, b, f, k in zip(classes.tolist(), precision, recall, f1, count, strict=True)
    ]
    matrix = confusion_matrix(y[known], predicted[known], labels=labels) if known.any() else np.zeros((n, n), int)
    mine = _class_scores(y, p)
    others: dict[str, float] = {} if base is None else _class_scores(y, np.broadcast_to(base, p.shape))
    made = [
        Score(name, value, others.get(name), "lower" if name == "log loss" else "higher")
        for name, value in mine.items()
    ]
    what = "none" if base is None else f"always the most frequent class of {where}, {classes[base.argmax()]}"
    return Measured(len(y), what, made, rows, matrix, y, predicted, p)


def _class_scores(y: Array, p: Array) -> dict[str, float]:
    """Of classes by number; the log loss counts a class that the model does not know as the least probability."""
    predicted, present = p.argmax(axis=1), np.unique(y)
    recalls = [float((predicted[y == c] == c).mean()) for c in present]
    f1 = []
    for c in present:
        right = ((predicted == c) & (y == c)).sum()
        f1.append(float(2 * right / max((predicted == c).sum() + (y == c).sum(), 1)))
    own = np.where(y >= 0, p[np.arange(len(y)), np.maximum(y, 0)], 0.0)
    scores = {
        "accuracy": float((predicted == y).mean()),
        "balanced accuracy": float(np.mean(recalls)),
        "macro F1": float(np.mean(f1)),
        "log loss": float(-np.log(np.maximum(own, LEAST)).mean()),
    }
    if p.shape[1] == 2 and set(present.tolist()) == {0, 1}:
        from sklearn.metrics import roc_auc_score

        scores["ROC AUC"] = float(roc_auc_score(y, p[:, 1]))
    return scores


@dataclass(frozen=True)
class Importance:
    """By how much the error grows when a column's values are shuffled: mean and standard deviation over repeats."""

    column: str
    rise: float
    deviation: float


def importances(estimator: Any, x: Any, y: Array, seed: int) -> tuple[list[Importance], str]:
    """Permutation importance (Breiman 2001, section 10) of the columns, most important first, and how it was measured.

    The error is the log loss, or the root of the mean squared error. What is shuffled are the network's inputs, so that
    a table is prepared once. Of many columns those are measured whose inputs go along with the outputs.

    Parameters
    ----------
    estimator
        A fitted TabularClassifier or TabularRegressor.
    x
        A table.
    y : (rows,)
        Numbers of classes, or values; rows of a class that the model does not know (-1) are left out.
    """
    key = Key(seed).fold_in(7)
    is_classifier = hasattr(estimator, "classes_")
    usable = np.flatnonzero(y >= 0) if is_classifier else np.arange(len(y))
    if not len(usable):
        return [], "not measured: no row is of a class that the model knows"
    chosen = np.sort(usable[key.permutation(len(usable))[:IMPORTANCE_ROWS]])
    inputs = inputs_of(estimator.preprocessing_, x[chosen], model_dtype(estimator.model_))
    y = y[chosen]

    def outputs(values: Array) -> Array:
        return predict(estimator.model_, values, engine=estimator.engine, threads=estimator.threads)

    def error(made: Array) -> float:
        if is_classifier:
            p: Array = softmax(Tensor.wrap(made.astype(np.float64)), axis=-1).numpy()
            return float(-np.log(np.maximum(p[np.arange(len(y)), y], LEAST)).mean())
        return float(np.sqrt(((estimator._values(made)[:, 0] - y) ** 2).mean()))

    plain = outputs(inputs)
    places = estimator.preprocessing_.inputs_of_columns()
    names = list(places)
    repeats = REPEATS if len(names) <= 50 else 1
    if many := len(names) > IMPORTANCE_COLUMNS:
        strength = _strength(inputs, plain)
        names = sorted(names, key=lambda name: -float(strength[places[name]].max(initial=0.0)))[:IMPORTANCE_COLUMNS]
    before, made = error(plain), []
    for i, name in enumerate(names):
        rises = []
        for repeat in range(repeats):
            order = key.fold_in(1 + i * repeats + repeat).permutation(len(y))
            shuffled = inputs.copy()
            shuffled[:, places[name]] = inputs[order][:, places[name]]
            rises.append(error(outputs(shuffled)) - before)
        made.append(Importance(name, float(np.mean(rises)), float(np.std(rises))))
    unit = "log loss" if is_classifier else "root mean squared error"
    how = f"how much the {unit} of {counted(len(y), 'measured row')} grows when the column is shuffled"
    if many:
        how += f"; of {len(places):,} columns, the {IMPORTANCE_COLUMNS} that go along most with what is predicted"
    return sorted(made, key=lambda one: -one.rise), how


def _strength(inputs: Array, outputs: Array) -> Array:
    """The largest absolute correlation of each input with an output."""

    def standard(a: Array) -> Array:
        a = a - a.mean(axis=0)
        scaled: Array = a / np.maximum(np.sqrt((a**2).sum(axis=0)), 1e-12)
        return scaled

    strength: Array = np.abs(standard(inputs).T @ standard(outputs.astype(np.float64))).max(axis=1)
    return strength
