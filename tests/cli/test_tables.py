"""The commands for tables: what they print and write, and how they fail."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import polars
import pytest
from sklearn.datasets import load_wine

import lucidgrad as lg
from lucidgrad.cli.main import main

COLUMNS = ",".join([*load_wine().feature_names, "bottled", "region"])
QUICK = ("--epochs", "3", "--layers", "8", "--engine", "eager")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def wine(path: str = "wine.csv") -> polars.DataFrame:
    """scikit-learn's wine with a date, a category and missing values, as people's tables are."""
    data, rng = load_wine(), np.random.default_rng(0)
    n = len(data.data)
    values = np.where(rng.random(data.data.shape) < 0.03, np.nan, data.data)
    frame = polars.DataFrame({name: polars.Series(v) for name, v in zip(data.feature_names, values.T, strict=True)})
    frame = frame.fill_nan(None).with_columns(
        bottled=polars.Series([f"2021-{1 + i % 12:02}-{1 + i % 28:02}" for i in range(n)]),
        region=polars.Series([rng.choice(["north", "south", None]) for _ in range(n)], dtype=polars.String),
        grape=polars.Series(data.target_names[data.target].tolist()),
    )
    frame.write_csv(path)
    return frame


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Any:
    """The exit code of a command: 0, or what it leaves with."""
    monkeypatch.setattr(sys, "argv", ["lucidgrad", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    return left.value.code


def test_the_shell_commands_go_from_a_csv_to_a_model_predictions_and_onnx(tmp_path: Path) -> None:
    frame = wine()

    def shell(*arguments: str) -> str:
        command = [sys.executable, "-m", "lucidgrad", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
        assert done.returncode == 0, done.stderr
        return done.stdout

    said = shell("train", "wine.csv", "--target", "grape", "-o", "m.lucidgrad", "--report", "r.html", "--epochs", "30")
    assert "Target grape: classification (text, 3 different values)" in said
    for words in ("bottled", "text that is dates (ISO 8601)", "balanced accuracy", "most important columns"):
        assert words in said
    assert "Test: 36 rows, 20 % of the rows, with the classes in proportion (seed 0)." in said
    assert "Measured on 36 rows of the test, which neither training nor stopping has seen:" in said
    page = Path("r.html").read_text(encoding="utf-8")
    assert "<h1>grape, learned from wine.csv</h1>" in page
    assert page.count("data:image/png;base64,") == 4
    assert not any(word in page for word in ('src="http', 'href="http', "<script"))

    shuffled = frame.drop("grape").select(reversed(frame.columns[:-1]))
    shuffled.write_parquet("new.parquet")
    assert shell("predict", "m.lucidgrad", "new.parquet", "-o", "out.csv", "--probabilities") == "out.csv: 178 rows\n"
    predicted = polars.read_csv("out.csv")
    assert (predicted["prediction"] == frame["grape"]).mean() > 0.9

    record = json.loads(shell("evaluate", "m.lucidgrad", "wine.csv", "--json"))
    assert record["target"] == "grape"
    accuracy = record["scores"]["accuracy"]
    assert accuracy["model"] == pytest.approx((predicted["prediction"] == frame["grape"]).mean())
    assert accuracy["baseline"] == pytest.approx(71 / 178)

    said = shell("inspect", "m.lucidgrad")
    assert "tabular_classifier" in said
    assert "predicts grape: class_0, class_1, class_2" in said
    assert "region: categorical" in said
    assert "measured on 36 rows of the test, which neither training nor stopping has seen" in said

    shell("export", "m.lucidgrad", "--onnx", "m.onnx")
    session = onnxruntime.InferenceSession("m.onnx", providers=["CPUExecutionProvider"])
    assert len(session.get_inputs()) == 15
    given = {name: frame[name].cast(float).to_numpy() for name in frame.columns[:13]}  # NaN where they are missing
    days = frame["bottled"].str.to_date().to_physical().cast(float).to_numpy()
    given |= {"bottled": days, "region": frame["region"].fill_null("").to_numpy().astype(object)}
    labels, probabilities = session.run(None, given)
    assert labels.tolist() == predicted["prediction"].to_list()
    told = predicted.select(f"probability of class_{i}" for i in range(3)).to_numpy()
    np.testing.assert_allclose(probabilities, told, atol=1e-5)


def test_json_says_what_was_guessed_and_measured_and_nothing_else(monkeypatch: Any, capsys: Any) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=120)
    polars.DataFrame({"x": x, "town": rng.choice(["a", "b"], 120), "n": range(120), "y": 3 * x}).write_csv("t.csv")
    assert call(monkeypatch, "train", "t.csv", "--target", "y", *QUICK, "--json", "--validation-fraction", "0.25") == 0
    said, errors = capsys.readouterr()
    record = json.loads(said)
    assert errors == ""
    assert record["task"] == "regression"
    assert {c["name"]: c["kind"] for c in record["columns"]} == {"x": "numeric", "town": "categorical", "n": "id"}
    assert record["rows"] == {"training": 72, "validation": 24, "test": 24}
    assert (record["measured_on"], record["measured"]["rows"], record["training"]["rows"]) == ("test", 24, 96)
    assert set(record["measured"]["scores"]) == {"R2", "mean absolute error", "root mean squared error"}
    assert (record["model"], record["report"]) == ("t.lucidgrad", "t.html")
    assert lg.io.read_model("t.lucidgrad").metrics["R2"] == record["measured"]["scores"]["R2"]["model"]
    assert call(monkeypatch, "predict", "t.lucidgrad", "t.csv", "-o", "-", "--interval", "0.5", "--keep", "n") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "n,prediction,low,high"
    assert len(lines) == 121


def test_of_few_rows_it_is_said_that_those_that_are_measured_said_when_to_stop_too(
    monkeypatch: Any, capsys: Any
) -> None:
    wine().sample(90, seed=0).write_csv("few.csv")
    assert call(monkeypatch, "train", "few.csv", "--target", "grape", *QUICK, "--no-report") == 0
    said = capsys.readouterr().out
    assert "Test: none, as there are fewer than 100 rows." in said
    words = "18 rows that were not learned from but said when to stop: on new ones it may be worse"
    assert f"Measured on {words}:" in said
    assert call(monkeypatch, "inspect", "few.lucidgrad") == 0
    assert f"\nmeasured on {words}\n" in capsys.readouterr().out
    assert call(monkeypatch, "inspect", "few.lucidgrad", "--json") == 0
    assert json.loads(capsys.readouterr().out)["measured_on"] == {"validation": 18}


def test_rows_to_stop_on_and_to_test_on_may_be_in_files_of_their_own(monkeypatch: Any, capsys: Any) -> None:
    frame = wine().sample(fraction=1.0, shuffle=True, seed=0)
    for name, part in {"learn": frame[:120], "stop": frame[120:150], "test": frame[150:]}.items():
        part.write_csv(f"{name}.csv")
    files = ("--validation-file", "stop.csv", "--test-file", "test.csv")
    assert call(monkeypatch, "train", "learn.csv", "--target", "grape", *QUICK, *files, "--json", "--no-report") == 0
    record = json.loads(capsys.readouterr().out)
    assert record["rows"] == {"training": 120, "validation": 30, "test": 28}
    assert record["split"] == {"test": "the rows of test.csv", "validation": "the rows of stop.csv"}
    assert (record["measured_on"], record["refit"]) == ("test", False)


def test_options_overrule_the_guesses(monkeypatch: Any, capsys: Any) -> None:
    wine()
    told = ("--categorical", "magnesium", "--ignore", "bottled,region", "--scaling", "quantile", "--seed", "3")
    more = ("--class-weight", "balanced", "--batch-size", "50", "--learning-rate", "0.01", "--dropout", "0")
    assert call(monkeypatch, "train", "wine.csv", "--target", "grape", *QUICK, *told, *more, "-q", "--no-report") == 0
    assert capsys.readouterr().out == ""
    assert not Path("wine.html").exists()
    model = lg.load("wine.lucidgrad")
    kinds = {c.name: c.kind for c in model.columns_}
    assert (kinds["magnesium"], kinds["bottled"], kinds["region"]) == ("categorical", "ignored", "ignored")
    kept = ("scaling", "random_state", "class_weight", "batch_size", "learning_rate", "dropout", "hidden_layer_sizes")
    assert [model.get_params()[name] for name in kept] == ["quantile", 3, "balanced", 50, 0.01, 0, (8,)]
    assert model.target_name_ == "grape"


TEST, STOP = ("--test-file", "t.csv"), ("--validation-file", "v.csv")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("train", "none.csv", "--target", "y"), 1, "none.csv expected a table, got nothing by that name"),
        (("train", "wine.csv", "--target", "y"), 1, "expected the column 'y' as the target"),
        (("train", "wine.csv"), 2, "--target"),
        (("train", "wine.csv", "--target", "grape", "--task", "poetry"), 2, "none of classification, regression"),
        (("train", "wine.csv", "--target", "grape", "--numeric", "grape"), 2, "'grape' is the target"),
        (("train", "wine.csv", "--target", "grape", "--date", "hue", "--ignore", "hue"), 2, "'hue' is also --date"),
        (("train", "wine.csv", "--target", "grape", "-o", "no/m.lucidgrad"), 1, "which is not there"),
        (("train", "wine.csv", "--target", "grape", "-o", "wine.csv"), 1, "expected another file"),
        (
            ("train", "wine.csv", "--target", "hue", *TEST, "--test-fraction", "0.1"),
            2,
            "that of --test-file: leave one",
        ),
        (
            ("train", "wine.csv", "--target", "hue", *STOP, "--validation-fraction", "0.1"),
            2,
            "--validation-file: leave",
        ),
        (("train", "wine.csv", "--target", "hue", *TEST, *STOP, "--time", "hue"), 2, "no rows to be split"),
        (("train", "wine.csv", "--target", "grape", *TEST, *STOP, "--stratify"), 2, "for --stratify: --test-file and"),
        (("train", "wine.csv", "--target", "grape", *TEST, *STOP, "--no-stratify"), 2, "for --no-stratify: --test-"),
        (
            ("train", "wine.csv", "--target", "hue", "--test-fraction", "0", *STOP, "--group", "hue"),
            2,
            "for --group: --test-fraction 0 and",
        ),
        (("train", "m.lucidgrad", "--target", "y", "--test-file", "wine.csv", "-o", "wine.csv"), 1, "another file"),
        (("train", "wine.csv", "--target", "grape", "-o", "wine.html"), 1, "a file each, got wine.html for both"),
        (("train", "wine.csv", "--target", "hue", "--class-weight", "balanced"), 1, "--class-weight expected classes"),
        (("train", "wine.csv", "--target", "grape", "--encoding", "klingon"), 1, "encoding expected a name"),
        (("train", "wine.csv", "--target", "grape", "--ignore", COLUMNS), 1, "wrong with --numeric, --categorical or"),
        (
            ("train", "wine.csv", "--target", "grape", "--layers", "8,0"),
            2,
            "is not a list of whole numbers of at least 1",
        ),
        (("train", "wine.csv", "--target", "grape", "--seed", "4294967296"), 2, "'--seed': Input should be less"),
        (
            ("train", "wine.csv", "--target", "grape", "--learning-rate", "-1"),
            2,
            "'--learning-rate': Input should be greater",
        ),
        (("predict", "none.lucidgrad", "wine.csv", "-o", "out.csv"), 1, "none.lucidgrad"),
        (("predict", "wine.csv", "wine.csv", "-o", "out.csv"), 1, "wine.csv expected"),
        (("predict", "m.lucidgrad", "wine.csv", "-o", "wine.csv"), 1, "expected another file"),
        (
            ("predict", "m.lucidgrad", "wine.csv", "-o", "no/out.csv"),
            1,
            "no/out.csv: a place in no, which is not there",
        ),
        (("export", "m.lucidgrad", "--onnx", "no/m.onnx"), 1, "no/m.onnx: a place in no, which is not there"),
        (("predict", "m.lucidgrad", "wine.csv", "-o", "out.csv"), 1, "a model for tables expected, got Linear"),
        (("evaluate", "m.lucidgrad", "wine.csv"), 2, "--target"),
    ],
)
def test_what_goes_wrong_is_a_line_and_an_exit_code(
    monkeypatch: Any, capsys: Any, arguments: Any, code: int, message: str
) -> None:
    wine()
    before = Path("wine.csv").read_bytes()
    lg.save(lg.nn.Linear(2, 2), "m.lucidgrad")
    monkeypatch.setenv("COLUMNS", "200")
    assert call(monkeypatch, *arguments) == code
    errors = capsys.readouterr().err
    assert message in " ".join(errors.replace("│", " ").split())
    assert "Traceback" not in errors
    assert Path("wine.csv").read_bytes() == before
    assert sorted(p.name for p in Path().iterdir()) == ["m.lucidgrad", "wine.csv"]


# --- interrupted --------------------------------------------------------------------------------------------------


def interrupted(sent: signal.Signals, command: list[str], wait: Any) -> subprocess.CompletedProcess[bytes]:
    """Send a signal to a command when ``wait(process)`` returns."""
    process = subprocess.Popen(
        [sys.executable, "-m", "lucidgrad", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    wait(process)
    process.send_signal(sent)
    out, errors = process.communicate(timeout=300)
    return subprocess.CompletedProcess(command, process.returncode, out, errors)


def model_and_rows(rows: int) -> polars.DataFrame:
    rng = np.random.default_rng(0)
    x = polars.DataFrame({"a": rng.normal(size=rows), "b": rng.normal(size=rows)})
    small = x[:100]
    lg.save(
        lg.TabularRegressor(random_state=0, epochs=2, engine="eager").fit(small, small["a"].to_numpy()), "m.lucidgrad"
    )
    x.write_csv("x.csv")
    return x


def until_it_writes(process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None and not list(Path().glob(".out.csv.*.tmp")):
        time.sleep(0.01)


@pytest.mark.skipif(os.name == "nt", reason="signals are of POSIX")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_predictions_that_are_interrupted_leave_what_was_there(sent: signal.Signals) -> None:
    model_and_rows(300_000)
    Path("out.csv").write_bytes(b"old")
    done = interrupted(sent, ["predict", "m.lucidgrad", "x.csv", "-o", "out.csv"], until_it_writes)
    assert done.returncode == 128 + sent, done.stderr
    assert b"Traceback" not in done.stderr
    assert Path("out.csv").read_bytes() == b"old"
    assert not list(Path().glob(".*"))


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="signals are of POSIX")
def test_fifty_of_fifty_interruptions_leave_the_old_file_or_the_whole_new_one() -> None:
    rows = model_and_rows(200_000).height
    command = ["predict", "m.lucidgrad", "x.csv", "-o", "out.csv"]
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "lucidgrad", *command], check=True, capture_output=True)
    seconds, whole = time.perf_counter() - began, Path("out.csv").read_bytes()
    assert whole.count(b"\n") == rows + 1
    draw = random.Random(0)
    for i in range(50):
        Path("out.csv").write_bytes(b"old")
        sent = (signal.SIGINT, signal.SIGTERM)[i % 2]
        interrupted(sent, command, lambda _: time.sleep(draw.uniform(0, 1.1 * seconds)))
        assert Path("out.csv").read_bytes() in (b"old", whole)
        assert not list(Path().glob(".*"))
