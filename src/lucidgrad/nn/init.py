"""Initialisers: how weights start. Each is a function of (key, shape, dtype), and one key always gives one start.

The weights of a layer have shape (fan_out, fan_in): as many rows as outputs, as many columns as inputs. An option is
given by ``functools.partial``:

>>> import lucidgrad as lg
>>> from functools import partial
>>> layer = lg.nn.Linear(4, 4, init=partial(lg.nn.init.normal, std=0.5), key=lg.Key(0))
"""

from __future__ import annotations

import math
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from lucidgrad.errors import ArgumentError, DtypeError, ShapeError, explain
from lucidgrad.random import Key
from lucidgrad.tensor import Tensor, tensor

Shape = tuple[int, ...]
Initializer = Callable[[Key, Shape, DTypeLike], Tensor]


def zeros(key: Key, shape: Shape, dtype: DTypeLike = np.float32) -> Tensor:
    """Zeros: for biases. A layer whose weights are all equal never learns to tell its units apart.

    Parameters
    ----------
    key
        Not used: nothing is drawn.
    shape, dtype
        Of what is made.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.nn.init.zeros(lg.Key(0), (2,))
    Tensor([0., 0.])
    """
    return constant(key, shape, dtype, value=0.0)


def ones(key: Key, shape: Shape, dtype: DTypeLike = np.float32) -> Tensor:
    """Ones: for scales.

    Parameters
    ----------
    key
        Not used: nothing is drawn.
    shape, dtype
        Of what is made.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.nn.init.ones(lg.Key(0), (2,))
    Tensor([1., 1.])
    """
    return constant(key, shape, dtype, value=1.0)


def constant(key: Key, shape: Shape, dtype: DTypeLike = np.float32, *, value: float) -> Tensor:
    """One value everywhere.

    Parameters
    ----------
    key
        Not used: nothing is drawn.
    shape, dtype
        Of what is made.
    value
        Of each element.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.nn.init.constant(lg.Key(0), (2,), value=0.5)
    Tensor([0.5, 0.5])
    """
    return tensor(np.full(shape, value, dtype), dtype=dtype)


def normal(key: Key, shape: Shape, dtype: DTypeLike = np.float32, *, mean: float = 0.0, std: float = 0.01) -> Tensor:
    """Normal numbers; the small ones of Krizhevsky, Sutskever and Hinton 2012, section 5.

    Parameters
    ----------
    key
        One key always gives one start.
    shape, dtype
        Of what is made.
    mean, std
        The mean and the standard deviation.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.nn.init.normal(lg.Key(0), (400, 400), std=0.5).numpy().std()
    np.float32(0.500)
    """
    return key.normal(shape, mean, std, dtype)


def uniform(key: Key, shape: Shape, dtype: DTypeLike = np.float32, *, low: float = -0.05, high: float = 0.05) -> Tensor:
    """Uniform numbers from [low, high).

    Parameters
    ----------
    key
        One key always gives one start.
    shape, dtype
        Of what is made.
    low, high
        The range.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> weight = lg.nn.init.uniform(lg.Key(0), (100, 100))
    >>> weight.min(), weight.max()
    (Tensor(-0.050), Tensor(0.050))
    """
    return key.uniform(shape, low, high, dtype)


def glorot_uniform(key: Key, shape: Shape, dtype: DTypeLike = np.float32, *, gain: float = 1.0) -> Tensor:
    """Uniform of variance gain² · 2 / (fan_in + fan_out): a compromise of forwards and backwards.

    U[-sqrt(6 / (fan_in + fan_out)), +...]: Glorot and Bengio 2010, "Understanding the difficulty of training deep
    feedforward neural networks", eq. 16. For tanh; also known as Xavier's.

    Parameters
    ----------
    key
        One key always gives one start.
    shape, dtype
        Of what is made: (fan_out, fan_in).
    gain
        What the layer's activation makes up for; 1 for tanh.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> weight = lg.nn.init.glorot_uniform(lg.Key(0), (200, 400))
    >>> weight.max()  # sqrt(6 / 600)
    Tensor(0.100)
    """
    return _uniform_of_std(key, shape, dtype, gain * math.sqrt(2.0 / sum(fans(shape))))


def glorot_normal(key: Key, shape: Shape, dtype: DTypeLike = np.float32, *, gain: float = 1.0) -> Tensor:
    """Normal of variance gain² · 2 / (fan_in + fan_out): Glorot and Bengio 2010, eq. 12.

    Parameters
    ----------
    key
        One key always gives one start.
    shape, dtype
        Of what is made: (fan_out, fan_in).
    gain
        What the layer's activation makes up for; 1 for tanh.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.nn.init.glorot_normal(lg.Key(0), (200, 600)).numpy().std()  # sqrt(2 / 800)
    np.float32(0.050)
    """
    return key.normal(shape, std=gain * math.sqrt(2.0 / sum(fans(shape))), dtype=dtype)


def he_uniform(key: Key, shape: Shape, dtype: DTypeLike = np.float32) -> Tensor:
    """Uniform of variance 2 / fan_in: relu halves the signal's second moment, this doubles it again.

    He, Zhang, Ren and Sun 2015, "Delving deep into rectifiers", eq. 10 (there with normal numbers).

    Parameters
    ----------
    key
        One key always gives one start.
    shape, dtype
        Of what is made: (fan_out, fan_in).

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.nn.init.he_uniform(lg.Key(0), (400, 600)).max()  # sqrt(6 / 600)
    Tensor(0.100)
    """
    return _uniform_of_std(key, shape, dtype, math.sqrt(2.0 / fans(shape)[0]))


def he_normal(key: Key, shape: Shape, dtype: DTypeLike = np.float32) -> Tensor:
    """Normal of variance 2 / fan_in: He et al. 2015, eq. 10.

    Parameters
    ----------
    key
        One key always gives one start.
    shape, dtype
        Of what is made: (fan_out, fan_in).

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.nn.init.he_normal(lg.Key(0), (400, 800)).numpy().std()  # sqrt(2 / 800)
    np.float32(0.050)
    """
    return key.normal(shape, std=math.sqrt(2.0 / fans(shape)[0]), dtype=dtype)


def lecun_uniform(key: Key, shape: Shape, dtype: DTypeLike = np.float32) -> Tensor:
    """Uniform of variance 1 / fan_in: a weighted sum is as large as its inputs.

    LeCun, Bottou, Orr and Müller 1998, "Efficient BackProp", eq. 16. For tanh and selu.

    Parameters
    ----------
    key
        One key always gives one start.
    shape, dtype
        Of what is made: (fan_out, fan_in).

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.nn.init.lecun_uniform(lg.Key(0), (400, 300)).max()  # sqrt(3 / 300)
    Tensor(0.100)
    """
    return _uniform_of_std(key, shape, dtype, math.sqrt(1.0 / fans(shape)[0]))


def lecun_normal(key: Key, shape: Shape, dtype: DTypeLike = np.float32) -> Tensor:
    """Normal of variance 1 / fan_in: LeCun et al. 1998, eq. 16; what selu is meant for (Klambauer et al. 2017).

    Parameters
    ----------
    key
        One key always gives one start.
    shape, dtype
        Of what is made: (fan_out, fan_in).

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.nn.init.lecun_normal(lg.Key(0), (400, 400)).numpy().std()  # sqrt(1 / 400)
    np.float32(0.050)
    """
    return key.normal(shape, std=math.sqrt(1.0 / fans(shape)[0]), dtype=dtype)


def orthogonal(key: Key, shape: Shape, dtype: DTypeLike = np.float32, *, gain: float = 1.0) -> Tensor:
    """A random matrix with orthonormal rows (or columns, where there are fewer), times ``gain``.

    Saxe, McClelland and Ganguli 2014, "Exact solutions to the nonlinear dynamics of learning in deep linear neural
    networks", section 3.3. Axes behind the first count as columns.

    Parameters
    ----------
    key
        One key always gives one start.
    shape, dtype
        Of what is made: (fan_out, fan_in).
    gain
        What the matrix is multiplied by.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> q = lg.nn.init.orthogonal(lg.Key(0), (2, 5))
    >>> (q @ q.mT).numpy().round(3).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    rows, columns = fans(shape)[1], prod(shape[1:])
    tall = key.normal((max(rows, columns), min(rows, columns)), dtype=np.float64).numpy()
    q, r = np.linalg.qr(tall)
    # QR leaves the signs open; a positive diagonal of R makes q uniform among all (Mezzadri 2007, section 5).
    q = q * np.where(np.diagonal(r) < 0, -1.0, 1.0)
    return tensor((gain * (q if rows >= columns else q.T)).reshape(shape), dtype=dtype)


INITIALIZERS: dict[str, Initializer] = {
    f.__name__: f
    for f in (
        zeros,
        ones,
        normal,
        uniform,
        glorot_uniform,
        glorot_normal,
        he_uniform,
        he_normal,
        lecun_uniform,
        lecun_normal,
        orthogonal,
    )
}


def fans(shape: Shape) -> tuple[int, int]:
    """(fan_in, fan_out): how many inputs each output sums up, and how many outputs each input goes to.

    Parameters
    ----------
    shape
        Of a weight, (fan_out, fan_in); axes behind these two are counted in both.

    Raises
    ------
    ShapeError
        When there are fewer than two axes, or one of size 0.

    Examples
    --------
    >>> from lucidgrad.nn.init import fans
    >>> fans((128, 784))
    (784, 128)
    """
    if len(shape) < 2 or 0 in shape:
        raise ShapeError(
            explain(
                "this initialiser expected the shape of a weight, (fan_out, fan_in)",
                f"{shape}",
                "Start vectors such as biases with init.zeros, init.uniform or init.normal",
            )
        )
    return prod(shape[1:]), shape[0] * prod(shape[2:])


def parameter(init: Initializer, key: Key, shape: Shape, dtype: DTypeLike) -> Tensor:
    """A leaf of ``shape`` that requires gradients, started by ``init``.

    Parameters
    ----------
    init
        A function of (key, shape, dtype).
    key
        Where the random numbers come from.
    shape, dtype
        Of the leaf; float32 or float64.

    Raises
    ------
    DtypeError
        When ``dtype`` is not one of floats.
    ArgumentError
        When ``init`` gives something else than a Tensor of that shape and dtype.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.nn.init.parameter(lg.nn.init.ones, lg.Key(0), (2,), "float32").requires_grad
    True
    """
    if np.dtype(dtype).kind != "f":
        raise DtypeError(
            explain("parameters expected dtype float32 or float64", f"{np.dtype(dtype)}", "Pass dtype=np.float32")
        )
    start: Any = init(key, shape, dtype)
    if not isinstance(start, Tensor) or start.shape != shape or start.dtype != np.dtype(dtype):
        got = f"{start.dtype}{start.shape}" if isinstance(start, Tensor) else f"a {type(start).__name__}"
        raise ArgumentError(
            explain(
                f"an initialiser expected to give a Tensor {np.dtype(dtype)}{shape}",
                got,
                "Write it as init(key, shape, dtype) -> Tensor, for example return key.normal(shape, dtype=dtype)",
            )
        )
    leaf: Tensor = start.detach()
    leaf.requires_grad = True
    return leaf


def _uniform_of_std(key: Key, shape: Shape, dtype: DTypeLike, std: float) -> Tensor:
    limit = math.sqrt(3.0) * std  # the variance of U[-a, a] is a² / 3
    return key.uniform(shape, -limit, limit, dtype)
