"""Dropout: while training, units are left out at random, so that none can rely on another."""

from __future__ import annotations

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.nn.module import Module
from lucidgrad.random import Key, next_key
from lucidgrad.tensor import Tensor


class Dropout(Module):
    """Sets each element to 0 with probability p and divides the others by 1 - p; changes nothing in evaluation.

    Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov 2014, "Dropout", section 4, in the inverted form of
    section 10, so that evaluation needs no scaling. Their p is the probability to keep; here, as in PyTorch and
    Keras, it is the probability to drop.

    Parameters
    ----------
    p
        The probability to drop, from 0 to 1.

    Raises
    ------
    ArgumentError
        When ``p`` is not from 0 to 1.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> layer = lg.nn.Dropout(0.5)
    >>> layer(lg.tensor([1.0, 1.0, 1.0, 1.0]), lg.Key(1))
    Tensor([0., 0., 2., 0.])
    >>> layer.eval()(lg.tensor([1.0, 1.0, 1.0, 1.0]))
    Tensor([1., 1., 1., 1.])
    """

    def __init__(self, p: float = 0.5) -> None:
        if not 0 <= p <= 1:
            raise ArgumentError(
                explain("Dropout expected a probability p from 0 to 1", repr(p), "Dropout(0.5) drops every other unit")
            )
        self.p = p

    def forward(self, x: Tensor, key: Key | None = None) -> Tensor:
        """x: any shape → the same shape.

        Parameters
        ----------
        key
            The same key drops the same units. None: ``next_key()``.

        Raises
        ------
        ArgumentError
            When ``key`` is no key.
        """
        if key is not None and not isinstance(key, Key):
            raise ArgumentError(
                explain("Dropout expected a key", f"a {type(key).__name__}", "Make one of a number: lucidgrad.Key(0)")
            )
        if not self.training or self.p == 0:
            return x
        keep = 1.0 - self.p
        mask = (next_key() if key is None else key).bernoulli(keep, x.shape).astype(x.dtype)
        return x * (mask * (1.0 / keep if keep else 0.0))
