"""Which columns of a table a model leans on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.plot.style import COLOURS, QUIET, dress, heading, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LONGEST = 28  # characters of a name


def importances(
    names: Sequence[str],
    rises: Sequence[float],
    deviations: Sequence[float] | None = None,
    *,
    most: int = 15,
    title: str = "",
    label: str = "rise of the error when shuffled",
) -> Figure:
    """A bar for each column, the longest on top, with its standard deviation as a line.

    Parameters
    ----------
    names
        Of the columns.
    rises
        By how much the error grows when the values of the column are shuffled.
    deviations
        Of these, over repeats.
    most
        How many to show.
    title
        Over the figure.
    label
        Under the axis.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ArgumentError
        When there are no columns, or not as many rises.

    Examples
    --------
    >>> from lucidgrad.plot import importances
    >>> figure = importances(["age", "town", "id"], [0.3, 0.7, 0.0])
    >>> [text.get_text() for text in figure.axes[0].get_yticklabels()]
    ['town', 'age', 'id']
    """
    spread = [0.0] * len(names) if deviations is None else list(deviations)
    if not len(names) == len(rises) == len(spread) or not len(names):
        raise ArgumentError(
            explain("importances expected a number for each column", f"{len(names)} and {len(rises)}", "Pair them")
        )
    order = np.argsort(-np.asarray(rises), kind="stable")[:most]
    figure = new_figure(width=7.0, height=1.1 + 0.3 * len(order))
    axes = dress(figure.subplots(), x=label)
    shown = np.arange(len(order))
    axes.barh(
        shown,
        [rises[i] for i in order],
        0.66,
        color=COLOURS["blue"],
        xerr=[spread[i] for i in order],
        error_kw={"ecolor": QUIET, "elinewidth": 1.2},
    )
    short = [name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…" for name in map(str, names)]
    axes.set_yticks(shown, [short[i].replace("$", r"\$") for i in order])
    axes.set_ylim(len(order) - 0.4, -0.6)
    axes.axvline(0, color=QUIET, linewidth=0.8)
    axes.grid(visible=False, axis="y")
    heading(figure, title)
    return figure
