"""Normalisation: layers that bring what goes through them to mean 0 and variance 1, and learn the scale they need."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from lucidgrad.autograd import no_grad
from lucidgrad.errors import ArgumentError, ShapeError, explain
from lucidgrad.nn.checks import check_size
from lucidgrad.nn.init import ones, parameter, zeros
from lucidgrad.nn.module import Module
from lucidgrad.random import Key
from lucidgrad.tensor import Tensor

_UNUSED = Key(0)  # ones and zeros draw nothing


class BatchNorm(Module):
    """Normalises each feature over the batch: y = weight (x - mean) / sqrt(var + eps) + bias.

    Ioffe and Szegedy 2015, "Batch normalization", Algorithm 1; in evaluation with running statistics, Algorithm 2.
    While training, ``running = (1 - momentum) running + momentum * statistic``, with the unbiased variance, as in
    PyTorch. Keras calls 1 - momentum momentum, and keeps the biased variance.

    Parameters
    ----------
    num_features
        The number of columns.
    momentum
        The weight of the newest batch in the running statistics, from 0 to 1.
    eps
        Added to the variance, so that a constant feature does not divide by 0.
    dtype
        ``np.float32`` or ``np.float64``.

    Attributes
    ----------
    weight, bias : Tensor
        (num_features,): parameters, starting at 1 and 0.
    running_mean, running_var : Tensor
        (num_features,): buffers, starting at 0 and 1.

    Raises
    ------
    ArgumentError
        When ``num_features``, ``momentum`` or ``eps`` is out of its range.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> layer = lg.nn.BatchNorm(1)
    >>> layer([[1.0], [3.0]])
    Tensor([[-0.999995],
            [ 0.999995]])
    >>> layer.running_mean, layer.running_var
    (Tensor([0.2]), Tensor([1.1]))
    """

    def __init__(
        self, num_features: int, *, momentum: float = 0.1, eps: float = 1e-5, dtype: DTypeLike = np.float32
    ) -> None:
        check_size("BatchNorm", "num_features", num_features)
        if not 0 <= momentum <= 1:
            raise ArgumentError(explain("BatchNorm expected momentum from 0 to 1", repr(momentum), "Try momentum=0.1"))
        _check_eps("BatchNorm", eps)
        shape = (num_features,)
        self.num_features = num_features
        self.momentum = momentum
        self.eps = eps
        self.weight = parameter(ones, _UNUSED, shape, dtype)
        self.bias = parameter(zeros, _UNUSED, shape, dtype)
        self.running_mean = zeros(_UNUSED, shape, dtype)
        self.running_var = ones(_UNUSED, shape, dtype)

    def forward(self, x: Tensor) -> Tensor:
        """x: (batch, num_features) → (batch, num_features)."""
        n = self.num_features
        if x.ndim != 2 or x.shape[1] != n:
            raise ShapeError(
                explain(
                    f"BatchNorm(num_features={n}) expected inputs of shape (batch, {n})",
                    f"{x.shape}",
                    "Give each sample that many features, or build the layer with the num_features of your data",
                )
            )
        if not self.training:
            scale = self.weight / (self.running_var + self.eps).sqrt()
            return (x - self.running_mean) * scale + self.bias
        mean = x.mean(0)
        deviation = x - mean
        var = (deviation * deviation).mean(0)
        self._update(mean, var, x.shape[0])
        return deviation / (var + self.eps).sqrt() * self.weight + self.bias

    def _update(self, mean: Tensor, var: Tensor, batch: int) -> None:
        """Move the running statistics towards those of the batch."""
        if batch < 2:
            raise ShapeError(
                explain(
                    "BatchNorm expected at least 2 samples in a training batch",
                    str(batch),
                    "Choose a batch_size that leaves no single sample over, or call eval() to use what it has learned",
                )
            )
        with no_grad():
            old, new = 1.0 - self.momentum, self.momentum
            self.running_mean.data = old * self.running_mean + new * mean
            self.running_var.data = old * self.running_var + new * (batch / (batch - 1)) * var


class LayerNorm(Module):
    """Normalises each sample over its features: y = weight (x - mean) / sqrt(var + eps) + bias.

    Ba, Kiros and Hinton 2016, "Layer normalization", eq. 3 and 4. It works alike in training and evaluation, and
    for a single sample.

    Parameters
    ----------
    num_features
        The size of the last axis.
    eps
        Added to the variance, so that a constant sample does not divide by 0.
    dtype
        ``np.float32`` or ``np.float64``.

    Attributes
    ----------
    weight, bias : Tensor
        (num_features,): parameters, starting at 1 and 0.

    Raises
    ------
    ArgumentError
        When ``num_features`` or ``eps`` is out of its range.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.nn.LayerNorm(2)([[1.0, 3.0]])
    Tensor([[-0.999995,  0.999995]])
    """

    def __init__(self, num_features: int, *, eps: float = 1e-5, dtype: DTypeLike = np.float32) -> None:
        check_size("LayerNorm", "num_features", num_features)
        _check_eps("LayerNorm", eps)
        self.num_features = num_features
        self.eps = eps
        self.weight = parameter(ones, _UNUSED, (num_features,), dtype)
        self.bias = parameter(zeros, _UNUSED, (num_features,), dtype)

    def forward(self, x: Tensor) -> Tensor:
        """x: (batch, ..., num_features) → the same shape."""
        n = self.num_features
        if x.ndim < 2 or x.shape[-1] != n:
            raise ShapeError(
                explain(
                    f"LayerNorm(num_features={n}) expected inputs of shape (batch, {n})",
                    f"{x.shape}",
                    "Give each sample that many features, or build the layer with the num_features of your data",
                )
            )
        deviation = x - x.mean(-1, keepdims=True)
        var = (deviation * deviation).mean(-1, keepdims=True)
        return deviation / (var + self.eps).sqrt() * self.weight + self.bias


def _check_eps(layer: str, eps: float) -> None:
    if not 0 < eps < float("inf"):
        raise ArgumentError(explain(f"{layer} expected eps to be a small positive number", repr(eps), "Try eps=1e-5"))
