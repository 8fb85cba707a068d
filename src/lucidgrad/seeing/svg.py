"""A scene as SVG: boxes and lines with colours of their own, readable on light and on dark pages."""

from __future__ import annotations

from html import escape
from itertools import pairwise

from lucidgrad.seeing.chart import Chart, Edge, Vertex
from lucidgrad.seeing.layout import Point
from lucidgrad.seeing.scene import LINE, PADDING, Box, Direction, Scene
from lucidgrad.seeing.words import Words

MARGIN = 16.0
LEGEND = 40.0
LEAST_WIDTH = 520.0  # of a picture: the key to its lines is as wide
APART = 4.0  # of the two lines of an edge, from the middle between them
FILLS = {
    "data": ("#e8f1fb", "#2f6fb3"),
    "parameter": ("#fdf1d8", "#b7791f"),
    "op": ("#ffffff", "#64748b"),
    "loss": ("#fde3e3", "#b42318"),
    "layer": ("#eef7ee", "#3c8050"),
}
STYLE = """
.lg text{font:12px ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,NanumGothicCoding,monospace}
.lg text{fill:#1f2937;white-space:pre}
.lg .title{font-weight:700}.lg .detail{fill:#5b6472}.lg .gradient{fill:#b42318}
.lg .factor{fill:#9a3412;font-weight:700}.lg .number{fill:#9a3412}.lg .layer{fill:#2d6a41;font-weight:700}
.lg .forward{stroke:#4b83bd;stroke-width:1.8;fill:none}
.lg .backward{stroke:#d9534a;stroke-width:1.6;fill:none;stroke-dasharray:5 3}
.lg [role=button]{cursor:pointer}.lg [role=button]:focus-visible{outline:3px solid #1d4ed8;outline-offset:2px}
.lg .frame{fill:#3c8050;fill-opacity:.10;stroke:#3c8050;stroke-opacity:.7}.lg .tab{fill:#e3f1e6}
.lg .frame.loss{fill:#b42318;fill-opacity:.06;stroke:#b42318}.lg .tab.loss{fill:#fbe3e1}.lg .layer.loss{fill:#9f1f15}
.lg .chip{fill:#fff7ed;stroke:#f0b98a}
"""


def svg_of(chart: Chart, scene: Scene, words: Words, number: int = 0) -> str:
    """The whole picture as text."""
    body = [
        *(frame_svg(box) for box in scene.frames.values()),
        *(lines_svg(edge, i, scene.routes[edge], number, scene.direction) for i, edge in enumerate(chart.edges)),
        *(label_svg(edge, i, scene.labels[edge]) for i, edge in enumerate(chart.edges) if edge.backward),
        *(vertex_svg(v, scene.boxes[v]) for v in chart.vertices),
    ]
    return page_svg(chart, scene, words, number, body)


def page_svg(chart: Chart, scene: Scene, words: Words, number: int, body: list[str]) -> str:
    """A picture around what is drawn in it: its size, its description, its colours and the key to its lines."""
    wide = max(scene.width + 2 * MARGIN, LEAST_WIDTH)
    high = scene.height + 2 * MARGIN + LEGEND
    left = (wide - scene.width) / 2 if scene.direction == "down" else MARGIN
    title, result = words("title"), chart.vertices[-1]
    counted = {kind: sum(v.kind in kind for v in chart.vertices) for kind in (("op", "loss", "layer"), ("parameter",))}
    ops, parameters = counted.values()
    described = words("described", ops=ops, parameters=parameters, result=f"{result.symbol} = {result.title}")
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="lg" role="img" lang="{words.language}" '
        f'viewBox="0 0 {wide:.0f} {high:.0f}" width="{wide:.0f}" height="{high:.0f}" '
        f'aria-label="{escape(title)}: {escape(described)}">'
    )
    parts = [
        head,
        f"<title>{escape(title)}</title><desc>{escape(described)}</desc><style>{STYLE}</style>",
        _arrows(number),
        _legend(words, number, any(edge.backward for edge in chart.edges)),
        f'<g transform="translate({left:.1f} {MARGIN + LEGEND:.1f})">',
        *body,
        "</g></svg>",
    ]
    return "".join(parts)


def _arrows(number: int) -> str:
    def arrow(name: str, colour: str) -> str:
        return (
            f'<marker id="{name}{number}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
            f'markerUnits="userSpaceOnUse" orient="auto-start-reverse">'
            f'<path d="M0 0L8 4L0 8z" fill="{colour}"/></marker>'
        )

    return f"<defs>{arrow('f', '#4b83bd')}{arrow('b', '#d9534a')}</defs>"


def _legend(words: Words, number: int, backward: bool) -> str:
    """Which line is which, on a ground of its own."""
    rows = []
    for i, (name, marker) in enumerate((("forward", "f"), ("backward", "b"))[: 1 + backward]):
        y = MARGIN + 10 + 18 * i
        ends = f'marker-end="url(#{marker}{number})"'
        rows.append(f'<line class="{name}" x1="26" x2="60" y1="{y}" y2="{y}" {ends}/>')
        rows.append(f'<text x="68" y="{y + 4}">{escape(words(name))}</text>')
    ground = f'<rect x="{MARGIN}" y="{MARGIN - 4}" width="400" height="{22 + 18 * backward}" rx="6" fill="#f8fafc"/>'
    return f"<g>{ground}{''.join(rows)}</g>"


def frame_svg(box: Box) -> str:
    """The frame of a layer, with its name."""
    x, y = box.x - box.width / 2, box.y - box.height / 2
    name = box.texts[0]
    wide, kind = min(box.width, 7.4 * len(name.text) + 16), name.style.removeprefix("layer")
    return (
        f'<rect class="frame{kind}" x="{x:.1f}" y="{y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="10"/>'
        f'<rect class="tab{kind}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="19" rx="6"/>'
        f'<text class="{name.style}" x="{x + 8:.1f}" y="{y + 14:.1f}">{escape(name.text)}</text>'
    )


def _curve(points: list[Point], shift: float, direction: Direction) -> str:
    """A line beside its points that leaves and enters each of them in the direction of the picture."""
    right = direction == "right"
    at = [(x, y + shift) if right else (x + shift, y) for x, y in points]
    path = f"M{at[0][0]:.1f} {at[0][1]:.1f}"
    for (ax, ay), (bx, by) in pairwise(at):
        x, y = (ax + bx) / 2, (ay + by) / 2
        turns = f"{x:.1f} {ay:.1f} {x:.1f} {by:.1f}" if right else f"{ax:.1f} {y:.1f} {bx:.1f} {y:.1f}"
        path += f"C{turns} {bx:.1f} {by:.1f}"
    return path


def lines_svg(edge: Edge, place: int, points: list[Point], number: int, direction: Direction) -> str:
    """The line forward, and beside it the one backward."""
    forward = _curve(points, -APART if edge.backward else 0.0, direction)
    drawn = f'<path class="forward" data-edge="{place}" d="{forward}" marker-end="url(#f{number})"/>'
    if edge.backward:
        back = _curve(points, APART, direction)
        drawn += f'<path class="backward" data-edge="{place}" d="{back}" marker-start="url(#b{number})"/>'
    return drawn


def label_svg(edge: Edge, place: int, box: Box) -> str:
    """The factor on an edge."""
    rectangle = _rectangle(box, 'class="chip"', 8)
    return f'<g data-edge="{place}">{_tooltip(edge.derivative)}{rectangle}{_texts(box)}</g>'


def vertex_svg(vertex: Vertex, box: Box) -> str:
    """The box of a vertex."""
    fill, stroke = FILLS[vertex.kind]
    colours = f'fill="{fill}" stroke="{stroke}" stroke-width="1.4"'
    name = f"{vertex.symbol}: {vertex.title} {vertex.spec}"
    return (
        f'<g role="img" aria-label="{escape(name)}" data-vertex="{vertex.number}">'
        f"{_tooltip(name)}{_rectangle(box, colours, 6)}{_texts(box)}</g>"
    )


def _tooltip(text: str) -> str:
    return f"<title>{escape(text)}</title>"


def _rectangle(box: Box, attributes: str, radius: int) -> str:
    x, y = box.x - box.width / 2, box.y - box.height / 2
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="{radius}" {attributes}/>'
    )


def _texts(box: Box) -> str:
    x, top = box.x - box.width / 2 + PADDING, box.y - box.height / 2 + PADDING / 2 + 12
    return "".join(
        f'<text class="{t.style}" x="{x:.1f}" y="{top + LINE * i:.1f}">{escape(t.text)}</text>'
        for i, t in enumerate(box.texts)
    )
