"""From a loss, a model with its inputs, or a graph to the chart that is drawn and explained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lucidgrad.autograd import Node, backpropagate, no_history, reachable
from lucidgrad.graph import Graph, Value
from lucidgrad.nn import Module
from lucidgrad.ops.op import Spec
from lucidgrad.seeing.chart import Chart, Edge, Vertex
from lucidgrad.seeing.factors import form, slope
from lucidgrad.seeing.layers import Span, layers_of_calls, layers_of_parameters
from lucidgrad.seeing.readable import number
from lucidgrad.seeing.symbols import name_vertices
from lucidgrad.tensor import Tensor

Names = Mapping[str, Tensor]


def chart_of_tensor(
    output: Tensor, model: Module | None = None, names: Names | None = None, spans: list[Span] | None = None
) -> Chart:
    """All that a tensor was computed from.

    Parameters
    ----------
    output
        A loss, whose gradients are then in the chart, or a tensor of several elements.
    model
        Names the parameters, and the layers.
    names
        Other names: of data, of parameters outside of a model.
    spans
        The calls that ``watched(model)`` has seen; None: layers are found from their parameters.
    """
    if output.node is None:
        raise no_history("a tensor")
    return _Collector(output, model, dict(names or {}), spans).chart


class _Collector:
    """Goes over the nodes from the first to the last."""

    def __init__(
        self, output: Tensor, model: Module | None, names: dict[str, Tensor], spans: list[Span] | None
    ) -> None:
        root = output.node
        assert root is not None  # checked before
        self.chart = Chart()
        self._nodes = reachable(root)
        self._titles = {id(p): path for path, p in (model.parameters() if model is not None else {}).items()}
        self._chosen = {id(t.raw): name for name, t in names.items()}
        self._vertices: dict[Any, Vertex] = {}
        self._layers = self._found_layers(model, spans)
        self._gradients = _gradients(output, self._nodes)
        for node in self._nodes:
            self._add(node, is_root=node is root)
        name_vertices(self.chart, self._names())
        for edge in self.chart.edges:
            if edge.backward:
                _label(self.chart, edge)

    def _found_layers(self, model: Module | None, spans: list[Span] | None) -> dict[Node, int]:
        if model is None:
            return {}
        found = layers_of_calls(self._nodes, spans) if spans is not None else layers_of_parameters(self._nodes, model)
        order = list(dict.fromkeys(found[node] for node in self._nodes if node in found))
        self.chart.layers = [span.layer for span in order]
        return {node: order.index(span) for node, span in found.items()}

    def _add(self, node: Node, is_root: bool) -> None:
        layer = self._layers.get(node)
        sources = [self._input(p, v, layer) for p, v in zip(node.parents, node.values, strict=True)]
        kind = "loss" if is_root and node.output.size == 1 else "op"
        vertex = self.chart.add(
            "loss" if kind == "loss" else "op",
            node.op.name,
            Spec(node.output.shape, node.output.dtype),
            value=node.output,
            gradient=_numbers(self._gradients.get(node)),
            layer=layer,
            attrs=node.attrs,
            source=node,
        )
        self._vertices[node] = vertex
        for place, source in enumerate(sources):
            if source is None:
                vertex.numbers[place] = node.values[place]
            else:
                backward = node.parents[place] is not None and node.op.rule(place) is not None
                self.chart.edges.append(Edge(source, vertex, place, backward))

    def _input(self, parent: Any, value: Any, layer: int | None) -> Vertex | None:
        """The vertex of an input; None for a single number that is constant, which is written into formulas."""
        if isinstance(parent, Node):
            return self._vertices[parent]
        if parent is None and (not hasattr(value, "shape") or (value.size == 1 and id(value) not in self._chosen)):
            return None
        key = id(value if parent is None else parent)
        if key not in self._vertices:
            self._vertices[key] = self._leaf(parent, value, layer)
        return self._vertices[key]

    def _leaf(self, parent: Tensor | None, value: Any, layer: int | None) -> Vertex:
        title = self._titles.get(id(parent), "") if parent is not None else ""
        gradient = None if parent is None else _numbers(self._gradients.get(parent))
        is_parameter = parent is not None
        return self.chart.add(
            "parameter" if is_parameter else "data",
            title or self._chosen.get(id(value)) or ("parameter" if is_parameter else "data"),
            Spec(value.shape, value.dtype),
            value=value,
            gradient=gradient,
            layer=layer if is_parameter else None,
            source=parent if is_parameter else value,
        )

    def _names(self) -> dict[int, str]:
        return {v.number: self._chosen[id(v.value)] for v in self.chart.vertices if id(v.value) in self._chosen}


def _gradients(output: Tensor, nodes: list[Node]) -> dict[Any, Any]:
    """The gradient of every node and leaf, where the output is a single number."""
    if output.size != 1 or output.dtype.kind != "f":
        return {}
    leaves = {id(p): p for node in nodes for p in node.parents if isinstance(p, Tensor)}
    start = Tensor.wrap(np.ones(output.shape, output.dtype))
    return backpropagate(output.node, start, Tensor.wrap, [*nodes, *leaves.values()])


def _numbers(gradient: Any) -> Any:
    return None if gradient is None else gradient.numpy()


def _label(chart: Chart, edge: Edge) -> None:
    """The factor of an edge, in symbols and numbers."""
    node, target = edge.target.source, edge.target
    names = operand_names(chart, target)
    edge.factor = form(node.op, edge.place, names, target.numbers)
    edge.is_shown_elsewhere = edge.factor.rstrip("ᵀ") in names.values()
    edge.numbers = slope(node.op, edge.place, node.values, node.output, node.attrs)


def operand_names(chart: Chart, vertex: Vertex) -> dict[str, str]:
    """What the inputs of an op are called, by their place, and "y" for what comes out."""
    names = {str(place): number(np.asarray(x).item(), 6) for place, x in vertex.numbers.items() if np.size(x) == 1}
    return names | {str(e.place): e.source.symbol for e in chart.into(vertex)} | {"y": vertex.symbol}


def chart_of_graph(graph: Graph) -> Chart:
    """A program: its inputs, and an op for each instruction. There are no numbers before it runs."""
    chart = Chart()
    vertices = {v: chart.add("data", "input", v.spec, symbol=str(v), source=v) for v in graph.inputs}
    constants: dict[int, Vertex] = {}
    for instruction in graph.instructions:
        spec = instruction.output.spec
        is_last = graph.outputs == [instruction.output] and not spec.shape
        vertex = chart.add("loss" if is_last else "op", instruction.op.name, spec, attrs=instruction.attrs)
        vertex.symbol = str(instruction.output)
        for place, x in enumerate(instruction.inputs):
            if isinstance(x, Value):
                chart.edges.append(Edge(vertices[x], vertex, place))
            elif np.size(x) == 1:
                vertex.numbers[place] = x
            else:
                if id(x) not in constants:
                    constants[id(x)] = chart.add("data", "constant", Spec(x.shape, x.dtype), value=x, source=x)
                    constants[id(x)].symbol = f"c{len(constants)}"
                chart.edges.append(Edge(constants[id(x)], vertex, place))
        vertices[instruction.output] = vertex
    return chart
