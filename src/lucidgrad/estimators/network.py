"""The network of a fitted perceptron, as lucidgrad's layers: for files, for ONNX, and to go on with."""

from __future__ import annotations

from typing import Any

from lucidgrad import functional
from lucidgrad.nn import Linear, Module, Sequential
from lucidgrad.random import Key
from lucidgrad.tensor import Tensor

ACTIVATIONS = {"relu": functional.relu, "tanh": functional.tanh, "logistic": functional.sigmoid}
"""scikit-learn's names of activations; ``identity`` is none."""


def fitted_network(estimator: Any) -> Module:
    """The layers of a fitted ``MLPClassifier`` or ``MLPRegressor``, without the activation of the outputs.

    Returns
    -------
    Module
        (batch, n_features_in_) → (batch, outputs): logits of a classifier; the predictions of a regressor, or with
        Poisson loss their logarithms.
    """
    layers: list[Any] = []
    for i, (coefs, intercepts) in enumerate(zip(estimator.coefs_, estimator.intercepts_, strict=True)):
        if i and estimator.activation != "identity":
            layers.append(ACTIVATIONS[estimator.activation])
        layers.append(_linear(coefs, intercepts))
    return Sequential(*layers).eval()


def _linear(coefs: Any, intercepts: Any) -> Linear:
    inputs, outputs = coefs.shape

    def start(array: Any) -> Any:
        return lambda key, shape, dtype: Tensor(array, dtype=array.dtype)

    options: dict[str, Any] = {"init": start(coefs.T), "bias_init": start(intercepts), "dtype": coefs.dtype}
    return Linear(inputs, outputs, key=Key(0), **options)
