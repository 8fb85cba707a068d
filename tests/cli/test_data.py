from __future__ import annotations

import gzip

import pytest
from typer.testing import CliRunner

from lucidgrad import data
from lucidgrad.cli.main import app
from lucidgrad.lab import TASKS

RUNNER = CliRunner()


@pytest.fixture(autouse=True)
def nothing_here(tmp_path, monkeypatch):
    monkeypatch.setenv("LUCIDGRAD_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def run(*options: str):
    return RUNNER.invoke(app, ["data", *options])


def test_every_data_set_is_listed_with_where_it_is():
    result = run()
    assert result.exit_code == 0
    lines = dict(line.split(maxsplit=1) for line in result.stdout.splitlines())
    assert list(lines) == list(TASKS)
    assert "not on this machine; to fetch it: lucidgrad data mnist" in lines["mnist"]
    assert "1,438 training and 359 test samples of 64 numbers, 10 classes; comes with scikit-learn" in lines["digits"]
    assert "drawn from a seed" in lines["moons"]


def test_where_files_are_looked_for_is_told_where_nobody_has_said(monkeypatch):
    assert run().stderr == ""
    monkeypatch.delenv("LUCIDGRAD_DATA")
    monkeypatch.delenv("GRADLET_DATA", raising=False)
    assert "LUCIDGRAD_DATA=FOLDER names another place" in run().stderr


def test_a_data_set_that_is_there_is_described():
    result = run("digits")
    assert result.exit_code == 0
    assert result.stdout.startswith("digits: comes with scikit-learn\nHandwritten digits")


def test_a_published_data_set_says_in_which_folder_it_was_checked(tmp_path, monkeypatch):
    import dataclasses

    found = dataclasses.replace(data.digits(), source=tmp_path)
    monkeypatch.setitem(TASKS, "mnist", lambda folder, download: found)
    assert run("mnist").stdout.startswith(f"mnist: checked, in {tmp_path}\n")


def test_a_damaged_file_is_told_and_ends_with_exit_code_1(tmp_path):
    folder = tmp_path / "data" / "mnist"
    folder.mkdir(parents=True)
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(b"\0\0\x08\x01\0\0\0\x02\1"))
    result = run()
    assert result.exit_code == 1
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("mnist")]
    assert line.startswith("mnist     damaged: ")
    assert "train-labels" in line
    assert "digits" in result.stdout


def test_an_unknown_data_set_is_not_understood():
    result = run("minst")
    assert result.exit_code == 2
    assert "'minst' is none of mnist" in " ".join(result.stderr.split())


def test_what_is_not_there_and_may_not_be_fetched_is_an_error():
    from lucidgrad.errors import DownloadError

    result = run("mnist", "--no-download")
    assert isinstance(result.exception, DownloadError)
