"""One small example of every layer: what the contract tests need to know to test it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lucidgrad import Key
from lucidgrad.functional import tanh
from lucidgrad.nn import (
    BatchNorm,
    Dropout,
    Embedding,
    Flatten,
    LayerNorm,
    Linear,
    MemberLinear,
    MemberMean,
    Members,
    Module,
    Reshape,
    Residual,
    Sequential,
    TableInput,
)


@dataclass(frozen=True)
class Sample:
    """``make`` builds the layer; ``wrong`` is an input it must refuse with ``message`` (None: it takes any shape)."""

    make: Callable[[Key, Any], Module]
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    repr: str
    wrong: Any = None
    message: str = ""
    classes: int | None = None  # for layers that take integers: how many
    codes: int = 0  # the last columns are codes from 0 to 2, between which nothing is to be found

    def input(self, dtype: Any = np.float64) -> np.ndarray:
        rng = np.random.default_rng(20240501)
        if self.classes is not None:
            return rng.integers(self.classes, size=self.input_shape)
        numbers = rng.normal(size=self.input_shape).astype(dtype)
        if self.codes:
            numbers[:, -self.codes :] = 0.5 + rng.integers(3, size=(len(numbers), self.codes))
        return numbers


SAMPLES: dict[str, Sample] = {
    "Linear": Sample(
        lambda key, dtype: Linear(4, 3, dtype=dtype, key=key),
        (5, 4),
        (5, 3),
        "Linear(in_features=4, out_features=3)",
        wrong=np.zeros((5, 2, 2)),
        message="Linear(in_features=4) expected inputs of shape (batch, 4), got (5, 2, 2). "
        "Flatten them first: x.reshape(len(x), 4).",
    ),
    "Embedding": Sample(
        lambda key, dtype: Embedding(6, 3, dtype=dtype, key=key),
        (5, 2),
        (5, 2, 3),
        "Embedding(num_embeddings=6, embedding_dim=3)",
        wrong=np.array([6]),
        message="Embedding(num_embeddings=6) expected integers from 0 to 5, got 6. "
        "Number the things from 0, or build the layer with more num_embeddings.",
        classes=6,
    ),
    "Dropout": Sample(lambda key, dtype: Dropout(0.4), (5, 4), (5, 4), "Dropout(p=0.4)"),
    "BatchNorm": Sample(
        lambda key, dtype: BatchNorm(3, dtype=dtype),
        (5, 3),
        (5, 3),
        "BatchNorm(num_features=3, momentum=0.1, eps=1e-05)",
        wrong=np.zeros((5, 4)),
        message="BatchNorm(num_features=3) expected inputs of shape (batch, 3), got (5, 4). "
        "Give each sample that many features, or build the layer with the num_features of your data.",
    ),
    "LayerNorm": Sample(
        lambda key, dtype: LayerNorm(3, dtype=dtype),
        (2, 4, 3),
        (2, 4, 3),
        "LayerNorm(num_features=3, eps=1e-05)",
        wrong=np.zeros(3),
        message="LayerNorm(num_features=3) expected inputs of shape (batch, 3), got (3,). "
        "Give each sample that many features, or build the layer with the num_features of your data.",
    ),
    "Flatten": Sample(
        lambda key, dtype: Flatten(),
        (2, 3, 4),
        (2, 12),
        "Flatten()",
        wrong=np.array(1.0),
        message="Flatten expected inputs of shape (batch, ...), got (). Pass a batch of samples.",
    ),
    "Reshape": Sample(
        lambda key, dtype: Reshape(2, -1),
        (3, 8),
        (3, 2, 4),
        "Reshape(shape=(2, -1))",
        wrong=np.zeros((3, 7)),
        message="Reshape(2, -1) expected samples of a multiple of 2 elements, got inputs of shape (3, 7). "
        "Keep the product of the sizes; a single -1 is filled in.",
    ),
    "TableInput": Sample(
        lambda key, dtype: TableInput(
            2,
            (3, 4),
            2,
            edges=np.sort(key.fold_in(1).normal((2, 4), dtype=dtype).numpy(), axis=1),
            dtype=dtype,
            key=key.fold_in(0),
        ),
        (7, 4),
        (7, 12),
        "TableInput(numeric=2, categories=(3, 4), embedding_dim=2, pieces=3)",
        wrong=np.zeros((5, 3)),
        message="TableInput expected rows of 2 numbers and 2 codes, (batch, 4), got (5, 3). "
        "Put the codes behind the numbers, a column each.",
        codes=2,
    ),
    "Members": Sample(
        lambda key, dtype: Members(4, 3, dtype=dtype, key=key),
        (5, 3),
        (5, 4, 3),
        "Members(members=4, features=3)",
        wrong=np.zeros((5, 2)),
        message="Members(features=3) expected inputs of shape (batch, 3), got (5, 2). "
        "Give each row that many features.",
    ),
    "MemberLinear": Sample(
        lambda key, dtype: MemberLinear(4, 3, 2, dtype=dtype, key=key),
        (5, 4, 3),
        (5, 4, 2),
        "MemberLinear(members=4, in_features=3, out_features=2)",
        wrong=np.zeros((5, 3)),
        message="MemberLinear expected inputs of shape (batch, 4, 3), got (5, 3). Put a layer Members before it.",
    ),
    "MemberMean": Sample(
        lambda key, dtype: MemberMean("probabilities"),
        (5, 4, 3),
        (5, 3),
        "MemberMean(of='probabilities')",
        wrong=np.zeros((5, 3)),
        message="MemberMean expected inputs of shape (batch, members, columns), got (5, 3). "
        "Put a layer Members into the network.",
    ),
    "Residual": Sample(
        lambda key, dtype: Residual(Linear(4, 4, dtype=dtype, key=key)),
        (5, 4),
        (5, 4),
        "Residual(\n  (inner): Linear(in_features=4, out_features=4)\n)",
        wrong=np.zeros((5, 3)),
        message="in layer inner: Linear(in_features=4) expected inputs of shape (batch, 4), got (5, 3). "
        "Give each sample 4 features, or build the layer with the in_features of your data.",
    ),
    "Sequential": Sample(
        lambda key, dtype: Sequential(
            Linear(4, 6, bias=False, dtype=dtype, key=key.fold_in(0)),  # batch norm takes a bias away
            BatchNorm(6, dtype=dtype),
            tanh,
            Dropout(0.25),
            Sequential(Linear(6, 2, dtype=dtype, key=key.fold_in(1))),
        ),
        (5, 4),
        (5, 2),
        "Sequential(\n"
        "  (0): Linear(in_features=4, out_features=6, bias=None)\n"
        "  (1): BatchNorm(num_features=6, momentum=0.1, eps=1e-05)\n"
        "  (2): tanh\n"
        "  (3): Dropout(p=0.25)\n"
        "  (4): Sequential(\n"
        "    (0): Linear(in_features=6, out_features=2)\n"
        "  )\n"
        ")",
        wrong=np.zeros((5, 3)),
        message="in layer 0: Linear(in_features=4) expected inputs of shape (batch, 4), got (5, 3). "
        "Give each sample 4 features, or build the layer with the in_features of your data.",
    ),
}
