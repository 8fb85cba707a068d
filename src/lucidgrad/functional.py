"""Functions without weights, composed of rows of the op table: what a model is made of besides its layers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.ops import arithmetic, linalg, movement, reduce
from lucidgrad.ops.shapes import normalize_axes
from lucidgrad.tensor import Tensor, tensor


def where(condition: Any, a: Any, b: Any) -> Tensor:
    """``a`` where ``condition`` is true and ``b`` elsewhere; the three broadcast. The other branch gets no gradient."""
    return _of_tensors(arithmetic.where, condition, a, b)


def maximum(a: Any, b: Any) -> Tensor:
    """The larger of two, element by element; a tie shares the gradient."""
    return _of_tensors(arithmetic.maximum, a, b)


def minimum(a: Any, b: Any) -> Tensor:
    """The smaller of two, element by element; a tie shares the gradient."""
    return _of_tensors(arithmetic.minimum, a, b)


def concatenate(arrays: Sequence[Any], axis: int = 0) -> Tensor:
    """Join arrays along an axis they have."""
    operands = _at_least_one("concatenate", arrays)
    return _of_tensors(movement.concatenate, *operands, axis=axis)


def stack(arrays: Sequence[Any], axis: int = 0) -> Tensor:
    """Join arrays of one shape along a new axis."""
    operands = _at_least_one("stack", arrays)
    (at,) = normalize_axes(axis, operands[0].ndim + 1)
    new = (slice(None),) * at + (None,)
    return concatenate([x[new] for x in operands], axis=at)


def take(x: Any, indices: Any, axis: int = 0) -> Tensor:
    """The entries of ``x`` at ``indices`` along ``axis``: rows of an embedding, for example."""
    source = _tensor(x)
    (at,) = normalize_axes(axis, source.ndim)
    return source[(slice(None),) * at + (_tensor(indices),)]


def one_hot(labels: Any, classes: int, dtype: DTypeLike = np.float32) -> Tensor:
    """Labels (...) as vectors (..., classes) that are 1 at the label and 0 elsewhere."""
    return is_class(labels, classes).astype(dtype)


def is_class(labels: Any, classes: int) -> Tensor:
    """Labels (...) as masks (..., classes) that are true at the label."""
    column = _tensor(labels)
    return column.reshape((*column.shape, 1)) == _class_numbers(classes)


def zeros(shape: Sequence[int], dtype: DTypeLike = np.float32) -> Tensor:
    """A constant of zeros."""
    return tensor(np.zeros(tuple(shape)), dtype=dtype)


def ones(shape: Sequence[int], dtype: DTypeLike = np.float32) -> Tensor:
    """A constant of ones."""
    return tensor(np.ones(tuple(shape)), dtype=dtype)


@lru_cache(maxsize=64)
def _class_numbers(classes: int) -> Tensor:
    return tensor(np.arange(classes))


# --- activations ----------------------------------------------------------------------------------------------------


def identity(x: Any) -> Tensor:
    """What comes in: the activation of a linear output."""
    return _tensor(x)


def relu(x: Any) -> Tensor:
    """max(x, 0), with slope 0 at 0 (Nair and Hinton 2010).

    >>> relu([-1.0, 0.0, 2.0])
    Tensor([0., 0., 2.])
    """
    return _tensor(x).relu()


def leaky_relu(x: Any, negative_slope: float = 0.01) -> Tensor:
    """Where x is negative ``negative_slope * x``, else x (Maas, Hannun and Ng 2013, eq. 2). Keras' slope is 0.3.

    >>> leaky_relu([-1.0, 0.0, 2.0])
    Tensor([-0.01,  0.  ,  2.  ])
    """
    z = _tensor(x)
    return where(z > 0, z, negative_slope * z)


def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """Where x is negative ``alpha (exp(x) - 1)``, else x (Clevert, Unterthiner and Hochreiter 2016, eq. 15).

    >>> elu([-1.0, 0.0, 2.0])
    Tensor([-0.63212055,  0.        ,  2.        ])
    """
    z = _tensor(x)
    positive = z > 0
    # Take the exponential of negative numbers only: where it overflows, its slope times 0 would be NaN.
    return where(positive, z, alpha * where(positive, 0.0, z).expm1())


def selu(x: Any) -> Tensor:
    """``lambda elu(x, alpha)``, which draws activations to mean 0 and variance 1 (Klambauer et al. 2017, eq. 2).

    Its constants are those of eq. 14. Start the weights with ``nn.init.lecun_normal``.

    >>> selu([-1.0, 0.0, 2.0])
    Tensor([-1.1113307,  0.       ,  2.101402 ])
    """
    return 1.0507009873554805 * elu(x, alpha=1.6732632423543772)


def gelu(x: Any, approximate: bool = False) -> Tensor:
    """``x Phi(x)``, where Phi is the normal distribution function (Hendrycks and Gimpel 2016, section 2).

    Parameters
    ----------
    x
        Any shape.
    approximate
        Take the paper's formula with tanh instead, as GPT-2 does; it differs by less than 0.0005.

    Examples
    --------
    >>> gelu([-1.0, 0.0, 2.0])
    Tensor([-0.15865526,  0.        ,  1.9544997 ])
    """
    z = _tensor(x)
    near = z.clip(-10.0, 10.0)  # beyond, Phi is 0 or 1 to the last digit of float64
    if not approximate:
        return 0.5 * z * (1.0 + (near * math.sqrt(0.5)).erf())
    return 0.5 * z * (1.0 + (math.sqrt(2 / math.pi) * (near + 0.044715 * near * near * near)).tanh())


def silu(x: Any) -> Tensor:
    """``x sigmoid(x)`` (Elfwing, Uchibe and Doya 2018, eq. 9); also known as swish.

    >>> silu([-1.0, 0.0, 2.0])
    Tensor([-0.2689414,  0.       ,  1.761594 ])
    """
    z = _tensor(x)
    return z * _near(z).sigmoid()


def mish(x: Any) -> Tensor:
    """``x tanh(softplus(x))`` (Misra 2019, eq. 1).

    >>> mish([-1.0, 0.0, 2.0])
    Tensor([-0.3034014,  0.       ,  1.9439589])
    """
    z = _tensor(x)
    return z * _near(z).softplus().tanh()


def softplus(x: Any) -> Tensor:
    """log(1 + exp(x)): relu with its corner rounded (Dugas et al. 2001, eq. 5).

    >>> softplus([-1.0, 0.0, 2.0])
    Tensor([0.31326163, 0.6931472 , 2.126928  ])
    """
    return _tensor(x).softplus()


def softsign(x: Any) -> Tensor:
    """``x / (1 + abs(x))``: from -1 to 1 like tanh, but slower (Bergstra et al. 2009; Glorot and Bengio 2010).

    >>> softsign([-1.0, 0.0, 3.0])
    Tensor([-0.5 ,  0.  ,  0.75])
    """
    z = _tensor(x)
    return z / (1.0 + z.abs())


def tanh(x: Any) -> Tensor:
    """The hyperbolic tangent: from -1 to 1.

    >>> tanh([-1.0, 0.0, 2.0])
    Tensor([-0.7615942,  0.       ,  0.9640276])
    """
    return _tensor(x).tanh()


def sigmoid(x: Any) -> Tensor:
    """1 / (1 + exp(-x)): from 0 to 1, the probability of one of two classes.

    >>> sigmoid([-1.0, 0.0, 2.0])
    Tensor([0.2689414, 0.5      , 0.880797 ])
    """
    return _tensor(x).sigmoid()


def log_sigmoid(x: Any) -> Tensor:
    """log(sigmoid(x)), without taking the logarithm of 0.

    >>> log_sigmoid([-100.0, 0.0])
    Tensor([-100.       ,   -0.6931472])
    """
    return -(-_tensor(x)).softplus()


def hard_sigmoid(x: Any) -> Tensor:
    """``x / 6 + 1/2``, kept within 0 and 1 (Howard et al. 2019, section 5.2).

    The slope at the two corners is 1/6; PyTorch has 0 there. Older Keras has a slope of 1/5 throughout.

    >>> hard_sigmoid([-4.0, 0.0, 1.5])
    Tensor([0.  , 0.5 , 0.75])
    """
    return (_tensor(x) / 6.0 + 0.5).clip(0.0, 1.0)


def softmax(x: Any, axis: int = -1) -> Tensor:
    """exp(x) / sum(exp(x)): probabilities of classes from logits (Bridle 1990, eq. 5).

    Safe for any finite x. An element of -inf has probability 0; where all are -inf, all have, while PyTorch gives NaN.

    >>> softmax([[0.0, 0.0], [1000.0, 0.0]])
    Tensor([[0.5, 0.5],
            [1. , 0. ]])
    """
    return _of_tensors(reduce.softmax, _tensor(x), axis=axis)


def log_softmax(x: Any, axis: int = -1) -> Tensor:
    """log(softmax(x)), without taking the logarithm of 0.

    >>> log_softmax([[0.0, 0.0], [100.0, 0.0]])
    Tensor([[  -0.6931472,   -0.6931472],
            [   0.       , -100.       ]])
    """
    return _of_tensors(reduce.log_softmax, _tensor(x), axis=axis)


def linear(x: Any, weight: Any, bias: Any) -> Tensor:
    """The layer x W^T + b, for x (..., in_features), weight (out_features, in_features) and bias (out_features,).

    >>> linear([[1.0, 2.0]], [[3.0, 4.0]], [0.5])
    Tensor([[11.5]])
    """
    return _of_tensors(linalg.linear, x, weight, bias)


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

# --- helpers --------------------------------------------------------------------------------------------------------


def _near(z: Tensor) -> Tensor:
    """Within [-1000, 1000], beyond which sigmoid and its kin are flat.

    The slope of x sigmoid(x) has a term x times the slope of sigmoid: far out infinity times 0, if it were not cut off.
    """
    return z.clip(-1000.0, 1000.0)


def _tensor(x: Any) -> Tensor:
    """A Tensor of anything; an array of float64 stays one."""
    if isinstance(x, Tensor):
        return x
    return tensor(x, dtype=x.dtype if isinstance(x, np.ndarray) and x.dtype == np.float64 else None)


def _at_least_one(name: str, arrays: Sequence[Any]) -> list[Any]:
    if len(arrays) == 0:
        raise ArgumentError(explain(f"{name} expected at least one array", "none", "Pass a list of tensors"))
    return [x if isinstance(x, Tensor | np.ndarray) else tensor(x) for x in arrays]


def _of_tensors(op: Any, *inputs: Any, **attrs: Any) -> Tensor:
    """Apply a row; arrays follow the tensors among the inputs in dtype, and without any become tensors."""
    for x in inputs:
        if isinstance(x, Tensor):
            return x.apply(op, inputs, attrs)
    result = op(*(x if isinstance(x, int | float) else tensor(x) for x in inputs), **attrs)
    return result if isinstance(result, Tensor) else tensor(result)
