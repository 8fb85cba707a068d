"""The Checkpoint callback saves when it should, keeps what it should, and does not hide a failure."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from lucidgrad.errors import ArgumentError, CheckpointError
from lucidgrad.io import checkpoint
from lucidgrad.training import Callback, Checkpoint, Run


def numbers(folder: Path) -> list[int]:
    return [int(p.stem.removeprefix("step-")) for p in checkpoint.steps(folder)]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [3, 6, 9]),
        ({"keep": 1}, [9]),
        ({"every_epochs": 2, "keep": None}, [6, 9]),  # and the end of the run
        ({"every_epochs": None, "every_steps": 2, "keep": None}, [2, 4, 6, 8, 9]),
        ({"every_epochs": 3, "every_steps": 4, "keep": None}, [4, 8, 9]),
        ({"every_epochs": None}, [9]),
    ],
    ids=str,
)
def test_it_saves_every_so_many_epochs_or_steps_and_at_the_end(
    train: Any, tmp_path: Path, options: dict[str, Any], expected: list[int]
) -> None:
    train(Checkpoint(tmp_path, **options))
    assert numbers(tmp_path) == expected
    state, _ = checkpoint.load(tmp_path)
    assert state["progress"]["epoch"] == 3


def test_the_best_epoch_is_kept_besides_the_newest(train: Any, tells: Any, tmp_path: Path) -> None:
    saving = Checkpoint(tmp_path, keep=1, monitor="validation_score")
    train(tells("validation_score", [0.2, 0.9, 0.5]), saving)
    assert numbers(tmp_path) == [9]
    best, _ = checkpoint.load(tmp_path / "best.json")
    assert best["progress"]["epoch"] == 2
    assert saving.best == 0.9
    assert len(list(tmp_path.iterdir())) == 4


def test_a_resumed_run_does_not_take_a_worse_epoch_for_the_best(train: Any, tells: Any, tmp_path: Path) -> None:
    values = [0.2, 0.9, 0.5, 0.6]
    train(tells("score", values), Checkpoint(tmp_path, monitor="score"), epochs=3)
    train(tells("score", values), Checkpoint(tmp_path, monitor="score"), epochs=4, resume=True)
    assert checkpoint.load(tmp_path / "best.json")[0]["progress"]["epoch"] == 2


def test_a_new_run_does_not_mix_with_the_checkpoints_of_another(train: Any, tmp_path: Path) -> None:
    train(Checkpoint(tmp_path))
    with pytest.raises(
        CheckpointError, match=r"3, the newest step-00000009\.json\. Go on from them with .*resume=True"
    ):
        train(Checkpoint(tmp_path))
    assert numbers(tmp_path) == [3, 6, 9]


def test_temporaries_of_a_run_that_died_are_removed_at_the_beginning(train: Any, tmp_path: Path) -> None:
    left = tmp_path / f".step-00000003.json.{'0' * 16}.tmp"
    left.write_bytes(b"half")
    train(Checkpoint(tmp_path))
    assert not left.exists()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EIO])
def test_an_error_while_saving_ends_the_run_and_the_checkpoint_before_stays(
    train: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    class DiskFails(Callback):
        def on_epoch_begin(self, run: Run) -> None:
            if run.epoch == 1:
                self.before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
                monkeypatch.setattr(os, "fsync", self.fail)

        def fail(self, _: int) -> None:
            raise OSError(code, os.strerror(code))

    disk = DiskFails()
    with pytest.raises(CheckpointError, match=f"step-00000006.*{os.strerror(code)}") as caught:
        train(disk, Checkpoint(tmp_path))
    assert caught.value.errno == code
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == disk.before


def test_a_run_that_failed_in_a_step_does_not_save_it(train: Any, tmp_path: Path) -> None:
    class Fails(Callback):
        def on_step_end(self, run: Run) -> None:
            if run.step == 5:
                raise RuntimeError

    with pytest.raises(RuntimeError):
        train(Fails(), Checkpoint(tmp_path))
    assert numbers(tmp_path) == [3]


@pytest.mark.parametrize("options", [{"every_epochs": 0}, {"every_steps": -1}, {"keep": 0}])
def test_numbers_below_one_are_refused(tmp_path: Path, options: dict[str, int]) -> None:
    with pytest.raises(ArgumentError, match=rf"Checkpoint\({next(iter(options))}\) expected at least 1"):
        Checkpoint(tmp_path, **options)


def test_a_column_to_monitor_that_is_not_there_or_says_no_direction_is_named(train: Any, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"Checkpoint\(monitor\) expected one of the columns epoch, loss"):
        train(Checkpoint(tmp_path, monitor="validation_loss"))
    with pytest.raises(ArgumentError, match="'min' or 'max' for 'mine'"):
        Checkpoint(tmp_path, monitor="mine")
