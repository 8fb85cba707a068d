"""Decision boundaries as they move while the networks train, as a GIF that any browser plays."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from lucidgrad.atomic import atomic_write
from lucidgrad.errors import ArgumentError, counted, explain
from lucidgrad.plot.boundary import Boundary, BoundaryPanels, boundary_panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image

SHADES = 24
"""Steps from one colour of the plane to another: few, since even areas pack well."""
HOLD_SECONDS = 2.0
"""How long the last frame stays before the animation begins again."""


def boundary_animation(
    frames: Sequence[Sequence[Boundary]],
    x: ArrayLike,
    y: ArrayLike,
    path: str | os.PathLike[str] | None = None,
    *,
    names: Sequence[str] = (),
    titles: Sequence[str] = (),
    frames_per_second: float = 8.0,
    pixels_per_inch: int = 80,
) -> Figure:
    """A GIF in which the boundaries of one or several models move: shown in a notebook, and written to a file.

    Parameters
    ----------
    frames
        For each moment, a Boundary for each model, in the same order.
    x : (n, 2)
        Samples to draw.
    y : (n,)
        Their classes.
    path
        Of the GIF file to write, which appears whole or not at all; None: none.
    names
        A name for each class.
    titles
        A title for each frame, such as its epoch.
    frames_per_second
        The last frame is held for two seconds.
    pixels_per_inch
        A panel is 3.1 inches wide.

    Returns
    -------
    matplotlib.figure.Figure
        The last frame; a notebook shows all of them, moving.

    Raises
    ------
    ArgumentError
        When there are no frames, or not as many titles as frames, or the speed is not positive.

    Examples
    --------
    >>> import tempfile
    >>> import lucidgrad as lg
    >>> from pathlib import Path
    >>> from lucidgrad.plot import Boundary, boundary_animation
    >>> x, y = lg.data.xor(40)
    >>> frames = [[Boundary.of(lg.nn.Linear(2, 2), x, points=20)] for _ in range(2)]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     last_frame = boundary_animation(frames, x, y, Path(folder) / "xor.gif")
    ...     (Path(folder) / "xor.gif").read_bytes()[:6]
    b'GIF89a'
    """
    if not frames or (len(titles) and len(titles) != len(frames)) or not frames_per_second > 0:
        raise ArgumentError(
            explain(
                "boundary_animation expected frames, a title for each or none, and a positive speed",
                f"{counted(len(frames), 'frame')}, {counted(len(titles), 'title')}, "
                f"{frames_per_second} frames per second",
                "Collect a list of Boundary objects while training",
            )
        )
    first = titles[0] if len(titles) else ""
    boundary_panels(frames[0], x, y, title=first)  # for its checks of the samples
    drawing = BoundaryPanels(frames[0], np.asarray(x), np.asarray(y), names, first, shades=SHADES)
    drawing.figure.set_dpi(pixels_per_inch)
    drawing.figure.canvas.draw()
    drawing.figure.set_layout_engine("none")  # arranged once: panels that shift by a pixel would seem to tremble
    pictures = []
    for i, boundaries in enumerate(frames):
        drawing.show(boundaries, titles[i] if len(titles) else "")
        pictures.append(_packed(drawing.figure))
    durations = [round(1000 / frames_per_second)] * (len(frames) - 1) + [round(1000 * HOLD_SECONDS)]
    file = io.BytesIO()
    pictures[0].save(file, "GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0, optimize=True)
    if path is not None:
        with atomic_write(path) as target:
            target.write(file.getvalue())
    drawing.figure.film = file.getvalue()  # type: ignore[attr-defined]  # of a Picture
    return drawing.figure


def _packed(figure: Figure) -> Image:
    """The figure's pixels in 128 colours, evenly out of the colour cube: areas pack well, markers keep theirs."""
    from PIL import Image

    canvas: Any = figure.canvas
    canvas.draw()
    pixels = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    return pixels.quantize(128, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
