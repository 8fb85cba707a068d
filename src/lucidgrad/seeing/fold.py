"""A picture whose layers fold into one box and unfold again, in a notebook or a file, without a network."""

from __future__ import annotations

import hashlib
import json
from html import escape
from importlib.resources import files
from typing import Any

from lucidgrad.seeing.chart import Chart, Edge, Vertex
from lucidgrad.seeing.collapse import whole_layers
from lucidgrad.seeing.scene import Box, Detail, Direction, Scene, box_of, scene_of
from lucidgrad.seeing.svg import (
    LEAST_WIDTH,
    LEGEND,
    MARGIN,
    frame_svg,
    label_svg,
    lines_svg,
    page_svg,
    svg_of,
    vertex_svg,
)
from lucidgrad.seeing.words import Words

BUTTON = "font:13px system-ui,sans-serif;margin:0 8px 8px 0;padding:3px 10px;cursor:pointer"


def foldable(
    chart: Chart, words: Words, detail: Detail, number: int, unfolded: bool, direction: Direction = "down"
) -> str:
    """The picture as a part of a page: drawn with all layers unfolded, and a script that folds them.

    Places across stay as they are; a layer that is folded makes the row that it stands in lower, and all rows
    below move up (and the same with columns in a picture to the right).
    """
    scene = scene_of(chart, words, detail, direction)
    if not scene.frames:
        return svg_of(chart, scene, words, number)
    boxes = _folded_boxes(chart, scene, words, detail)
    rows = sorted(set(scene.rows.values()))
    svg = page_svg(chart, scene, words, number, _body(chart, scene, boxes, rows, words, number))
    plan = json.dumps(_plan(scene, boxes, rows, unfolded), separators=(",", ":"))
    name = f"lg-{hashlib.sha1(svg.encode(), usedforsecurity=False).hexdigest()[:12]}"
    script = files("lucidgrad.seeing").joinpath("templates/fold.js").read_text("utf-8")
    buttons = "".join(
        f'<button type="button" data-all="{state}" style="{BUTTON}">{escape(words(phrase))}</button>'
        for phrase, state in (("fold all", "folded"), ("unfold all", "unfolded"))
    )
    return (
        f'<div class="{name}"><div>{buttons}</div>{svg}</div>'
        f'<script>({script.strip()})("{name}",{plan.replace("<", chr(92) + "u003c")})</script>'
    )


def page_of(html: str, words: Words) -> str:
    """A whole page around a picture."""
    return (
        f'<!doctype html><html lang="{words.language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(words("title"))}</title></head>'
        f'<body style="margin:16px;background:#fff">{html}</body></html>\n'
    )


def _folded_boxes(chart: Chart, scene: Scene, words: Words, detail: Detail) -> dict[int, tuple[Vertex, Box]]:
    """For each layer the box that stands for it, where the box of its result is as far as it is inside of the frame."""
    whole = whole_layers(chart)
    found = {}
    for k in scene.frames:
        last = [v for v in chart.operations() if scene.layers.get(v) == k][-1]
        box, frame, result = (
            _across(b, scene) for b in (box_of(whole[k], words, detail), scene.frames[k], scene.boxes[last])
        )
        free = max(0.0, (frame.width - box.width) / 2)
        box = box.moved(min(max(result.x, frame.x - free), frame.x + free), frame.y)
        found[k] = whole[k], _across(box, scene)
    return found


def _across(box: Box, scene: Scene) -> Box:
    """A box with x across the way of the values and y along it; and back again."""
    return box if scene.direction == "down" else box.turned()


def _body(
    chart: Chart,
    scene: Scene,
    boxes: dict[int, tuple[Vertex, Box]],
    rows: list[float],
    words: Words,
    number: int,
) -> list[str]:
    """All that is drawn, each with the row it moves with and the layer it is hidden with."""

    def part(item: Any, k: int | None, svg: str, more: str = "") -> str:
        inside = "" if k is None else f' data-in="{k}"'
        return f'<g data-row="{rows.index(scene.rows[item])}"{inside}{more}>{svg}</g>'

    def button(k: int, phrase: str, is_open: bool) -> str:
        label = escape(words(phrase, layer=chart.layers[k].title))
        return (
            f' data-turn="{k}" role="button" tabindex="0" aria-expanded="{str(is_open).lower()}" aria-label="{label}"'
        )

    layer_of = {e: scene.layers.get(e) for e in chart.edges}
    return [
        *(part(("layer", k), k, frame_svg(box), button(k, "fold", True)) for k, box in scene.frames.items()),
        *(
            f'<g data-line="{i}">{lines_svg(e, i, scene.routes[e], number, scene.direction)}</g>'
            for i, e in enumerate(chart.edges)
        ),
        *(part(e, layer_of[e], label_svg(e, i, scene.labels[e])) for i, e in enumerate(chart.edges) if e.backward),
        *(part(v, scene.layers.get(v), vertex_svg(v, scene.boxes[v])) for v in chart.vertices),
        *(
            f'<g data-row="{rows.index(scene.rows["layer", k])}" data-whole="{k}" style="display:none"'
            f"{button(k, 'unfold', False)}>{vertex_svg(vertex, box)}</g>"
            for k, (vertex, box) in boxes.items()
        ),
    ]


def _plan(scene: Scene, boxes: dict[int, tuple[Vertex, Box]], rows: list[float], unfolded: bool) -> dict[str, Any]:
    """What the script has to know: how high each row is, and through which points each line goes.

    All of it is across and along the way of the values, which the script turns like the picture.
    """
    is_down = scene.direction == "down"
    fixed = [0.0] * len(rows)
    for item, y in scene.rows.items():
        if item not in scene.layers and isinstance(item, Vertex | Edge):
            box = _across(scene.boxes[item] if isinstance(item, Vertex) else scene.labels[item], scene)
            fixed[rows.index(y)] = max(fixed[rows.index(y)], box.height)
    layers = {
        k: {
            "row": rows.index(scene.rows["layer", k]),
            "high": round(_across(scene.frames[k], scene).height, 1),
            "folded": round(box.height, 1),
            "x": round(box.x, 1),
            "wide": round(box.width, 1),
        }
        for k, (_, placed) in boxes.items()
        for box in [_across(placed, scene)]
    }
    lines = [
        [
            [
                *(round(a, 1) for a in (point if is_down else point[::-1])),
                rows.index(row) if row in rows else -1,
                -1 if k is None else k,
            ]
            for point, (row, k) in zip(points, scene.anchors[e], strict=True)
        ]
        for e, points in scene.routes.items()  # in the order of the chart's edges
    ]
    return {
        "rows": [round(y, 1) for y in rows],
        "fixed": [round(h, 1) for h in fixed],
        "gap": scene.gap,
        "layers": layers,
        "lines": lines,
        "unfolded": unfolded,
        "right": not is_down,
        "least": 0 if is_down else LEAST_WIDTH,
        "extent": (scene.height if is_down else scene.width) + 2 * MARGIN + (LEGEND if is_down else 0),
    }
