"""Layers for an ensemble inside of one network: members that share most of their weights and are averaged.

``Members`` makes of each row one for each member; the layers above, which take (batch, members, features), are shared;
``MemberLinear`` is a layer that every member has for itself; ``MemberMean`` averages what they say.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import DTypeLike

from lucidgrad.errors import ArgumentError, ShapeError, explain
from lucidgrad.functional import log_softmax
from lucidgrad.nn.checks import check_size
from lucidgrad.nn.init import Initializer, he_uniform, parameter, zeros
from lucidgrad.nn.module import Module
from lucidgrad.random import Key, next_key
from lucidgrad.tensor import Tensor

MEANS = ("values", "probabilities")


def random_signs(key: Key, shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> Tensor:
    """-1 or 1, each half of the time."""
    return (2.0 * key.bernoulli(0.5, shape).astype(dtype) - 1.0).detach()


class Members(Module):
    """Each member sees the features multiplied by numbers of its own, which are learned: the members differ by these.

    TabM-mini (Gorishniy, Kotelnikov and Babenko 2025, "TabM: Advancing Tabular Deep Learning with Parameter-Efficient
    Ensembling", section 3.3), after BatchEnsemble (Wen, Tran and Ba 2020).

    Parameters
    ----------
    members
        How many there are.
    features
        How many features a row has.
    init
        How the numbers start: by default with random signs.
    dtype
        ``np.float32`` or ``np.float64``.
    key
        Where the random numbers come from; None: ``lucidgrad.random.next_key()``.

    Attributes
    ----------
    weight : Tensor
        (members, features)

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.nn.Members(4, 3, key=lg.Key(0))([[1.0, 2.0, 3.0]]).shape
    (1, 4, 3)
    """

    def __init__(
        self,
        members: int,
        features: int,
        *,
        init: Initializer = random_signs,
        dtype: DTypeLike = np.float32,
        key: Key | None = None,
    ) -> None:
        check_size("Members", "members", members)
        check_size("Members", "features", features)
        self.members, self.features = int(members), int(features)
        self.weight = parameter(init, next_key() if key is None else key, (members, features), dtype)

    def forward(self, x: Tensor) -> Tensor:
        """x: (batch, features) → (batch, members, features)."""
        if x.ndim != 2 or x.shape[1] != self.features:
            raise ShapeError(
                explain(
                    f"Members(features={self.features}) expected inputs of shape (batch, {self.features})",
                    f"{x.shape}",
                    "Give each row that many features",
                )
            )
        return x.reshape(x.shape[0], 1, self.features) * self.weight


class MemberLinear(Module):
    """y = x W_k^T + b_k: a ``Linear`` layer of its own for each member k.

    Parameters
    ----------
    members
        How many there are.
    in_features, out_features
        Numbers of columns of the input and of the output.
    init, bias_init
        How weights and biases start, as in ``Linear``.
    dtype
        ``np.float32`` or ``np.float64``.
    key
        Where the random numbers come from; None: ``lucidgrad.random.next_key()``.

    Attributes
    ----------
    weight : Tensor
        (members, out_features, in_features)
    bias : Tensor
        (members, out_features)

    Examples
    --------
    >>> import numpy as np, lucidgrad as lg
    >>> lg.nn.MemberLinear(4, 3, 2, key=lg.Key(0))(np.ones((5, 4, 3))).shape
    (5, 4, 2)
    """

    def __init__(
        self,
        members: int,
        in_features: int,
        out_features: int,
        *,
        init: Initializer = he_uniform,
        bias_init: Initializer = zeros,
        dtype: DTypeLike = np.float32,
        key: Key | None = None,
    ) -> None:
        for name, size in (("members", members), ("in_features", in_features), ("out_features", out_features)):
            check_size("MemberLinear", name, size)
        self.members, self.in_features, self.out_features = int(members), int(in_features), int(out_features)
        weight_key, bias_key = (next_key() if key is None else key).split(2)
        # The members' weights below each other have the fan-in of each of them.
        flat = parameter(init, weight_key, (members * out_features, in_features), dtype)
        self.weight = _leaf(flat.detach().reshape(members, out_features, in_features))
        self.bias = parameter(bias_init, bias_key, (members, out_features), dtype)

    def forward(self, x: Tensor) -> Tensor:
        """x: (batch, members, in_features) → (batch, members, out_features)."""
        if x.ndim != 3 or x.shape[1:] != (self.members, self.in_features):
            raise ShapeError(
                explain(
                    f"MemberLinear expected inputs of shape (batch, {self.members}, {self.in_features})",
                    f"{x.shape}",
                    "Put a layer Members before it",
                )
            )
        return (x.transpose(1, 0, 2) @ self.weight.mT).transpose(1, 0, 2) + self.bias


class MemberMean(Module):
    """What the members say together.

    Parameters
    ----------
    of
        ``"values"``: their mean. ``"probabilities"``: they are logits of classes; the logarithm of the mean of the
        probabilities, which are logits again.

    Raises
    ------
    ArgumentError
        When ``of`` is something else.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.nn.MemberMean("values")(lg.tensor([[[1.0], [3.0]]]))
    Tensor([[2.]])
    """

    def __init__(self, of: str = "values") -> None:
        if of not in MEANS:
            raise ArgumentError(
                explain(f"MemberMean expected one of {', '.join(MEANS)}", repr(of), "Classes have probabilities")
            )
        self.of = of

    def forward(self, x: Tensor) -> Tensor:
        """x: (batch, members, columns) → (batch, columns)."""
        if x.ndim != 3:
            raise ShapeError(
                explain(
                    "MemberMean expected inputs of shape (batch, members, columns)",
                    f"{x.shape}",
                    "Put a layer Members into the network",
                )
            )
        if self.of == "values":
            return x.mean(1)
        return log_softmax(x, axis=-1).logsumexp(1) - math.log(x.shape[1])


def _leaf(weights: Tensor) -> Tensor:
    weights.requires_grad = True
    return weights
