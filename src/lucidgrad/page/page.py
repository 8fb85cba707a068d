"""What the pages of all chapters are made with: the template engine, the pictures, and numbers as JSON."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

SCALE = 0.75
"""Pixels of the page for each of a picture: fine screens show all of them."""


@dataclass(frozen=True)
class Image:
    """A picture of the page: its bytes in the text of the page."""

    name: str
    caption: str
    section: str
    address: str
    width: int
    height: int


def png_image(name: str, caption: str, section: str, png: bytes) -> Image:
    """A PNG file as a picture of the page."""
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))  # of the PNG's IHDR
    return Image(name, caption, section, address("png", png), round(SCALE * width), round(SCALE * height))


def address(kind: str, content: bytes) -> str:
    """The bytes of a picture as the address that a page shows it by."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def render(package: str, images: Iterable[Image], **values: Any) -> str:
    """The page of a package: its ``templates/report.html.j2`` with these values, and the pictures by section."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("lucidgrad.page")]),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    sections: dict[str, list[Image]] = {}
    for image in images:
        sections.setdefault(image.section, []).append(image)
    return environment.get_template("report.html.j2").render(sections=sections, **values)


def to_json(record: Any) -> str:
    """JSON that every reader takes: NaN and infinities, which it has no words for, as null."""
    return json.dumps(_finite(record), indent=1, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
