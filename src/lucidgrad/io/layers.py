"""The layers that a model file may hold: a closed table, each with its options and the arrays it is made of."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lucidgrad.errors import ModelFileError
from lucidgrad.files.strict_json import shown, wrong
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
    TableInput,
)
from lucidgrad.random import Key
from lucidgrad.tensor import Tensor

Take = Callable[[str, tuple[int, ...]], Tensor]
"""(name, shape) -> the tensor of the layer that is being built, whose shape has been checked."""

_UNUSED = Key(0)  # what is built starts with the arrays it had


class Options:
    """The options of a layer as a file gives them, each checked when it is asked for."""

    def __init__(self, layer: str, given: Any) -> None:
        self.layer = layer
        self.given = given

    def size(self, name: str) -> int:
        """An integer of at least 1."""
        value = self.given[name]
        if type(value) is not int or not 1 <= value < 2**63:
            raise self._wrong(f"{name} to be an integer of at least 1", value)
        return value

    def number(self, name: str) -> float:
        """A finite number."""
        value = self.given[name]
        if type(value) not in (int, float) or not math.isfinite(value):
            raise self._wrong(f"{name} to be a number", value)
        return float(value)

    def count(self, name: str) -> int:
        """An integer of at least 0."""
        return 0 if type(self.given[name]) is int and self.given[name] == 0 else self.size(name)

    def word(self, name: str) -> str:
        """A text."""
        value = self.given[name]
        if type(value) is not str:
            raise self._wrong(f"{name} to be text", value)
        return value

    def flag(self, name: str) -> bool:
        """Yes or no."""
        value = self.given[name]
        if type(value) is not bool:
            raise self._wrong(f"{name} to be true or false", value)
        return value

    def sizes(self, name: str) -> list[int]:
        """Integers of at least -1."""
        value = self.given[name]
        if type(value) is not list or not all(type(n) is int and -1 <= n < 2**63 for n in value):
            raise self._wrong(f"{name} to be a list of sizes", value)
        return value

    def _wrong(self, expected: str, got: Any) -> ModelFileError:
        return wrong(f"{self.layer} in a model file", expected, shown(got))


@dataclass(frozen=True)
class LayerRow:
    """A layer: the plain options that say how it was made, its tensors, and how to make it again from both."""

    layer: type[Module]
    options: Callable[[Any], dict[str, Any]]
    tensors: tuple[str, ...]
    build: Callable[[Options, Take], Module]

    def is_as_made(self, layer: Module) -> bool:
        """Whether the layer has the attributes its class gives it, and no others."""
        return vars(layer).keys() - {"training"} == {*self.tensors, *self.options(layer)}


def _starts_as(tensor: Tensor | None) -> Callable[..., Any]:
    return lambda key, shape, dtype: tensor


def _linear(o: Options, take: Take) -> Linear:
    inputs, outputs, bias = o.size("in_features"), o.size("out_features"), o.flag("bias")
    weight = take("weight", (outputs, inputs))
    b = take("bias", (outputs,)) if bias else None
    return Linear(
        inputs, outputs, bias=bias, init=_starts_as(weight), bias_init=_starts_as(b), dtype=weight.dtype, key=_UNUSED
    )


def _embedding(o: Options, take: Take) -> Embedding:
    things, size = o.size("num_embeddings"), o.size("embedding_dim")
    weight = take("weight", (things, size))
    return Embedding(things, size, init=_starts_as(weight), dtype=weight.dtype, key=_UNUSED)


def _batch_norm(o: Options, take: Take) -> BatchNorm:
    n = o.size("num_features")
    found = {name: take(name, (n,)) for name in ("weight", "bias", "running_mean", "running_var")}
    if (found["running_var"].numpy() < 0).any():
        raise wrong("BatchNorm in a model file", "variances of at least 0", "others")
    layer = BatchNorm(n, momentum=o.number("momentum"), eps=o.number("eps"), dtype=found["weight"].dtype)
    for name, tensor in found.items():
        getattr(layer, name).data = tensor
    return layer


def _layer_norm(o: Options, take: Take) -> LayerNorm:
    n = o.size("num_features")
    weight, bias = take("weight", (n,)), take("bias", (n,))
    layer = LayerNorm(n, eps=o.number("eps"), dtype=weight.dtype)
    layer.weight.data, layer.bias.data = weight, bias
    return layer


def _table_input(o: Options, take: Take) -> TableInput:
    numeric, pieces, size = o.count("numeric"), o.count("pieces"), o.size("embedding_dim")
    categories = o.sizes("categories")
    weight = take("weight", (sum(categories), size)) if categories else None
    parts = {name: take(name, (numeric, pieces)) for name in ("start", "slope")} if pieces else {}
    dtype = np.float32 if weight is None else weight.dtype
    layer = TableInput(numeric, categories, size, init=_starts_as(weight), dtype=dtype, key=_UNUSED)
    for name, tensor in parts.items():
        setattr(layer, name, tensor)
    layer.pieces = pieces
    return layer


def _members(o: Options, take: Take) -> Members:
    members, features = o.size("members"), o.size("features")
    weight = take("weight", (members, features))
    return Members(members, features, init=_starts_as(weight), dtype=weight.dtype, key=_UNUSED)


def _member_linear(o: Options, take: Take) -> MemberLinear:
    members, inputs, outputs = o.size("members"), o.size("in_features"), o.size("out_features")
    weight, bias = take("weight", (members, outputs, inputs)), take("bias", (members, outputs))
    layer = MemberLinear(1, 1, 1, dtype=weight.dtype, key=_UNUSED)
    layer.members, layer.in_features, layer.out_features = members, inputs, outputs
    layer.weight, layer.bias = weight, bias
    return layer


LAYERS: dict[str, LayerRow] = {
    row.layer.__name__: row
    for row in (
        LayerRow(
            Linear,
            lambda x: {
                "in_features": int(x.in_features), "out_features": int(x.out_features), "bias": x.bias is not None
            },
            ("weight", "bias"),
            _linear,
        ),
        LayerRow(
            Embedding,
            lambda x: {"num_embeddings": int(x.num_embeddings), "embedding_dim": int(x.embedding_dim)},
            ("weight",),
            _embedding,
        ),
        LayerRow(
            BatchNorm,
            lambda x: {"num_features": int(x.num_features), "momentum": float(x.momentum), "eps": float(x.eps)},
            ("weight", "bias", "running_mean", "running_var"),
            _batch_norm,
        ),
        LayerRow(
            LayerNorm,
            lambda x: {"num_features": int(x.num_features), "eps": float(x.eps)},
            ("weight", "bias"),
            _layer_norm,
        ),
        LayerRow(
            TableInput,
            lambda x: {
                "numeric": x.numeric, "categories": list(x.categories), "embedding_dim": x.embedding_dim,
                "pieces": x.pieces,
            },
            ("weight", "start", "slope"),
            _table_input,
        ),
        LayerRow(
            Members,
            lambda x: {"members": x.members, "features": x.features},
            ("weight",),
            _members,
        ),
        LayerRow(
            MemberLinear,
            lambda x: {"members": x.members, "in_features": x.in_features, "out_features": x.out_features},
            ("weight", "bias"),
            _member_linear,
        ),
        LayerRow(MemberMean, lambda x: {"of": x.of}, (), lambda o, _: MemberMean(o.word("of"))),
        LayerRow(Dropout, lambda x: {"p": float(x.p)}, (), lambda o, _: Dropout(o.number("p"))),
        LayerRow(Flatten, lambda _: {}, (), lambda o, _: Flatten()),
        LayerRow(Reshape, lambda x: {"shape": list(x.shape)}, (), lambda o, _: Reshape(*o.sizes("shape"))),
    )
}  # fmt: skip
"""All but the containers, whose parts are layers: see ``network.py``."""
