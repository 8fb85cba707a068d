"""The way forward of a fitted network: a few matrix products in NumPy, or compiled where there are many rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.neural_network._base import ACTIVATIONS
from sklearn.utils.validation import validate_data

from lucidgrad.estimators import asking_natively
from lucidgrad.estimators.activating import activated
from lucidgrad.nn import BatchNorm, Dropout, LayerNorm, Linear, Sequential

Array = np.ndarray[Any, np.dtype[Any]]

ROWS_AT_ONCE = 2**14


def checked(me: Any, x: Any) -> Any:
    """The rows as scikit-learn's checks leave them.

    A plain array of finite floats with the right number of columns is left as it is, and to look at that takes a tenth
    of the time that the checks take of anything.
    """
    if (
        type(x) is np.ndarray
        and x.ndim == 2
        and x.dtype in (np.float32, np.float64)
        and x.shape[1] == me.n_features_in_
        and len(x)
        and "feature_names_in_" not in vars(me)
    ):
        with np.errstate(over="ignore", invalid="ignore"):
            if np.isfinite(x.sum()):  # else a sum may have been too large
                return x
    return validate_data(me, x, accept_sparse=["csr", "csc"], reset=False)


def plain_outputs(me: Any, x: Array) -> Array:
    """The way forward of scikit-learn's perceptron, with its activations, for rows that have been checked."""
    hidden, last = ACTIVATIONS[me.activation], len(me.coefs_) - 1
    z = x
    for i, (coef, intercept) in enumerate(zip(me.coefs_, me.intercepts_, strict=True)):
        z = z @ coef
        z += intercept
        if i < last:
            hidden(z)
    ACTIVATIONS[me.out_activation_](z)
    return z


def outputs(me: Any, network: Sequential, x: Any) -> Array:
    """What the network of an estimator puts out for the rows of x (n, features), dense or sparse: (n, outputs)."""
    dtype = next(layer.weight.dtype for layer in network if isinstance(layer, Linear))
    n = x.shape[0]
    natively = me.engine != "eager" and asking_natively.pays(network, n)

    def forward(rows: Any) -> Array:
        z = dense(rows, dtype)
        return asking_natively.forward(network, z, me.threads) if natively else _forward(network, z)

    if n <= ROWS_AT_ONCE:
        return forward(x)
    rows: Any = x.tocsr() if hasattr(x, "tocsr") else x
    made = np.empty((n, me.n_outputs_), dtype)
    for start in range(0, n, ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        made[part] = forward(rows[part])
    return made


def dense(x: Any, dtype: np.dtype[Any]) -> Array:
    """The rows as an array of a dtype."""
    rows: Any = x
    return np.asarray(rows.toarray() if issparse(x) else rows, dtype)


def _forward(network: Sequential, z: Array) -> Array:
    with np.errstate(all="ignore"):
        for layer in network:
            if isinstance(layer, Linear):
                z = z @ layer.weight.numpy().T
                if layer.bias is not None:
                    z += layer.bias.numpy()
            elif isinstance(layer, BatchNorm):
                scale = layer.weight.numpy() / np.sqrt(layer.running_var.numpy() + z.dtype.type(layer.eps))
                z *= scale
                z += layer.bias.numpy() - layer.running_mean.numpy() * scale
            elif isinstance(layer, LayerNorm):
                # The mean of a short row as a product takes a tenth of the time of NumPy's sum over the last axis.
                share = np.full(z.shape[1], 1 / z.shape[1], z.dtype)
                z -= (z @ share)[:, np.newaxis]
                z /= np.sqrt(np.square(z) @ share + z.dtype.type(layer.eps))[:, np.newaxis]
                z *= layer.weight.numpy()
                z += layer.bias.numpy()
            elif not isinstance(layer, Dropout):
                z = activated(layer, z)
    return z
