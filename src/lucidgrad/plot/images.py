"""Samples as what they are where they are images: ink on paper."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from lucidgrad.errors import ArgumentError, ShapeError, counted, explain
from lucidgrad.plot.style import INK, bare, heading, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def images(
    samples: ArrayLike, image_shape: tuple[int, int], *, titles: Sequence[str] = (), most: int = 24, title: str = ""
) -> Figure:
    """The first samples as images, eight in a row.

    Parameters
    ----------
    samples : (n, height * width)
        From 0 (paper) to 1 (ink).
    image_shape
        (height, width) in pixels.
    titles
        What to write over each; none, or one for each sample.
    most
        How many to show.
    title
        Over the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        When the samples are not images of that shape, or there are none.
    ArgumentError
        When there are not as many titles as samples, or none is to be shown.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> from lucidgrad.plot import images
    >>> data = lg.data.digits()
    >>> figure = images(data.x_train[:3], data.image_shape, titles=[str(y) for y in data.y_train[:3]])
    >>> [axes.get_title() for axes in figure.axes if axes.images]
    ['0', '2', '3']
    """
    x = np.asarray(samples)
    height, width = image_shape
    if x.ndim != 2 or not len(x) or x.shape[1] != height * width:
        raise ShapeError(
            explain(
                f"images expected samples of shape (n, {height * width}) for images of {image_shape}, at least one",
                f"{x.shape}",
                "Lay each image out row by row: x.reshape(len(x), -1)",
            )
        )
    if most < 1 or (len(titles) and len(titles) != len(x)):
        raise ArgumentError(
            explain(
                "images expected most of at least 1, and a title for each sample or none",
                f"most={most}, {counted(len(x), 'sample')} and {counted(len(titles), 'title')}",
                "Give as many titles as samples",
            )
        )
    shown = min(len(x), most)
    columns = min(8, shown)
    rows = math.ceil(shown / columns)
    lines = max((text.count("\n") + 1 for text in titles), default=0)
    figure = new_figure(height=rows * (1.08 * height / width + 0.05 + 0.16 * lines) + (0.5 if title else 0.1))
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, i in zip(panels, range(shown), strict=False):
        bare(axes).imshow(x[i].reshape(image_shape), cmap="Greys", vmin=0, vmax=1)
        axes.set_title(titles[i] if len(titles) else "", fontsize=8, color=INK, pad=3)
    for axes in panels[shown:]:
        axes.set_axis_off()
    heading(figure, title)
    return figure
