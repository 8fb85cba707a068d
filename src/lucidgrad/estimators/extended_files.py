"""What goes beyond scikit-learn in the file of a perceptron: numbers of its norms, and the errors of its intervals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lucidgrad.estimators.conformal import Calibration
from lucidgrad.estimators.extras import THEIR_ACTIVATIONS
from lucidgrad.estimators.networks import network_of
from lucidgrad.io.functions import keeps_shape
from lucidgrad.io.tree import Tree
from lucidgrad.nn import BatchNorm, LayerNorm, Module, Sequential


def norms_of(estimator: Any) -> Tree:
    """The state of each norm; None where scikit-learn's loop has fitted."""
    network = estimator.__dict__.get("_network")
    return None if network is None else [norm.state() for norm in _norms(network)]


def set_network(estimator: Any, units: list[int], norms: Any) -> None:
    """Build the network of an estimator that was trained by lucidgrad's loop, from its settings and weights."""
    if norms is None:
        if not isinstance(estimator.activation, str) or estimator.activation not in THEIR_ACTIVATIONS:
            raise ValueError("it has to have the numbers of its norms, or an activation of scikit-learn")
        return
    network = network_of(estimator, units, estimator.coefs_[0].dtype)
    found = _norms(network)
    if not all(isinstance(layer, Module) or keeps_shape(layer) for layer in network):
        raise ValueError("its activations have to keep shapes")
    if type(norms) is not list or len(norms) != len(found) or not all(isinstance(state, dict) for state in norms):
        raise ValueError("it has to have the numbers of its norms")
    for norm, state in zip(found, norms, strict=True):
        norm.load_state(state)
        if isinstance(norm, BatchNorm) and (norm.running_var.numpy() < 0).any():
            raise ValueError("the variances of its norms have to be at least 0")
    estimator._network = network.eval()


def _norms(network: Sequential) -> list[BatchNorm | LayerNorm]:
    return [layer for layer in network if isinstance(layer, BatchNorm | LayerNorm)]


def calibration_to_tree(known: Calibration, estimator_to_tree: Callable[[Any], Tree]) -> Tree:
    """The errors that intervals are made from, with the networks of the folds."""
    weight = {} if known.weight is None else {"weight": np.asarray(known.weight)}
    return weight | {
        "scores": np.asarray(known.scores),
        "quantiles": known.quantiles,
        "folds": known.folds,
        "models": [estimator_to_tree(model) for model in known.models],
    }


def calibration_of_tree(tree: Tree, estimator_of: Callable[[Tree], Any], outputs: int) -> Calibration:
    """The same again; TypeError or ValueError for what was not made by ``calibration_to_tree``."""
    if not isinstance(tree, dict) or tree.keys() - {"weight"} != {"scores", "quantiles", "folds", "models"}:
        raise ValueError("its calibration has to have scores, quantiles, folds and models")
    scores, quantiles, folds, models = tree["scores"], tree["quantiles"], tree["folds"], tree["models"]
    if not isinstance(scores, np.ndarray) or scores.dtype.kind != "f" or type(quantiles) is not bool:
        raise TypeError("the scores of its calibration have to be floats")
    if scores.ndim not in (1, 2) or not len(scores) or scores.shape[1:] not in ((), (outputs,)):
        raise ValueError("the scores of its calibration have to be one for each output")
    if type(models) is not list or (folds is None) != (not models):
        raise ValueError("its calibration has to have a model for each fold")
    if folds is not None:
        if not isinstance(folds, np.ndarray) or folds.dtype != np.int64 or folds.shape != scores.shape[:1]:
            raise TypeError("the folds of its calibration have to be numbers")
        if folds.min() < 0 or folds.max() >= len(models):
            raise ValueError("the folds of its calibration have to be those of its models")
    weight = tree.get("weight")
    if "weight" in tree:
        check_weight(weight, scores.shape[:1])
    return Calibration(scores, quantiles, folds, [estimator_of(model) for model in models], weight)


def check_weight(weight: Any, shape: tuple[int, ...]) -> None:
    """ValueError for what are no weights of samples of this shape."""
    if not isinstance(weight, np.ndarray) or weight.dtype != np.float64 or weight.shape != shape:
        raise ValueError("its weights have to be one for each sample")
    if not np.isfinite(weight).all() or (weight < 0).any():
        raise ValueError("its weights have to be at least 0")
