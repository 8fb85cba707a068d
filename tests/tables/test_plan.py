"""What is learned from what: guesses with reasons, which rows are held back, and what cannot be learned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

from lucidgrad.data import open_table
from lucidgrad.errors import ArgumentError, DataError
from lucidgrad.tables import Plan, Wishes, make_plan


def plan(folder: Path, text: str, target: str = "y", held: str | None = None, **wishes: Any) -> Plan:
    (folder / "t.csv").write_text(text, encoding="utf-8")
    other = None
    if held is not None:
        (folder / "v.csv").write_text(held, encoding="utf-8")
        other = open_table(folder / "v.csv")
    return make_plan(open_table(folder / "t.csv"), Wishes(target, **wishes), other)


def table(answers: Any, **more: Any) -> str:
    """A table with a number, the answers, and further columns."""
    names = ["x", "y", *more]
    rows = zip(range(len(answers)), answers, *more.values(), strict=True)
    return "\n".join([",".join(names), *(",".join(map(str, row)) for row in rows)]) + "\n"


@pytest.mark.parametrize(
    ("answers", "task", "reason"),
    [
        (["yes", "no"] * 20, "classification", "text, 2 different values"),
        (["true", "false"] * 20, "classification", "boolean, 2 different values"),
        ([0, 1, 2, 3] * 10, "classification", "whole numbers, 4 different values"),
        (list(range(40)), "regression", "numbers, 40 different values"),
        ([0.5, 1.5] * 20, "regression", "numbers, 2 different values"),
    ],
)
def test_the_task_is_guessed_by_the_target_with_a_reason(tmp_path, answers, task, reason):
    made = plan(tmp_path, table(answers))
    assert (made.task, made.task_reason) == (task, reason)


def test_the_task_can_be_told(tmp_path):
    made = plan(tmp_path, table([0, 1, 2, 3] * 10), task="regression")
    assert made.task == "regression"
    assert made.y.dtype == np.float64


def test_kinds_are_told_by_name(tmp_path):
    made = plan(tmp_path, table(["a", "b"] * 20, zip=[1, 2, 3, 4] * 10), kinds={"zip": "categorical", "x": "ignored"})
    assert {c.name: (c.kind, c.reason) for c in made.columns} == {
        "x": ("ignored", "as told"),
        "zip": ("categorical", "as told"),
    }


def test_classes_are_held_back_in_proportion(tmp_path):
    made = plan(tmp_path, table(["a"] * 30 + ["b"] * 10))
    assert sorted(made.y_validation.tolist()) == ["a"] * 6 + ["b"] * 2
    assert made.split == [
        "Test: none, as there are fewer than 100 rows",
        "To say when to stop: 8 rows, 20 % of the rows, with the classes in proportion (seed 0)",
    ]
    assert made.held_back is None, "what is measured is not learned from"


def test_a_class_with_one_row_is_learned_from(tmp_path):
    made = plan(tmp_path, table(["a"] * 20 + ["b"] * 20 + ["rare"]))
    assert "rare" in made.y.tolist()
    assert "rare" not in made.y_validation.tolist()


def test_rows_of_a_group_stay_together_and_the_group_is_no_input(tmp_path):
    groups = [f"g{i % 9}" for i in range(90)]
    made = plan(tmp_path, table(list(range(90)), g=groups), group="g", validation=0.3)
    train, held = set(made.x["g"]), set(made.x_validation["g"])
    assert not train & held
    assert len(held) == 3
    assert made.stop_split == "3 of the 9 groups by g, 33 % of the rows (seed 0)"
    assert {c.name: c.kind for c in made.columns}["g"] == "ignored"


@pytest.mark.parametrize("day", ["2024-01-{:02}", "{:02}.01.2024"])
def test_the_latest_rows_are_held_back(tmp_path, day):
    days = [day.format(1 + (7 * i) % 31) for i in range(31)]
    made = plan(tmp_path, table(list(range(31)), day=days), time="day")
    assert sorted(made.x_validation["day"]) == [day.format(d) for d in range(26, 32)]
    assert made.stop_split == f"the latest 19 % of the rows, day from {day.format(26)}"


def test_from_a_hundred_rows_on_a_part_is_kept_for_a_test_and_three_drawings_of_the_rest_say_when_to_stop(tmp_path):
    made = plan(tmp_path, table(["a"] * 75 + ["b"] * 25))
    assert made.rows == {"training": 64, "validation": 16, "test": 20}
    assert sorted(made.y_test) == ["a"] * 15 + ["b"] * 5
    assert not set(made.x["x"]) & set(made.x_test["x"])
    assert made.held_back.shape == (3, 80)
    assert (made.held_back.sum(axis=1) == 16).all()
    assert len(np.unique(made.held_back, axis=0)) == 3
    assert made.x_validation is None
    assert made.split == [
        "Test: 20 rows, 20 % of the rows, with the classes in proportion (seed 0)",
        "To say when to stop: 16 rows, 20 % of the other rows, with the classes in proportion (seed 0)",
    ]


def test_a_test_can_be_asked_for_and_left_out(tmp_path):
    assert plan(tmp_path, table(list(range(40))), test=0.25).rows == {"training": 24, "validation": 6, "test": 10}
    made = plan(tmp_path, table(list(range(200))), test=0)
    assert made.rows == {"training": 160, "validation": 40, "test": 0}
    assert made.test_split == "none, as told"


def test_the_test_of_groups_is_of_groups_that_neither_learn_nor_stop(tmp_path):
    made = plan(tmp_path, table(list(range(120)), g=[f"g{i % 6}" for i in range(120)]), group="g")
    groups = made.x["g"].to_numpy()
    for mask in made.held_back:
        parts = [set(made.x_test["g"]), set(groups[mask]), set(groups[~mask])]
        assert sum(map(len, parts)) == len(set.union(*parts)) == 6
    two = table(list(range(120)), g=["a", "b"] * 60)
    assert plan(tmp_path, two, group="g").test_split == "none, as there are fewer than 3 groups by g"
    with pytest.raises(DataError, match="expected at least 3 groups in 'g', got 2"):
        plan(tmp_path, two, group="g", test=0.2)


def test_the_latest_rows_are_the_test_and_those_before_it_say_when_to_stop(tmp_path):
    times = [(7 * i) % 100 for i in range(100)]
    made = plan(tmp_path, table([t / 2 for t in times], t=times), time="t")
    assert sorted(made.x_test["t"]) == list(range(80, 100))
    assert made.held_back.shape == (1, 80)
    assert sorted(made.x["t"].to_numpy()[made.held_back[0]]) == list(range(64, 80))


@pytest.mark.parametrize("rows", [60, 120])
@pytest.mark.parametrize("share", [0.1, 0.25, 0.6])
@pytest.mark.parametrize("form", ["2024-01-{:02}", "{}"])
def test_rows_of_one_time_are_on_one_side(tmp_path, rows, share, form):
    times = [form.format(1 + (5 * i) % 7) for i in range(rows)]
    made = plan(tmp_path, table(list(range(rows)), t=times), time="t", validation=share)
    if rows < 100:
        parts = [made.x["t"], made.x_validation["t"]]
    else:
        (mask,) = made.held_back
        parts = [made.x.filter(~mask)["t"], made.x.filter(mask)["t"], made.x_test["t"]]
    several = [sorted(set(part)) for part in parts]
    assert all(several)
    assert [time for part in several for time in part] == sorted(set(made.source.read().frame["t"]))


def test_dates_are_read_in_the_format_of_all_rows_in_each_part(tmp_path):
    days = [f"{d:02}/{m:02}/2024" for m in range(1, 11) for d in range(1, 11)]  # alone they may be month and day
    days += [f"{13 + i % 15}/01/2025" for i in range(25)]
    made = plan(tmp_path, table(list(range(125)), t=days), time="t")
    assert set(made.x_test["t"]) == set(days[100:])
    (mask,) = made.held_back
    assert set(made.x.filter(mask)["t"]) == set(days[80:100])


def test_of_times_with_many_rows_as_many_are_held_back_as_come_nearest_to_the_share(tmp_path):
    times = [1] * 40 + [2] * 30 + [3] * 20 + [4] * 9
    for share, rows in ((0.01, 9), (0.18, 9), (0.21, 29), (0.4, 29), (0.5, 59), (0.9, 59)):
        made = plan(tmp_path, table(list(range(99)), t=times), time="t", validation=share)
        assert len(made.y_validation) == rows
    assert made.stop_split == "the latest 60 % of the rows, t from 2"


def test_there_is_a_test_of_the_latest_rows_where_there_are_times_enough(tmp_path):
    two = table(list(range(120)), t=[1, 2] * 60)
    made = plan(tmp_path, two, time="t")
    assert made.test_split == "none, as there are fewer than 3 different times in t"
    assert set(made.x["t"]) == {1}
    assert set(made.x_validation["t"]) == {2}
    with pytest.raises(
        DataError, match=r"--time expected at least 3 different times in 't', got 2\. Name .* needs but"
    ):
        plan(tmp_path, two, time="t", test=0.2)


def test_the_rows_of_the_test_may_be_in_a_file_of_their_own(tmp_path):
    (tmp_path / "test.csv").write_text("y,x\n2.5,1\n3,\n", encoding="utf-8")
    (tmp_path / "t.csv").write_text(table([i / 4 for i in range(20)]), encoding="utf-8")
    made = make_plan(open_table(tmp_path / "t.csv"), Wishes("y"), test=open_table(tmp_path / "test.csv"))
    assert made.rows == {"training": 16, "validation": 4, "test": 2}
    assert made.y_test.tolist() == [2.5, 3.0]
    assert made.test_split.endswith("test.csv")


def test_rows_of_the_test_of_a_class_that_no_other_row_is_of_are_told(tmp_path):
    times = list(range(100))
    made = plan(tmp_path, table(["a", "b"] * 45 + ["new"] * 10, t=times), time="t")
    assert "10 rows of the test are of classes that no other row is of: counted as wrong" in made.notes
    assert len(made.y_test) == 20


def test_rows_to_hold_back_may_be_in_a_file_of_their_own(tmp_path):
    held = "y,extra,x\n0.5,z,1.25\n1.5,z,NA\n,z,3\n"
    made = plan(tmp_path, "x,y\n" + "".join(f"{i}.5,{i / 4}\n" for i in range(20)), held=held)
    assert made.x_validation["x"].to_list() == [1.25, None]
    assert made.y_validation.tolist() == [0.5, 1.5]
    assert any("1 row without a y is left out, on line 4" in note for note in made.notes)
    with pytest.raises(DataError, match=r"v\.csv expected the column 'x' of .*t\.csv"):
        plan(tmp_path, table(list(range(20))), held="y\n1\n")


def test_a_held_back_class_that_was_never_seen_is_left_out_and_told(tmp_path):
    made = plan(tmp_path, table(["a", "b"] * 10), held="x,y\n1,a\n2,c\n")
    assert made.y_validation.tolist() == ["a"]
    assert "1 held-back row is of a class without a row to learn from" in made.notes[-1]


def test_rows_without_a_target_are_left_out_and_told(tmp_path):
    made = plan(tmp_path, table(["a", "b", "", "a"] * 10))
    assert len(made.y) + len(made.y_validation) == 30
    assert made.notes == ["10 rows without a y are left out, the first on line 4"]


def test_rows_of_weight_0_are_as_if_they_were_not_there(tmp_path):
    answers = ["a", "b", "c"] * 40
    made = plan(tmp_path, table(answers, w=[int(y != "c") for y in answers]), weight="w")
    assert made.rows == {"training": 64, "validation": 16, "test": 0}
    assert set(made.y) == {"a", "b"}
    assert made.notes == ["40 rows of weight 0 are left out"]


def test_rows_whose_time_is_no_number_are_learned_from(tmp_path):
    frame = polars.DataFrame({"t": [float("nan"), *range(119)], "y": [0.5, 1.5] * 60}, strict=False)
    frame.write_parquet(tmp_path / "t.parquet")
    made = make_plan(open_table(tmp_path / "t.parquet"), Wishes("y", time="t"))
    assert made.x_test is not None
    assert made.x_test["t"].to_list() == list(range(95, 119))


def test_weights_are_a_column_and_no_input(tmp_path):
    made = plan(tmp_path, table(list(range(20)), w=[0.5, 2] * 10), weight="w")
    assert set(made.weight.tolist()) == {0.5, 2.0}  # type: ignore[union-attr]
    assert {c.name: c.kind for c in made.columns}["w"] == "ignored"
    with pytest.raises(ArgumentError, match=r"line 3, column 'w' expected a weight of at least 0, got -2"):
        plan(tmp_path, table(list(range(20)), w=[0.5, -2] * 10), weight="w")


def test_columns_told_to_be_numbers_are_read_as_numbers_and_the_rest_is_told(tmp_path):
    made = plan(tmp_path, table(list(range(20)), n=["1", "x"] * 10), kinds={"n": "numeric"})
    assert made.x.schema["n"].is_numeric()
    assert any("column 'n': 10 values are no number" in note for note in made.notes)


def test_all_missing_constant_and_id_columns_are_left_out_with_a_reason(tmp_path):
    made = plan(tmp_path, table(["a", "b"] * 20, none=[""] * 40, same=["k"] * 40, id=range(100, 140)))
    assert {c.name: c.kind for c in made.columns} == {"x": "id", "none": "empty", "same": "constant", "id": "id"}
    assert not any(c.is_used for c in made.columns)


@pytest.mark.parametrize(
    ("text", "wishes", "message"),
    [
        ("x,y\n", {}, "expected rows, got a header alone"),
        ("x,y\n1,\n2,NA\n", {}, "expected values in the target 'y', got none in any row"),
        ("x,y\n1,a\n2,a\n3,a\n4,a\n5,a\n", {}, "expected at least 2 classes in the target 'y', got 'a' in all 5 rows"),
        ("x,y\n1,.5\n2,.5\n3,.5\n4,.5\n5,.5\n", {}, "expected the target 'y' to vary, got 0.5 in all 5 rows"),
        ("x,y\n1,a\n2,b\n", {}, "expected at least 5 rows to learn from, got 2"),
        ("y\n1\n2\n3\n4\n5\n", {}, "expected columns beside the target, got 'y' alone"),
        ("x,why\n1,2\n", {}, "expected the column 'y' as the target, got a table of x, why. Add it"),
        ("x,y\n1,2\n", {"kinds": {"z": "numeric"}}, "expected the column 'z' that the options name"),
        (table([f"t{i}" for i in range(200)]), {}, "to be classes or numbers, got text with 200 different values"),
        (table([1.5] * 9 + ["abc"] * 3), {"task": "regression"}, "line 11, column 'y' expected a number, got 'abc'"),
        (table([1.5] * 9 + ["inf"]), {}, "line 11, column 'y' expected a finite number, got inf"),
        (table([1, 2.5] * 9), {"time": "x", "stratify": True}, "expected one way to choose rows, got --time and --str"),
        (table([1, 2.5] * 9), {"stratify": True}, "--stratify expected classes, got numbers"),
        (table([1, 2.5] * 9, g=["a"] * 18), {"group": "g"}, "expected at least 2 groups in 'g', got one alone"),
        (table([1, 2.5] * 9, g=["a", "b"] * 9), {"time": "g"}, "expected dates or numbers in 'g', got categorical"),
        (table([1, 2.5] * 9, t=[3] * 18), {"time": "t"}, "expected at least 2 different times in 't', got one alone"),
        (table([1, 2.5] * 9), {"time": "y"}, "--time expected a column beside the target, got 'y'"),
        (table([1, 2.5] * 9), {"group": "y"}, "--group expected a column beside the target, got 'y'"),
        (table([1, 2.5] * 9), {"weight": "y"}, "--weight expected a column beside the target, got 'y'"),
        (table([f"t{i}" for i in range(20)]), {}, "with at least 2 rows in the rows, got 20 classes with a row"),
        (
            table([1, 2.5] * 9, w=[0] * 18),
            {"weight": "w"},
            "column 'w' expected a weight above 0, got 0 in all 18 rows",
        ),
    ],
)
def test_what_cannot_be_learned_is_told(tmp_path, text, wishes, message):
    with pytest.raises((DataError, ArgumentError), match=message.replace(".", r"\.").replace("(", r"\(")):
        plan(tmp_path, text, **wishes)


def test_rows_to_stop_on_have_their_weights_wherever_they_are(tmp_path):
    text = table(list(range(20)), w=[0.5, 2] * 10)
    made = plan(tmp_path, text, weight="w")
    assert made.weight_validation.tolist() == made.x_validation["w"].to_list()
    made = plan(tmp_path, text, weight="w", held="y,w,x\n1,3,1\n2,0,2\n3,4,3\n")
    assert made.weight_validation.tolist() == [3, 4]
    assert made.y_validation.tolist() == [1, 3]
    assert "1 row of weight 0 is left out" in made.notes
    assert plan(tmp_path, table(list(range(20)))).weight_validation is None


def test_rows_of_weight_0_in_a_file_of_their_own_are_not_measured(tmp_path):
    (tmp_path / "t.csv").write_text(table(list(range(20)), w=[0.5, 2] * 10))
    (tmp_path / "test.csv").write_text("y,w,x\n1,3,1\n2,0,2\n3,4,3\n")
    (tmp_path / "none.csv").write_text("y,w,x\n1,0,1\n2,0,2\n")
    source, test, none = (open_table(tmp_path / f"{name}.csv") for name in ("t", "test", "none"))
    made = make_plan(source, Wishes("y", weight="w"), test=test)
    assert made.y_test.tolist() == [1, 3]
    assert made.x_test["x"].to_list() == [1, 3]
    assert "1 row of weight 0 is left out" in made.notes
    for files in ((None, none), (none, None)):
        with pytest.raises(
            ArgumentError, match=r"none\.csv, column 'w' expected a weight above 0, got 0 in all 2 rows"
        ):
            make_plan(source, Wishes("y", weight="w"), *files)
