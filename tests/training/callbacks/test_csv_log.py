"""The log is a table that holds each epoch once."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from lucidgrad.metrics import Precision
from lucidgrad.training import Callback, Checkpoint, CSVLog, Run, WeightStatistics


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_each_epoch_is_a_line_with_all_that_was_measured_in_full(train: Any, tmp_path: Path) -> None:
    run = train(CSVLog(tmp_path / "log.csv"), WeightStatistics(), validation=0.25, metrics=["accuracy"])
    found = rows(tmp_path / "log.csv")
    assert [row["epoch"] for row in found] == ["1", "2", "3"]
    for row, measured in zip(found, run.history, strict=True):
        assert float(row["validation_loss"]) == measured["validation_loss"]
        assert float(row["max_abs_weight/2.bias"]) == measured["max_abs_weight"]["2.bias"]
        assert float(row["relative_update/0.weight"]) == measured["relative_update"]["0.weight"]
    flat = sum(len(v) if isinstance(v, dict) else 1 for v in run.history.last.values())
    assert len(found[0]) == flat


def test_a_line_is_in_the_file_as_soon_as_its_epoch_is_done(train: Any, tmp_path: Path) -> None:
    class Reads(Callback):
        seen: list[int] = []

        def on_epoch_begin(self, run: Run) -> None:
            self.seen.append(len(rows(tmp_path / "log.csv")))

    reads = Reads()
    train(CSVLog(tmp_path / "log.csv"), reads)
    assert reads.seen == [0, 1, 2]


def test_a_resumed_run_holds_each_epoch_once(train: Any, tmp_path: Path) -> None:
    class PowerCut(Callback):
        def on_epoch_end(self, run: Run) -> None:
            if run.epoch == 3:
                raise RuntimeError

    class CutsLast(PowerCut):
        runs_last = True

    log, saving = tmp_path / "log.csv", tmp_path / "checkpoints"
    with pytest.raises(RuntimeError):  # after the line of epoch 3 was written, and before its checkpoint
        train(CSVLog(log), CutsLast(), Checkpoint(saving), epochs=5)
    assert [row["epoch"] for row in rows(log)] == ["1", "2", "3"]
    run = train(CSVLog(log), Checkpoint(saving), epochs=5, resume=True)
    assert [row["epoch"] for row in rows(log)] == ["1", "2", "3", "4", "5"]
    assert [float(row["loss"]) for row in rows(log)] == run.history["loss"]


def test_a_run_from_the_start_replaces_the_file(train: Any, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("something else")
    train(CSVLog(tmp_path / "log.csv"), epochs=1)
    assert len(rows(tmp_path / "log.csv")) == 1


def test_a_number_for_each_class_is_a_column_for_each(train: Any, tmp_path: Path) -> None:
    run = train(CSVLog(tmp_path / "log.csv"), metrics=[Precision(average=None)], epochs=1)
    row = rows(tmp_path / "log.csv")[0]
    assert [float(row["precision_per_class/0"]), float(row["precision_per_class/1"])] == run.history.last[
        "precision_per_class"
    ].tolist()


def test_a_column_that_comes_later_is_left_out_with_one_warning(train: Any, tmp_path: Path) -> None:
    class Adds(Callback):
        def on_epoch_end(self, run: Run) -> None:
            if run.epoch > 1:
                run.history.last["새"] = 1.0
                run.history.last.pop("seconds")

    with pytest.warns(RuntimeWarning, match="got also 새 in epoch 2") as caught:
        train(CSVLog(tmp_path / "log.csv"), Adds())
    assert len(caught) == 1
    assert [row["seconds"] != "" for row in rows(tmp_path / "log.csv")] == [True, False, False]


def test_names_with_commas_and_quotes_come_back(train: Any, tmp_path: Path, tells: Any) -> None:
    train(tells('a "b", c', [1.0, 2.0, 3.0]), CSVLog(tmp_path / "log.csv"))
    assert [row['a "b", c'] for row in rows(tmp_path / "log.csv")] == ["1.0", "2.0", "3.0"]


def test_a_log_that_cannot_be_written_ends_the_run(train: Any, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        train(CSVLog(tmp_path / "not there" / "log.csv"))
