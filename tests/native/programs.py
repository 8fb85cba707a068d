"""Random programs as data: what was drawn, so that it can be run, printed, sent to another process and made smaller.

A Program is a list of nodes, each an input or one application of a row of the op table to earlier nodes, numbers and
constants. It is run by calling the rows on Tensors, eagerly or traced.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import lucidgrad as lg
from lucidgrad.compiler import trace
from lucidgrad.graph import Graph
from lucidgrad.ops import TABLE
from lucidgrad.tensor import Tensor

Array = np.ndarray[Any, np.dtype[Any]]

LAYOUTS = ("plain", "columns first", "reversed", "stepped", "stride 0", "unaligned")


@dataclass(frozen=True)
class Ref:
    """The value of the node of this number."""

    node: int


@dataclass(frozen=True, eq=False)
class Input:
    """The elements of an input, and how they lie in memory: pickled, a view would become an array of its own."""

    values: Array
    layout: str = "plain"

    def array(self) -> Array:
        """The read-only array in its layout."""
        array = laid_out(self.values, self.layout)
        array.setflags(write=False)
        return array


@dataclass(frozen=True, eq=False)
class Step:
    """A row by its name, applied to Refs, numbers and constant arrays."""

    op: str
    operands: tuple[Any, ...]
    attrs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Program:
    """Nodes in the order they run, the numbers of those that are outputs, and which gradients are taken.

    ``order`` 0: none; 1: of the sum of the float outputs, each weighted by its constant in ``weights``, with respect
    to all float inputs; 2: of the sum of those once more.
    """

    nodes: tuple[Input | Step, ...]
    outputs: tuple[int, ...]
    order: int = 0
    weights: dict[int, Array] = field(default_factory=dict)

    @property
    def inputs(self) -> list[Input]:
        """The inputs, in their order."""
        return [n for n in self.nodes if isinstance(n, Input)]

    @property
    def steps(self) -> list[Step]:
        """The applications of ops, in their order."""
        return [n for n in self.nodes if isinstance(n, Step)]

    def tensors(self) -> list[Tensor]:
        """The inputs as tensors over the very arrays, strides and all; the floats are variables."""
        return [as_variable(node.array()) for node in self.inputs]

    def __call__(self, *inputs: Tensor) -> dict[str, Any]:
        """Outputs and gradients, of inputs like those of ``tensors``."""
        values = self.values(*inputs)
        outputs = [values[i] for i in self.outputs]
        variables = [t for t in inputs if t.requires_grad]
        roots = [i for i in dict.fromkeys(self.outputs) if values[i].requires_grad]
        if not (self.order and variables and roots):
            return {"outputs": outputs}
        total = _total([values[i] * lg.tensor(self.weights[i], dtype=values[i].dtype) for i in roots])
        gradients = lg.grad(total, variables, create_graph=self.order > 1)
        second = [g for g in gradients if g.requires_grad]
        if self.order < 2 or not second:
            return {"outputs": outputs, "gradients": tuple(gradients)}
        again = lg.grad(_total(second), variables, create_graph=False)
        return {"outputs": outputs, "gradients": tuple(gradients), "second": tuple(again)}

    def values(self, *inputs: Tensor) -> list[Tensor]:
        """The value of every node."""
        rest, values = iter(inputs), []
        for node in self.nodes:
            values.append(next(rest) if isinstance(node, Input) else apply_step(node, values))
        return values

    def graph(self) -> Graph:
        """The program written down by tracing it."""
        return trace(lambda *inputs: leaves(self(*inputs)), *self.tensors())

    def __str__(self) -> str:
        lines = [str(self.graph())]
        for i, node in enumerate(self.inputs):
            text = np.array2string(node.values, threshold=20, separator=", ")
            lines.append(f"input {i}, {node.layout}: {node.values.dtype}{list(node.values.shape)} {text}")
        return "\n".join(lines)


def apply_step(step: Step, values: list[Tensor]) -> Tensor:
    """The row applied to the values its operands stand for."""
    operands = [
        values[x.node] if isinstance(x, Ref) else lg.tensor(x, dtype=x.dtype) if isinstance(x, np.ndarray) else x
        for x in step.operands
    ]
    with np.errstate(all="ignore"):
        result: Tensor = TABLE[step.op](*operands, **step.attrs)
    return result


def leaves(tree: Any) -> list[Tensor]:
    """The tensors (or arrays) of nested structures, in order."""
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, list | tuple):
        return [leaf for child in tree for leaf in leaves(child)]
    return [tree]


def structure(tree: Any) -> Any:
    """The nesting alone."""
    if isinstance(tree, dict):
        return {k: structure(v) for k, v in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(structure(v) for v in tree)
    return "leaf"


def as_variable(array: Array) -> Tensor:
    """A Tensor over the very array, strides and all, that gradients are taken of where it holds floats."""
    t = Tensor.wrap(array)
    t.requires_grad = array.dtype.kind == "f"
    return t


def _total(parts: list[Tensor]) -> Tensor:
    total = parts[0].sum()
    for part in parts[1:]:
        total = total + part.sum()
    return total


def laid_out(values: Array, layout: str) -> Array:
    """An array of these values (for "stride 0": of its first entries, repeated) with the given strides."""
    everywhere = (..., *(slice(None, None, -1),) * values.ndim)
    if layout == "columns first":
        return np.array(values, order="F")
    if layout == "reversed":
        return np.array(values[everywhere], order="C")[everywhere]
    if layout == "stepped":
        wide = np.zeros([2 * n + 1 for n in values.shape], values.dtype)
        view = wide[(..., *(slice(1, None, 2),) * values.ndim)]
        view[...] = values
        return view
    if layout == "stride 0" and values.ndim and values.shape[0]:
        return np.broadcast_to(values[:1].copy(), values.shape)
    if layout == "unaligned":
        raw = np.zeros(values.nbytes + 1, np.uint8)[1:].view(values.dtype).reshape(values.shape)
        raw[...] = values
        return raw
    return np.array(values, order="C")


def pruned(program: Program) -> Program:
    """Without the nodes that no output needs."""
    needed: set[int] = set(program.outputs)
    for i in reversed(range(len(program.nodes))):
        node = program.nodes[i]
        if i in needed and isinstance(node, Step):
            needed |= {x.node for x in node.operands if isinstance(x, Ref)}
    number = {old: new for new, old in enumerate(sorted(needed))}
    nodes = tuple(_renumbered(program.nodes[i], number) for i in sorted(needed))
    weights = {number[i]: w for i, w in program.weights.items() if i in number}
    return dataclasses.replace(program, nodes=nodes, outputs=tuple(number[i] for i in program.outputs), weights=weights)


def _renumbered(node: Input | Step, number: dict[int, int]) -> Input | Step:
    if isinstance(node, Input):
        return node
    operands = tuple(Ref(number[x.node]) if isinstance(x, Ref) else x for x in node.operands)
    return dataclasses.replace(node, operands=operands)
