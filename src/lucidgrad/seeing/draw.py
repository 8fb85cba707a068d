"""draw: the computational graph as a picture, with values on the way forward and gradients on the way back."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import count
from typing import Any

from lucidgrad.atomic import atomic_write
from lucidgrad.graph import Graph
from lucidgrad.nn import Module
from lucidgrad.seeing.chart import Chart
from lucidgrad.seeing.collapse import collapsed
from lucidgrad.seeing.given import chart_of
from lucidgrad.seeing.scene import Scene, scene_of
from lucidgrad.seeing.svg import svg_of
from lucidgrad.seeing.words import words_of
from lucidgrad.tensor import Tensor

MOST_VERTICES = 60  # with more than these, layers are drawn as one box each
_pictures = count()


class Drawing:
    """A picture as SVG, which notebooks show.

    Attributes
    ----------
    svg
        The picture as text.
    chart, scene
        What is in it, and where.
    """

    def __init__(self, chart: Chart, language: str = "en") -> None:
        words = words_of(language)
        self.chart = chart
        self.scene: Scene = scene_of(chart, words)
        self.svg = svg_of(chart, self.scene, words, next(_pictures))

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to a file, ``graph.svg``."""
        with atomic_write(path) as file:
            file.write(self.svg.encode())

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
    language: str = "en",
) -> Drawing:
    """Draw a computational graph.

    Each box has the op, the shape, the value and the gradient ∇ of the loss after it; each edge that a gradient goes
    back along has the factor of the chain rule. Numbers are written out where they are few.

    Parameters
    ----------
    what
        A loss (or any tensor that was computed), a model together with ``x``, or a Graph (or what has one as its
        ``graph``, such as a compiled program).
    x, y, loss
        For a model: its inputs and, to see gradients, targets and a loss or its name.
    model
        For a loss: the model whose parameters and layers are to be named. A layer is then known by the parameters it
        uses; ``draw(model, x, y, loss=...)`` watches the model while it runs, and knows activations too.
    names
        Symbols for tensors of your own: ``{"w": w, "x": x}``.
    expand
        Whether each op is drawn (True), or each layer as one box (False). None: as one box where there would be more
        than 60.
    language
        ``"en"`` or ``"ko"``.

    Raises
    ------
    ArgumentError
        For something that has no graph, a model without inputs, or another language.
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
    chart = chart_of(what, x, y, loss, model, names)
    many = len(chart.vertices) > MOST_VERTICES
    return Drawing(collapsed(chart) if chart.layers and (many if expand is None else not expand) else chart, language)
