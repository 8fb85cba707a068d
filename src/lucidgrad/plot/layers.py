"""How the weights and activations of each layer are spread, epoch after epoch: whether they live, die, or run away."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.plot.curves import whole_epochs
from lucidgrad.plot.language import word
from lucidgrad.plot.style import COLOURS, dress, grid_columns, heading, new_figure
from lucidgrad.training import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BANDS = (("5%", "95%", 0.18, "middle nine tenths"), ("25%", "75%", 0.38, "middle half"))


def weights_over_epochs(history: History, *, title: str = "") -> Figure:
    """The weights of each layer over the epochs: their median, within bands that hold half and nine tenths of them.

    Parameters
    ----------
    history
        Of a run with the callback ``LayerStatistics``.
    title
        Over the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ArgumentError
        When the history has not the column, or no epoch.

    Examples
    --------
    >>> from lucidgrad.plot import weights_over_epochs
    >>> from lucidgrad.training import History
    >>> spread = {"5%": -1.0, "25%": -0.4, "50%": 0.0, "75%": 0.4, "95%": 1.0}
    >>> figure = weights_over_epochs(History([{"epoch": 1, "weights": {"0.weight": spread}}]))
    >>> figure.axes[0].get_title(loc="left")
    '0.weight'
    """
    return _panels(history, "weights", word("weights"), COLOURS["blue"], title)


def activations_over_epochs(history: History, *, title: str = "") -> Figure:
    """What comes out of each nonlinearity over the epochs, as ``weights_over_epochs`` shows weights.

    Parameters
    ----------
    history
        Of a run with the callback ``LayerStatistics``.
    title
        Over the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ArgumentError
        When the history has not the column, or no epoch.

    Examples
    --------
    >>> from lucidgrad.plot import activations_over_epochs
    >>> from lucidgrad.training import History
    >>> spread = {"5%": -1.0, "25%": -0.4, "50%": 0.0, "75%": 0.4, "95%": 1.0}
    >>> figure = activations_over_epochs(History([{"epoch": 1, "activations": {"0 tanh": spread}}]))
    >>> figure.axes[0].get_title(loc="left")
    '0 tanh'
    """
    return _panels(history, "activations", word("activation"), COLOURS["vermilion"], title)


def _panels(history: History, column: str, label: str, colour: str, title: str) -> Figure:
    rows = [row[column] for row in history if column in row]
    if not rows or not rows[0]:
        raise ArgumentError(
            explain(
                f"this picture expected a history with the column {column}",
                f"the columns {', '.join(history.columns) or 'none'}",
                "Train with callbacks=[LayerStatistics()]",
            )
        )
    names = list(rows[0])
    columns = grid_columns(len(names))
    lines = math.ceil(len(names) / columns)
    figure = new_figure(width=max(4.6, 1.2 + 2.6 * columns), height=2.6 * lines + 0.6)
    panels = figure.subplots(lines, columns, squeeze=False).ravel()
    epochs = [row["epoch"] for row in history if column in row]
    for i, (axes, name) in enumerate(zip(panels, names, strict=False)):
        dress(axes, title=name, x="epoch", y=label if i % columns == 0 else "")
        _draw(axes, epochs, {q: np.array([row[name][q] for row in rows]) for q in rows[0][name]}, colour)
        whole_epochs(axes)
    for axes in panels[len(names) :]:
        axes.set_visible(False)
    handles, texts = panels[0].get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside lower left", ncols=3, frameon=False, fontsize=9)
    heading(figure, title)
    return figure


def _draw(axes: Axes, epochs: list[int], quantiles: dict[str, np.ndarray], colour: str) -> None:
    for low, high, alpha, name in _BANDS:
        axes.fill_between(
            epochs, quantiles[low], quantiles[high], color=colour, alpha=alpha, linewidth=0, label=word(name)
        )
    axes.plot(epochs, quantiles["50%"], color=colour, linewidth=1.8, label=word("median"))
