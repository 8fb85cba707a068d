"""Linear: every output a weighted sum of all inputs, the layer that multi-layer perceptrons are made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from lucidgrad.errors import ShapeError, explain
from lucidgrad.functional import linear
from lucidgrad.nn import init as initialisers
from lucidgrad.nn.checks import check_size
from lucidgrad.nn.init import Initializer, parameter
from lucidgrad.nn.module import Module
from lucidgrad.random import Key, next_key
from lucidgrad.tensor import Tensor


class Linear(Module):
    """y = x W^T + b.

    Parameters
    ----------
    in_features, out_features
        Numbers of columns of the input and of the output.
    bias
        Whether there is a b.
    init
        How the weights start: a function of (key, shape, dtype), see ``lucidgrad.nn.init``. By default
        ``he_uniform``, which keeps the size of activations through relu layers (He et al. 2015, eq. 10) and starts
        tanh layers within a factor sqrt(2) of ``lecun_uniform``. PyTorch starts with weights sqrt(6) times smaller
        (kaiming_uniform with a = sqrt(5)) and random biases; scikit-learn and Keras with ``glorot_uniform``.
    bias_init
        How the biases start: by default with zeros.
    dtype
        ``np.float32`` or ``np.float64``.
    key
        Where the random numbers come from; None: ``lucidgrad.random.next_key()``.

    Attributes
    ----------
    weight : Tensor
        (out_features, in_features), as in PyTorch.
    bias : Tensor or None
        (out_features,)

    Examples
    --------
    >>> import lucidgrad as lg
    >>> layer = lg.nn.Linear(3, 2, key=lg.Key(0))
    >>> layer([[1.0, 2.0, 3.0]]).shape
    (1, 2)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        bias: bool = True,
        init: Initializer = initialisers.he_uniform,
        bias_init: Initializer = initialisers.zeros,
        dtype: DTypeLike = np.float32,
        key: Key | None = None,
    ) -> None:
        check_size("Linear", "in_features", in_features)
        check_size("Linear", "out_features", out_features)
        weight_key, bias_key = (next_key() if key is None else key).split(2)
        self.in_features = in_features
        self.out_features = out_features
        self.weight = parameter(init, weight_key, (out_features, in_features), dtype)
        self.bias = parameter(bias_init, bias_key, (out_features,), dtype) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """x: (batch, ..., in_features) → (batch, ..., out_features)."""
        if x.ndim < 2 or x.shape[-1] != self.in_features:
            raise _wrong_shape(x.shape, self.in_features)
        return x @ self.weight.mT if self.bias is None else linear(x, self.weight, self.bias)


def _wrong_shape(shape: tuple[int, ...], n: int) -> ShapeError:
    if len(shape) > 2 and np.prod(shape[1:], dtype=int) == n:
        advice = f"Flatten them first: x.reshape(len(x), {n})"
    elif shape == (n,):
        advice = f"Make a batch of the single sample: x.reshape(1, {n})"
    elif len(shape) == 1 and n == 1:
        advice = "Make a column of it: x.reshape(-1, 1)"
    else:
        advice = f"Give each sample {n} features, or build the layer with the in_features of your data"
    return ShapeError(explain(f"Linear(in_features={n}) expected inputs of shape (batch, {n})", f"{shape}", advice))
