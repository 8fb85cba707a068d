"""The network for tables, and how it is trained: features, members that share the hidden layers, an output for each.

``model_`` of the estimators is a ``Sequential`` of lucidgrad's layers alone, so that it can be saved and exported:
``TableInput``, ``Members``, ``Linear`` layers with activations and ``Dropout``, ``MemberLinear``, ``MemberMean``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from lucidgrad.data.table import TablePreprocessing
from lucidgrad.data.table.quantiles import quantiles
from lucidgrad.errors import ArgumentError, counted, explain
from lucidgrad.estimators.intervals import worth
from lucidgrad.functional import ACTIVATIONS
from lucidgrad.io.functions import keeps_shape
from lucidgrad.losses import Loss
from lucidgrad.losses.base import sum_columns, weighted_sums
from lucidgrad.nn import Dropout, LayerNorm, Linear, MemberLinear, MemberMean, Members, Module, Sequential, TableInput
from lucidgrad.random import Key
from lucidgrad.targets import as_tensor
from lucidgrad.tensor import Tensor

Array = np.ndarray[Any, np.dtype[Any]]

# By how many times what a split is expected to gain when there is nothing to find it has to be better: a best split
# among many gains some ten times as much by chance.
CHANCE = 12.0
MOST_PIECE_FEATURES = 512  # of all columns together: a wide table has its numbers as they are


@dataclass(frozen=True)
class Design:
    """What a network for tables is made of. ``of`` says what its members' mean is taken of, see ``MemberMean``."""

    hidden: tuple[int, ...]
    activation: Any
    dropout: float
    normalization: str | None
    embedding_dim: int
    members: int
    outputs: int
    of: str
    dtype: Any


def build(design: Design, places: Sequence[int], edges: Array | None, numeric: int, key: Key) -> tuple[Any, Any]:
    """The network, and what is trained of it: all of it, but the members each by itself."""
    d = design
    first, *rest = key.split(len(d.hidden) + 3)
    table = TableInput(numeric, places, d.embedding_dim, edges=edges, dtype=d.dtype, key=first)
    layers: list[Any] = [table]
    if d.members > 1:
        layers.append(Members(d.members, table.features, dtype=d.dtype, key=rest.pop()))
    size = table.features
    for width in d.hidden:
        layers.append(Linear(size, width, dtype=d.dtype, key=rest.pop()))
        size = width
        if d.normalization == "layer":
            layers.append(LayerNorm(width, dtype=d.dtype))
        layers.append(d.activation)
        if d.dropout:
            layers.append(Dropout(d.dropout))
    if d.members == 1:
        network = Sequential(*layers, Linear(size, d.outputs, dtype=d.dtype, key=rest.pop()))
        return network, network
    layers += [MemberLinear(d.members, size, d.outputs, dtype=d.dtype, key=rest.pop()), MemberMean(d.of)]
    return Sequential(*layers), EachMember(layers[:-1], layers[-1])


def check(network: Any, numeric: int, places: Sequence[int], outputs: int) -> None:
    """ValueError for a network that ``build`` cannot have made.

    Nothing of it is computed: it may come from a file, and a short file can ask for more numbers than memory holds.
    """
    layers = list(network) if isinstance(network, Sequential) else []
    first = layers[0] if layers else None
    if not isinstance(first, TableInput) or (first.numeric, first.categories) != (numeric, tuple(places)):
        raise ValueError("its network has to take the numbers and codes of its columns")
    width, members = first.features, 1
    for layer in layers[1:]:
        if isinstance(layer, Members):
            fits, members = (members, layer.features) == (1, width), layer.members
        elif isinstance(layer, MemberLinear):
            fits, width = (layer.members, layer.in_features) == (members, width), layer.out_features
        elif isinstance(layer, Linear):
            fits, width = layer.in_features == width, layer.out_features
        elif isinstance(layer, MemberMean):
            fits, members = members > 1, 1
        elif isinstance(layer, LayerNorm):
            fits = layer.num_features == width
        else:
            fits = isinstance(layer, Dropout) or keeps_shape(layer)
        if not fits:
            raise ValueError("the layers of its network have to fit together, with activations between them")
    if members > 1 or width != outputs:
        raise ValueError(f"its network has to give {counted(outputs, 'output')} for a row")


class EachMember(Module):
    """The network while it is trained: the members' outputs (batch, members, outputs); asked, their mean."""

    def __init__(self, layers: Sequence[Any], mean: MemberMean) -> None:
        self.members, self.mean = Sequential(*layers), mean

    def forward(self, x: Tensor) -> Tensor:
        """x: (batch, columns) → (batch, members, outputs), or (batch, outputs) in evaluation."""
        y: Tensor = self.members(x)
        return y if self.training else self.mean(y)


class OfMembers(Loss):
    """The mean of a loss over the members, each of which is to meet the target by itself; of their mean the loss."""

    def __init__(self, loss: Loss) -> None:
        super().__init__(loss.reduction)
        self.loss = loss

    def check(self, predictions: Tensor, targets: Any) -> tuple[Tensor, Tensor]:
        """The members below each other, each with the targets."""
        if predictions.ndim != 3:
            return self.loss.check(predictions, targets)
        batch, members, columns = predictions.shape
        t = as_tensor(targets)
        each = t.reshape(batch, 1, *t.shape[1:]).broadcast_to((batch, members, *t.shape[1:]))
        return self.loss.check(predictions.reshape(batch * members, columns), each.reshape(-1, *t.shape[1:]))

    def terms(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """Those of the loss."""
        return self.loss.terms(predictions, targets)

    def sums(self, predictions: Any, targets: Any, sample_weight: Any = None) -> tuple[Tensor, float | Tensor]:
        """Those of the loss, a member counting its share of the sample."""
        if predictions.ndim != 3:
            return self.loss.sums(predictions, targets, sample_weight)
        batch, members, _ = predictions.shape
        p, t = self.checked(predictions, targets)
        terms = sum_columns(self.loss.terms(p, t)).reshape(batch, members).mean(1)
        own = self.loss.own_weight(p, t)
        return weighted_sums(
            predictions, terms, None if own is None else own.reshape(batch, members).mean(1), sample_weight
        )


def edges_of(numbers: Array, pieces: int, targets: Array, weight: Array | None) -> Array | None:
    """The edges of the pieces of each number, (numeric, pieces + 1); None: no pieces.

    Where the targets jump, an edge on each side; all others at quantiles. (Gorishniy et al. 2022, section 3.2, have
    either quantiles or the splits of a tree; a split alone is no jump, as a piece goes from one split to the next.)
    """
    rows, numeric = numbers.shape
    pieces = min(pieces, MOST_PIECE_FEATURES // max(numeric, 1), rows - 1)
    if not numeric or pieces < 2:
        return None
    edges = np.empty((numeric, pieces + 1), numbers.dtype)
    for i in range(numeric):
        column = numbers[:, i]
        jumps = _jumps(column, (pieces - 1) // 4, targets, weight)
        shares = np.linspace(0, 1, pieces + 1 - len(jumps))
        found = np.unique(np.concatenate([quantiles(column, shares, weight), jumps]))
        edges[i, : len(found)] = found
        edges[i, len(found) :] = found[-1]
    return edges


def most_pieces(rows: int, numeric: int, most: int) -> int:
    """Into how many pieces each number can be cut when a piece is to have eight rows for each of the columns."""
    each = max(numeric, 1)
    return min(most, rows // (8 * each), MOST_PIECE_FEATURES // each) if numeric else 0


def _jumps(column: Array, most: int, targets: Array, weight: Array | None) -> Array:
    """The values on both sides of at most so many splits of a tree that sees this column alone."""
    low = float(column.min())
    if most < 1 or low == float(column.max()):
        return np.empty(0, column.dtype)
    kind = DecisionTreeClassifier if targets.dtype.kind == "i" else DecisionTreeRegressor
    rows = len(column) if weight is None else worth(weight)
    tree = kind(max_leaf_nodes=most + 1, min_weight_fraction_leaf=0.01, random_state=0)
    tree.set_params(min_impurity_decrease=CHANCE * _impurity(targets, weight) / rows)
    tree.fit(column[:, None], targets, sample_weight=weight)
    splits = tree.tree_.threshold[tree.tree_.feature >= 0]
    values = np.unique(column)
    above = np.clip(np.searchsorted(values, splits, side="right"), 1, len(values) - 1)
    return np.unique(np.concatenate([values[above - 1], values[above]]))


def _impurity(targets: Array, weight: Array | None) -> float:
    """Of all rows, as trees measure it: Gini's, or the mean variance."""
    if targets.dtype.kind == "i":
        shares = np.bincount(targets, weights=weight) / (len(targets) if weight is None else weight.sum())
        return float(1 - (shares**2).sum())
    mean = np.average(targets, axis=0, weights=weight)
    return float(np.average((targets - mean) ** 2, axis=0, weights=weight).mean())


def activation_of(name: Any) -> Any:
    """The activation of a name, or a function itself."""
    if isinstance(name, str) and name in ACTIVATIONS:
        return ACTIVATIONS[name]
    if not callable(name):
        raise ArgumentError(
            explain(f"activation expected one of {', '.join(ACTIVATIONS)}, or a function", repr(name), "Try 'relu'")
        )
    return name


def inputs_of(preprocessing: TablePreprocessing, table: Any, dtype: Any) -> Array:
    """Numbers with the codes behind them, (rows, columns) of ``dtype``: a code is exact in float32 too."""
    numbers, codes = preprocessing.transform(table, dtype)
    return np.concatenate([numbers, codes.astype(dtype)], axis=1) if codes.shape[1] else numbers


def fill_unseen(network: Any, codes: Array, rows_weight: Array | None = None) -> None:
    """Give codes that no training row had the mean of those that some had, so that what is new is taken as usual."""
    table = network[0]
    if table.weight is None:
        return
    weight, begin = table.weight.numpy().copy(), 0
    for i, size in enumerate(table.categories):
        counts = np.bincount(codes[:, i], weights=rows_weight, minlength=size)
        part = weight[begin : begin + size]
        part[counts == 0] = np.average(part, axis=0, weights=counts) if counts.any() else 0.0
        begin += size
    table.weight.data = weight
