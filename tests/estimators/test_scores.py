"""Losses of classes that know no probabilities: scores in their place, here, in files, in ONNX and on the shell."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import polars as pl
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.metrics import roc_auc_score

import lucidgrad as lg
from lucidgrad.cli.main import main
from lucidgrad.errors import ArgumentError, GradientError

onnxruntime.set_default_logger_severity(3)
X, SPECIES = load_iris(return_X_y=True)
X = X - X.mean(0)
NAMES = np.array(["setosa", "versi", "virgin"])[SPECIES]
TARGETS: dict[str, Any] = {
    "three": NAMES,
    "two": np.where(SPECIES == 0, "no", "yes"),
    "several": np.stack([SPECIES > 0, SPECIES == 1], axis=1).astype(int),
}
HINGES = ["hinge", lg.losses.Hinge, lg.losses.hinge, lg.losses.Hinge(reduction="sum")]


def fitted(target: str, loss: Any = "hinge") -> lg.MLPClassifier:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = lg.MLPClassifier((8,), loss=loss, max_iter=60, learning_rate_init=0.02, random_state=0)
        return model.fit(X, TARGETS[target])


def of_table(target: str, loss: Any = "hinge") -> lg.TabularClassifier:
    model = lg.TabularClassifier(
        hidden_layer_sizes=(8,), members=2, pieces=0, epochs=20, learning_rate=0.02, loss=loss, random_state=0
    )
    return model.fit(dict(zip("abcd", X.T, strict=True)), TARGETS[target])


def given(model: Any) -> Any:
    return X if isinstance(model, lg.MLPClassifier) else dict(zip("abcd", X.T, strict=True))


CASES = [(fitted, name) for name in TARGETS] + [(of_table, name) for name in ("three", "two")]
EVERY = pytest.mark.parametrize(("make", "target"), CASES, ids=lambda case: getattr(case, "__name__", case))


@EVERY
def test_what_has_the_largest_score_is_predicted(make: Any, target: str) -> None:
    model = make(target)
    scores, labels = model.decision_function(given(model)), model.predict(given(model))
    if target == "three":
        assert list(model.classes_[scores.argmax(1)]) == list(labels)
    elif target == "two":
        assert scores.shape == (150,)
        assert list(model.classes_[(scores > 0).astype(int)]) == list(labels)
    else:
        np.testing.assert_array_equal(scores > 0, labels)
    assert (labels == TARGETS[target]).mean() > 0.8
    assert (np.abs(scores) > 1).any()  # margins: no probabilities, and no logarithms of them


@EVERY
def test_an_exported_estimator_gives_labels_and_scores(make: Any, target: str, tmp_path: Path) -> None:
    model = make(target)
    lg.save(model, tmp_path / "m.lucidgrad")
    lg.onnx.export(lg.load(tmp_path / "m.lucidgrad"), tmp_path / "m.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"), providers=["CPUExecutionProvider"])
    named = {"input": X} if make is fitted else given(model)
    assert [o.name for o in session.get_outputs()] == ["label", "scores"]
    labels, scores = session.run(None, named)
    np.testing.assert_array_equal(labels, model.predict(given(model)))
    np.testing.assert_allclose(scores, model.decision_function(given(model)), atol=1e-5)


@pytest.mark.parametrize("loss", HINGES, ids=lambda loss: getattr(loss, "__name__", str(loss)))
@pytest.mark.parametrize("make", [fitted, of_table])
def test_the_hinge_loss_however_it_is_given_has_scores_and_no_probabilities(make: Any, loss: Any) -> None:
    model = make("two", loss)
    assert hasattr(model, "decision_function")
    assert not hasattr(model, "predict_log_proba")
    with pytest.raises(AttributeError) as error:
        model.predict_proba(given(model))
    assert "got the hinge loss, which knows margins alone. Use decision_function" in str(error.value.__cause__)


def test_losses_that_know_probabilities_have_no_scores() -> None:
    own = lg.losses.Logistic()
    for loss in ("log_loss", "logistic", own, lambda p, t: own.per_sample(p, t)):
        model = fitted("two", loss)
        assert model.predict_proba(X).shape == (150, 2)
        with pytest.raises(AttributeError) as error:
            model.decision_function(X)
        assert "Use predict_proba" in str(error.value.__cause__)


def test_what_is_no_loss_is_told_by_fit_and_not_by_who_looks_for_a_method() -> None:
    for model in (lg.MLPClassifier(loss=7), lg.TabularClassifier(loss=lg.metrics.accuracy)):
        assert hasattr(model, "predict_proba")
        with pytest.raises((ValueError, GradientError), match="loss"):
            model.fit(X, SPECIES)


def test_scores_are_calibrated_and_ranked_by_scikit_learn() -> None:
    model = lg.MLPClassifier((8,), loss="hinge", max_iter=40, learning_rate_init=0.02, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        calibrated = CalibratedClassifierCV(model, cv=3).fit(X, NAMES)
    assert calibrated.score(X, NAMES) > 0.8
    assert roc_auc_score(TARGETS["two"] == "yes", fitted("two").decision_function(X)) > 0.95


def test_a_classifier_for_tables_refuses_a_loss_for_numbers() -> None:
    for loss in ("squared_error", "logistic", lg.losses.Huber()):
        with pytest.raises(ArgumentError, match="TabularClassifier expected a loss for classes"):
            of_table("three", loss)


def shell(monkeypatch: pytest.MonkeyPatch, *words: str) -> Any:
    monkeypatch.setattr(sys, "argv", ["lucidgrad", *words])
    with pytest.raises(SystemExit) as left:
        main()
    return left.value.code


def test_the_shell_gives_labels_and_says_why_there_are_no_probabilities(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pl.DataFrame({**dict(zip("abcd", X.T, strict=True)), "y": NAMES}).write_csv(tmp_path / "x.csv")
    model = of_table("three")
    model.target_name_ = "y"
    lg.save(model, tmp_path / "m.lucidgrad")
    files = [str(tmp_path / "m.lucidgrad"), str(tmp_path / "x.csv")]
    asked = ["predict", *files, "-o", str(tmp_path / "out.csv")]
    assert shell(monkeypatch, *asked) == 0
    assert list(pl.read_csv(tmp_path / "out.csv")["prediction"]) == list(model.predict(given(model)))
    for refused in ([*asked, "--probabilities"], ["evaluate", *files]):
        assert shell(monkeypatch, *refused) == 1
        assert "trained by a loss that knows them" in " ".join(capsys.readouterr().err.split())
