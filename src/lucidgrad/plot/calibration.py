"""Whether a classifier is as sure as it is right: of what it holds for 80 % sure, four in five should be right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from lucidgrad.errors import ArgumentError, ShapeError, counted, explain
from lucidgrad.plot.language import word
from lucidgrad.plot.style import COLOURS, INK, QUIET, dress, heading, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def calibration(true: ArrayLike, probabilities: ArrayLike, *, bins: int = 10, title: str = "") -> Figure:
    """The share of right answers against how sure the model was (above), and how many samples are behind it (below).

    The dots would lie on the diagonal for a calibrated model; below it the model is too sure. The expected
    calibration error is the mean distance from it, weighted by samples (Guo, Pleiss, Sun and Weinberger 2017, eq. 3).

    Parameters
    ----------
    true : (n,)
        Classes.
    probabilities : (n, classes)
        What ``lucidgrad.predict_proba`` gives.
    bins
        Intervals of probability of the same width.
    title
        Over the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        When the two differ in number, or there are no samples.
    ArgumentError
        For fewer than 2 bins, or numbers that are no probabilities.

    Examples
    --------
    >>> from lucidgrad.plot import calibration
    >>> figure = calibration([0, 0, 1, 1], [[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.7, 0.3]])
    >>> figure.axes[0].get_title(loc="left")
    'expected calibration error 0.350'
    """
    y, p = np.asarray(true), np.asarray(probabilities, dtype=np.float64)
    if p.ndim != 2 or y.shape != (len(p),) or not len(p):
        raise ShapeError(
            explain(
                "calibration expected classes (n,) and probabilities (n, classes) of at least one sample",
                f"{y.shape} and {p.shape}",
                "Pass those of the same samples",
            )
        )
    if bins < 2 or not ((p >= 0).all() and (p <= 1).all()):
        raise ArgumentError(
            explain(
                "calibration expected at least 2 bins and probabilities in [0, 1]",
                f"{counted(bins, 'bin')} and values from {p.min():.3g} to {p.max():.3g}",
                "Use predict_proba, which gives probabilities, in the place of logits",
            )
        )
    sure, right = p.max(axis=1), p.argmax(axis=1) == y
    place = np.minimum((sure * bins).astype(int), bins - 1)
    count = np.bincount(place, minlength=bins)
    filled = count > 0
    mean_sure = np.bincount(place, sure, bins)[filled] / count[filled]
    share = np.bincount(place, right, bins)[filled] / count[filled]
    error = float((count[filled] * np.abs(share - mean_sure)).sum() / len(p))
    figure = new_figure(width=4.8, height=5.2)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    dress(above, title=word("expected calibration error {error:.3f}", error=error), y="share that was right")
    dress(below, x="mean predicted probability", y="number of samples")
    above.plot([0, 1], [0, 1], "--", color=QUIET, linewidth=1.2, label=word("perfect calibration"))
    above.vlines(mean_sure, mean_sure, share, color=COLOURS["vermilion"], linewidth=1.4, alpha=0.8)
    above.plot(mean_sure, share, "o-", color=COLOURS["blue"], markersize=6, linewidth=1.6, label=word("this model"))
    above.set(xlim=(0, 1), ylim=(0, 1.02))
    above.legend(frameon=False, fontsize=9, loc="upper left", labelcolor=INK)
    edges = np.linspace(0, 1, bins + 1)
    below.bar(edges[:-1], count, width=1 / bins, align="edge", color=COLOURS["sky"], edgecolor="white")
    heading(figure, title)
    return figure
