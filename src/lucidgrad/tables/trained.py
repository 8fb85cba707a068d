"""Train a model of a table by its plan, and measure it on rows that neither training nor stopping has seen."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lucidgrad.data.table import guess_kinds
from lucidgrad.errors import DataError, DivergenceError, counted, explain
from lucidgrad.estimators import TabularClassifier, TabularRegressor
from lucidgrad.estimators.table_settings import decided
from lucidgrad.estimators.table_training import MOST_TO_REFIT
from lucidgrad.io.measured_on import in_words
from lucidgrad.tables.measuring import Importance, Measured, importances, measure
from lucidgrad.tables.plan import Plan


@dataclass
class Trained:
    """A model, and how good it is.

    Parameters
    ----------
    plan
        What it was trained on.
    estimator
        The fitted TabularClassifier or TabularRegressor.
    part
        Of what ``measured`` is: ``"test"``, rows that neither training nor stopping has seen; or ``"validation"``,
        rows that were not learned from but said when to stop, where there are none for a test.
    measured
        Measured on these rows.
    training
        Measured on those it has learned from.
    refit
        Whether it has learned from the rows that said when to stop too, after they had said it.
    importance
        Of the columns.
    importance_note
        How that was measured, in words.
    seconds
        Of training.

    Examples
    --------
    >>> import tempfile, polars
    >>> from lucidgrad.data import open_table
    >>> from lucidgrad.tables import Wishes, make_plan, train
    >>> fruit = polars.DataFrame({"weight": [120, 150, 8000], "fruit": ["apple", "apple", "melon"]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     polars.concat([fruit] * 10).write_csv(f"{folder}/fruit.csv")
    ...     plan = make_plan(open_table(f"{folder}/fruit.csv"), Wishes("fruit"))
    >>> trained = train(plan, {"members": 1, "pieces": 0, "epochs": 5, "random_state": 0})
    >>> trained.part, trained.learned_how
    ('validation', 'It learned from 24 rows, and 6 others said when to stop: the weights are those after epoch ...')
    """

    plan: Plan
    estimator: Any
    part: str
    measured: Measured
    training: Measured
    refit: bool
    importance: list[Importance]
    importance_note: str
    seconds: float

    @property
    def metrics(self) -> dict[str, float]:
        """What goes into the model file."""
        return {s.name: s.model for s in self.measured.scores if np.isfinite(s.model)}

    @property
    def measured_on(self) -> str:
        """The rows that were measured, in words that say what they were used for."""
        return in_words({self.part: self.measured.rows})

    @property
    def learned_how(self) -> str:
        """A sentence on where the weights are from."""
        rows, best = self.plan.rows, self.estimator.best_epoch_
        learned, others = counted(rows["training"], "row"), counted(rows["validation"], "other")
        first = f"It learned from {learned}, and {others} said when to stop: "
        if self.refit and self.plan.held_back is not None:
            drawings = len(self.plan.held_back)
            long = "the median of that for three drawings of such rows" if drawings > 1 else "as many epochs"
            after = f"after {counted(best, 'epoch')}"
            return f"{first}{after}. Then it learned anew from all {self.training.rows:,}, for {long}."
        return f"{first}the weights are those after epoch {best:,}."


def train(plan: Plan, settings: Mapping[str, Any]) -> Trained:
    """Train and measure.

    Where rows are kept for a test, the estimator is trained anew with the rows that said when to stop, up to 5,000
    rows; else they are measured, and it has to do without them.

    Parameters
    ----------
    plan
        From ``make_plan``.
    settings
        Arguments of ``TabularClassifier`` or ``TabularRegressor``.

    Raises
    ------
    DataError
        When no column tells rows apart.
    ArgumentError
        For settings that are none.
    DivergenceError
        When what comes out predicts NaN or infinity.

    Examples
    --------
    >>> import tempfile, polars
    >>> from lucidgrad.data import open_table
    >>> from lucidgrad.tables import Wishes, make_plan, train
    >>> fruit = polars.DataFrame({"weight": [120, 150, 8000], "fruit": ["apple", "apple", "melon"]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     polars.concat([fruit] * 10).write_csv(f"{folder}/fruit.csv")
    ...     plan = make_plan(open_table(f"{folder}/fruit.csv"), Wishes("fruit"))
    >>> trained = train(plan, {"members": 1, "pieces": 0, "epochs": 5, "random_state": 0})
    >>> trained.estimator.predict({"weight": [100, 8500]}).tolist()
    ['apple', 'melon']
    >>> trained.measured.scores[0].name, trained.measured.scores[0].model
    ('accuracy', 1.0)
    """
    _check_columns(plan)
    cls = TabularClassifier if plan.task == "classification" else TabularRegressor
    wanted = settings.get("refit", "auto")
    refit = plan.held_back is not None and decided(wanted, by_rows=len(plan.y) <= MOST_TO_REFIT)
    estimator: Any = cls(kinds=plan.kinds or None, **{"refit": refit, **settings})
    began = time.perf_counter()
    if plan.held_back is not None:
        estimator.fit(plan.x, plan.y, plan.weight, held_back=plan.held_back)
    else:
        stop = {"X_val": plan.x_validation, "y_val": plan.y_validation, "sample_weight_val": plan.weight_validation}
        estimator.fit(plan.x, plan.y, plan.weight, **stop)
    seconds = time.perf_counter() - began
    estimator.set_params(progress=False)  # of the training, not of who loads the model
    estimator.target_name_ = plan.wishes.target
    part = "validation" if plan.y_test is None else "test"
    x, y = (plan.x_validation, plan.y_validation) if plan.y_test is None else (plan.x_test, plan.y_test)
    base = baseline(plan)
    measured = asked(estimator, x, y, base)
    learned = np.ones(len(plan.y), bool) if refit or plan.held_back is None else ~plan.held_back[0]
    training = asked(estimator, plan.x.filter(learned), plan.y[learned], base)
    found, note = importances(estimator, x, measured.y, plan.wishes.seed)
    return Trained(plan, estimator, part, measured, training, refit, found, note, seconds)


def _check_columns(plan: Plan) -> None:
    """DataError where no column of the rows to learn from tells anything, with the options that can change that."""
    columns = guess_kinds(plan.x, plan.kinds)
    if not any(column.is_used for column in columns):
        raise DataError(
            explain(
                f"{plan.source.path} expected a column that can tell rows apart",
                "; ".join(f"{c.name}: {c.kind}, {c.reason}" for c in columns[:5]),
                "Overrule a guess that is wrong with --numeric, --categorical or --date",
            )
        )


def baseline(plan: Plan) -> Any:
    """What is best said without looking at a row: the shares of the classes, or the mean."""
    if plan.task == "regression":
        return np.array([np.average(plan.y, weights=plan.weight)])
    codes = np.unique(plan.y, return_inverse=True)[1]
    shares = np.bincount(codes, weights=plan.weight).astype(np.float64)
    return shares / shares.sum()


def asked(estimator: Any, x: Any, y: Any, base: Any) -> Measured:
    """What the estimator says of a table, compared with the targets."""
    is_classifier = hasattr(estimator, "classes_")
    answers = estimator.predict_proba(x) if is_classifier else estimator.predict(x)
    if lost := int((~np.isfinite(answers.reshape(len(answers), -1)).all(axis=1)).sum()):
        raise DivergenceError(
            explain(
                "training expected a model whose predictions are numbers",
                counted(lost, "row with NaN or infinity", "rows with NaN or infinity"),
                "Take a smaller --learning-rate, or look for numbers that are far too large",
            )
        )
    if is_classifier:
        return measure(numbers_of_labels(estimator, y), answers, estimator.classes_, base)
    return measure(np.asarray(y, np.float64), answers, None, base)


def numbers_of_labels(estimator: Any, y: Any) -> Any:
    """The number of the class of each label, -1 for one that the model does not know."""
    classes = estimator.classes_
    places = {label: i for i, label in enumerate(classes.tolist())}
    return np.array([places.get(label, -1) for label in y.tolist()], np.int64)
