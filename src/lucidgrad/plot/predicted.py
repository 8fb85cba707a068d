"""Predicted numbers beside the true ones: each row as a dot, and how the errors are spread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from lucidgrad.errors import ShapeError, explain
from lucidgrad.plot.language import word
from lucidgrad.plot.style import COLOURS, QUIET, dress, heading, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_DOTS = 5000


def predicted_against_true(true: ArrayLike, predicted: ArrayLike, *, name: str = "", title: str = "") -> Figure:
    """A dot for each row (of many, 5,000), on the diagonal where it is right; and a histogram of the errors.

    Parameters
    ----------
    true, predicted : (n,)
        Numbers.
    name
        What they are.
    title
        Over the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        When they differ in number, or there are none.

    Examples
    --------
    >>> from lucidgrad.plot import predicted_against_true
    >>> figure = predicted_against_true([1.0, 2.0, 4.0], [1.5, 2.0, 3.0], name="price")
    >>> [axes.get_xlabel() for axes in figure.axes]
    ['true price', 'predicted less true']
    """
    y, p = np.asarray(true, np.float64), np.asarray(predicted, np.float64)
    if y.ndim != 1 or y.shape != p.shape or not len(y):
        raise ShapeError(
            explain(
                "predicted_against_true expected as many predictions as targets",
                f"{y.shape} and {p.shape}",
                "Pass those of the same rows, one each",
            )
        )
    figure = new_figure(height=4.2)
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
    plain = name.replace("$", r"\$")
    dress(left, x=word("true {name}", name=plain).strip(), y=word("predicted {name}", name=plain).strip())
    dress(right, x=word("predicted less true"), y=word("number of rows"))
    every = max(1, -(-len(y) // MOST_DOTS))
    low, high = min(y.min(), p.min()), max(y.max(), p.max())
    left.plot([low, high], [low, high], "--", color=QUIET, linewidth=1.2)
    size = float(np.clip(4000 / len(y), 6, 28))
    left.scatter(y[::every], p[::every], s=size, color=COLOURS["blue"], alpha=0.45, linewidth=0)
    error = p - y
    # Far outliers would leave all others in one bar: what lies beyond is counted in the outermost.
    edge = np.quantile(np.abs(error), 0.995)
    right.hist(np.clip(error, -edge, edge), bins=31, color=COLOURS["sky"], edgecolor="white")
    right.axvline(0, color=QUIET, linewidth=1.2, linestyle="--")
    heading(figure, title)
    return figure
