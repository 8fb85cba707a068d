"""Modules made of other layers: one after the other, around each other, and those that only change shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

from lucidgrad.errors import ArgumentError, ShapeError, explain
from lucidgrad.nn.module import Module
from lucidgrad.tensor import Tensor

Layer = Callable[[Tensor], Tensor]


class Sequential(Module):
    """Layers and plain functions, applied one after the other.

    Parameters
    ----------
    *layers
        Modules, or functions of one tensor such as ``relu``.

    Examples
    --------
    >>> from lucidgrad.nn import Linear, Sequential
    >>> def relu(x):
    ...     return x.relu()
    >>> model = Sequential(Linear(2, 16), relu, Linear(16, 1))
    >>> model
    Sequential(
      (0): Linear(in_features=2, out_features=16)
      (1): relu
      (2): Linear(in_features=16, out_features=1)
    )
    >>> len(model), model[-1], list(model.parameters())
    (3, Linear(in_features=16, out_features=1), ['0.weight', '0.bias', '2.weight', '2.bias'])
    """

    def __init__(self, *layers: Layer) -> None:
        for i, layer in enumerate(layers):
            _check_layer(layer, f"Sequential expected a layer or function at place {i}")
        self.layers = layers

    def parts(self) -> Iterator[tuple[str, Any]]:
        """The layers by their place."""
        return ((str(i), layer) for i, layer in enumerate(self.layers))

    def forward(self, x: Tensor) -> Tensor:
        """x: the shape the first layer takes → that of the last; an error says in which layer it arose."""
        for i, layer in enumerate(self.layers):
            x = self.call_part(i, layer, x)
        return x

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __getitem__(self, place: int | slice) -> Any:
        """The layer at a place, or a Sequential of a slice, whose layers are the same objects."""
        return Sequential(*self.layers[place]) if isinstance(place, slice) else self.layers[place]


class Residual(Module):
    """x + inner(x): the inner layer learns what to add (He, Zhang, Ren and Sun 2016, eq. 1).

    Parameters
    ----------
    inner
        A layer or function whose output has the shape of its input.

    Examples
    --------
    >>> from lucidgrad.nn import Linear, Residual
    >>> Residual(Linear(8, 8))([[0.5] * 8]).shape
    (1, 8)
    """

    def __init__(self, inner: Layer) -> None:
        _check_layer(inner, "Residual expected a layer or function")
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """x: any shape → the same shape."""
        y: Tensor = self.call_part("inner", self.inner, x)
        if y.shape != x.shape:
            raise ShapeError(
                explain(
                    f"Residual expected its inner layer to keep the shape {x.shape}",
                    f"{y.shape}",
                    "Give the inner layer as many outputs as inputs",
                )
            )
        return x + y


class Flatten(Module):
    """Joins all axes behind the batch: images (batch, height, width) → rows (batch, height * width).

    Examples
    --------
    >>> import numpy as np
    >>> from lucidgrad.nn import Flatten
    >>> Flatten()(np.zeros((64, 28, 28))).shape
    (64, 784)
    """

    def forward(self, x: Tensor) -> Tensor:
        """x: (batch, ...) → (batch, features)."""
        if not x.ndim:
            raise ShapeError(explain("Flatten expected inputs of shape (batch, ...)", "()", "Pass a batch of samples"))
        return x if x.ndim == 2 else x.flatten(1)


class Reshape(Module):
    """Gives each sample another shape; the batch stays.

    Parameters
    ----------
    *shape
        Sizes of the axes behind the batch; a single -1 is filled in.

    Raises
    ------
    ArgumentError
        When a size is no size.

    Examples
    --------
    >>> import numpy as np
    >>> from lucidgrad.nn import Reshape
    >>> Reshape(28, 28)(np.zeros((64, 784))).shape
    (64, 28, 28)
    """

    def __init__(self, *shape: int) -> None:
        if any(type(n) is not int or n < -1 for n in shape) or shape.count(-1) > 1:
            raise ArgumentError(
                explain("Reshape expected sizes, at most one of them -1", f"{shape}", "For images: Reshape(28, 28)")
            )
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        """x: (batch, ...) → (batch, ...), with ``shape`` behind the batch."""
        sample, known = prod(x.shape[1:]), prod(n for n in self.shape if n != -1)
        fits = known != 0 and sample % known == 0 if -1 in self.shape else sample == known
        if not x.ndim or not fits:
            raise ShapeError(
                explain(
                    f"Reshape{self.shape} expected samples of {'a multiple of ' if -1 in self.shape else ''}{known} "
                    "elements",
                    f"inputs of shape {x.shape}",
                    "Keep the product of the sizes; a single -1 is filled in",
                )
            )
        return x.reshape((x.shape[0], *(sample // known if n == -1 else n for n in self.shape)))


def _check_layer(layer: Any, expected: str) -> None:
    if isinstance(layer, type):
        raise ArgumentError(explain(expected, f"the class {layer.__name__}", f"Make one: {layer.__name__}(...)"))
    if not callable(layer):
        raise ArgumentError(
            explain(expected, f"a {type(layer).__name__}", "Pass layers one by one: Sequential(*layers) for a list")
        )
