"""One of something is said in the singular: in plans, notes, the command line, and the doctor."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

import lucidgrad as lg
from lucidgrad.cli.main import main
from lucidgrad.data import open_table
from lucidgrad.tables import Wishes, make_plan, train

QUICK: dict[str, Any] = {"members": 1, "pieces": 0, "epochs": 1, "hidden_layer_sizes": (4,), "random_state": 0}
SEVERAL_OF_ONE = re.compile(r"(?<![\d.,])1 (?:[a-z-]+ ){0,2}(?:[a-z]+[^s]s|values|classes|axes)\b(?! (?:than|as))")
"""Such as "1 rows", "1 more classes"."""


def written(folder: Path, name: str, text: str) -> Any:
    (folder / name).write_text(text, encoding="utf-8")
    return open_table(folder / name)


def small(folder: Path) -> Any:
    """One row to stop on, one without a target, one of weight 0, one to stop on of a class that is nowhere else."""
    rows = [f"{i},{'ab'[i % 2]},1" for i in range(9)]
    source = written(folder, "t.csv", "\n".join(["x,y,w", *rows, "9,,1", "10,a,0"]))
    stop = written(folder, "v.csv", "x,y,w\n1,a,1\n2,new,1\n")
    return make_plan(
        source, Wishes("y", weight="w"), validation=stop, test=written(folder, "e.csv", "x,y,w\n1,new,1\n")
    )


def test_a_plan_and_what_became_of_it_count_one_row_in_the_singular(tmp_path: Path) -> None:
    made = small(tmp_path)
    assert made.notes == [
        "1 row without a y is left out, on line 11",
        "1 row of weight 0 is left out",
        "1 held-back row is of a class without a row to learn from and is left out",
        "1 row of the test is of a class that no other row is of: counted as wrong",
    ]
    assert [part.split(",")[0] for part in made.split] == ["Test: 1 row", "To say when to stop: 1 row"]
    assert train(made, QUICK).learned_how.startswith("It learned from 9 rows, and 1 other said when to stop: ")


def test_the_command_line_counts_one_row_in_the_singular(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    small(tmp_path)
    files = ["--validation-file", "v.csv", "--test-file", "e.csv"]
    commands = [
        ["train", "t.csv", "--target", "y", "--weight", "w", "--epochs", "1", "--engine", "eager", *files],
        ["predict", "t.lucidgrad", "e.csv", "-o", "out.csv"],
        ["evaluate", "t.lucidgrad", "e.csv"],
        ["inspect", "t.lucidgrad"],
    ]
    said = ""
    for command in commands:
        monkeypatch.setattr(sys, "argv", ["lucidgrad", *command])
        with pytest.raises(SystemExit) as left:
            main()
        assert not left.value.code
        said += "".join(capsys.readouterr())
    assert "out.csv: 1 row\n" in said
    assert not SEVERAL_OF_ONE.findall(said + Path("t.html").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("epochs", "said", "in_korean"), [(1, "1 epoch", "에포크 1개"), (2, "2 epochs", "에포크 2개")])
def test_the_doctor_counts_one_epoch_in_the_singular(epochs: int, said: str, in_korean: str) -> None:
    x, y = lg.data.moons(40, seed=0)
    run = lg.fit(
        lg.nn.Linear(2, 2, key=lg.Key(0)), x, y, loss="cross_entropy", optimizer=lg.optim.SGD(0.1), epochs=epochs
    )
    diagnosis = lg.doctor(run)
    assert re.search(rf"run of {said}\b", diagnosis.text("en"))
    assert in_korean in diagnosis.text("ko")


def test_a_summary_counts_one_parameter_in_the_singular() -> None:
    assert lg.nn.Linear(1, 1, bias=False).summary().endswith("1 parameter, 0 numbers in buffers, 4 bytes")
