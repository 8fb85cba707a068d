"""A figure that draws itself: into a file without a window, and into a notebook without pyplot.

The only module of the package that imports matplotlib at its top, and so imported only inside of functions.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import Any

from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from lucidgrad.plot.style import png_bytes

HANGUL = "Lucid Hangul"
"""The family in ``fonts/``: the 2,350 syllables of KS X 1001. Latin letters and symbols stay those of matplotlib."""

ARRANGEMENTS = 3


class Picture(Figure):
    """A matplotlib figure with an Agg canvas of its own.

    Attributes
    ----------
    film : bytes
        A GIF of which it is the last frame; empty where nothing moves.
    """

    def __init__(self, *options: Any, **named_options: Any) -> None:
        super().__init__(*options, **named_options)
        self.film = b""
        FigureCanvasAgg(self)
        self._arranged = False

    def draw(self, renderer: Any) -> None:
        """Draw, with letters of Hangul out of the font that comes with the package, wherever they stand."""
        texts: list[Any] = self.findobj(Text)
        for text in texts:
            if _has_hangul(text.get_text()):
                families = [f for f in text.get_fontfamily() if f != HANGUL]
                text.set_fontfamily([*families, _hangul_font()])
        engine = self.get_layout_engine()
        if engine is not None and not self._arranged:
            # One arrangement leaves titles over panels of fixed proportions cut off at the top; it settles with a few.
            for _ in range(ARRANGEMENTS):
                engine.execute(self)
            self._arranged = True
        super().draw(renderer)

    def _repr_png_(self) -> bytes:
        """What a notebook shows; pyplot, which teaches notebooks to show other figures, need not be loaded."""
        return png_bytes(self)

    def _repr_html_(self) -> str | None:
        """What a notebook shows where there is a film: browsers play it, which do not move a PNG."""
        return f'<img alt="" src="data:image/gif;base64,{b64encode(self.film).decode()}">' if self.film else None


def _has_hangul(text: str) -> bool:
    """Whether there is a syllable (U+AC00 to U+D7A3) or a letter (U+3131 to U+318E) of Hangul in it."""
    return any("\uac00" <= c <= "\ud7a3" or "\u3131" <= c <= "\u318e" for c in text)


@cache
def _hangul_font() -> str:
    """The name of the family, which matplotlib knows from now on."""
    for file in sorted((Path(__file__).parent / "fonts").glob("*.ttf")):
        font_manager.fontManager.addfont(file)
    return HANGUL
