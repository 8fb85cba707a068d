"""draw: the computational graph as a picture, with values on the way forward and gradients on the way back."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

from lucidgrad.atomic import atomic_write
from lucidgrad.errors import ArgumentError, explain
from lucidgrad.graph import Graph
from lucidgrad.nn import Module
from lucidgrad.seeing.chart import Chart
from lucidgrad.seeing.collapse import collapsed
from lucidgrad.seeing.fold import foldable, page_of
from lucidgrad.seeing.given import chart_of
from lucidgrad.seeing.groups import grouped
from lucidgrad.seeing.scene import DETAILS, DIRECTIONS, Detail, Direction, Scene, scene_of
from lucidgrad.seeing.svg import svg_of
from lucidgrad.seeing.words import words_of
from lucidgrad.tensor import Tensor

MOST_VERTICES = 60  # with more than these, layers are drawn as one box each
MOST_WITH_NUMBERS = 14  # with more than these, arrays are summed up in a line, so that the picture fits a screen
_pictures = count()


class Drawing:
    """A picture, which notebooks show with boxes that fold and unfold, and files hold as SVG or as a page.

    Parameters
    ----------
    chart
        What is in the picture.
    language, detail, direction
        As for ``draw``.
    whole
        The chart with every layer unfolded. None: ``chart`` is that already.

    Attributes
    ----------
    svg
        The picture as text, as it was asked for.
    chart, scene
        What is in the picture, and where.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> w = lg.Tensor(2.0)
    >>> picture = lg.draw(w * w, names={"w": w})
    >>> picture.chart.vertices[0].symbol, picture.svg[:4]
    ('w', '<svg')
    """

    def __init__(
        self,
        chart: Chart,
        language: str = "en",
        *,
        whole: Chart | None = None,
        detail: Detail | None = None,
        direction: Direction = "down",
    ) -> None:
        words = words_of(language)
        number = next(_pictures)
        large = len((whole or chart).vertices) > MOST_WITH_NUMBERS
        self.detail: Detail = detail or ("summary" if large else "numbers")
        self.direction: Direction = direction
        self.chart = chart
        self.scene: Scene = scene_of(chart, words, self.detail, direction)
        self.svg = svg_of(chart, self.scene, words, number)
        self._whole = whole or chart
        self._words = words
        self._number = number

    @cached_property
    def html(self) -> str:
        """The picture with layers that fold into one box and unfold again, by a click or with Enter.

        A part of a page, which needs no network.
        """
        unfolded = self.chart is self._whole
        return foldable(self._whole, self._words, self.detail, self._number, unfolded, self.direction)

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        return self.html

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to a file: ``graph.svg``, or ``graph.html``, in which layers fold and unfold.

        Parameters
        ----------
        path
            Where; the ending says which of the two.
        """
        is_page = Path(path).suffix.lower() in (".html", ".htm")
        text = page_of(self.html, self._words) if is_page else self.svg
        with atomic_write(path) as file:
            file.write(text.encode())

    def __repr__(self) -> str:
        return f"<Drawing of {len(self.chart.vertices)} boxes and {len(self.chart.edges)} edges>"


def draw(
    what: Tensor | Module | Graph | Any,
    x: Any = None,
    y: Any = None,
    *,
    loss: Any = None,
    model: Module | None = None,
    names: Mapping[str, Tensor] | None = None,
    expand: bool | None = None,
    detail: Detail | None = None,
    direction: Direction = "down",
    language: str = "en",
) -> Drawing:
    """Draw a computational graph.

    Layers, and the ops of the loss, stand in frames. Each box has the op, the shape, the value and the gradient ∇ of
    the loss after it; each edge that a gradient goes back along has the factor of the chain rule. Numbers are written
    out where they are few. Lines of values are solid and point forward; those of gradients are dashed and point back.

    Parameters
    ----------
    what
        A loss (or any tensor that was computed, of any shape), a model together with ``x``, or a Graph; or what has a
        Graph: what ``compile_report`` gives, a compiled program, a function that ``jit`` has made together with its
        arguments.
    x, y, loss
        For a model: its inputs (rows, ...) and, to see gradients, a target for each row and a loss or its name.
    model
        For a loss: the model whose parameters and layers are to be named. A layer is then known by the parameters it
        uses; ``draw(model, x, y, loss=...)`` watches the model while it runs, and knows activations too.
    names
        Symbols for tensors of your own: ``{"w": w, "x": x}``.
    expand
        Whether each op is drawn (True), or each layer as one box (False). None: as one box where there would be more
        than 60. Where no layers are known, ops that follow each other are grouped. Notebooks and pages begin like
        this, and let each box be folded and unfolded.
    detail
        ``"numbers"``: all numbers of small arrays; ``"summary"``: a line for each array and one for its gradient;
        ``"names"``: neither. None: numbers where there are at most 14 boxes, else a summary.
    direction
        Where the values go: ``"down"``, which suits a page, or ``"right"``, which suits a slide and large boxes.
    language
        ``"en"`` or ``"ko"``.

    Returns
    -------
    Drawing
        Shown by a notebook where it is the last line of a cell; ``save`` writes it to a file.

    Raises
    ------
    ArgumentError
        For something that has no graph, a model without inputs, or another detail, direction or language.
    GradientError
        For a tensor that was not computed from others, or whose parameters were changed since.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> w, x = lg.Tensor(2.0), lg.tensor(3.0)
    >>> picture = lg.draw((w * x).tanh(), names={"w": w, "x": x})
    >>> picture
    <Drawing of 4 boxes and 3 edges>
    >>> [edge.derivative + " = " + edge.factor for edge in picture.chart.edges if edge.backward]
    ['∂v/∂w = x', '∂L/∂v = 1 − L²']
    """
    words_of(language)
    if detail not in (None, *DETAILS):
        raise ArgumentError(explain(f"detail expected one of {DETAILS}", repr(detail), "detail='summary' is short"))
    if direction not in DIRECTIONS:
        raise ArgumentError(
            explain(
                f"direction expected one of {DIRECTIONS}", repr(direction), "direction='right' goes from left to right"
            )
        )
    chart = chart_of(what, x, y, loss, model, names)
    many = len(chart.vertices) > MOST_VERTICES
    if not chart.layers and (many or expand is False):
        grouped(chart)
    folded = chart.layers and (many if expand is None else not expand)
    return Drawing(collapsed(chart) if folded else chart, language, whole=chart, detail=detail, direction=direction)
