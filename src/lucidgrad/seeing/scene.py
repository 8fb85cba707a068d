"""A chart with places: boxes, the labels on edges, the frames of layers, and the ways of the lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any, Literal
from unicodedata import east_asian_width

from lucidgrad.seeing.chart import Chart, Edge, Vertex
from lucidgrad.seeing.layout import Layout, Point, arrange
from lucidgrad.seeing.readable import lines, one_line, shape_text
from lucidgrad.seeing.words import Words

EM = 12.0
LINE = 16.0
PADDING = 10.0
FRAME = 14.0  # between the boxes of a layer and its frame
HEAD = 24.0  # for the name of the layer
GAPS = (24.0, 20.0)
NARROW = (20.0, 12.0)  # where boxes are small

# What is in the boxes: all numbers of small arrays, one line for an array and one for its gradient, or neither.
Detail = Literal["numbers", "summary", "names"]
DETAILS: tuple[Detail, ...] = ("numbers", "summary", "names")


@dataclass(frozen=True)
class Text:
    """A line of text and how it is set: title, detail, value, gradient or factor."""

    text: str
    style: str


@dataclass(frozen=True)
class Box:
    """A rectangle by its centre, with lines of text."""

    x: float
    y: float
    width: float
    height: float
    texts: tuple[Text, ...] = ()

    def moved(self, dx: float, dy: float) -> Box:
        """The same box elsewhere."""
        return Box(self.x + dx, self.y + dy, self.width, self.height, self.texts)


Anchor = tuple[float, int | None]  # what a point of a line moves with: a row by its middle, and a layer


@dataclass
class Scene:
    """Everything of a picture that has a place.

    Attributes
    ----------
    anchors
        For each point of a route the row and the layer it is in.
    rows
        The middle of the row that a vertex, an edge's label or (``("layer", k)``) a layer stands in: what is outside
        of layers is in rows, and a layer is in one as a whole.
    layers
        The layer that a vertex or an edge's label is drawn in.
    gap
        The free space between rows.
    """

    width: float = 0.0
    height: float = 0.0
    boxes: dict[Vertex, Box] = field(default_factory=dict)
    labels: dict[Edge, Box] = field(default_factory=dict)
    frames: dict[int, Box] = field(default_factory=dict)
    routes: dict[Edge, list[Point]] = field(default_factory=dict)
    anchors: dict[Edge, list[Anchor]] = field(default_factory=dict)
    rows: dict[Any, float] = field(default_factory=dict)
    layers: dict[Any, int] = field(default_factory=dict)
    gap: float = GAPS[1]


def text_width(text: str) -> float:
    """The width of a line in a monospaced font: Korean letters are two wide."""
    return EM * sum(1.0 if east_asian_width(c) in "WF" else 0.61 for c in text)


def scene_of(chart: Chart, words: Words, detail: Detail = "numbers") -> Scene:
    """Place a chart: each layer by itself, then the layers and what lies between them."""
    texts = {v: vertex_texts(v, words, detail) for v in chart.vertices}
    labels = {e: label_texts(e, words, detail) for e in chart.edges}
    layers = _drawable_layers(chart)
    gaps = GAPS if detail == "numbers" else NARROW
    inner = {k: _arrange_layer(chart, k, layers, texts, labels, gaps) for k in sorted(set(layers.values()))}
    outer, sizes = _arrange_all(chart, layers, inner, texts, labels, gaps)
    scene = Scene(outer.width, outer.height, layers=layers, gap=gaps[1])
    for vertex in chart.vertices:
        scene.boxes[vertex] = _placed(vertex, texts[vertex], layers, outer, inner, sizes)
    for edge in chart.edges:
        scene.labels[edge] = _placed(edge, labels[edge], layers, outer, inner, sizes)
    for item in (*chart.vertices, *chart.edges, *(("layer", k) for k in inner)):
        scene.rows[item] = outer.centres[("layer", layers[item]) if item in layers else item][1]
    for edge in chart.edges:
        scene.routes[edge], scene.anchors[edge] = _route(edge, scene, layers, outer, inner, sizes)
    for k in inner:
        x, y = outer.centres["layer", k]
        scene.frames[k] = Box(x, y, *sizes[k], (Text(chart.layers[k].title, "layer"),))
    return scene


def vertex_texts(vertex: Vertex, words: Words, detail: Detail = "numbers") -> tuple[Text, ...]:
    """The lines in the box of a vertex."""
    op = words.op(vertex)
    title = f"{vertex.symbol} = {op}" if vertex.kind in ("op", "loss", "layer") else f"{vertex.symbol}  {op}"
    shape = shape_text(vertex.spec.shape)
    if detail != "numbers":
        found = [Text((title if vertex.symbol != op else op) + (f"  {shape}" if shape else ""), "title")]
        if detail == "summary" and vertex.value is not None:
            found.append(Text(one_line(vertex.value, words.summary[0]), "value"))
        if detail == "summary" and vertex.gradient is not None:
            found.append(Text(f"∇ {one_line(vertex.gradient, words.summary[0])}", "gradient"))
        return tuple(found)
    found = [Text(title if vertex.symbol != op else op, "title")]
    if shape:
        found.append(Text(f"{shape}  {vertex.spec.dtype.name}", "detail"))
    if vertex.value is not None:
        found += [Text(t, "value") for t in lines(vertex.value, words.summary)]
    if vertex.gradient is not None:
        first, *rest = lines(vertex.gradient, words.summary)
        found += [Text(f"∇ {first}", "gradient"), *(Text(f"  {t}", "gradient") for t in rest)]
    return tuple(found)


def label_texts(edge: Edge, words: Words, detail: Detail = "numbers") -> tuple[Text, ...]:
    """The lines on an edge: the factor of the chain rule."""
    if not edge.backward:
        return ()
    found = [Text(edge.derivative + (f" = {edge.factor}" if edge.factor else ""), "factor")]
    if detail == "numbers" and edge.numbers is not None and edge.numbers.size > 1 and not edge.is_shown_elsewhere:
        found += [Text(t, "number") for t in lines(edge.numbers, words.summary)]
    return tuple(found)


def box_of(vertex: Vertex, words: Words, detail: Detail = "numbers") -> Box:
    """The box of a vertex, as large as its texts, around the point (0, 0)."""
    texts = vertex_texts(vertex, words, detail)
    return Box(0.0, 0.0, *_size(texts), texts)


def _size(texts: tuple[Text, ...]) -> Point:
    if not texts:
        return 2.0, 2.0
    return max(text_width(t.text) for t in texts) + 2 * PADDING, len(texts) * LINE + PADDING


def _drawable_layers(chart: Chart) -> dict[Any, int]:
    """The layer of each vertex and edge; no layers where two of them would each lie before the other."""
    layers: dict[Any, int] = {v: v.layer for v in chart.vertices if v.layer is not None}
    before: dict[Any, set[Any]] = {}
    for e in chart.edges:
        a, b = layers.get(e.source, e.source), layers.get(e.target, e.target)
        if a != b:
            before.setdefault(b, set()).add(a)
    try:
        TopologicalSorter(before).prepare()
    except CycleError:
        return {}
    return layers | {e: layers[e.target] for e in chart.edges if e.target in layers}


def _arrange_layer(
    chart: Chart,
    k: int,
    layers: dict[Any, int],
    texts: dict[Vertex, Any],
    labels: dict[Edge, Any],
    gaps: Point,
) -> Layout:
    """The inside of a layer, with a port at the upper side for what comes in, and one below for what goes out."""
    sizes: dict[Any, Point] = {v: _size(texts[v]) for v in chart.vertices if layers.get(v) == k}
    links: list[Any] = []
    for e in chart.edges:
        if layers.get(e.target) == k:
            source: Any = e.source if layers.get(e.source) == k else ("in", e)
            sizes.setdefault(source, (2.0, 2.0))
            sizes[e] = _size(labels[e])
            links += [(source, e), (e, e.target)]
        elif layers.get(e.source) == k:
            sizes["out", e.source] = (2.0, 2.0)
            links.append((e.source, ("out", e.source)))
    return arrange(sizes, links, gaps)


def _arrange_all(
    chart: Chart,
    layers: dict[Any, int],
    inner: dict[int, Layout],
    texts: dict[Vertex, Any],
    labels: dict[Edge, Any],
    gaps: Point,
) -> tuple[Layout, dict[int, Point]]:
    """Layers as one box each, and the boxes between them."""
    last = {layers[v]: v for v in chart.operations() if v in layers}  # whose values a layer shows when it is folded
    wide = {k: f"{v.symbol} = {chart.layers[k].title}  {shape_text(v.spec.shape)}" for k, v in last.items()}
    sizes = {k: (max(a.width, text_width(wide[k])) + 2 * FRAME, a.height + HEAD + FRAME) for k, a in inner.items()}
    boxes: dict[Any, Point] = {("layer", k): size for k, size in sizes.items()}
    boxes |= {v: _size(texts[v]) for v in chart.vertices if v not in layers}
    links: list[Any] = []
    ends: dict[Any, float] = {}
    for e in chart.edges:
        if e in layers and layers.get(e.source) == layers[e]:
            continue
        a: Any = e.source if e.source not in layers else ("layer", layers[e.source])
        b: Any = ("layer", layers[e]) if e in layers else e
        if b is e:
            boxes[e] = _size(labels[e])
            links.append((e, e.target))
        links.append((a, b))
        if e.source in layers:
            arranged = inner[layers[e.source]]
            ends[a, (a, b)] = arranged.centres["out", e.source][0] - arranged.width / 2
        if e in layers:
            arranged = inner[layers[e]]
            ends[b, (a, b)] = arranged.centres["in", e][0] - arranged.width / 2
    return arrange(boxes, links, gaps, ends), sizes


def _placed(
    item: Any,
    texts: tuple[Text, ...],
    layers: dict[Any, int],
    outer: Layout,
    inner: dict[int, Layout],
    sizes: dict[int, Point],
) -> Box:
    point = _inside(item, layers[item], outer, inner, sizes) if item in layers else outer.centres[item]
    return Box(*point, *_size(texts), texts)


def _inside(item: Any, k: int, outer: Layout, inner: dict[int, Layout], sizes: dict[int, Point]) -> Point:
    """The place of something in a layer."""
    return _shifted(inner[k].centres[item], k, outer, inner, sizes)


def _shifted(point: Point, k: int, outer: Layout, inner: dict[int, Layout], sizes: dict[int, Point]) -> Point:
    x, y = outer.centres["layer", k]
    return x - inner[k].width / 2 + point[0], y - sizes[k][1] / 2 + HEAD + point[1]


def _route(
    e: Edge, scene: Scene, layers: dict[Any, int], outer: Layout, inner: dict[int, Layout], sizes: dict[int, Point]
) -> tuple[list[Point], list[Anchor]]:
    """The points that the line of an edge goes through, from the lower side of one box to the upper one of another."""
    source, target, label = scene.boxes[e.source], scene.boxes[e.target], scene.labels[e]
    k, j = layers.get(e.source), layers.get(e)
    points: list[Point] = [(source.x, source.y + source.height / 2)]
    anchors: list[Anchor] = [(scene.rows[e.source], k)]

    def bends(link: Any, layer: int | None = None) -> None:
        found = (outer if layer is None else inner[layer]).routes.get(link, [])
        points.extend(found if layer is None else [_shifted(p, layer, outer, inner, sizes) for p in found])
        row = None if layer is None else scene.rows["layer", layer]
        anchors.extend((y if row is None else row, layer) for _, y in found)

    def through(port: Any, layer: int) -> None:
        points.append(_inside(port, layer, outer, inner, sizes))
        anchors.append((scene.rows["layer", layer], layer))

    if k is not None and k == j:
        bends((e.source, e), k)
    else:
        if k is not None:
            bends((e.source, ("out", e.source)), k)
            through(("out", e.source), k)
        a: Any = e.source if k is None else ("layer", k)
        bends((a, e if j is None else ("layer", j)))
        if j is not None:
            through(("in", e), j)
            bends((("in", e), e), j)
    for point in ((label.x, label.y - label.height / 2), (label.x, label.y + label.height / 2)):
        points.append(point)
        anchors.append((scene.rows[e], j))
    bends((e, e.target), j)
    points.append((target.x, target.y - target.height / 2))
    anchors.append((scene.rows[e.target], layers.get(e.target)))
    return points, anchors
