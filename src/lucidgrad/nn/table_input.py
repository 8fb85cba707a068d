"""TableInput: the numbers and codes of a table's row become the features that the layers above work with."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from lucidgrad.errors import ArgumentError, ShapeError, explain
from lucidgrad.functional import concatenate
from lucidgrad.nn.checks import check_size
from lucidgrad.nn.init import Initializer, normal, parameter
from lucidgrad.nn.module import Module
from lucidgrad.random import Key, next_key
from lucidgrad.tensor import Tensor, tensor

_half_normal = partial(normal, std=0.5)


class TableInput(Module):
    """A row of ``numeric`` numbers followed by a code for each categorical column, as features.

    The numbers go on as they are, and again piece by piece: between the edges e_0 < e_1 < ... of a column, piece t is
    (x - e_{t-1}) / (e_t - e_{t-1}) cut to [0, 1], so that the layer above can learn any function that is linear
    between edges (the piecewise linear encoding of Gorishniy, Rubachev and Babenko 2022, "On Embeddings for Numerical
    Features in Tabular Deep Learning", eq. 1; theirs goes on beyond the outer edges). Each code is looked up in a table
    of vectors that are learned. Codes are counted from 0 in each column, and are numbers like the rest of the row, of
    which the whole part counts.

    Parameters
    ----------
    numeric
        How many numbers there are.
    categories
        How many codes each categorical column has.
    embedding_dim
        The length of the vector of a code.
    edges : (numeric, pieces + 1), optional
        The edges of the pieces for each number, ascending. Where two are the same, the piece between them is always 0.
    init
        How the vectors start: by default as normal numbers with a standard deviation of 1/2.
    dtype
        ``np.float32`` or ``np.float64``.
    key
        Where the random numbers come from; None: ``lucidgrad.random.next_key()``.

    Attributes
    ----------
    weight : Tensor or None
        (sum of ``categories``, embedding_dim): the vectors of all columns below each other.
    pieces : int
        Into how many pieces each number is cut.
    start, slope : Tensor or None
        (numeric, pieces): where each piece begins, and 1 / its length. They are not learned.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> layer = lg.nn.TableInput(1, [3], 2, edges=[[0.0, 1.0, 3.0]], key=lg.Key(0))
    >>> layer([[2.0, 1.0]]).numpy()[:, :3]  # the number, its two pieces; then the vector of code 1
    array([[2. , 1. , 0.5]], dtype=float32)
    >>> layer.features
    5
    """

    def __init__(
        self,
        numeric: int,
        categories: Sequence[int] = (),
        embedding_dim: int = 8,
        *,
        edges: ArrayLike | None = None,
        init: Initializer = _half_normal,
        dtype: DTypeLike = np.float32,
        key: Key | None = None,
    ) -> None:
        if numeric or not len(categories):
            check_size("TableInput", "numeric", numeric)
        check_size("TableInput", "embedding_dim", embedding_dim)
        for size in categories:
            check_size("TableInput", "categories", size)
        self.numeric = int(numeric)
        self.categories = tuple(int(size) for size in categories)
        self.embedding_dim = int(embedding_dim)
        self.start: Tensor | None = None
        self.slope: Tensor | None = None
        if edges is not None:
            self.start, self.slope = _pieces(np.asarray(edges, dtype), self.numeric)
        self.pieces = 0 if self.start is None else self.start.shape[1]
        shape = (sum(self.categories), self.embedding_dim)
        self.weight = parameter(init, next_key() if key is None else key, shape, dtype) if self.categories else None

    @property
    def features(self) -> int:
        """How many features come out."""
        return self.numeric * (1 + self.pieces) + len(self.categories) * self.embedding_dim

    def forward(self, x: Tensor) -> Tensor:
        """x: (batch, numeric + categorical) → (batch, features)."""
        q, n = self.numeric, self.numeric + len(self.categories)
        if x.ndim != 2 or x.shape[1] != n:
            raise ShapeError(
                explain(
                    f"TableInput expected rows of {q} numbers and {n - q} codes, (batch, {n})",
                    f"{x.shape}",
                    "Put the codes behind the numbers, a column each",
                )
            )
        batch, parts = x.shape[0], []
        if q:
            numbers = x[:, :q]
            parts.append(numbers)
            if self.start is not None and self.slope is not None:
                pieces = ((numbers.reshape(batch, q, 1) - self.start) * self.slope).clip(0.0, 1.0)
                parts.append(pieces.reshape(batch, -1))
        if self.weight is not None:
            codes = x[:, q:].astype(np.int64)
            if isinstance(codes.raw, np.ndarray) and codes.size:
                self._check_codes(codes.raw)
            offsets = np.cumsum([0, *self.categories[:-1]])
            parts.append(self.weight[codes + offsets].reshape(batch, -1))
        return parts[0] if len(parts) == 1 else concatenate(parts, axis=1)

    def _check_codes(self, codes: np.ndarray[Any, np.dtype[Any]]) -> None:
        bad = (codes < 0) | (codes >= np.array(self.categories))
        if bad.any():
            row, column = np.argwhere(bad)[0]
            raise ArgumentError(
                explain(
                    f"TableInput expected codes from 0 to {self.categories[column] - 1} in categorical column {column}",
                    f"{codes[row, column]} in row {row}",
                    "Number the categories from 0, or build the layer with more",
                )
            )


def _pieces(edges: np.ndarray[Any, np.dtype[Any]], numeric: int) -> tuple[Tensor, Tensor]:
    if edges.ndim != 2 or edges.shape[0] != numeric or edges.shape[1] < 2 or (np.diff(edges) < 0).any():
        raise ArgumentError(
            explain(
                f"TableInput expected ascending edges of shape ({numeric}, pieces + 1)",
                f"shape {edges.shape}" if edges.ndim != 2 or len(edges) != numeric else "others",
                "Take quantiles of each column: np.quantile(x, np.linspace(0, 1, pieces + 1), axis=0).T",
            )
        )
    lengths = np.diff(edges)
    slope = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    return tensor(edges[:, :-1], dtype=edges.dtype), tensor(slope, dtype=edges.dtype)
