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
    """A picture of the page: its bytes in the text of the page.

    Attributes
    ----------
    name
        What the page calls it in its text.
    caption
        The sentence under it.
    section
        The section of the page that shows it.
    address
        Its bytes: see ``address``.
    width, height
        How large the page shows it, in pixels of CSS.

    Examples
    --------
    >>> from lucidgrad.page import Image, address
    >>> Image("loss", "The loss by epoch.", "training", address("svg+xml", b"<svg/>"), width=300, height=200).section
    'training'
    """

    name: str
    caption: str
    section: str
    address: str
    width: int
    height: int


def png_image(name: str, caption: str, section: str, png: bytes) -> Image:
    """A PNG file as a picture of the page.

    Parameters
    ----------
    name
        What the page calls it in its text.
    caption
        The sentence under it.
    section
        The section of the page that shows it.
    png
        The bytes of the file.

    Examples
    --------
    >>> import io
    >>> from matplotlib.figure import Figure
    >>> from lucidgrad.page import png_image
    >>> file = io.BytesIO()
    >>> Figure(figsize=(4, 3), dpi=100).savefig(file)
    >>> image = png_image("empty", "Nothing yet.", "training", file.getvalue())
    >>> image.width, image.height, image.address[:22]
    (300, 225, 'data:image/png;base64,')
    """
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))  # of the PNG's IHDR
    return Image(name, caption, section, address("png", png), round(SCALE * width), round(SCALE * height))


def address(kind: str, content: bytes) -> str:
    """The bytes of a picture as the address that a page shows it by.

    Parameters
    ----------
    kind
        What browsers call its format: ``"png"``, ``"gif"``, ``"svg+xml"``.
    content
        The bytes of its file.

    Examples
    --------
    >>> from lucidgrad.page import address
    >>> address("svg+xml", b"<svg/>")
    'data:image/svg+xml;base64,PHN2Zy8+'
    """
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def render(package: str, images: Iterable[Image], **values: Any) -> str:
    """The page of a package: its ``templates/report.html.j2`` with these values, and the pictures by section.

    Parameters
    ----------
    package
        The package with the template: ``"lucidgrad.tables"``.
    images
        The pictures, in their order within each section.
    **values
        What the template names. It is escaped; a name that is missing is an error of Jinja.

    Returns
    -------
    The text of an HTML file that needs no other.

    Examples
    --------
    >>> from lucidgrad.page import render
    >>> render("lucidgrad.tables", [])
    Traceback (most recent call last):
      ...
    jinja2.exceptions.UndefinedError: ... is undefined
    """
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
    """JSON that every reader takes: NaN and infinities, which it has no words for, as null.

    Parameters
    ----------
    record
        Nested dicts, lists and tuples of numbers, strings, booleans and None.

    Examples
    --------
    >>> from lucidgrad.page import to_json
    >>> print(to_json({"loss": [0.5, float("nan")]}), end="")
    {
     "loss": [
      0.5,
      null
     ]
    }
    """
    return json.dumps(_finite(record), indent=1, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
