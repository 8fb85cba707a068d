"""Numbers of one's own: lines over an axis and bars side by side, in the look of all other pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from lucidgrad.errors import ArgumentError, ShapeError, counted, explain
from lucidgrad.plot.curves import legend_below, plain_numbers
from lucidgrad.plot.style import CYCLE, INK, dress, heading, line_style, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HATCHES = ("", "///", "...", "xxx", "\\\\\\", "+++", "ooo", "---")
"""Over the colour of bars, so that they are told apart in grey too."""


def lines(
    x: ArrayLike,
    curves: Mapping[str, ArrayLike],
    *,
    title: str = "",
    x_label: str = "x",
    y_label: str = "",
    log_x: bool = False,
    log_y: bool = False,
    markers: bool = False,
) -> Figure:
    """Some curves over the same axis: functions, or what was measured at some points.

    Parameters
    ----------
    x : (n,)
        Where.
    curves
        By label, n numbers each; NaN leaves a gap.
    title
        Over the figure.
    x_label, y_label
        Names of the axes, with their units.
    log_x, log_y
        Whether an axis is logarithmic. On a logarithmic x axis the ticks are at ``x``.
    markers
        Whether each point gets a mark, as what was measured should.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ArgumentError
        When there are no curves.
    ShapeError
        When a curve has not as many numbers as ``x``.

    Examples
    --------
    >>> import numpy as np
    >>> from lucidgrad.plot import lines
    >>> x = np.linspace(-3, 3, 50)
    >>> figure = lines(x, {"tanh": np.tanh(x), "relu": np.maximum(x, 0)}, y_label="activation")
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['tanh', 'relu']
    """
    places = np.asarray(x, dtype=np.float64)
    if not curves:
        raise ArgumentError(explain("lines expected at least one curve", "none", "Pass {'label': numbers}"))
    for label, values in curves.items():
        if places.ndim != 1 or np.shape(values) != places.shape:
            raise ShapeError(
                explain(
                    f"lines expected x of shape (n,) and as many numbers for {label!r}",
                    f"{places.shape} and {np.shape(values)}",
                    "Compute the curve at each x",
                )
            )
    figure = new_figure(width=7.0, height=4.0)
    axes = dress(figure.subplots(), x=x_label, y=y_label)
    for i, (label, values) in enumerate(curves.items()):
        style = line_style(i)
        marker = style.marker if markers else ""
        axes.plot(places, values, style.dash, color=style.colour, marker=marker, markersize=6, linewidth=2, label=label)
    if log_x:
        axes.set_xscale("log")
        axes.set_xticks(places, [f"{place:g}" for place in places])
        axes.set_xticks([], minor=True)
    if log_y:
        axes.set_yscale("log")
        plain_numbers(axes)
    legend_below(figure, axes)
    heading(figure, title)
    return figure


def bars(
    names: Sequence[str], groups: Mapping[str, Sequence[float]], *, title: str = "", y_label: str = "", form: str = "g"
) -> Figure:
    """A bar for each name, or several where there are several groups, with its number on it.

    Parameters
    ----------
    names
        Under the bars.
    groups
        By label, a number for each name.
    title
        Over the figure.
    y_label
        What is measured, with its unit.
    form
        How the numbers are written: ``".1f"`` gives one decimal.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ArgumentError
        When there are no groups, or one has not a number for each name.

    Examples
    --------
    >>> from lucidgrad.plot import bars
    >>> figure = bars(["1 layer", "2 layers"], {"training": [92.1, 99.0], "validation": [91.8, 97.5]}, y_label="%")
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['92.1', '99', '91.8', '97.5']
    """
    counts = {label: len(numbers) for label, numbers in groups.items()}
    if not names or not groups or set(counts.values()) != {len(names)}:
        raise ArgumentError(
            explain(
                f"bars expected a number for each of {counted(len(names), 'name')}",
                f"{counts}",
                "Give as many as names",
            )
        )
    figure = new_figure(width=min(9.0, max(5.0, 1.8 + 0.55 * len(names) * (len(groups) + 1))), height=3.8)
    axes = dress(figure.subplots(), y=y_label)
    width = 0.8 / len(groups)
    for i, (label, numbers) in enumerate(groups.items()):
        places = np.arange(len(names)) + (i - (len(groups) - 1) / 2) * width
        drawn = axes.bar(
            places,
            numbers,
            0.92 * width,
            color=CYCLE[i % len(CYCLE)],
            hatch=HATCHES[i % len(HATCHES)],
            edgecolor="white",
            label=label,
        )
        axes.bar_label(drawn, fmt=f"{{:{form}}}", fontsize=8.5, color=INK, padding=2)
    axes.set_xticks(range(len(names)), list(names))
    axes.margins(y=0.12)
    axes.grid(visible=False, axis="x")
    if len(groups) > 1:
        legend_below(figure, axes)
    heading(figure, title)
    return figure
