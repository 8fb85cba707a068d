"""Where a classifier is wrong: which classes it takes for which, and the images it was surest about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from lucidgrad.errors import ArgumentError, ShapeError, counted, explain
from lucidgrad.plot.images import images as draw_images
from lucidgrad.plot.language import word
from lucidgrad.plot.style import INK, QUIET, dress, heading, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def confusion_matrix(counts: ArrayLike, *, names: Sequence[str] = (), title: str = "") -> Figure:
    """How often each class (row) was taken for each (column), with the counts written in.

    The shade of a field is its share of its row, on a scale of square roots, so that rare mistakes are seen beside
    the diagonal.

    Parameters
    ----------
    counts : (classes, classes)
        Rows are true classes, columns predicted ones.
    names
        A name for each class; by default its number.
    title
        Over the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        When ``counts`` is not square, or there are not as many names as classes.

    Examples
    --------
    >>> from lucidgrad.plot import confusion_matrix
    >>> figure = confusion_matrix([[5, 1], [0, 6]], names=("cat", "dog"))
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['5', '1', '6']
    """
    table = np.asarray(counts)
    n = len(table)
    if table.ndim != 2 or table.shape != (n, n) or (len(names) and len(names) != n):
        raise ShapeError(
            explain(
                "confusion_matrix expected counts of shape (classes, classes) and a name for each class",
                f"{table.shape} and {counted(len(names), 'name')}",
                "Rows are true classes, columns predicted ones",
            )
        )
    from matplotlib.colors import PowerNorm

    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    side = 2.0 + 0.4 * n
    figure = new_figure(width=side + 0.8, height=side)
    axes = dress(figure.subplots(), x="predicted class", y="true class", grid=False)
    image = axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, vmin=0, vmax=1))
    labels = names or [str(i) for i in range(n)]
    slanted = max(map(len, labels)) > 3
    axes.set_xticks(range(n), labels, rotation=40 if slanted else 0, ha="right" if slanted else "center")
    axes.set_yticks(range(n), labels)
    for row, column in zip(*np.nonzero(table), strict=True):
        colour = "white" if shares[row, column] > 0.3 else INK
        axes.text(column, row, f"{table[row, column]}", ha="center", va="center", fontsize=8.5, color=colour)
    bar = figure.colorbar(image, ax=axes, shrink=0.85, pad=0.02, ticks=[0, 0.01, 0.05, 0.2, 0.5, 1])
    bar.ax.set_yticklabels(["0 %", "1 %", "5 %", "20 %", "50 %", "100 %"])
    bar.ax.tick_params(labelsize=8, colors=QUIET)
    bar.set_label(word("share of the true class"), fontsize=9)
    bar.outline.set_visible(False)
    heading(figure, title)
    return figure


def worst_mistakes(
    images: ArrayLike,
    true: ArrayLike,
    probabilities: ArrayLike,
    image_shape: tuple[int, int],
    *,
    names: Sequence[str] = (),
    most: int = 24,
    title: str = "",
) -> Figure:
    r"""The images whose true class was given the least probability, worst first.

    Parameters
    ----------
    images : (n, height * width)
        The samples that were judged, from 0 (paper) to 1 (ink).
    true : (n,)
        Their classes.
    probabilities : (n, classes)
        What the network thought.
    image_shape
        (height, width) in pixels.
    names
        A name for each class; by default its number.
    most
        How many to show.
    title
        Over the figure.

    Returns
    -------
    matplotlib.figure.Figure
        Without mistakes it says so instead.

    Raises
    ------
    ShapeError
        When images, classes and probabilities differ in number.
    ArgumentError
        When ``most`` is less than 1.

    Examples
    --------
    >>> import numpy as np
    >>> from lucidgrad.plot import worst_mistakes
    >>> figure = worst_mistakes(np.eye(4), [0, 0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.6, 0.4]], (2, 2))
    >>> [axes.get_title() for axes in figure.axes]
    ['0 taken for 1\n80 % sure', '1 taken for 0\n60 % sure']
    """
    x, y, p = np.asarray(images), np.asarray(true), np.asarray(probabilities)
    if not len(x) == len(y) == len(p):
        raise ShapeError(
            explain(
                "worst_mistakes expected as many images as classes and rows of probabilities",
                f"{len(x)}, {len(y)} and {len(p)}",
                "Pass those of the same samples",
            )
        )
    if most < 1:
        raise ArgumentError(explain("most expected at least 1", f"{most}", "Show at least one image"))
    predicted = p.argmax(axis=1)
    wrong = np.flatnonzero(predicted != y)
    worst = wrong[np.argsort(p[wrong, y[wrong]], kind="stable")][:most]
    labels = names or [str(i) for i in range(p.shape[1])]
    if not len(worst):
        figure = new_figure(height=1.2 + (0.4 if title else 0.0))
        axes = figure.subplots()
        axes.set_axis_off()
        text = word("none: all {count} samples were told right", count=len(y))
        axes.text(0.5, 0.5, text, ha="center", fontsize=11, color=INK)
        heading(figure, title)
        return figure
    titles = [
        word(
            "{true} taken for {predicted}\n{sure:.0f} % sure",
            true=labels[y[i]],
            predicted=labels[predicted[i]],
            sure=100 * p[i, predicted[i]],
        )
        for i in worst
    ]
    return draw_images(x[worst], image_shape, titles=titles, most=most, title=title)
