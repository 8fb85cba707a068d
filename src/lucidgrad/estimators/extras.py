"""What the perceptrons take beyond scikit-learn's parameters: which values, and whether one of them is used.

A setting of ours that is left alone changes nothing; one that says how the network is built or trained hands training
to the loop of ``lucidgrad.fit`` (see ``extended.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.functional import ACTIVATIONS
from lucidgrad.losses import LOSSES, Loss
from lucidgrad.optim import OPTIMIZERS, SCHEDULES, Optimizer
from lucidgrad.training.engine import ENGINES

Array = np.ndarray[Any, np.dtype[Any]]

THEIR_ACTIVATIONS = ("identity", "logistic", "tanh", "relu")
THEIR_LOSSES = ("log_loss", "squared_error", "poisson")
OF_CLASSES = ("log_loss", "cross_entropy", "logistic", "hinge")

CONSTRAINTS: dict[str, list[Any]] = {
    "activation": [StrOptions({*THEIR_ACTIVATIONS, *ACTIVATIONS}), callable, list, tuple],
    "dropout": [Interval(Real, 0, 1, closed="left"), list, tuple],
    "normalization": [StrOptions({"batch", "layer"}), None],
    "optimizer": [StrOptions(set(OPTIMIZERS)), Optimizer, None],
    "schedule": [StrOptions(set(SCHEDULES)), callable, None],
    "callbacks": [list, tuple, None],
    "progress": ["boolean", None],
    "engine": [StrOptions(set(ENGINES))],
    "threads": [Interval(Integral, 1, None, closed="left"), None],
}
OF_CLASSIFIER: dict[str, list[Any]] = {
    "loss": [StrOptions(set(OF_CLASSES)), Loss, callable],
    "class_weight": [StrOptions({"balanced"}), dict, list, None],
}
OF_REGRESSOR: dict[str, list[Any]] = {
    "loss": [StrOptions({"squared_error", "poisson", *(set(LOSSES) - set(OF_CLASSES))}), Loss, callable],
    "calibration": [Interval(Real, 0, 1, closed="neither"), Interval(Integral, 2, None, closed="left"), None],
}


def uses_extras(me: Any) -> bool:
    """Whether the network or its training is one that scikit-learn does not have."""
    return (
        not (isinstance(me.activation, str) and me.activation in THEIR_ACTIVATIONS)
        or not (isinstance(me.loss, str) and me.loss in THEIR_LOSSES)
        or me.normalization is not None
        or bool(np.any(me.dropout))
        or me.optimizer is not None
        or me.schedule is not None
        or bool(me.callbacks)
        or getattr(me, "_given_validation", None) is not None
    )


def for_each_layer(name: str, value: Any, layers: int) -> list[Any]:
    """An option that is one for all hidden layers, or a list with one for each."""
    if not isinstance(value, list | tuple):
        return [value] * layers
    if len(value) != layers:
        raise ArgumentError(
            explain(
                f"{name} expected one value, or one for each hidden layer, {layers}",
                f"{len(value)}: {value!r}",
                "Give as many as hidden_layer_sizes has",
            )
        )
    return list(value)


def class_weights(
    class_weight: Any, labels: Array, classes: Array, sample_weight: Array | None, of: Array | None = None
) -> Array:
    """What each sample counts by its class.

    Parameters
    ----------
    class_weight
        ``"balanced"``: all classes count alike, W / (classes W_c) with W_c the weight of the samples of class c (King
        and Zeng 2001, as in scikit-learn, where samples without weights count 1). Or a dict from classes to weights;
        classes that are not in it count 1.
    labels : (n,) or (n, outputs)
        With several labels a row the weights of its columns are multiplied, as in scikit-learn.
    of : (m,) or (m, outputs), optional
        Labels of other samples, which get the weights that the classes have among ``labels``.

    Returns
    -------
    (n,) weights, to be multiplied with ``sample_weight``; of other samples (m,).

    Examples
    --------
    >>> class_weights("balanced", np.array([0, 0, 0, 1]), np.array([0, 1]), None).tolist()
    [0.667, 0.667, 0.667, 2.0]
    >>> class_weights("balanced", np.array([0, 0, 0, 1]), np.array([0, 1]), None, of=np.array([1, 0])).tolist()
    [2.0, 0.667]
    """
    of = labels if of is None else of
    if labels.ndim == 1:
        return _by_class(class_weight, labels, classes, sample_weight)[np.searchsorted(classes, of)]
    columns = labels.shape[1]
    given = [class_weight] * columns if isinstance(class_weight, str) else class_weight
    if not isinstance(given, list) or len(given) != columns:
        raise ArgumentError(
            explain(
                f"class_weight expected 'balanced' or a list of {columns} dicts, one for each label of a row",
                f"{type(class_weight).__name__}",
                "Write class_weight=[{0: 1, 1: 5}, ...], or weigh the rows themselves by sample_weight",
            )
        )
    either = np.array([0, 1])
    one_by_one = [
        _by_class(w, labels[:, i], either, sample_weight)[np.searchsorted(either, of[:, i])]
        for i, w in enumerate(given)
    ]
    weights: Array = np.prod(one_by_one, axis=0)
    return weights


def _by_class(class_weight: Any, labels: Array, classes: Array, sample_weight: Array | None) -> Array:
    """The weight of each class, (classes,)."""
    if isinstance(class_weight, Mapping):
        unknown = [c for c in class_weight if c not in classes]
        if unknown:
            raise ArgumentError(
                explain("class_weight expected classes of y", repr(unknown[0]), f"There are {classes.tolist()}")
            )
        given = [class_weight.get(c, 1.0) for c in classes.tolist()]
        by_class = np.array([float(w) if isinstance(w, int | float | np.number) else np.nan for w in given])
        if not (np.isfinite(by_class).all() and (by_class >= 0).all()):
            raise ArgumentError(
                explain("class_weight expected finite numbers >= 0", f"{class_weight}", "A weight of 1 is usual")
            )
        return by_class
    if not (isinstance(class_weight, str) and class_weight == "balanced"):
        raise ArgumentError(
            explain(
                "class_weight expected 'balanced' or a dict from classes to weights",
                repr(class_weight) if isinstance(class_weight, str) else f"a {type(class_weight).__name__}",
                "A list of dicts is for several labels a row",
            )
        )
    totals = np.bincount(np.searchsorted(classes, labels), weights=sample_weight, minlength=len(classes))
    present = totals > 0
    by_class = np.ones(len(classes))
    by_class[present] = totals.sum() / (present.sum() * totals[present])
    return by_class
