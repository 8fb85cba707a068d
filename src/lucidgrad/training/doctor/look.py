"""A look at a network while it works: what goes through its layers and comes back, for some samples and weights.

Everything is read off the nodes that the ops leave, so it works for any model, however it was trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from lucidgrad.autograd import Node
from lucidgrad.nn import Module
from lucidgrad.tensor import Tensor, grad
from lucidgrad.training.run import Run
from lucidgrad.training.step import Batch, forward_pass
from lucidgrad.training.working import working

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
ACTIVATIONS = ("relu", "tanh", "sigmoid")
_PRODUCTS = ("linear", "matmul")


@dataclass(frozen=True)
class Activation:
    """What came out of a nonlinearity: ``kind`` is its op, ``layer`` the path of the layer that it follows."""

    kind: str
    layer: str
    values: Array


@dataclass(frozen=True)
class Look:
    """What one forward and backward pass has shown.

    Attributes
    ----------
    loss
        Of these samples.
    weights, gradients
        Of the parameters, by path.
    output_gradient
        dL/df of the predictions.
    first_input
        What the first layer with a weight matrix was given; None where there is none.
    activations
        In the order in which they were computed.
    """

    loss: float
    weights: dict[str, Array]
    gradients: dict[str, Array]
    output_gradient: Array
    first_input: Array | None
    activations: list[Activation]

    @classmethod
    def of(cls, run: Run, batch: Batch) -> Look:
        """Look at the weights that the model has now; its buffers are put back afterwards."""
        parameters = run.parameters
        with working(run.model):
            forward = forward_pass(run.model.train(), run.loss, batch, run.key_of(0))
            wanted = [forward.predictions, *parameters.values()]
            slope, *slopes = grad(forward.loss, wanted, create_graph=False)
        nodes = nodes_of(forward.predictions)
        names = {id(p): path for path, p in parameters.items()}
        return cls(
            float(forward.loss),
            {path: p.numpy() for path, p in parameters.items()},
            {path: g.numpy() for path, g in zip(parameters, slopes, strict=True)},
            slope.numpy(),
            _first_input(nodes, names),
            activations_among(nodes, names, run.model, last=forward.predictions.node),
        )

    @property
    def matrices(self) -> list[str]:
        """The paths of the weight matrices, from the first layer to the last."""
        return [path for path, w in self.weights.items() if w.ndim > 1]


def look_at_activations(model: Module, x: Tensor) -> list[Activation]:
    """What comes out of each nonlinearity of the model in evaluation mode."""
    with working(model):
        predictions = model.eval()(x)
    names = {id(p): path for path, p in model.parameters().items()}
    return activations_among(nodes_of(predictions), names, model, last=None)


def nodes_of(result: Tensor) -> list[Node]:
    """All nodes that a result follows from, in the order in which they were computed."""
    found: dict[int, Node] = {}
    waiting = [result.node]
    while waiting:
        node = waiting.pop()
        if node is not None and node.serial not in found:
            found[node.serial] = node
            waiting += [p for p in node.parents if isinstance(p, Node)]
    return [found[serial] for serial in sorted(found)]


def layer_of(node: Node, names: Mapping[int, str], model: Module) -> str:
    """The path of the layer that a node belongs to or follows: that of the nearest parameters before it."""
    level: list[Any] = [node]
    seen: set[int] = set()
    while level:
        parents = [p for n in level for p in n.parents]
        for parent in parents:
            if id(parent) in names:
                return layer_name(names[id(parent)], model)
        level = [p for p in parents if isinstance(p, Node) and p.serial not in seen]
        seen |= {p.serial for p in level}
    return type(model).__name__


def layer_name(path: str, model: Module) -> str:
    """The path of the layer that a parameter is in; the model's own class where it is the layer."""
    return path.rpartition(".")[0] or type(model).__name__


def activations_among(nodes: list[Node], names: Mapping[int, str], model: Module, last: Any) -> list[Activation]:
    """The outputs of nonlinearities; not that of the whole model (``last``), which is no hidden one."""
    return [
        Activation(node.op.name, layer_of(node, names, model), node.output.reshape(len(node.output), -1))
        for node in nodes
        if node.op.name in ACTIVATIONS and node is not last and getattr(node.output, "ndim", 0) > 1
    ]


def _first_input(nodes: list[Node], names: Mapping[int, str]) -> Array | None:
    for node in nodes:
        if node.op.name in _PRODUCTS and any(id(p) in names for p in node.parents):
            values: Array = next(v for p, v in zip(node.parents, node.values, strict=True) if id(p) not in names)
            return values
    return None
