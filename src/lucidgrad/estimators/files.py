"""Fitted perceptrons in model files: settings, weights, labels, and how training went, as plain data.

What an estimator draws and keeps to go on training with (the moments of Adam, the state of its random numbers) is not
in a file: a loaded one predicts, and trains on from its weights with a fresh optimizer.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.validation import check_is_fitted

from lucidgrad.estimators import feature_names, labels, settings
from lucidgrad.estimators.classifier import MLPClassifier
from lucidgrad.estimators.extended_files import calibration_of_tree, calibration_to_tree, norms_of, set_network
from lucidgrad.estimators.regressor import MLPRegressor
from lucidgrad.io.kinds import Kind, register
from lucidgrad.io.tree import Tree

PROGRESS: dict[str, type] = {
    "n_iter_": int, "t_": int, "loss_": float, "best_loss_": float, "loss_curve_": list, "validation_scores_": list,
    "best_validation_score_": float, "_no_improvement_count": int,
}  # fmt: skip
"""How training went, with the type of each; what a fit has not made is None."""

Y_TYPES = ("binary", "multiclass", "multilabel-indicator")


def _to_tree(estimator: Any) -> Tree:
    check_is_fitted(estimator)
    tree: dict[str, Any] = {
        "settings": settings.to_tree(estimator),
        "coefs": [np.asarray(a) for a in estimator.coefs_],
        "intercepts": [np.asarray(a) for a in estimator.intercepts_],
        "out_activation": estimator.out_activation_,
        "progress": {name: _number(getattr(estimator, name, None)) for name in PROGRESS},
        "features": feature_names.to_tree(estimator),
        "norms": norms_of(estimator),
    }
    if isinstance(estimator, MLPRegressor):
        known = estimator.__dict__.get("_conformal")
        tree["calibration"] = None if known is None else calibration_to_tree(known, _to_tree)
    if isinstance(estimator, MLPClassifier):
        binarizer = estimator._label_binarizer
        tree["target"] = {"type": binarizer.y_type_, "classes": labels.to_tree(np.asarray(estimator.classes_))}
    return tree


def _number(value: Any) -> Any:
    if isinstance(value, list):
        return [float(x) for x in value]
    return value.item() if isinstance(value, np.generic) else value


def _from_tree(cls: type, tree: Tree) -> Any:
    """The estimator again. Each part is looked at: the file may be anyone's."""
    expected = {"settings", "coefs", "intercepts", "out_activation", "progress", "features", "norms"}
    expected |= {"target"} if cls is MLPClassifier else {"calibration"}
    if tree.keys() != expected:
        raise ValueError(f"it has to have {', '.join(sorted(expected))}")
    estimator = cls(**settings.from_tree(cls, tree["settings"]))
    estimator._validate_params()
    units = _set_weights(estimator, tree["coefs"], tree["intercepts"])
    estimator.n_features_in_, estimator.n_outputs_, estimator.n_layers_ = units[0], units[-1], len(units)
    feature_names.set_names(estimator, tree["features"])
    _set_progress(estimator, tree["progress"])
    allowed = ("softmax", "logistic") if cls is MLPClassifier else ("identity", "exp")
    if tree["out_activation"] not in allowed:
        raise ValueError(f"the activation of its outputs has to be one of {allowed}")
    estimator.out_activation_ = tree["out_activation"]
    if cls is MLPClassifier:
        _set_classes(estimator, tree["target"])
    elif tree["calibration"] is not None:
        estimator._conformal = calibration_of_tree(tree["calibration"], lambda part: _from_tree(cls, part), units[-1])
    set_network(estimator, units, tree["norms"])
    return estimator


def _set_weights(estimator: Any, coefs: Any, intercepts: Any) -> list[int]:
    if type(coefs) is not list or type(intercepts) is not list or not 1 <= len(coefs) == len(intercepts):
        raise TypeError("its weights have to be lists of arrays")
    dtype = coefs[0].dtype
    for array in (*coefs, *intercepts):
        if not isinstance(array, np.ndarray) or array.dtype != dtype or dtype not in (np.float32, np.float64):
            raise TypeError("its weights have to be arrays of floats of one dtype")
    units = [coefs[0].shape[0], *(bias.shape[0] for bias in intercepts)]
    shapes = list(pairwise(units))
    if [c.shape for c in coefs] != shapes or any(b.ndim != 1 for b in intercepts) or 0 in units:
        raise ValueError("the shapes of its weights have to fit together")
    hidden = estimator.hidden_layer_sizes
    if tuple(hidden if isinstance(hidden, tuple) else [hidden]) != tuple(units[1:-1]):
        raise ValueError("its weights have to have hidden_layer_sizes")
    estimator.coefs_, estimator.intercepts_ = coefs, intercepts
    return units


def _set_progress(estimator: Any, progress: Any) -> None:
    if progress.keys() != PROGRESS.keys():
        raise ValueError(f"its progress has to be {', '.join(PROGRESS)}")
    for name, kind in PROGRESS.items():
        value: Any = progress[name]
        parts = value if type(value) is list else [value]
        part = float if kind is list else kind
        if value is not None and ((type(value) is list) != (kind is list) or not all(type(x) is part for x in parts)):
            raise TypeError(f"{name} has to be a {kind.__name__}")
        if value is not None or not name.startswith("_"):
            setattr(estimator, name, value)


def _set_classes(estimator: Any, target: Any) -> None:
    kind, classes = target["type"], labels.from_tree(target["classes"])
    outputs = estimator.n_outputs_
    wanted = (1, 2) if kind == "binary" else (outputs,)
    if kind not in Y_TYPES or len(classes) not in wanted or (kind == "binary" and outputs != 1):
        raise ValueError("its classes have to be as many as its outputs")
    if (estimator.out_activation_ == "softmax") != (kind == "multiclass"):
        raise ValueError("the activation of its outputs has to fit its classes")
    binarizer = LabelBinarizer()
    binarizer.y_type_, binarizer.classes_, binarizer.sparse_input_ = kind, classes, False
    estimator._label_binarizer, estimator.classes_ = binarizer, classes


register(Kind("mlp_classifier", MLPClassifier, _to_tree, lambda tree: _from_tree(MLPClassifier, tree)))
register(Kind("mlp_regressor", MLPRegressor, _to_tree, lambda tree: _from_tree(MLPRegressor, tree)))
