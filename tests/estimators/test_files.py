"""Fitted perceptrons in files and in ONNX: what comes back predicts the same, and forged parts are refused."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from sklearn.datasets import make_classification, make_multilabel_classification, make_regression
from sklearn.exceptions import ConvergenceWarning

import lucidgrad as lg
from lucidgrad.errors import ArgumentError, ModelFileError
from lucidgrad.io.kinds import from_tree, kind_of

onnxruntime.set_default_logger_severity(3)

X, CLASSES = make_classification(90, 6, n_informative=4, n_classes=3, random_state=0)
X_REGRESSION, Y_REGRESSION = make_regression(90, 6, random_state=0)
Y_REGRESSION = Y_REGRESSION / 100
SEVERAL = make_multilabel_classification(90, 6, n_classes=4, random_state=0)[1]

TARGETS: dict[str, Any] = {
    "integers": CLASSES,
    "two": CLASSES == 1,
    "two integers": np.where(CLASSES == 1, -1, 1),
    "floats": CLASSES.astype(float),
    "strings": np.array(["low", "높음", "mid"])[CLASSES],
    "two strings": np.array(["no", "yes"], dtype=object)[np.minimum(CLASSES, 1)],
    "small integers": CLASSES.astype(np.int8),
    "several": SEVERAL,
    "one class": np.full(90, 4),
}
REGRESSION: dict[str, tuple[Any, dict[str, Any]]] = {
    "one target": (Y_REGRESSION, {}),
    "two targets": (np.stack([Y_REGRESSION, -Y_REGRESSION], 1), {"activation": "tanh"}),
    "counts": (np.exp(Y_REGRESSION / 2), {"loss": "poisson"}),
}


def fit(estimator: Any, x: Any, y: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.set_params(max_iter=15, random_state=0, hidden_layer_sizes=(8, 5)).fit(x, y)


def fitted(name: str, dtype: Any = np.float64) -> tuple[Any, Any]:
    if name in TARGETS:
        return fit(lg.MLPClassifier(), X.astype(dtype), TARGETS[name]), X.astype(dtype)
    y, options = REGRESSION[name]
    x = X_REGRESSION.astype(dtype)
    return fit(lg.MLPRegressor(**options), x, y), x


EVERY = pytest.mark.parametrize("name", [*TARGETS, *REGRESSION])


@EVERY
def test_a_loaded_estimator_predicts_the_same_bits_and_knows_what_it_was(name: str, tmp_path: Path) -> None:
    estimator, x = fitted(name)
    lg.save(estimator, tmp_path / "m.lucidgrad", metrics={"score": 0.5})
    again = lg.load(tmp_path / "m.lucidgrad")
    assert type(again) is type(estimator)
    assert again.get_params() == estimator.get_params()
    np.testing.assert_array_equal(again.predict(x), estimator.predict(x))
    assert again.predict(x).dtype == estimator.predict(x).dtype
    if name in TARGETS:
        np.testing.assert_array_equal(again.predict_proba(x), estimator.predict_proba(x))
        assert again.classes_.dtype == estimator.classes_.dtype
    names = ("n_iter_", "t_", "loss_", "best_loss_", "loss_curve_", "n_layers_", "n_outputs_", "n_features_in_")
    for attribute in (*names, "out_activation_", "validation_scores_", "best_validation_score_"):
        assert getattr(again, attribute) == getattr(estimator, attribute)


@EVERY
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_exported_estimator_gives_the_same_labels_and_numbers_elsewhere(
    name: str, dtype: Any, tmp_path: Path
) -> None:
    estimator, x = fitted(name, dtype)
    lg.onnx.export(estimator, tmp_path / "m.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"), providers=["CPUExecutionProvider"])
    for n in (1, 7, 64):
        made = dict(zip([o.name for o in session.get_outputs()], session.run(None, {"input": x[:n]}), strict=True))
        if name in TARGETS:
            assert list(made["label"].ravel()) == list(estimator.predict(x[:n]).ravel())
            np.testing.assert_allclose(made["probabilities"], estimator.predict_proba(x[:n]), atol=1e-5)
        else:
            np.testing.assert_allclose(made["prediction"], estimator.predict(x[:n]), rtol=1e-4, atol=1e-5)


def test_names_of_features_are_kept(tmp_path: Path) -> None:
    frame = pd.DataFrame(X, columns=list("abcdef"))
    estimator = fit(lg.MLPClassifier(), frame, CLASSES)
    lg.save(estimator, tmp_path / "m.lucidgrad")
    again = lg.load(tmp_path / "m.lucidgrad")
    assert list(again.predict(frame)) == list(estimator.predict(frame))
    with pytest.raises(ValueError, match="feature names"):
        again.predict(frame[list("bacdef")])


def test_a_loaded_estimator_trains_on_from_its_weights(tmp_path: Path) -> None:
    estimator, x = fitted("integers")
    lg.save(estimator, tmp_path / "m.lucidgrad")
    again = lg.load(tmp_path / "m.lucidgrad")
    before = [a.copy() for a in again.coefs_]
    again.partial_fit(x, CLASSES)
    assert all(0 < np.abs(a - b).max() < 0.1 for a, b in zip(again.coefs_, before, strict=True))


def test_what_a_file_cannot_hold_is_named(tmp_path: Path) -> None:
    estimator = fit(lg.MLPClassifier(), X, CLASSES)
    estimator.tol = np  # a module
    with pytest.raises(ArgumentError, match=r"MLPClassifier\(tol=\.\.\.\) expected what a file can hold"):
        lg.save(estimator, tmp_path / "m.lucidgrad")
    assert not (tmp_path / "m.lucidgrad").exists()


def test_an_estimator_that_is_not_fitted_is_not_saved(tmp_path: Path) -> None:
    for act in (lambda e: lg.save(e, tmp_path / "x"), lambda e: lg.onnx.export(e, tmp_path / "x")):
        with pytest.raises(ValueError, match="not fitted yet"):
            act(lg.MLPRegressor())


def test_options_of_networks_are_refused_for_estimators(tmp_path: Path) -> None:
    estimator, _ = fitted("integers")
    with pytest.raises(ArgumentError, match="it knows its own"):
        lg.onnx.export(estimator, tmp_path / "x", input_shape=(6,))
    with pytest.raises(ArgumentError, match="expected a network or an estimator"):
        lg.onnx.export("model", tmp_path / "x")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="expected input_shape"):
        lg.onnx.export(lg.nn.Linear(1, 1), tmp_path / "x")


def without(tree: Any, *path: Any) -> Any:
    """The tree with a part replaced or removed."""
    *steps, last, value = path
    copy = inner = dict(tree)
    for step in steps:
        inner[step] = inner[step].copy()
        inner = inner[step]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return copy


FORGED = [
    ("coefs", ...),
    ("coefs", [np.zeros((6, 8))]),
    ("coefs", "no"),
    ("coefs", 0, np.zeros((6, 8), np.int64)),
    ("coefs", 1, np.zeros((8, 6))),
    ("intercepts", 2, np.zeros((3, 1))),
    ("intercepts", 0, None),
    ("settings", "alpha", "much"),
    ("settings", "activation", "__import__"),
    ("settings", "hidden_layer_sizes", (9, 5)),
    ("settings", "evil", 1),
    ("settings", "tol", {"a": 1}),
    ("out_activation", "identity"),
    ("out_activation", "logistic"),
    ("progress", "n_iter_", 1.5),
    ("progress", "loss_curve_", ["a"]),
    ("progress", "t_", ...),
    ("features", ["a"]),
    ("features", [1, 2, 3, 4, 5, 6]),
    ("target", "type", "binary"),
    ("target", "type", "continuous"),
    ("target", "classes", np.zeros((3, 1))),
    ("target", "classes", {"strings": ["a", "b", 3], "objects": True}),
    ("target", "classes", {"strings": ["a", "b", "c"], "objects": 1}),
    ("target", "classes", np.arange(4)),
]


@pytest.mark.parametrize("forgery", FORGED, ids=repr)
def test_forged_parts_of_an_estimator_are_refused(forgery: Any) -> None:
    estimator, _ = fitted("integers")
    kind = kind_of(estimator)
    tree = kind.to_tree(estimator)
    assert from_tree(kind.name, tree).n_layers_ == 4
    with pytest.raises(ModelFileError):
        from_tree(kind.name, without(tree, *forgery))


def test_a_setting_that_a_file_does_not_know_yet_has_its_default() -> None:
    estimator, _ = fitted("integers")
    tree = without(kind_of(estimator).to_tree(estimator), "settings", "tol", ...)
    assert from_tree("mlp_classifier", tree).tol == lg.MLPClassifier().tol
