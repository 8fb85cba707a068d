"""With ``dtype="float64"`` everything of a table reaches the network in float64: columns, targets, and the edges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

import lucidgrad as lg
from lucidgrad.data.table import TablePreprocessing
from lucidgrad.estimators import table_training
from lucidgrad.tables.measuring import importances

onnxruntime.set_default_logger_severity(3)
N = 120
rng = np.random.default_rng(5)
X = rng.uniform(0, 1, N)
TABLE = {"x": X, "town": np.array(["Bonn", "Ulm"], object)[rng.integers(2, size=N)]}
FURTHER = {"x": TABLE["x"] * (1 + 1e-10), "town": TABLE["town"]}
"""The same rows for float32, and others for float64."""
OPTIONS: dict[str, Any] = {
    "hidden_layer_sizes": (8,), "members": 2, "pieces": 4, "epochs": 4, "random_state": 0, "refit": False,
}  # fmt: skip


def fitted(dtype: str, **options: Any) -> Any:
    return lg.TabularRegressor(**OPTIONS | options, dtype=dtype).fit(TABLE, 3 * X)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_trained_on_and_stopped_on_has_the_dtype(dtype: str, monkeypatch: Any) -> None:
    seen = []

    def watched(model: Any, x: Any, y: Any, **options: Any) -> Any:
        seen.extend([x.dtype, y.dtype, *(part.dtype for part in options["validation"][:2])])
        return lg.fit(model, x, y, **options)

    monkeypatch.setattr(table_training, "fit", watched)
    model = lg.TabularRegressor(**OPTIONS, dtype=dtype).fit(TABLE, 3 * X, X_val=FURTHER, y_val=3 * X)
    assert set(seen) == {np.dtype(dtype)}
    assert model.model_[0].start.dtype == dtype


def test_a_difference_that_float32_cannot_hold_reaches_the_network() -> None:
    assert (fitted("float32").predict(TABLE) == fitted("float32").predict(FURTHER)).all()
    model = fitted("float64")
    assert (model.predict(TABLE) != model.predict(FURTHER)).all()


def test_the_edges_of_pieces_are_values_of_the_table() -> None:
    model = fitted("float64", scaling="standard", early_stopping=False)
    numbers = TablePreprocessing.fit(TABLE, scaling="standard").transform(TABLE, np.float64)[0]
    assert numbers.dtype == np.float64
    assert np.isin(model.model_[0].start.numpy(), numbers).all()


def test_a_model_is_asked_in_the_dtype_it_was_trained_in_whatever_is_set_later() -> None:
    model = fitted("float64")
    before = model.predict(FURTHER)
    np.testing.assert_array_equal(model.set_params(dtype="float32").predict(FURTHER), before)


def test_files_and_onnx_compute_in_float64_too(tmp_path: Path) -> None:
    model = fitted("float64")
    lg.save(model, tmp_path / "m.lucidgrad")
    again = lg.load(tmp_path / "m.lucidgrad")
    np.testing.assert_array_equal(again.predict(FURTHER), model.predict(FURTHER))
    lg.onnx.export(again, tmp_path / "m.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"), providers=["CPUExecutionProvider"])
    (made,) = session.run(None, FURTHER)
    np.testing.assert_allclose(made, model.predict(FURTHER), rtol=1e-13)


def test_the_importance_of_columns_is_measured_in_float64_too(monkeypatch: Any) -> None:
    import polars

    from lucidgrad.tables import measuring

    seen = []
    ask = measuring.predict
    monkeypatch.setattr(measuring, "predict", lambda m, x, **o: (seen.append(x.dtype), ask(m, x, **o))[1])
    importances(fitted("float64"), polars.DataFrame(TABLE), 3 * X, seed=0)
    assert set(seen) == {np.dtype(np.float64)}
