"""Activations: what stands between layers, so that a network is more than one linear map."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from lucidgrad.functional.arrays import where
from lucidgrad.functional.operands import apply_row, as_operand
from lucidgrad.ops import reduce
from lucidgrad.tensor import Tensor


def identity(x: Any) -> Tensor:
    """What comes in: the activation of a linear output.

    Parameters
    ----------
    x
        Any shape; what comes out has the same.

    Examples
    --------
    >>> from lucidgrad.functional import identity
    >>> identity([1.0, -2.0])
    Tensor([ 1., -2.])
    """
    return as_operand(x)


def relu(x: Any) -> Tensor:
    """max(x, 0), with slope 0 at 0 (Nair and Hinton 2010).

    Parameters
    ----------
    x
        Any shape; what comes out has the same.

    Examples
    --------
    >>> from lucidgrad.functional import relu
    >>> relu([-1.0, 0.0, 2.0])
    Tensor([0., 0., 2.])
    """
    return as_operand(x).relu()


def leaky_relu(x: Any, negative_slope: float = 0.01) -> Tensor:
    """Where x is negative ``negative_slope * x``, else x (Maas, Hannun and Ng 2013, eq. 2). Keras' slope is 0.3.

    Parameters
    ----------
    x
        Any shape; what comes out has the same.
    negative_slope
        Of the left half.

    Examples
    --------
    >>> from lucidgrad.functional import leaky_relu
    >>> leaky_relu([-1.0, 0.0, 2.0])
    Tensor([-0.01,  0.  ,  2.  ])
    """
    z = as_operand(x)
    return where(z > 0, z, negative_slope * z)


def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """Where x is negative ``alpha (exp(x) - 1)``, else x (Clevert, Unterthiner and Hochreiter 2016, eq. 15).

    Parameters
    ----------
    x
        Any shape; what comes out has the same.
    alpha
        Minus the limit far on the left.

    Examples
    --------
    >>> from lucidgrad.functional import elu
    >>> elu([-1.0, 0.0, 2.0])
    Tensor([-0.63212055,  0.        ,  2.        ])
    """
    z = as_operand(x)
    positive = z > 0
    # Take the exponential of negative numbers only: where it overflows, its slope times 0 would be NaN.
    return where(positive, z, alpha * where(positive, 0.0, z).expm1())


def selu(x: Any) -> Tensor:
    """``lambda elu(x, alpha)``, which draws activations to mean 0 and variance 1 (Klambauer et al. 2017, eq. 2).

    Its constants are those of eq. 14. Start the weights with ``nn.init.lecun_normal``.

    Parameters
    ----------
    x
        Any shape; what comes out has the same.

    Examples
    --------
    >>> from lucidgrad.functional import selu
    >>> selu([-1.0, 0.0, 2.0])
    Tensor([-1.1113307,  0.       ,  2.101402 ])
    """
    return 1.0507009873554805 * elu(x, alpha=1.6732632423543772)


def gelu(x: Any, approximate: bool = False) -> Tensor:
    """``x Phi(x)``, where Phi is the normal distribution function (Hendrycks and Gimpel 2016, section 2).

    Parameters
    ----------
    x
        Any shape; what comes out has the same.
    approximate
        Take the paper's formula with tanh instead, as GPT-2 does; it differs by less than 0.0005.

    Examples
    --------
    >>> from lucidgrad.functional import gelu
    >>> gelu([-1.0, 0.0, 2.0])
    Tensor([-0.15865526,  0.        ,  1.9544997 ])
    """
    z = as_operand(x)
    near = z.clip(-10.0, 10.0)  # beyond, Phi is 0 or 1 to the last digit of float64
    if not approximate:
        return 0.5 * z * (1.0 + (near * math.sqrt(0.5)).erf())
    return 0.5 * z * (1.0 + (math.sqrt(2 / math.pi) * (near + 0.044715 * near * near * near)).tanh())


def silu(x: Any) -> Tensor:
    """``x sigmoid(x)`` (Elfwing, Uchibe and Doya 2018, eq. 9); also known as swish.

    Parameters
    ----------
    x
        Any shape; what comes out has the same.

    Examples
    --------
    >>> from lucidgrad.functional import silu
    >>> silu([-1.0, 0.0, 2.0])
    Tensor([-0.2689414,  0.       ,  1.761594 ])
    """
    z = as_operand(x)
    return z * _near(z).sigmoid()


def mish(x: Any) -> Tensor:
    """``x tanh(softplus(x))`` (Misra 2019, eq. 1).

    Parameters
    ----------
    x
        Any shape; what comes out has the same.

    Examples
    --------
    >>> from lucidgrad.functional import mish
    >>> mish([-1.0, 0.0, 2.0])
    Tensor([-0.3034014,  0.       ,  1.9439589])
    """
    z = as_operand(x)
    return z * _near(z).softplus().tanh()


def softplus(x: Any) -> Tensor:
    """log(1 + exp(x)): relu with its corner rounded (Dugas et al. 2001, eq. 5).

    Parameters
    ----------
    x
        Any shape; what comes out has the same.

    Examples
    --------
    >>> from lucidgrad.functional import softplus
    >>> softplus([-1.0, 0.0, 2.0])
    Tensor([0.31326163, 0.6931472 , 2.126928  ])
    """
    return as_operand(x).softplus()


def softsign(x: Any) -> Tensor:
    """``x / (1 + abs(x))``: from -1 to 1 like tanh, but slower (Bergstra et al. 2009; Glorot and Bengio 2010).

    Parameters
    ----------
    x
        Any shape; what comes out has the same.

    Examples
    --------
    >>> from lucidgrad.functional import softsign
    >>> softsign([-1.0, 0.0, 3.0])
    Tensor([-0.5 ,  0.  ,  0.75])
    """
    z = as_operand(x)
    return z / (1.0 + z.abs())


def tanh(x: Any) -> Tensor:
    """The hyperbolic tangent: from -1 to 1.

    Parameters
    ----------
    x
        Any shape; what comes out has the same.

    Examples
    --------
    >>> from lucidgrad.functional import tanh
    >>> tanh([-1.0, 0.0, 2.0])
    Tensor([-0.7615942,  0.       ,  0.9640276])
    """
    return as_operand(x).tanh()


def sigmoid(x: Any) -> Tensor:
    """1 / (1 + exp(-x)): from 0 to 1, the probability of one of two classes (Verhulst 1845).

    Parameters
    ----------
    x
        Any shape; what comes out has the same.

    Examples
    --------
    >>> from lucidgrad.functional import sigmoid
    >>> sigmoid([-1.0, 0.0, 2.0])
    Tensor([0.2689414, 0.5      , 0.880797 ])
    """
    return as_operand(x).sigmoid()


def log_sigmoid(x: Any) -> Tensor:
    """log(sigmoid(x)), without taking the logarithm of 0.

    Parameters
    ----------
    x
        Any shape; what comes out has the same.

    Examples
    --------
    >>> from lucidgrad.functional import log_sigmoid
    >>> log_sigmoid([-100.0, 0.0])
    Tensor([-100.       ,   -0.6931472])
    """
    return -(-as_operand(x)).softplus()


def hard_sigmoid(x: Any) -> Tensor:
    """``x / 6 + 1/2``, kept within 0 and 1 (Howard et al. 2019, section 5.2).

    The slope at the two corners is 1/6; PyTorch has 0 there. Older Keras has a slope of 1/5 throughout.

    Parameters
    ----------
    x
        Any shape; what comes out has the same.

    Examples
    --------
    >>> from lucidgrad.functional import hard_sigmoid
    >>> hard_sigmoid([-4.0, 0.0, 1.5])
    Tensor([0.  , 0.5 , 0.75])
    """
    return (as_operand(x) / 6.0 + 0.5).clip(0.0, 1.0)


def softmax(x: Any, axis: int = -1) -> Tensor:
    """exp(x) / sum(exp(x)): probabilities of classes from logits (Bridle 1990, eq. 5).

    Safe for any finite x. An element of -inf has probability 0; where all are -inf, all have, while PyTorch gives NaN.

    Parameters
    ----------
    x
        Logits (..., classes); what comes out has the same shape.
    axis
        The one of the classes.

    Examples
    --------
    >>> from lucidgrad.functional import softmax
    >>> softmax([[0.0, 0.0], [1000.0, 0.0]])
    Tensor([[0.5, 0.5],
            [1. , 0. ]])
    """
    return apply_row(reduce.softmax, as_operand(x), axis=axis)


def log_softmax(x: Any, axis: int = -1) -> Tensor:
    """log(softmax(x)), without taking the logarithm of 0.

    Parameters
    ----------
    x
        Logits (..., classes); what comes out has the same shape.
    axis
        The one of the classes.

    Examples
    --------
    >>> from lucidgrad.functional import log_softmax
    >>> log_softmax([[0.0, 0.0], [100.0, 0.0]])
    Tensor([[  -0.6931472,   -0.6931472],
            [   0.       , -100.       ]])
    """
    return apply_row(reduce.log_softmax, as_operand(x), axis=axis)


Activation = Callable[[Any], Tensor]

ACTIVATIONS: dict[str, Activation] = {
    f.__name__: f
    for f in (
        identity,
        relu,
        leaky_relu,
        elu,
        selu,
        gelu,
        silu,
        mish,
        softplus,
        softsign,
        tanh,
        sigmoid,
        log_sigmoid,
        hard_sigmoid,
        softmax,
        log_softmax,
    )
}


def _near(z: Tensor) -> Tensor:
    """Within [-1000, 1000], beyond which sigmoid and its kin are flat.

    The slope of x sigmoid(x) has a term x times the slope of sigmoid: far out infinity times 0, if it were not cut off.
    """
    return z.clip(-1000.0, 1000.0)
