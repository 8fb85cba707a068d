"""The commands about model files: what they print, and that a stranger's file does nothing but be shown or refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

import lucidgrad as lg
from lucidgrad.cli.main import main
from lucidgrad.data import Standardize
from lucidgrad.functional import tanh
from lucidgrad.nn import Embedding, Linear, Module, Sequential

CONTROL = "\x1b[2Jred"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def model() -> Module:
    return Sequential(Linear(2, 4, key=lg.Key(1)), tanh, Linear(4, 2, key=lg.Key(2)))


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Any:
    """The exit code of a command: 0, or what it leaves with."""
    monkeypatch.setattr(sys, "argv", ["lucidgrad", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    return left.value.code


def save() -> None:
    scaler = Standardize(np.array([1.0, 2.0]), np.array([2.0, 4.0]))
    lg.save(model(), "m.lucidgrad", labels=[CONTROL, "green"], metrics={"accuracy": 0.9375}, preprocessing=scaler)


def test_inspect_shows_what_a_file_holds(monkeypatch: Any, capsys: Any) -> None:
    save()
    assert call(monkeypatch, "inspect", "m.lucidgrad") == 0
    out = capsys.readouterr().out
    assert out.startswith(
        f"m.lucidgrad: network, {Path('m.lucidgrad').stat().st_size:,} bytes, written with lucidgrad "
    )
    assert "Linear(in_features=2, out_features=4)" in out
    assert "22 parameters" in out
    assert "preprocessing: Standardize" in out
    assert "labels: \\x1b[2Jred, green" in out
    assert "metrics: accuracy 0.9375" in out


def test_inspect_says_where_a_file_does_not_tell_what_was_measured(monkeypatch: Any, capsys: Any) -> None:
    save()
    assert call(monkeypatch, "inspect", "m.lucidgrad") == 0
    assert "accuracy 0.9375\nmeasured on rows that the file does not tell\n" in capsys.readouterr().out
    lg.save(model(), "m.lucidgrad", metrics={"accuracy": 1.0}, measured_on={"training": 1200})
    assert call(monkeypatch, "inspect", "m.lucidgrad") == 0
    assert "measured on 1,200 rows that it has learned from: on new ones it may be worse\n" in capsys.readouterr().out
    lg.save(model(), "m.lucidgrad")
    assert call(monkeypatch, "inspect", "m.lucidgrad") == 0
    assert "measured" not in capsys.readouterr().out


def test_inspect_prints_json_for_other_programs(monkeypatch: Any, capsys: Any) -> None:
    save()
    assert call(monkeypatch, "inspect", "m.lucidgrad", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["written_with"]["lucidgrad"] == lg.__version__
    assert {
        key: report[key]
        for key in ("kind", "labels", "metrics", "parameters", "finite", "preprocessing", "measured_on")
    } == {
        "kind": "network",
        "labels": [CONTROL, "green"],
        "metrics": {"accuracy": 0.9375},
        "parameters": 22,
        "finite": True,
        "preprocessing": "Standardize",
        "measured_on": None,
    }
    assert report["layers"] == {"": "Sequential", "0": "Linear", "2": "Linear"}


def test_inspect_lists_the_arrays_of_weights_alone_and_tells_of_nan(monkeypatch: Any, capsys: Any) -> None:
    layer = Linear(2, 1)
    layer.bias.data = np.array([np.nan], np.float32)  # type: ignore[union-attr]
    layer.save("w.lucidgrad")
    assert call(monkeypatch, "inspect", "w.lucidgrad") == 0
    out = capsys.readouterr().out
    assert "  /network/parameters/weight: float32 (1, 2)" in out
    assert out.endswith("warning: there is NaN or infinity among its numbers\n")


def test_inspect_shows_a_model_that_is_no_network(monkeypatch: Any, capsys: Any) -> None:
    lg.save(Standardize(np.zeros(1), np.ones(1)), "s.lucidgrad")
    assert call(monkeypatch, "inspect", "s.lucidgrad") == 0
    assert "s.lucidgrad: standardize" in capsys.readouterr().out
    assert call(monkeypatch, "export", "s.lucidgrad", "--onnx", "s.onnx") == 1
    assert "export expected a network, got a model of kind standardize" in capsys.readouterr().err


def test_a_damaged_file_is_a_line_and_an_exit_code(monkeypatch: Any, capsys: Any) -> None:
    Path("x.lucidgrad").write_bytes(b"\x80\x04\x95pickle")
    for arguments in (["inspect", "x.lucidgrad"], ["export", "x.lucidgrad", "--onnx", "x.onnx"]):
        assert call(monkeypatch, *arguments) == 1
        assert capsys.readouterr().err.startswith("lucidgrad: x.lucidgrad expected")


def test_export_writes_a_network_with_its_preprocessing(monkeypatch: Any, capsys: Any) -> None:
    save()
    assert call(monkeypatch, "export", "m.lucidgrad", "--onnx", "m.onnx") == 0
    assert capsys.readouterr().out == "m.onnx: opset 18, input (batch, 2), standardised first\n"
    found = lg.io.read_model("m.lucidgrad")
    x = np.random.default_rng(4).normal(size=(5, 2)).astype(np.float32)
    expected = lg.predict(found.model, found.preprocessing.transform(x))
    session = onnxruntime.InferenceSession("m.onnx", providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"input": x})[0], expected, rtol=1e-5, atol=1e-5)


def test_export_does_not_write_over_the_model(monkeypatch: Any, capsys: Any) -> None:
    save()
    before = Path("m.lucidgrad").read_bytes()
    assert call(monkeypatch, "export", "m.lucidgrad", "--onnx", "./m.lucidgrad") == 1
    assert "the output expected another file, got m.lucidgrad, an input" in capsys.readouterr().err
    assert Path("m.lucidgrad").read_bytes() == before


def test_export_asks_for_a_shape_that_no_layer_tells(monkeypatch: Any, capsys: Any) -> None:
    lg.save(Sequential(Embedding(5, 2), Linear(2, 1)), "e.lucidgrad")
    assert call(monkeypatch, "export", "e.lucidgrad", "--onnx", "e.onnx") == 2
    assert "--input-shape" in capsys.readouterr().err
    given = ("--input-shape", "3", "--input-dtype", "int64")
    assert call(monkeypatch, "export", "e.lucidgrad", "--onnx", "e.onnx", *given) == 0
    assert lg.onnx.load("e.onnx")(np.array([[0, 1, 4]])).shape == (1, 3, 1)


def test_export_writes_an_estimator_whole(monkeypatch: Any, capsys: Any) -> None:
    x = np.random.default_rng(0).normal(size=(40, 3))
    estimator = lg.MLPClassifier((4,), solver="lbfgs", random_state=0).fit(x, np.where(x[:, 0] > 0, "up", "down"))
    lg.save(estimator, "m.lucidgrad")
    assert call(monkeypatch, "export", "m.lucidgrad", "--onnx", "m.onnx") == 0
    assert capsys.readouterr().out.startswith("m.onnx: opset 18, a mlp_classifier whole")
    session = onnxruntime.InferenceSession("m.onnx", providers=["CPUExecutionProvider"])
    assert list(session.run(["label"], {"input": x})[0]) == list(estimator.predict(x))
    assert call(monkeypatch, "export", "m.lucidgrad", "--onnx", "m.onnx", "--input-shape", "3") == 2
