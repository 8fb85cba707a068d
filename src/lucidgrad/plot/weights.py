"""What the weights do: how large the largest of each layer grows, and what the first layer looks for in an image."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from lucidgrad.errors import ArgumentError, ShapeError, explain
from lucidgrad.plot.curves import Histories, as_groups, draw_line, whole_epochs
from lucidgrad.plot.language import word
from lucidgrad.plot.style import QUIET, bare, dress, grid_columns, heading, line_style, new_figure
from lucidgrad.training import History

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def max_abs_weight(
    histories: History | Histories,
    *,
    starts: Mapping[str, Mapping[str, float]] | None = None,
    biases: bool = False,
    title: str = "",
) -> Figure:
    """The largest absolute weight of each layer over the epochs, a panel for each network.

    Parameters
    ----------
    histories
        One history, or several by label; a list of them under a label is drawn as mean and standard deviation.
    starts
        max abs(w) before the first step, by label and then by path: drawn at epoch 0.
    biases
        Whether to draw those of the biases too.
    title
        Over the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ArgumentError
        When no history has an epoch in it.

    Examples
    --------
    >>> from lucidgrad.plot import max_abs_weight
    >>> from lucidgrad.training import History
    >>> rows = [{"epoch": 1, "max_abs_weight": {"0.weight": 0.5, "0.bias": 0.1}}]
    >>> [line.get_label() for line in max_abs_weight(History(rows)).axes[0].lines]
    ['layer 1 (0.weight)']
    """
    grouped = as_groups(histories)
    columns = grid_columns(len(grouped))
    rows = math.ceil(len(grouped) / columns)
    figure = new_figure(width=max(5.0, 2.1 + 2.3 * columns), height=2.8 * rows + 0.3)
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for axes, (label, group) in zip(panels, grouped.items(), strict=False):
        first = axes is panels[0]
        dress(axes, title=label, x="epoch", y="max |w|" if first else "")
        _draw_layers(axes, group, (starts or {}).get(label, {}), biases)
        whole_epochs(axes)
        axes.legend(frameon=False, fontsize=8.5, handlelength=2.6)
    for axes in panels[len(grouped) :]:
        axes.set_visible(False)
    panels[0].set_ylim(bottom=0)
    heading(figure, title)
    return figure


def _draw_layers(axes: Any, group: Sequence[History], start: Mapping[str, float], biases: bool) -> None:
    paths = [path for path in group[0].rows[0]["max_abs_weight"] if biases or not path.endswith("bias")]
    epochs = max(len(history) for history in group)
    for i, path in enumerate(paths):
        values = np.full((len(group), epochs + 1), np.nan)
        values[:, 0] = start.get(path, np.nan)
        for row, history in zip(values, group, strict=True):
            row[1 : len(history) + 1] = [row["max_abs_weight"][path] for row in history]
        name = word("layer {number} ({path})", number=i + 1, path=path) if not biases else path
        draw_line(axes, name, values if path in start else values[:, 1:], line_style(i), start=int(path not in start))


def first_layer_weights(
    weight: ArrayLike,
    image_shape: tuple[int, int],
    *,
    names: Sequence[str] = (),
    most: int = 40,
    title: str = "",
) -> Figure:
    """The weights of each unit of the first layer as an image: blue where ink speaks for the unit, red where against.

    Parameters
    ----------
    weight : (units, height * width)
        The matrix of a ``Linear`` layer.
    image_shape
        (height, width) in pixels.
    names
        A name for each unit: the classes, where the first layer is the only one.
    most
        How many units to show; where there are more, those with the largest norm.
    title
        Over the figure.

    Returns
    -------
    matplotlib.figure.Figure
        All images share one colour scale, symmetric about 0, which spares the outermost thousandth of the weights.

    Raises
    ------
    ShapeError
        When the rows of ``weight`` do not have as many elements as the image has pixels.
    ArgumentError
        When ``most`` is less than 1.

    Examples
    --------
    >>> import numpy as np
    >>> from lucidgrad.plot import first_layer_weights
    >>> figure = first_layer_weights(np.eye(4), (2, 2), names="abcd")
    >>> [axes.get_title() for axes in figure.axes[:4]]
    ['a', 'b', 'c', 'd']
    """
    matrix = np.asarray(weight, dtype=np.float64)
    height, width = image_shape
    if matrix.ndim != 2 or matrix.shape[1] != height * width:
        raise ShapeError(
            explain(
                f"first_layer_weights expected a weight of shape (units, {height * width}) for images of {image_shape}",
                f"{matrix.shape}",
                "Pass the weight of the layer that sees the pixels",
            )
        )
    if most < 1:
        raise ArgumentError(explain("most expected at least 1", f"{most}", "Show at least one unit"))
    order = np.argsort(-np.linalg.norm(matrix, axis=1), kind="stable")[:most]
    units = np.arange(len(matrix)) if len(matrix) <= most else order
    columns = min(len(units), 5 if len(units) <= 10 else 10)
    rows = math.ceil(len(units) / columns)
    limit = float(np.quantile(np.abs(matrix), 0.999)) or 1.0
    # 8 of the 9 inches across are for the images; each has a line of text above it.
    figure = new_figure(height=rows * (8.0 / columns * height / width + 0.24) + (0.5 if title else 0.1))
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    image: Any = None
    for axes, unit in zip(panels, units, strict=False):
        image = bare(axes).imshow(matrix[unit].reshape(image_shape), cmap="RdBu", vmin=-limit, vmax=limit)
        axes.set_title(names[unit] if len(names) else f"{unit}", fontsize=8.5, color=QUIET, pad=2)
    for axes in panels[len(units) :]:
        axes.set_visible(False)
    bar = figure.colorbar(image, ax=panels.tolist(), shrink=0.8, pad=0.015, aspect=25)
    bar.set_label(word("weight"), fontsize=9)
    bar.ax.tick_params(labelsize=8, colors=QUIET)
    bar.outline.set_visible(False)
    heading(figure, title)
    return figure
