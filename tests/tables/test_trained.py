"""What is reported is measured on rows that the model has not seen, or the report says what they were used for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

from lucidgrad.data import open_table
from lucidgrad.errors import DivergenceError
from lucidgrad.tables import Trained, Wishes, make_plan, train, write_report

QUICK: dict[str, Any] = {"epochs": 4, "hidden_layer_sizes": (8,), "engine": "eager", "random_state": 0, "members": 2}


def trained(folder: Path, columns: dict[str, Any], target: str = "y", **wishes: Any) -> Trained:
    polars.DataFrame(columns).write_csv(folder / "t.csv")
    return train(make_plan(open_table(folder / "t.csv"), Wishes(target, **wishes)), QUICK)


def drifting(late: float) -> dict[str, Any]:
    """150 rows, of which the latest fifth has values and answers of its own."""
    rng = np.random.default_rng(0)
    x, is_late = rng.normal(size=150), np.arange(150) >= 120
    x = np.where(is_late, x + late, x)
    return {"x": x, "t": np.arange(150), "y": 2 * x + np.where(is_late, late, 0.1 * rng.normal(size=150))}


def test_rows_of_the_test_are_measured_and_change_nothing_in_the_model(tmp_path):
    one, other = (trained(tmp_path, drifting(late), time="t", kinds={"t": "ignored"}) for late in (0.0, 5.0))
    asked = {"x": [-1.0, 0.5, 3.0], "t": [0, 0, 0]}
    assert one.estimator.predict(asked).tolist() == other.estimator.predict(asked).tolist()
    assert one.part == other.part == "test"
    assert one.measured.rows == other.measured.rows == 30
    assert one.metrics["mean absolute error"] < other.metrics["mean absolute error"] - 1


def test_with_a_test_the_rows_that_said_when_to_stop_are_learned_from_in_the_end(tmp_path):
    made = trained(tmp_path, drifting(0.0))
    assert made.refit
    assert made.training.rows == 120
    assert "learned from 96 rows, and 24 others said when to stop" in made.learned_how
    assert "learned anew from all 120, for the median of that for three drawings" in made.learned_how


def test_what_was_told_about_learning_anew_is_what_is_reported(tmp_path):
    polars.DataFrame(drifting(0.0)).write_csv(tmp_path / "t.csv")
    made = train(make_plan(open_table(tmp_path / "t.csv"), Wishes("y")), {**QUICK, "refit": False})
    assert not made.refit
    assert made.training.rows == 96
    assert "learned anew" not in made.learned_how


def test_without_a_test_the_rows_that_said_when_to_stop_are_measured_and_that_is_said(tmp_path):
    made = trained(tmp_path, drifting(0.0), test=0)
    assert (made.part, made.refit, made.measured.rows, made.training.rows) == ("validation", False, 30, 120)
    assert made.measured_on == "30 rows that were not learned from but said when to stop: on new ones it may be worse"
    write_report(made, tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert f"Measured on {made.measured_on}." in page
    assert "Test: none, as told." in page


def test_the_page_says_that_nothing_has_seen_the_rows_of_the_test(tmp_path):
    write_report(trained(tmp_path, drifting(0.0)), tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Measured on 30 rows of the test, which neither training nor stopping has seen." in page
    assert "Then it learned anew from all 120" in page


def test_a_class_of_the_test_that_was_never_learned_counts_as_wrong(tmp_path):
    made = trained(
        tmp_path, {"x": [i % 2 for i in range(100)], "t": range(100), "y": ["a", "b"] * 45 + ["new"] * 10}, time="t"
    )
    assert made.measured.rows == 20
    assert made.metrics["accuracy"] <= 0.5
    assert made.importance, "measured on the rows of the classes that are known"


@pytest.mark.filterwarnings("ignore:training stopped:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:overflow|invalid value:RuntimeWarning")
@pytest.mark.parametrize("y", ["ab", [0.5, 2.25]])
def test_a_model_that_predicts_no_numbers_is_not_measured_and_that_is_told(tmp_path, y):
    polars.DataFrame({"x": np.arange(120) % 7, "y": list(y) * 60}).write_csv(tmp_path / "t.csv")
    plan = make_plan(open_table(tmp_path / "t.csv"), Wishes("y", task=None if y == "ab" else "regression"))
    with pytest.raises(DivergenceError, match=r"got \d+ rows with NaN or infinity\. Take a smaller --learning-rate"):
        train(plan, {**QUICK, "learning_rate": 1e30})


@pytest.mark.parametrize("wishes", [{}, {"test": 0}])
def test_the_baseline_is_that_of_the_rows_learned_from(tmp_path, wishes):
    made = trained(tmp_path, {"x": np.arange(120) % 7, "y": ["a", "a", "b"] * 40}, **wishes)
    assert made.measured.baseline == "always the most frequent class of training, a"
    accuracy = next(s for s in made.measured.scores if s.name == "accuracy")
    assert accuracy.baseline == pytest.approx(2 / 3)
