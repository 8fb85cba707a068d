"""A large chart with each layer as one box."""

from __future__ import annotations

from lucidgrad.seeing.chart import Chart, Edge, Vertex


def collapsed(chart: Chart) -> Chart:
    """The chart with one vertex for each layer: its value and gradient are those of what comes out of it."""
    return _collapse(chart)[0]


def whole_layers(chart: Chart) -> dict[int, Vertex]:
    """The vertex that stands for each layer of a chart, by the layer's place."""
    return _collapse(chart)[1]


def _collapse(chart: Chart) -> tuple[Chart, dict[int, Vertex]]:
    made = Chart(layers=[])
    found: dict[Vertex, Vertex] = {}
    last = {v.layer: v for v in chart.operations() if v.layer is not None}
    whole: dict[int, Vertex] = {}
    for v in chart.vertices:
        if v.layer is None:
            found[v] = made.add(v.kind, v.title, v.spec)
            _copy(found[v], v)
        elif v is last[v.layer]:
            layer = chart.layers[v.layer]
            found[v] = whole[v.layer] = made.add("loss" if layer.is_loss else "layer", layer.title, v.spec)
            _copy(found[v], v)
    for v in chart.vertices:
        if v.layer is not None:
            found[v] = whole[v.layer]
    seen: dict[tuple[Vertex, Vertex], Edge] = {}
    for e in chart.edges:
        a, b = found[e.source], found[e.target]
        if a is not b:
            edge = seen.setdefault((a, b), Edge(a, b, e.place))
            edge.backward = edge.backward or e.backward
            if e.target.layer is None:
                edge.factor, edge.numbers, edge.is_shown_elsewhere = e.factor, e.numbers, e.is_shown_elsewhere
    made.edges = list(seen.values())
    return made, whole


def _copy(to: Vertex, v: Vertex) -> None:
    to.symbol, to.source, to.attrs, to.numbers = v.symbol, v.source, v.attrs, v.numbers
    to.value, to.gradient = v.value, v.gradient
