"""Embedding: a vector for each of a fixed number of things, learned like any other weight."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import DTypeLike

from lucidgrad.errors import ArgumentError, DtypeError, explain
from lucidgrad.nn.checks import check_size
from lucidgrad.nn.init import Initializer, normal, parameter
from lucidgrad.nn.module import Module
from lucidgrad.random import Key, next_key
from lucidgrad.tensor import Tensor

_standard_normal = partial(normal, std=1.0)


class Embedding(Module):
    """Looks up rows of a table: the product of one-hot vectors and a weight, without the zeros.

    Parameters
    ----------
    num_embeddings
        How many things there are; they are numbered from 0.
    embedding_dim
        The length of each vector.
    init
        How the weights start: by default as standard normal numbers, as in PyTorch. Keras has U[-0.05, 0.05].
    dtype
        ``np.float32`` or ``np.float64``.
    key
        Where the random numbers come from; None: ``lucidgrad.random.next_key()``.

    Attributes
    ----------
    weight : Tensor
        (num_embeddings, embedding_dim)

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.nn.Embedding(100, 8)([[3, 14, 15], [92, 65, 35]]).shape
    (2, 3, 8)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        *,
        init: Initializer = _standard_normal,
        dtype: DTypeLike = np.float32,
        key: Key | None = None,
    ) -> None:
        check_size("Embedding", "num_embeddings", num_embeddings)
        check_size("Embedding", "embedding_dim", embedding_dim)
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.weight = parameter(init, next_key() if key is None else key, (num_embeddings, embedding_dim), dtype)

    def forward(self, x: Tensor) -> Tensor:
        """x: integers (batch, ...) → (batch, ..., embedding_dim)."""
        if x.dtype.kind not in "iu":
            raise DtypeError(
                explain("Embedding expected integers", f"dtype {x.dtype}", "Convert the numbers: x.astype(np.int64)")
            )
        if isinstance(x.raw, np.ndarray) and x.size:
            self._check_range(x.raw)
        return self.weight[x]

    def _check_range(self, indices: np.ndarray[tuple[int, ...], np.dtype[np.integer]]) -> None:
        low, high = int(indices.min()), int(indices.max())
        if low < 0 or high >= self.num_embeddings:
            raise ArgumentError(
                explain(
                    f"Embedding(num_embeddings={self.num_embeddings}) expected integers from 0 to "
                    f"{self.num_embeddings - 1}",
                    str(low if low < 0 else high),
                    "Number the things from 0, or build the layer with more num_embeddings",
                )
            )
