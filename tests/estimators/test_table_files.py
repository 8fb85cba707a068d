"""Estimators for tables in files and in ONNX: strings and missing values in, the same labels and numbers out."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import polars as pl
import pytest

import lucidgrad as lg
from lucidgrad.data.table import TablePreprocessing
from lucidgrad.data.table.encodings import DateEncoding
from lucidgrad.data.table.read import days_of, moments_of, names_of
from lucidgrad.errors import ModelFileError
from lucidgrad.io.kinds import from_tree, kind_of
from lucidgrad.onnx.pipeline import Pipeline
from lucidgrad.onnx.table import table_inputs

onnxruntime.set_default_logger_severity(3)
ROWS = 120


def table(rows: int = ROWS, seed: int = 0) -> pl.DataFrame:
    """Columns of every kind, each with something missing."""
    rng = np.random.default_rng(seed)
    size = rng.lognormal(3, 1, rows)
    size[::11] = np.nan
    town = rng.choice(["Bonn", "Köln", "Ulm", "서울"], rows)
    born = np.datetime64("1999-12-20") + rng.integers(0, 9000, rows).astype("timedelta64[D]")
    seen = born.astype("datetime64[ms]") + rng.integers(0, 86_400_000, rows).astype("timedelta64[ms]")
    return pl.DataFrame(
        {
            "size": size,
            "rooms": rng.integers(1, 6, rows),
            "town": pl.Series(town).scatter([0, 9], [None, None]),
            "sold": pl.Series(rng.random(rows) > 0.5).scatter([3], [None]),
            "born": pl.Series(born).cast(pl.Date).scatter([5], [None]),
            "seen": pl.Series(seen),
            "constant": np.ones(rows),
            "sub_3": rng.standard_normal(rows),  # as a node would be called
        }
    )


def targets(frame: pl.DataFrame) -> np.ndarray:
    return np.where(frame["rooms"].to_numpy() > 3, 2.0, 1.0) * frame["sub_3"].to_numpy() + 5


OPTIONS: dict[str, Any] = {"epochs": 6, "random_state": 0, "hidden_layer_sizes": (16,), "members": 3}
CLASSIFIERS: dict[str, Any] = {
    "three classes": lambda y: np.array(["low", "mid", "high"])[np.digitize(y, [4.5, 5.5])],
    "two classes": lambda y: y > 5,
    "integers": lambda y: np.digitize(y, [5]) * 10,
}
REGRESSORS: dict[str, tuple[Any, dict[str, Any]]] = {
    "one target": (lambda y: y, {"scaling": "quantile"}),
    "two targets": (lambda y: np.stack([y, -y], 1), {"scaling": "standard", "members": 1}),
    "counts": (lambda y: np.abs(np.round(y)), {"loss": "poisson", "normalization": "layer"}),
}
EVERY = pytest.mark.parametrize("name", [*CLASSIFIERS, *REGRESSORS])


def fitted(name: str) -> Any:
    frame = table()
    if name in CLASSIFIERS:
        return lg.TabularClassifier(**OPTIONS).fit(frame, CLASSIFIERS[name](targets(frame)))
    make, options = REGRESSORS[name]
    return lg.TabularRegressor(**OPTIONS | options).fit(frame, make(targets(frame)))


def elsewhere(frame: pl.DataFrame, preprocessing: TablePreprocessing) -> dict[str, np.ndarray]:
    """The columns as the inputs of an ONNX file are documented."""
    made = {}
    for column in preprocessing.columns:
        values = frame[column.name]
        if column.kind == "categorical":
            names = names_of(np.array(values.to_list(), dtype=object))
            made[column.name] = np.array(["" if name is None else name for name in names], dtype=object)
        elif column.kind == "date":
            made[column.name] = days_of(moments_of(values.cast(pl.Datetime("us")).to_numpy(), None))
        elif column.is_used:
            made[column.name] = values.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return made


@EVERY
def test_a_loaded_estimator_predicts_the_same_bits(name: str, tmp_path: Path) -> None:
    estimator, frame = fitted(name), table(50, seed=1)
    lg.save(estimator, tmp_path / "m.lucidgrad")
    again = lg.load(tmp_path / "m.lucidgrad")
    assert (type(again), again.get_params()) == (type(estimator), estimator.get_params())
    np.testing.assert_array_equal(again.predict(frame), estimator.predict(frame))
    assert repr(again.columns_) == repr(estimator.columns_)
    assert again.history_.rows == estimator.history_.rows
    if name in CLASSIFIERS:
        np.testing.assert_array_equal(again.predict_proba(frame), estimator.predict_proba(frame))
        assert list(again.classes_) == list(estimator.classes_)
    elif estimator.residuals_ is not None:
        np.testing.assert_array_equal(
            again.predict_interval(frame, coverage=0.8), estimator.predict_interval(frame, coverage=0.8)
        )


@EVERY
def test_an_exported_estimator_takes_columns_and_gives_labels_and_numbers(name: str, tmp_path: Path) -> None:
    estimator = fitted(name)
    lg.onnx.export(estimator, tmp_path / "m.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"), providers=["CPUExecutionProvider"])
    for rows in (1, 7, 64):
        frame = table(64, seed=2)[:rows].with_columns(
            town=pl.when(pl.col("rooms") == 1).then(pl.lit("new")).otherwise("town")
        )
        made = dict(
            zip(
                [o.name for o in session.get_outputs()],
                session.run(None, elsewhere(frame, estimator.preprocessing_)),
                strict=True,
            )
        )
        if name in CLASSIFIERS:
            np.testing.assert_allclose(made["probabilities"], estimator.predict_proba(frame), atol=1e-5)
            assert list(made["label"]) == list(estimator.predict(frame))
        else:
            np.testing.assert_allclose(made["prediction"], estimator.predict(frame), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("scaling", ["robust", "quantile", "standard"])
def test_numbers_of_every_size_are_scaled_the_same_elsewhere(scaling: str) -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.standard_cauchy(200), [np.nan, np.inf, -np.inf, 0.0, 1e30, -1e30]])
    assert_same_columns(TablePreprocessing.fit({"x": x}, kinds={"x": "numeric"}, scaling=scaling), {"x": x})


@pytest.mark.parametrize("words", [["true", "false"], ["Yes", "NO"], ["1", "0"]])
def test_words_for_truth_are_read_the_same_elsewhere(words: list[str]) -> None:
    x = np.array([*words * 5, None], dtype=object)
    preprocessing = TablePreprocessing.fit({"x": x}, kinds={"x": "boolean"})
    assert_same_columns(preprocessing, {"x": x}, {"x": np.array(["" if v is None else v for v in x], dtype=object)})


def test_every_day_of_many_years_has_the_same_places_elsewhere() -> None:
    days = np.arange(np.datetime64("1582-10-15"), np.datetime64("2101-01-01"), 7).astype("datetime64[us]")
    times = days + np.timedelta64(3 * 3600 + 25 * 60, "s")
    preprocessing = TablePreprocessing.fit({"x": times}, kinds={"x": "date"})
    assert_same_columns(preprocessing, {"x": times}, {"x": days_of(times)})


def assert_same_columns(preprocessing: Any, given: Any, named: Any = None) -> None:
    pipeline = Pipeline()
    pipeline.output("made", table_inputs(pipeline, preprocessing, np.float32))
    session = onnxruntime.InferenceSession(pipeline.model().SerializeToString(), providers=["CPUExecutionProvider"])
    (made,) = session.run(None, given if named is None else named)
    numbers, codes = preprocessing.transform(given)
    np.testing.assert_allclose(made, np.column_stack([numbers, codes]), rtol=1e-6, atol=2e-6)


def test_what_is_infinite_in_one_row_changes_no_other_row() -> None:
    preprocessing = TablePreprocessing.fit({"x": np.linspace(0, 1, 50)}, scaling="standard")
    alone = preprocessing.transform({"x": [40.0]})[0]
    beside = preprocessing.transform({"x": [40.0, np.inf]})[0]
    np.testing.assert_array_equal(alone[0], beside[0])


def test_the_preprocessing_of_a_table_goes_into_a_file_with_a_network(tmp_path: Path) -> None:
    preprocessing = fitted("one target").preprocessing_
    lg.save(lg.nn.Linear(2, 1), tmp_path / "m.lucidgrad", preprocessing=preprocessing)
    again = lg.io.read_model(tmp_path / "m.lucidgrad").preprocessing
    for a, b in zip(again.transform(table()), preprocessing.transform(table()), strict=True):
        np.testing.assert_array_equal(a, b)


def change(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The tree with one part replaced, or without it."""
    if not path:
        return value
    copy = tree.copy() if isinstance(tree, dict | list) else list(tree)
    if value is ... and len(path) == 1:
        del copy[path[0]]
    else:
        copy[path[0]] = change(copy[path[0]], path[1:], value) if path[1:] else value
    return copy


COLUMN = ("preprocessing", "columns", 0)
FORGED = [
    (("settings", "kinds"), {"object": "system"}),
    (("settings", "evil"), 1),
    (("preprocessing",), {}),
    (("preprocessing", "version"), 2),
    (("preprocessing", "scaling"), "evil"),
    (("preprocessing", "columns"), []),
    ((*COLUMN, "name"), "town"),
    ((*COLUMN, "kind"), "categorical"),
    ((*COLUMN, "kind"), "ignored"),
    ((*COLUMN, "rows"), -1),
    ((*COLUMN, "encoding", "scale"), 0.0),
    ((*COLUMN, "encoding", "center"), "1"),
    ((*COLUMN, "encoding", "center"), float("nan")),
    ((*COLUMN, "encoding", "knots"), np.zeros(3)),
    ((*COLUMN, "encoding", "indicator"), 1),
    ((*COLUMN, "encoding", "evil"), 1),
    ((*COLUMN, "encoding", "indicator"), False),  # a number fewer than the network takes
    (("preprocessing", "columns", 2, "encoding", "categories"), ["a"]),
    (("preprocessing", "columns", 2, "encoding", "categories", 0), 3),
    (("preprocessing", "columns", 4, "encoding", "format"), "%Z%Z"),
    (("network", "architecture", "layers"), []),
    (("network", "parameters", "0.weight"), np.zeros((2, 2), np.float32)),
    (("history",), [{"loss": "low"}]),
    (("history",), {}),
    (("features",), 3),
    (("feature_names",), ["a"]),
    (("classes",), np.arange(5)),
    (("classes",), ...),
]


@pytest.mark.parametrize(("path", "value"), FORGED, ids=repr)
def test_forged_parts_of_an_estimator_are_refused(path: Any, value: Any) -> None:
    tree = SAVED["three classes"]
    with pytest.raises(ModelFileError):
        from_tree("tabular_classifier", change(tree, path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("target", "scale"), np.zeros(1)),
        (("target", "scale"), np.ones(2)),
        (("target", "center"), np.zeros(1, np.float32)),
        (("target", "one"), 1),
        (("target", "residuals"), np.array([[2.0], [1.0]])),
        (("target", "residuals"), np.zeros((3, 2))),
        (("target", "residuals"), ...),
        (("target",), None),
    ],
    ids=repr,
)
def test_forged_targets_of_an_estimator_are_refused(path: Any, value: Any) -> None:
    with pytest.raises(ModelFileError):
        from_tree("tabular_regressor", change(SAVED["one target"], path, value))


class _Saved(dict):
    """What the estimators are as trees, each trained when it is first asked for."""

    def __missing__(self, name: str) -> Any:
        estimator = fitted(name)
        self[name] = kind_of(estimator).to_tree(estimator)
        return self[name]


SAVED = _Saved()


def test_trees_that_were_not_changed_are_taken() -> None:
    for name in ("three classes", "one target"):
        assert from_tree(kind_of(fitted(name)).name, SAVED[name]).n_features_in_ == 8


def test_dates_as_python_has_them_are_known_too() -> None:
    values = np.array([date(2020, 2, 29), datetime(2020, 3, 1, 12), None], dtype=object)
    encoding = DateEncoding.fit(moments_of(values, None), None, None)
    assert encoding.indicator
    assert np.isfinite(encoding.encode(moments_of(values, None))).all()
