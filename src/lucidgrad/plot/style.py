"""The look that all pictures share: readable on paper, in grey, and by readers who do not tell red from green."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lucidgrad.atomic import atomic_write
from lucidgrad.plot.language import word

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {
    "black": "#000000",
    "blue": "#0072B2",
    "vermilion": "#D55E00",
    "green": "#009E73",
    "purple": "#CC79A7",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "yellow": "#F0E442",
    "grey": "#767676",
}
"""Okabe and Ito, "Color Universal Design" (2008): told apart with every common kind of colour vision. And a grey."""

# Without yellow, which as a line is hardly seen on white.
CYCLE = tuple(COLOURS[name] for name in ("blue", "vermilion", "green", "purple", "orange", "sky", "black", "grey"))
DASHES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
INK, QUIET, GRID = "#222222", "#595959", "#DDDDDD"
FIGURE_WIDTH = 9.0
"""Inches: a page's width of text, or half a screen."""
PIXELS_PER_INCH = 140


@dataclass(frozen=True)
class LineStyle:
    """How a line looks. Colour, dash and marker differ together, so that any one of them is enough to tell.

    Parameters
    ----------
    colour
        A matplotlib colour.
    dash
        ``"-"``, ``"--"``, ``"-."`` or ``":"``.
    marker
        A matplotlib marker.

    Examples
    --------
    >>> from lucidgrad.plot import LineStyle, loss_curves
    >>> from lucidgrad.training import History
    >>> history = History([{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}])
    >>> figure = loss_curves({"small": history}, styles={"small": LineStyle("#0072B2", "--")})
    >>> figure.axes[0].lines[0].get_linestyle()
    '--'
    """

    colour: str
    dash: str = "-"
    marker: str = "o"


def line_style(index: int) -> LineStyle:
    """The style of the line of this number; 32 of them before colour and dash repeat together.

    >>> line_style(0)
    LineStyle(colour='#0072B2', dash='-', marker='o')
    """
    return LineStyle(
        CYCLE[index % len(CYCLE)],
        DASHES[(index // len(CYCLE) + index) % len(DASHES)],
        MARKERS[(index // len(CYCLE) + index) % len(MARKERS)],
    )


def new_figure(width: float = FIGURE_WIDTH, height: float = 4.0) -> Figure:
    """An empty figure of this size in inches that arranges its parts by itself."""
    from lucidgrad.plot.picture import Picture

    return Picture(figsize=(width, height), dpi=PIXELS_PER_INCH, layout="constrained", facecolor="white")


def grid_columns(panels: int) -> int:
    """In how many columns to lay out panels: three, or four where the last row is then fuller.

    >>> [grid_columns(n) for n in (1, 2, 3, 4, 5, 6, 7, 8, 9)]
    [1, 2, 3, 4, 3, 3, 4, 4, 3]
    """
    return min(panels, 4 if panels % 4 in (0, 3) and panels > 3 else 3)


def dress(axes: Axes, *, title: str = "", x: str = "", y: str = "", grid: bool = True) -> Axes:
    """Give axes their title, labels and the quiet look: two spines, a grid behind the data."""
    if title:
        axes.set_title(word(title), fontsize=11, color=INK, loc="left", fontweight="bold")
    axes.set_xlabel(word(x), fontsize=10, color=INK)
    axes.set_ylabel(word(y), fontsize=10, color=INK)
    axes.tick_params(labelsize=9, colors=QUIET, length=3)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(QUIET)
    axes.set_axisbelow(True)
    if grid:
        axes.grid(visible=True, color=GRID, linewidth=0.7)
    return axes


def heading(figure: Figure, title: str) -> None:
    """A title over the whole figure."""
    if title:
        figure.suptitle(title, fontsize=12.5, color=INK, x=0.01, ha="left", fontweight="bold")


def bare(axes: Axes) -> Axes:
    """Axes for an image: no ticks, a thin frame."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color(GRID)
        spine.set_linewidth(0.6)
    return axes


def png_bytes(figure: Figure, *, pixels_per_inch: int = PIXELS_PER_INCH) -> bytes:
    """The figure as the bytes of a PNG file, without a date: the same figure gives the same bytes.

    Parameters
    ----------
    figure
        Any of matplotlib's.
    pixels_per_inch
        How fine it is; a figure of lucidgrad is 9 inches wide.

    Examples
    --------
    >>> from lucidgrad.plot import confusion_matrix, png_bytes
    >>> png_bytes(confusion_matrix([[5, 1], [0, 6]]))[1:4]
    b'PNG'
    """
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=pixels_per_inch, metadata={"Software": None})
    return file.getvalue()


def save_png(figure: Figure, path: str | os.PathLike[str], *, pixels_per_inch: int = PIXELS_PER_INCH) -> None:
    """Write the figure as a PNG file, which appears whole or not at all.

    Parameters
    ----------
    figure
        Any of matplotlib's.
    path
        The file.
    pixels_per_inch
        How fine it is; a figure of lucidgrad is 9 inches wide.

    Raises
    ------
    OSError
        When the file cannot be written; what was there before still is.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from lucidgrad.plot import confusion_matrix, save_png
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_png(confusion_matrix([[5, 1], [0, 6]]), Path(folder) / "confusion.png")
    ...     [path.name for path in Path(folder).iterdir()]
    ['confusion.png']
    """
    with atomic_write(path) as file:
        file.write(png_bytes(figure, pixels_per_inch=pixels_per_inch))
