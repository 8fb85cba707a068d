"""Fitted estimators for tables in model files: settings, preprocessing, network, classes, and how training went."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from lucidgrad.estimators import feature_names, labels, settings, table_network
from lucidgrad.estimators.extended_files import check_weight
from lucidgrad.estimators.table_classifier import TabularClassifier
from lucidgrad.estimators.table_regressor import TabularRegressor
from lucidgrad.estimators.target_scaling import Scaling
from lucidgrad.io import network
from lucidgrad.io.kinds import Kind, from_tree, kind_of, register
from lucidgrad.io.tree import Tree
from lucidgrad.training import History

KEYS = {"settings", "preprocessing", "network", "history", "features", "feature_names"}
TARGET_KEYS = {"center", "scale", "residuals", "one", "logarithm"}


def _to_tree(estimator: Any) -> Tree:
    check_is_fitted(estimator)
    tree: dict[str, Any] = {
        "settings": settings.to_tree(estimator),
        "preprocessing": kind_of(estimator.preprocessing_).to_tree(estimator.preprocessing_),
        "network": network.to_tree(estimator.model_),
        "history": [dict(row) for row in estimator.history_.rows],
        "features": int(estimator.n_features_in_),
        "feature_names": feature_names.to_tree(estimator),
    }
    if (target_name := getattr(estimator, "target_name_", None)) is not None:
        tree["target_name"] = str(target_name)
    if isinstance(estimator, TabularClassifier):
        return tree | {"classes": labels.to_tree(np.asarray(estimator.classes_))}
    scaling, residuals = estimator.target_scaling_, estimator.residuals_
    target = {"center": scaling.center, "scale": scaling.scale, "residuals": residuals}
    if estimator._residual_weight is not None:
        target["residual_weight"] = estimator._residual_weight
    return tree | {"target": target | {"one": bool(estimator._one), "logarithm": bool(estimator._poisson)}}


def _from_tree(cls: type, tree: Tree) -> Any:
    """The estimator again. Each part is looked at: the file may be anyone's."""
    own = {"classes"} if cls is TabularClassifier else {"target"}
    if tree.keys() - {"target_name"} != KEYS | own:
        raise ValueError(f"it has to have {', '.join(sorted(KEYS | own))}")
    estimator = cls(**settings.from_tree(cls, tree["settings"]))
    estimator.preprocessing_ = from_tree("table", tree["preprocessing"])
    estimator.columns_ = estimator.preprocessing_.columns
    estimator.model_ = network.from_tree(tree["network"])
    _set_features(estimator, tree["features"], tree["feature_names"])
    estimator.history_ = _history(tree["history"])
    estimator.target_name_ = tree.get("target_name")
    if type(estimator.target_name_) not in (str, type(None)):
        raise TypeError("the name of its target has to be text")
    if cls is TabularClassifier:
        estimator.classes_ = labels.from_tree(tree["classes"])
        outputs = len(estimator.classes_)
    else:
        outputs = _set_target(estimator, tree["target"])
    preprocessing = estimator.preprocessing_
    table_network.check(estimator.model_, len(preprocessing.numeric_names), preprocessing.places, outputs)
    return estimator


def _set_features(estimator: Any, count: Any, names: Any) -> None:
    if type(count) is not int or count != len(estimator.columns_):
        raise ValueError("it has to have as many features as columns")
    estimator.n_features_in_ = count
    feature_names.set_names(estimator, names)


def _history(rows: Any) -> History:
    if type(rows) is not list or not all(type(row) is dict for row in rows):
        raise TypeError("its history has to be a list of rows")
    if not all(_is_measured(value) for row in rows for value in row.values()):
        raise TypeError("its history has to be made of numbers")
    return History(rows)


def _is_measured(value: Any) -> bool:
    """A number, none, or numbers by name: the largest weights of each parameter."""
    numbers = value.values() if type(value) is dict else [value]
    return all(x is None or type(x) in (int, float) for x in numbers)


def _set_target(estimator: Any, target: Any) -> int:
    if (
        target.keys() - {"residual_weight"} != TARGET_KEYS
        or type(target["one"]) is not bool
        or type(target["logarithm"]) is not bool
    ):
        raise ValueError(f"its target has to have {', '.join(sorted(TARGET_KEYS))}")
    center, scale, residuals = (target[name] for name in ("center", "scale", "residuals"))
    for array, axes in ((center, 1), (scale, 1), *([(residuals, 2)] if residuals is not None else [])):
        if not isinstance(array, np.ndarray) or array.dtype != np.float64 or array.ndim != axes:
            raise TypeError("the scaling of its target has to be made of arrays of float64")
    if center.shape != scale.shape or not (scale > 0).all() or (target["one"] and len(center) != 1):
        raise ValueError("the scaling of its target has to have a positive scale for each output")
    if not (np.isfinite(center).all() and np.isfinite(scale).all()):
        raise ValueError("the scaling of its target has to be finite")
    if residuals is not None and (residuals.shape[1:] != center.shape or (residuals[1:] < residuals[:-1]).any()):
        raise ValueError("the residuals of its target have to ascend for each output")
    estimator._residual_weight = target.get("residual_weight")
    if "residual_weight" in target:
        if residuals is None:
            raise ValueError("weights of residuals have to have residuals")
        check_weight(target["residual_weight"], residuals.shape)
    estimator.target_scaling_ = Scaling(center, scale)
    estimator.residuals_, estimator._one, estimator._poisson = residuals, target["one"], target["logarithm"]
    return len(center)


register(Kind("tabular_classifier", TabularClassifier, _to_tree, lambda tree: _from_tree(TabularClassifier, tree)))
register(Kind("tabular_regressor", TabularRegressor, _to_tree, lambda tree: _from_tree(TabularRegressor, tree)))
