"""A figure that draws itself: into a file without a window, and into a notebook without pyplot.

The only module of the package that imports matplotlib at its top, and so imported only inside of functions.
"""

from __future__ import annotations

from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lucidgrad.plot.style import png_bytes


class Picture(Figure):
    """A matplotlib figure with an Agg canvas of its own."""

    def __init__(self, *options: Any, **named_options: Any) -> None:
        super().__init__(*options, **named_options)
        FigureCanvasAgg(self)

    def _repr_png_(self) -> bytes:
        """What a notebook shows; pyplot, which teaches notebooks to show other figures, need not be loaded."""
        return png_bytes(self)
