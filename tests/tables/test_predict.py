"""Asking a model about files: any order of columns, whole outputs, bounded memory, and the truth beside it."""

from __future__ import annotations

import gzip
import subprocess
import sys
import textwrap
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

import lucidgrad as lg
from lucidgrad.data import open_table
from lucidgrad.errors import ArgumentError, DataError
from lucidgrad.tables import evaluate_file, predict_file
from lucidgrad.tables import predict as predicting

QUICK: dict[str, Any] = {"random_state": 0, "epochs": 3, "engine": "eager", "members": 1, "hidden_layer_sizes": (8,)}


def frame(rows: int, seed: int = 0) -> polars.DataFrame:
    rng = np.random.default_rng(seed)
    return polars.DataFrame(
        {"size": rng.normal(size=rows), "town": rng.choice(["Bonn", "Köln"], rows), "code": rng.integers(3, size=rows)}
    )


@pytest.fixture(scope="module")
def numbers() -> Any:
    x = frame(120)
    return lg.TabularRegressor(kinds={"code": "categorical"}, **QUICK).fit(x, 2 * x["size"].to_numpy())


@pytest.fixture(scope="module")
def classes() -> Any:
    x = frame(120)
    return lg.TabularClassifier(**QUICK).fit(x, x["town"].to_numpy())


def asked(folder: Path, x: polars.DataFrame, model: Any, name: str = "out.csv", **options: Any) -> polars.DataFrame:
    x.write_csv(folder / "new.csv")
    rows = predict_file(model, open_table(folder / "new.csv"), folder / name, **options)
    made = polars.read_parquet(folder / name) if name.endswith("parquet") else polars.read_csv(folder / name)
    assert made.height == rows == x.height
    assert sorted(path.name for path in folder.iterdir()) == sorted(["new.csv", name])  # nothing is left behind
    return made


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_predictions_in_parts_are_those_of_the_estimator_in_any_order_of_columns(tmp_path, numbers, name, monkeypatch):
    monkeypatch.setattr(predicting, "NUMBERS_AT_ONCE", 1)  # 256 rows at once
    x = frame(600, seed=1)
    turned = x.select("town", polars.lit("more").alias("extra"), "code", "size")
    made = asked(tmp_path, turned, numbers, name, interval=0.9, keep=["extra", "town"])
    assert made.columns == ["extra", "town", "prediction", "low", "high"]
    np.testing.assert_allclose(made["prediction"], numbers.predict(x), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(
        made.select("low", "high").to_numpy(), numbers.predict_interval(x, 0.9), rtol=1e-6, atol=1e-6
    )
    assert made["town"].to_list() == x["town"].to_list()


FEWER = (
    r"--interval 0\.999 expected a model with 999 rows that said when to stop, got one with 18\. Ask for at most "
    r"--interval 0\.947, or train with more such rows: lucidgrad train --validation-fraction, or --validation-file"
)


@pytest.mark.parametrize(
    ("share", "options", "message"),
    [
        (0.999, {}, FEWER),
        (0.5, {"early_stopping": False}, "1 row that said when to stop, got one with none. Train with more such rows"),
        (0.0, {}, "--interval expected a share between 0 and 1, got 0"),
        (1.0, {}, "--interval expected a share between 0 and 1, got 1"),
    ],
)
def test_what_is_told_of_intervals_names_the_options_of_the_command(tmp_path, share, options, message):
    x = frame(120)
    model = lg.TabularRegressor(**QUICK, **options).fit(x, x["size"].to_numpy())
    x.write_csv(tmp_path / "new.csv")
    with pytest.raises(ArgumentError, match=message):
        predict_file(model, open_table(tmp_path / "new.csv"), tmp_path / "out.csv", interval=share)
    assert not (tmp_path / "out.csv").exists()


def test_the_share_that_is_told_to_be_the_most_can_be_asked_for(tmp_path):
    x = frame(120)
    weight = np.linspace(1, 3, 120)
    model = lg.TabularRegressor(**QUICK).fit(x, x["size"].to_numpy(), weight)
    x.write_csv(tmp_path / "new.csv")
    with pytest.raises(ArgumentError) as told:
        predict_file(model, open_table(tmp_path / "new.csv"), tmp_path / "out.csv", interval=0.99)
    most = float(str(told.value).split("at most --interval ")[1].split(",")[0])
    (tmp_path / "new.csv").unlink()
    assert asked(tmp_path, x, model, interval=most).columns[-2:] == ["low", "high"]


def lines_of(columns: dict[str, list[str]]) -> str:
    rows = [";".join(row) for row in zip(*columns.values(), strict=True)]
    return "\n".join([";".join(columns), *rows, ""])


def test_columns_that_are_kept_are_in_parquet_what_they_are_and_in_csv_as_they_stood(tmp_path, classes, monkeypatch):
    monkeypatch.setattr(predicting, "NUMBERS_AT_ONCE", 1)
    n = 600  # in three parts, of which the last has the values that tell
    late = ["" for _ in range(n - 1)]
    columns = {
        "size": ["1.50"] * n,
        "town": ["Bonn"] * n,
        "code": ["2"] * n,
        "whole": [str(i) for i in range(n)],
        "part": ["NA", *(f"{i}" for i in range(n - 2)), "0.25"],
        "true": ["True", "false"] * (n // 2),
        "day": [f"2021-03-{1 + i % 28:02}" for i in range(n)],
        "german": [*late, "31.12.2020"],
        "american": ["12/11/2020"] * (n - 1) + ["12/31/2020"],
        "moment": ["2021-03-01T10:11:12.5", "2021-03-01 10:11"] * (n // 2),
        "zone": ["2021-03-01T10:11:12+02:00"] * n,
        "comma": ["1,234"] * (n - 1) + ["1,25"],
        "thousands": ["1,234"] * n,
        "either": ["12/11/2020"] * n,
        "zip": ["50667"] * (n - 1) + ["01067"],
        "odd": ["1"] * (n - 1) + ["about 5"],
        "mixed": ["2021-03-01"] * (n - 1) + ["2021-03-01 10:11"],
        "long": ["12345678901234567890"] * n,
        "digits": ["0.5"] * (n - 1) + ["1234567890123456789"],
        "none": [""] * n,
        "words": ["NA", "Köln"] * (n // 2),
    }
    (tmp_path / "new.csv").write_text(lines_of(columns), encoding="utf-8")
    for name in ("out.parquet", "out.csv"):
        predict_file(classes, open_table(tmp_path / "new.csv"), tmp_path / name, keep=list(columns))
    made = polars.read_parquet(tmp_path / "out.parquet")
    text = dict.fromkeys(
        ("thousands", "either", "zip", "odd", "mixed", "long", "digits", "none", "words"), polars.String
    )
    assert made.drop("prediction").schema == {
        "size": polars.Float64, "town": polars.String, "code": polars.Int64, "whole": polars.Int64,
        "part": polars.Float64, "true": polars.Boolean, "day": polars.Date, "german": polars.Date,
        "american": polars.Date, "moment": polars.Datetime("us"), "zone": polars.Datetime("us", "UTC"),
        "comma": polars.Float64, **text,
    }  # fmt: skip
    assert made["whole"].to_list() == list(range(n))
    assert (made["part"][0], made["part"][-1], made["comma"][0]) == (None, 0.25, 1.234)
    assert made["true"].to_list() == [True, False] * (n // 2)
    assert (made["german"][0], made["german"][-1]) == (None, date(2020, 12, 31))
    assert made["american"][0] == date(2020, 12, 11)
    assert made["moment"][:2].to_list() == [datetime(2021, 3, 1, 10, 11, 12, 500_000), datetime(2021, 3, 1, 10, 11)]
    assert made["zone"][0] == datetime(2021, 3, 1, 8, 11, 12, tzinfo=UTC)
    for name in text:
        assert made[name].to_list() == [value or None for value in columns[name]], name
    kept = polars.read_csv(tmp_path / "out.csv", infer_schema=False).fill_null("")
    assert kept.drop("prediction").to_dict(as_series=False) == columns


def test_columns_out_of_parquet_are_kept_in_their_types(tmp_path, classes):
    x = frame(300).with_columns(
        day=polars.lit("2021-03-01"), seen=polars.lit(date(2021, 3, 1)), small=polars.lit(3, polars.Int8), size="code"
    )
    x.write_parquet(tmp_path / "new.parquet")
    kept = ["day", "seen", "small", "size", "town"]
    predict_file(classes, open_table(tmp_path / "new.parquet"), tmp_path / "out.parquet", keep=kept)
    assert polars.read_parquet(tmp_path / "out.parquet").select(kept).equals(x.select(kept))


def test_a_column_that_is_named_twice_is_kept_once(tmp_path, classes):
    made = asked(tmp_path, frame(5), classes, "out.parquet", keep=["code", "size", "code"])
    assert made.columns == ["code", "size", "prediction"]


def test_probabilities_are_a_column_for_each_class(tmp_path, classes):
    x = frame(50, seed=2)
    made = asked(tmp_path, x, classes, probabilities=True)
    assert made.columns == ["prediction", "probability of Bonn", "probability of Köln"]
    np.testing.assert_allclose(made.select(made.columns[1:]).to_numpy(), classes.predict_proba(x), rtol=1e-6, atol=1e-6)
    assert made["prediction"].to_list() == classes.predict(x).tolist()


def test_an_output_that_ends_in_gz_is_packed(tmp_path, classes):
    frame(5).write_csv(tmp_path / "new.csv")
    predict_file(classes, open_table(tmp_path / "new.csv"), tmp_path / "out.csv.gz")
    assert gzip.decompress((tmp_path / "out.csv.gz").read_bytes()).startswith(b"prediction\n")


def test_values_that_were_never_seen_and_missing_ones_have_an_answer(tmp_path, classes):
    x = polars.DataFrame({"size": [None, 1.0], "town": ["Ulm", None], "code": [7, None]})
    assert asked(tmp_path, x, classes)["prediction"].is_in(["Bonn", "Köln"]).all()


def test_what_cannot_be_answered_is_told_and_nothing_is_written(tmp_path, numbers, classes):
    frame(5).drop("town", "size").write_csv(tmp_path / "few.csv")
    out = tmp_path / "out.csv"
    with pytest.raises(
        DataError, match=r"few\.csv expected the columns 'size', 'town' of training, got a table of code"
    ):
        predict_file(classes, open_table(tmp_path / "few.csv"), out)
    frame(5).with_columns(prediction=1).write_csv(tmp_path / "new.csv")
    source = open_table(tmp_path / "new.csv")
    for model, options, message in (
        (numbers, {"probabilities": True}, "--probabilities expected classes"),
        (classes, {"interval": 0.9}, "--interval expected numbers"),
        (classes, {"keep": ["prediction"]}, "the output has a column 'prediction'"),
        (classes, {"keep": ["colour"]}, "expected the column 'colour' to keep"),
        (lg.nn.Linear(2, 2), {}, "a model for tables expected, got Linear"),
    ):
        with pytest.raises((ArgumentError, DataError), match=message):
            predict_file(model, source, out, **options)
    (tmp_path / "bad.csv").write_text("size,town,code\n1,Bonn,1\n2,Bonn\n")
    with pytest.raises(DataError, match=r"bad\.csv line 3 expected 3 fields"):
        predict_file(classes, open_table(tmp_path / "bad.csv"), out)
    (tmp_path / "none.csv").write_text("size,town,code\n")
    with pytest.raises(DataError, match="expected rows, got a header alone"):
        predict_file(classes, open_table(tmp_path / "none.csv"), out)
    assert not out.exists()
    assert not list(tmp_path.glob(".*"))


def test_an_evaluation_is_that_of_the_whole_table(tmp_path, numbers, monkeypatch):
    monkeypatch.setattr(predicting, "NUMBERS_AT_ONCE", 1)
    x = frame(600, seed=3)
    y = 2 * x["size"].to_numpy() + 1
    x.with_columns(price=polars.Series(y)).write_csv(tmp_path / "t.csv")
    made, notes = evaluate_file(numbers, open_table(tmp_path / "t.csv"), "price")
    assert made.rows == 600
    assert made.scores[0].model == pytest.approx(numbers.score(x, y), rel=1e-6)
    assert made.scores[0].baseline == pytest.approx(0, abs=1e-9)
    assert notes == []


def test_rows_without_the_truth_are_left_out_and_unknown_classes_are_wrong(tmp_path, classes):
    x = frame(4, seed=4).with_columns(truth=polars.Series(["Bonn", "Köln", None, "Ulm"]))
    x.write_csv(tmp_path / "t.csv")
    made, notes = evaluate_file(classes, open_table(tmp_path / "t.csv"), "truth")
    assert made.rows == 3
    assert "1 row without a truth is left out" in notes[0]
    assert "1 row is of a class that the model does not know, and counts as wrong" in notes[1]


def peak_of(script: str) -> float:
    """MiB at most in memory of a process of its own, beyond what it had before the last line of the script."""
    *before, last = textwrap.dedent(script).strip().splitlines()
    peak = "__import__('resource').getrusage(__import__('resource').RUSAGE_SELF).ru_maxrss"
    code = "\n".join([*before, f"p = {peak}", last, f"print(({peak} - p) / 1024)"])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


def large_file(path: Path, megabytes: int) -> None:
    x = frame(20_000).write_csv()
    header, _, rows = x.partition("\n")
    with path.open("w", encoding="utf-8") as file:
        file.write(header + "\n")
        for _ in range(megabytes * 1_000_000 // len(rows)):
            file.write(rows)


@pytest.mark.skipif(sys.platform != "linux", reason="what the peak is counted in differs")
def test_reading_takes_no_more_memory_for_a_larger_file(tmp_path):
    large_file(tmp_path / "large.csv", 40)
    script = f"""
        import polars
        from lucidgrad.data import open_table
        types = {{"size": "number", "town": "text", "code": "number"}}
        first = next(open_table({str(tmp_path / "large.csv")!r}).batches(types))
        for batch in open_table({str(tmp_path / "large.csv")!r}).batches(types): rows = batch.frame.height
    """
    assert peak_of(script) < 40  # the columns alone would take 80


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="what the peak is counted in differs")
def test_predicting_takes_no_more_memory_for_a_larger_file(tmp_path, classes):
    lg.save(classes, tmp_path / "m.lucidgrad")
    peaks = []
    for megabytes in (10, 100):
        path = tmp_path / f"{megabytes}.csv"
        large_file(path, megabytes)
        script = f"""
            import lucidgrad as lg, pathlib
            from lucidgrad.data import open_table
            from lucidgrad.tables import predict_file
            model = lg.load({str(tmp_path / "m.lucidgrad")!r})
            predict_file(model, open_table({str(path)!r}), pathlib.Path({str(tmp_path / "out.csv")!r}))
        """
        peaks.append(peak_of(script))
    assert peaks[1] < peaks[0] + 100
