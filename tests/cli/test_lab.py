from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from lucidgrad.cli.main import app
from lucidgrad.lab import load_task

RUNNER = CliRunner()
QUICK = ["--layers", "1,2", "--activations", "tanh", "--networks-only", "--epochs", "2", "--widths", "8"]


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")


def lab(*options: str):
    return RUNNER.invoke(app, ["lab", *options])


def test_the_lab_prints_a_table_and_answers_and_writes_a_report(tmp_path):
    result = lab("--task", "digits", *QUICK, "--output", str(tmp_path / "new" / "report"))
    assert result.exit_code == 0, result.output
    assert "The lab on digits: 1,438 training and 359 test samples of 64 numbers, 10 classes." in result.stdout
    for row in ("1 layer ", "2 layers, tanh ", "2 layers, no activation "):
        assert row in result.stdout
    for question in ("Does the activation matter?", "Are 2 or 3 layers needed?", "How do the weights behave?"):
        assert question in result.stdout
    assert "report.html" in result.stdout
    assert (tmp_path / "new" / "report" / "report.html").stat().st_size > 10_000
    assert result.stderr == ""


def test_what_is_printed_is_what_was_measured(tmp_path):
    result = lab("--task", "digits", *QUICK, "--output", str(tmp_path))
    record = json.loads((tmp_path / "measurements.json").read_text())
    for entry in record["results"]:
        (line,) = [line for line in result.stdout.splitlines() if line.strip().startswith(entry["label"] + "  ")]
        assert f"{100 * entry['test_accuracy']:.1f}" in line
    printed = " ".join(result.stdout.split())
    assert all(" ".join(answer["verdict"].split()) in printed for answer in record["answers"])


def test_json_is_all_that_is_printed_when_asked_for(tmp_path):
    result = lab("--task", "xor", *QUICK, "--json", "--output", str(tmp_path))
    assert result.exit_code == 0
    record = json.loads(result.stdout)
    assert [entry["label"] for entry in record["results"]] == ["1 layer", "2 layers, tanh", "2 layers, no activation"]
    assert result.stderr == ""
    on_disk = json.loads((tmp_path / "measurements.json").read_text())
    assert record == {key: value for key, value in on_disk.items() if key != "command"}


def test_every_option_reaches_the_settings(tmp_path):
    options = (
        "--task moons --layers 2 --widths 5,7 --activations relu,gelu --optimizer rmsprop --learning-rate 0.02 "
        "--schedule cosine --epochs 3 --batch-size 50 --dropout 0.2 --weight-decay 0.5 --seed 4 --seeds 2 "
        "--dtype float64 --networks-only --json"
    )
    record = json.loads(lab(*options.split(), "--output", str(tmp_path)).stdout)
    assert record["task"]["name"] == "moons"
    expected = {
        "layers": [2],
        "widths": [5, 7],
        "activations": ["relu", "gelu"],
        "optimizer": "rmsprop",
        "learning_rate": 0.02,
        "schedule": "cosine",
        "epochs": 3,
        "batch_size": 50,
        "dropout": 0.2,
        "weight_decay": 0.5,
        "seed": 4,
        "seeds": 2,
        "dtype": "float64",
        "depths": [],
        "descent_epochs": 0,
    }
    assert {key: record["settings"][key] for key in expected} == expected
    assert [entry["seed"] for entry in record["results"]] == [4, 5, 4, 5, 4]
    assert record["results"][0]["sizes"] == [2, 7, 2]


def test_dashes_and_capitals_are_understood(tmp_path):
    options = [
        "--task",
        "XOR",
        "--layers",
        "1",
        "--schedule",
        "one-cycle",
        "--networks-only",
        "--epochs",
        "1",
        "--json",
    ]
    assert json.loads(lab(*options, "--output", str(tmp_path)).stdout)["settings"]["schedule"] == "one_cycle"


def test_without_mnist_the_default_is_the_digits_and_the_lab_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("LUCIDGRAD_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    result = lab(*QUICK, "--layers", "1", "--no-download", "--output", str(tmp_path / "out"))
    assert result.exit_code == 0
    assert "MNIST was not found on this machine" in result.stdout
    assert "The lab on digits" in result.stdout
    assert "MNIST was not found" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--task", "minst"], "'minst' is none of mnist, digits, fashion, spirals, moons, circles, xor"),
        (["--layers", "1,two"], "'1,two' is not a list of whole numbers of at least 1, such as 256,128"),
        (["--layers", "0"], "'0' is not a list of whole numbers of at least 1"),
        (["--widths", ""], "'' is not a list of whole numbers"),
        (["--activations", "relu,foo"], "'foo' is none of identity, relu"),
        (["--optimizer", "lbfgs"], "'lbfgs' is none of sgd, adam"),
        (["--schedule", "random"], "'random' is none of constant, cosine, one_cycle"),
        (["--dtype", "float16"], "'float16' is none of float32, float64"),
        (["--learning-rate", "-1"], "learning_rate expected a number in [0, inf), got -1.0"),
        (["--learning-rate", "fast"], "'--learning-rate'"),
        (["--epochs", "0"], "'--epochs'"),
        (["--seeds", "0"], "'--seeds'"),
        (["--dropout", "1"], "'--dropout'"),
        (["--no-such-option"], "--no-such-option"),
    ],
)
def test_a_value_that_is_not_understood_ends_with_exit_code_2(tmp_path, options, message):
    result = lab("--task", "xor", *options, "--output", str(tmp_path / "out"))
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert not (tmp_path / "out").exists()


def process(*options: str, **more):
    return subprocess.Popen(
        [sys.executable, "-m", "lucidgrad", "lab", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


def test_data_that_is_not_there_is_one_line_and_exit_code_1(tmp_path):
    done = process("--task", "mnist", "--data", str(tmp_path), "--no-download", "--output", str(tmp_path / "out"))
    out, err = done.communicate(timeout=60)
    assert (done.returncode, out) == (1, "")
    assert err.startswith("lucidgrad: mnist() expected the files train-labels")
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_an_output_folder_that_cannot_be_is_one_line_and_exit_code_1_before_any_training(tmp_path):
    (tmp_path / "file").write_text("")
    done = process("--task", "xor", "--epochs", "100000", "--output", str(tmp_path / "file"))
    _, err = done.communicate(timeout=60)
    assert done.returncode == 1
    assert re.fullmatch(r"lucidgrad: .*file.*\n", err)


def test_a_process_of_its_own_writes_the_whole_report_and_stays_quiet_on_standard_error(tmp_path):
    done = process("--task", "circles", *QUICK, "--output", str(tmp_path))
    out, err = done.communicate(timeout=60)
    assert (done.returncode, err) == (0, "")
    assert "Does the activation matter?" in out
    assert (tmp_path / "figures" / "boundary.gif").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send to another process")
def test_ctrl_c_reports_what_was_measured_so_far_and_ends_with_exit_code_130(tmp_path):
    options = ["--layers", "1,2", "--activations", "tanh", "--networks-only", "--epochs", "100000"]
    started = process("--task", "xor", *options, "--output", str(tmp_path))
    assert "The lab on xor" in started.stdout.readline()
    time.sleep(2.0)  # a few epochs of the first network
    os.kill(started.pid, signal.SIGINT)
    out, err = started.communicate(timeout=60)
    assert started.returncode == 130, err
    assert "Interrupted: all this is about 1 of 3 networks." in out
    record = json.loads((tmp_path / "measurements.json").read_text())
    assert record["interrupted"]
    assert record["results"][0]["status"] == "interrupted"
    assert 0 < len(record["results"][0]["history"]) < 100_000
    assert (tmp_path / "report.html").read_text().endswith("</html>\n")


def test_ctrl_c_before_the_first_epoch_leaves_nothing_to_report(tmp_path, monkeypatch):
    from lucidgrad.cli import lab as command
    from lucidgrad.lab import Experiment, default_settings

    task = load_task("xor")
    nothing = Experiment(task, default_settings(task), planned=3, interrupted=True)
    monkeypatch.setattr(command, "run_lab", lambda *_: nothing)
    result = lab("--task", "xor", "--output", str(tmp_path))
    assert result.exit_code == 130
    assert "nothing to report" in result.stderr
    assert list(tmp_path.iterdir()) == []
