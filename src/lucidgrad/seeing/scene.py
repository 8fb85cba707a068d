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

# Where the values go. Places are computed as if they went down, across and along the way, and are turned at the end.
Direction = Literal["down", "right"]
DIRECTIONS: tuple[Direction, ...] = ("down", "right")


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

    def turned(self) -> Box:
        """The same box with across and along swapped."""
        return Box(self.y, self.x, self.height, self.width, self.texts)


Anchor = tuple[float, int | None]  # what a point of a line moves with: a row by its middle, and a layer


@dataclass
class Scene:
    """Everything of a picture that has a place.

    Attributes
    ----------
    anchors
        For each point of a route the row and the layer it is in.
    rows
        The middle of the row (the column, in a picture to the right) that a vertex, an edge's label or
        (``("layer", k)``) a layer stands in: what is outside of layers is in rows, and a layer is in one as a whole.
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
    direction: Direction = "down"

    def turned(self) -> Scene:
        """The same picture from left to right."""
        return Scene(
            self.height,
            self.width,
            {v: box.turned() for v, box in self.boxes.items()},
            {e: box.turned() for e, box in self.labels.items()},
            {k: box.turned() for k, box in self.frames.items()},
            {e: [(y, x) for x, y in points] for e, points in self.routes.items()},
            self.anchors,
            self.rows,
            self.layers,
            self.gap,
            "right",
        )


def text_width(text: str) -> float:
    """The width of a line in a monospaced font: Korean letters are two wide."""
    return EM * sum(1.0 if east_asian_width(c) in "WF" else 0.61 for c in text)


def scene_of(chart: Chart, words: Words, detail: Detail = "numbers", direction: Direction = "down") -> Scene:
    """Place a chart: each layer by itself, then the layers and what lies between them."""
    scene = _Placing(chart, words, detail, direction).scene()
    return scene if direction == "down" else scene.turned()


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


def label_texts(
    edge: Edge, words: Words, detail: Detail = "numbers", direction: Direction = "down"
) -> tuple[Text, ...]:
    """The lines on an edge: the factor of the chain rule; in two lines where width is dear."""
    if not edge.backward:
        return ()
    parts = [edge.derivative, *([f"= {edge.factor}"] if edge.factor else [])]
    found = [Text(text, "factor") for text in (parts if direction == "right" else [" ".join(parts)])]
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


class _Placing:
    """Finds places, across and along the way that the values go."""

    def __init__(self, chart: Chart, words: Words, detail: Detail, direction: Direction) -> None:
        self.chart, self.direction = chart, direction
        self.texts: dict[Any, tuple[Text, ...]] = {v: vertex_texts(v, words, detail) for v in chart.vertices}
        self.texts |= {e: label_texts(e, words, detail, direction) for e in chart.edges}
        self.layers = _drawable_layers(chart)
        self.gaps = GAPS if detail == "numbers" else NARROW
        self.inner = {k: self._arrange_layer(k) for k in sorted(set(self.layers.values()))}
        self.sizes = {k: self._layer_size(k) for k in self.inner}
        self.outer = self._arrange_all()

    def scene(self) -> Scene:
        """All places, as if the values went down."""
        chart, outer, layers = self.chart, self.outer, self.layers
        scene = Scene(outer.width, outer.height, layers=layers, gap=self.gaps[1])
        scene.boxes = {v: self._placed(v) for v in chart.vertices}
        scene.labels = {e: self._placed(e) for e in chart.edges}
        for item in (*chart.vertices, *chart.edges, *(("layer", k) for k in self.inner)):
            scene.rows[item] = outer.centres[("layer", layers[item]) if item in layers else item][1]
        for edge in chart.edges:
            scene.routes[edge], scene.anchors[edge] = self._route(edge, scene)
        for k in self.inner:
            layer = chart.layers[k]
            name = Text(layer.title, "layer loss" if layer.is_loss else "layer")
            scene.frames[k] = Box(*outer.centres["layer", k], *self.sizes[k], (name,))
        return scene

    def _size(self, item: Any) -> Point:
        return self._turned(_size(self.texts[item]))

    def _turned(self, size: Point) -> Point:
        return size if self.direction == "down" else (size[1], size[0])

    def _arrange_layer(self, k: int) -> Layout:
        """The inside of a layer, with a port before it for what comes in, and one behind it for what goes out."""
        chart, layers = self.chart, self.layers
        sizes: dict[Any, Point] = {v: self._size(v) for v in chart.vertices if layers.get(v) == k}
        links: list[Any] = []
        for e in chart.edges:
            if layers.get(e.target) == k:
                source: Any = e.source if layers.get(e.source) == k else ("in", e)
                sizes.setdefault(source, (2.0, 2.0))
                sizes[e] = self._size(e)
                links += [(source, e), (e, e.target)]
            elif layers.get(e.source) == k:
                sizes["out", e.source] = (2.0, 2.0)
                links.append((e.source, ("out", e.source)))
        return arrange(sizes, links, self.gaps)

    def _layer_size(self, k: int) -> Point:
        """With its frame, wide enough also for the line that a folded layer shows: what its last op has made."""
        last = [v for v in self.chart.operations() if self.layers.get(v) == k][-1]
        title = f"{last.symbol} = {self.chart.layers[k].title}  {shape_text(last.spec.shape)}"
        width, height = self._turned((self.inner[k].width, self.inner[k].height))
        return self._turned((max(width, text_width(title)) + 2 * FRAME, height + HEAD + FRAME))

    def _corner(self, k: int) -> Point:
        """Where the inside of a layer begins, seen from the middle of its frame: below its name, and in the middle."""
        if self.direction == "down":
            return -self.inner[k].width / 2, HEAD - self.sizes[k][1] / 2
        return HEAD - self.sizes[k][0] / 2, -self.inner[k].height / 2

    def _arrange_all(self) -> Layout:
        """Layers as one box each, and the boxes between them."""
        chart, layers, inner = self.chart, self.layers, self.inner
        boxes: dict[Any, Point] = {("layer", k): size for k, size in self.sizes.items()}
        boxes |= {v: self._size(v) for v in chart.vertices if v not in layers}
        links: list[Any] = []
        ends: dict[Any, float] = {}
        for e in chart.edges:
            if e in layers and layers.get(e.source) == layers[e]:
                continue
            a: Any = e.source if e.source not in layers else ("layer", layers[e.source])
            b: Any = ("layer", layers[e]) if e in layers else e
            if b is e:
                boxes[e] = self._size(e)
                links.append((e, e.target))
            links.append((a, b))
            if e.source in layers:
                k = layers[e.source]
                ends[a, (a, b)] = inner[k].centres["out", e.source][0] + self._corner(k)[0]
            if e in layers:
                k = layers[e]
                ends[b, (a, b)] = inner[k].centres["in", e][0] + self._corner(k)[0]
        return arrange(boxes, links, self.gaps, ends)

    def _placed(self, item: Any) -> Box:
        point = self._inside(item, self.layers[item]) if item in self.layers else self.outer.centres[item]
        return Box(*point, *self._size(item), self.texts[item])

    def _inside(self, item: Any, k: int) -> Point:
        """The place of something in a layer."""
        return self._shifted(self.inner[k].centres[item], k)

    def _shifted(self, point: Point, k: int) -> Point:
        (x, y), (left, top) = self.outer.centres["layer", k], self._corner(k)
        return x + left + point[0], y + top + point[1]

    def _route(self, e: Edge, scene: Scene) -> tuple[list[Point], list[Anchor]]:
        """The points that the line of an edge goes through, from the end of one box to the beginning of another."""
        source, target, label = scene.boxes[e.source], scene.boxes[e.target], scene.labels[e]
        k, j = self.layers.get(e.source), self.layers.get(e)
        points: list[Point] = [(source.x, source.y + source.height / 2)]
        anchors: list[Anchor] = [(scene.rows[e.source], k)]

        def bends(link: Any, layer: int | None = None) -> None:
            found = (self.outer if layer is None else self.inner[layer]).routes.get(link, [])
            points.extend(found if layer is None else [self._shifted(p, layer) for p in found])
            row = None if layer is None else scene.rows["layer", layer]
            anchors.extend((y if row is None else row, layer) for _, y in found)

        def through(port: Any, layer: int) -> None:
            points.append(self._inside(port, layer))
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
        anchors.append((scene.rows[e.target], self.layers.get(e.target)))
        return points, anchors


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
