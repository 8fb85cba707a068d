"""What becomes of the gradient, and of what is learned, as a network grows deeper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.plot.curves import complete_styles, legend_below
from lucidgrad.plot.style import LineStyle, dress, heading, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def depth_series(
    depths: Sequence[int],
    gradients: Mapping[str, Sequence[float]],
    accuracies: Mapping[str, Sequence[float]],
    *,
    styles: Mapping[str, LineStyle] | None = None,
    title: str = "",
) -> Figure:
    """The first layer's gradient (left, logarithmic) and the accuracy reached (right) against the depth.

    Parameters
    ----------
    depths
        Numbers of hidden layers.
    gradients
        By label, for each depth: the norm of the loss's gradient in the first layer's weights.
    accuracies
        By the same labels, for each depth: from 0 to 1.
    styles
        How each line looks, by label.
    title
        Over the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ArgumentError
        When a label does not have a number for each depth in both.

    Examples
    --------
    >>> from lucidgrad.plot import depth_series
    >>> figure = depth_series([1, 2, 3], {"sigmoid": [1e-1, 1e-2, 1e-3]}, {"sigmoid": [0.9, 0.8, 0.1]})
    >>> [axes.get_ylabel() for axes in figure.axes]
    ["norm of the first layer's gradient", 'accuracy (%)']
    """
    for label in {**gradients, **accuracies}:
        if not len(gradients.get(label, ())) == len(accuracies.get(label, ())) == len(depths):
            raise ArgumentError(
                explain(
                    f"depth_series expected {len(depths)} gradients and accuracies of {label!r}",
                    f"{len(gradients.get(label, ()))} and {len(accuracies.get(label, ()))}",
                    "Give one of each for every depth",
                )
            )
    figure = new_figure(height=3.7)
    left, right = figure.subplots(1, 2)
    dress(left, title="before training", x="hidden layers", y="norm of the first layer's gradient")
    dress(right, title="after training", x="hidden layers", y="accuracy (%)")
    for label, style in complete_styles(gradients, styles).items():
        for axes, values in ((left, np.asarray(gradients[label])), (right, 100 * np.asarray(accuracies[label]))):
            axes.plot(
                depths,
                values,
                style.dash,
                color=style.colour,
                marker=style.marker,
                markersize=6,
                linewidth=1.8,
                label=label,
            )
    left.set_yscale("log")
    right.set_ylim(0, 103)
    for axes in (left, right):
        axes.set_xticks(list(depths))
    legend_below(figure, left)
    heading(figure, title)
    return figure
