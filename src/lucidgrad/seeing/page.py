"""A step in slow motion as one HTML file that needs nothing else: no server, no network."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from lucidgrad.seeing.chart import Chart, Vertex
from lucidgrad.seeing.draw import Drawing
from lucidgrad.seeing.frames import Frame
from lucidgrad.seeing.kernels import Code
from lucidgrad.seeing.phrases import LANGUAGES, PHRASES, phrase
from lucidgrad.seeing.slow import SlowStep


def page_of(
    step: SlowStep,
    frames: list[Frame],
    arrays: list[dict[str, Any]],
    drawings: Mapping[str, Drawing],
    codes: list[Code] | str,
    language: str,
) -> str:
    """The page as text.

    Parameters
    ----------
    frames, arrays
        What is stepped through, and the tables they refer to.
    drawings
        The graph in each language: the step's chart, or the same with layers as boxes.
    codes
        The kernels of the native program, or why there is none.
    language
        Which comes first.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("lucidgrad.seeing"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    script, style = (_text(name) for name in ("step.js", "step.css"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    data = _data(step, frames, arrays, drawings[language].chart, codes, language)
    return environment.get_template("step.html.j2").render(
        language=language,
        version=version("lucidgrad"),
        title=phrase("title")[language],
        no_script=phrase("no_script")[language],
        pictures={name: Markup(drawing.svg) for name, drawing in drawings.items()},  # escaped where it was drawn
        data=Markup(_embedded(data)),
        style=Markup(style),
        script=Markup(script),
        script_hash=f"sha256-{digest}",
    )


def _text(name: str) -> str:
    return files("lucidgrad.seeing").joinpath("templates", name).read_text(encoding="utf-8")


def _embedded(data: Any) -> str:
    """JSON that cannot end the element it stands in, nor begin another."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _data(
    step: SlowStep,
    frames: list[Frame],
    arrays: list[dict[str, Any]],
    drawn: Chart,
    codes: list[Code] | str,
    language: str,
) -> dict[str, Any]:
    done, chart = step.replayed, step.chart
    boxes = _drawn_vertices(chart, drawn)
    lines = {(e.source.number, e.target.number): i for i, e in enumerate(drawn.edges)}
    on_lines = [lines.get((boxes[e.source.number], boxes[e.target.number])) for e in chart.edges]
    return {
        "language": language,
        "languages": LANGUAGES,
        "where": phrase("where", epoch=done.epoch, batch=done.batch, step=done.step + 1),
        "ran": phrase(done.engine),
        "settings": repr(done.run.optimizer),
        "frames": [frame.plain() for frame in frames],
        "arrays": arrays,
        "vertices": _moments(len(drawn.vertices), boxes, *_when_vertices(chart, frames)),
        "edges": _moments(len(drawn.edges), on_lines, *_when_edges(chart, frames)),
        "drawn_vertices": boxes,
        "drawn_edges": on_lines if drawn is not chart else list(range(len(chart.edges))),
        "codes": [] if isinstance(codes, str) else [code.__dict__ for code in codes],
        "no_program": codes if isinstance(codes, str) else None,
        "phrases": {name: dict(zip(LANGUAGES, texts, strict=True)) for name, texts in PHRASES.items()},
    }


def _drawn_vertices(chart: Chart, drawn: Chart) -> list[int]:
    """For each vertex the box it is drawn as: its own, or that of its layer."""
    if drawn is chart:
        return [v.number for v in chart.vertices]
    by_source = {id(v.source): v.number for v in drawn.vertices}
    last: dict[int, Vertex] = {v.layer: v for v in chart.vertices if v.layer is not None}
    return [by_source[id((v if v.layer is None else last[v.layer]).source)] for v in chart.vertices]


def _when_vertices(chart: Chart, frames: list[Frame]) -> tuple[dict[int, int], dict[int, int]]:
    """The frame at which each vertex has its value, and the one at which it has its gradient."""
    forward = [(i, f) for i, f in enumerate(frames) if f.phase == "forward"]
    values = {f.vertices[0]: i for i, f in forward}
    values |= {v.number: 0 for v in chart.vertices if v.kind in ("data", "parameter")}
    gradients = {n: i for i, f in enumerate(frames) if f.phase == "backward" for n in f.vertices[1:] or f.vertices}
    return values, gradients


def _when_edges(chart: Chart, frames: list[Frame]) -> tuple[dict[int, int], dict[int, int]]:
    """The frame at which each edge is gone along forwards, and the one at which backwards."""
    phases = ("forward", "backward")
    values, gradients = ({e: i for i, f in enumerate(frames) if f.phase == p for e in f.edges} for p in phases)
    return values, gradients


def _moments(
    count: int, drawn: list[Any], values: dict[int, int], gradients: dict[int, int]
) -> list[dict[str, int | None]]:
    """For each box or line that is drawn: when the last of what it stands for is known."""
    found: list[dict[str, int | None]] = [{"value": None, "gradient": None} for _ in range(count)]
    for name, moments in (("value", values), ("gradient", gradients)):
        for number, moment in moments.items():
            if drawn[number] is not None:
                at = found[drawn[number]]
                at[name] = max(moment, at[name] or 0)
    return found
