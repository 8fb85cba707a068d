"""Curves over the epochs: loss and accuracy, on the training samples and on those held back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.plot.style import LineStyle, dress, heading, line_style, new_figure
from lucidgrad.training import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
Histories: TypeAlias = Mapping[str, History | Sequence[History]]
"""What is compared, by label: one history, or those of several seeds (drawn as their mean and standard deviation)."""


def loss_curves(
    histories: History | Histories,
    *,
    styles: Mapping[str, LineStyle] | None = None,
    title: str = "",
    training: str = "loss",
    unit: str = "nats",
) -> Figure:
    """Loss per epoch, on a logarithmic scale: training on the left, validation (where there is any) on the right.

    Parameters
    ----------
    histories
        One, or several by the label that the legend is to show. Several histories under a label are seeds of one
        experiment: their mean is drawn, within a band of a standard deviation.
    styles
        How each line looks, by label; those that are missing get one of their own.
    title
        Over the figure.
    training
        The column of the training loss; its partner is ``validation_loss``.
    unit
        Of the loss: cross-entropy is measured in nats.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ArgumentError
        When there is no history with an epoch in it.

    Examples
    --------
    >>> from lucidgrad.plot import loss_curves
    >>> from lucidgrad.training import History
    >>> history = History([{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 0.5}])
    >>> [axes.get_xlabel() for axes in loss_curves({"784-128-10": history}).axes]
    ['epoch']
    """
    return _two_panels(histories, (training, "validation_loss"), _draw_loss, f"loss ({unit})", styles, title)


def accuracy_curves(
    histories: History | Histories,
    *,
    styles: Mapping[str, LineStyle] | None = None,
    title: str = "",
    training: str = "accuracy",
) -> Figure:
    """Accuracy per epoch in percent: training on the left, validation (where there is any) on the right.

    The scale begins where the curves are after a fifth of the epochs, so that the end, which matters, can be read;
    curves may come in from below.

    Parameters
    ----------
    histories, styles, title
        As for ``loss_curves``.
    training
        The column of the training accuracy; its partner is ``validation_accuracy``.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ArgumentError
        As for ``loss_curves``.

    Examples
    --------
    >>> from lucidgrad.plot import accuracy_curves
    >>> from lucidgrad.training import History
    >>> history = History([{"epoch": 1, "accuracy": 0.5, "validation_accuracy": 0.75}])
    >>> [axes.get_title(loc="left") for axes in accuracy_curves({"small": history}).axes]
    ['training', 'validation']
    """
    columns = (training, "validation_accuracy")
    return _two_panels(histories, columns, _draw_accuracy, "accuracy (%)", styles, title)


def _two_panels(
    histories: History | Histories,
    columns: tuple[str, str],
    draw: Any,
    unit: str,
    styles: Mapping[str, LineStyle] | None,
    title: str,
) -> Figure:
    grouped = as_groups(histories)
    shown = [
        (column, name)
        for column, name in zip(columns, ("training", "validation"), strict=True)
        if any(column in history for group in grouped.values() for history in group)
    ]
    if not shown:
        raise ArgumentError(explain("curves expected the column " + " or ".join(columns), "neither", "Ask fit for it"))
    below = math.ceil(len(grouped) / 4) * 0.24
    figure = new_figure(height=3.5 + below)
    panels = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for axes, (_, name) in zip(panels, shown, strict=True):
        dress(axes, title=name, x="epoch", y=unit if axes is panels[0] else "")
        whole_epochs(axes)
    draw(panels, [column for column, _ in shown], grouped, complete_styles(grouped, styles))
    legend_below(figure, panels[0])
    heading(figure, title)
    return figure


def _draw_loss(panels: Any, columns: Sequence[str], grouped: Any, styles: Mapping[str, LineStyle]) -> None:
    for axes, column in zip(panels, columns, strict=True):
        for label, group in grouped.items():
            draw_line(axes, label, column_of(group, column), styles[label])
        axes.set_yscale("log")
        plain_numbers(axes)


def _draw_accuracy(panels: Any, columns: Sequence[str], grouped: Any, styles: Mapping[str, LineStyle]) -> None:
    lowest = 100.0
    for axes, column in zip(panels, columns, strict=True):
        for label, group in grouped.items():
            values = 100 * column_of(group, column)
            draw_line(axes, label, values, styles[label])
            settled = values[:, values.shape[1] // 5 :]
            lowest = min(lowest, float(np.nanmin(settled))) if np.isfinite(settled).any() else lowest
    margin = max(0.5, 0.08 * (100 - lowest))
    panels[0].set_ylim(max(0.0, lowest - margin), 100 + margin / 3)


# --- for the other pictures with lines ----------------------------------------------------------------------------


def as_groups(histories: History | Histories) -> dict[str, list[History]]:
    """Every value as a list of histories that have at least one row; labels without any are left out."""
    if isinstance(histories, History):
        histories = {"": histories}
    groups = {label: [value] if isinstance(value, History) else list(value) for label, value in histories.items()}
    filled = {label: [h for h in group if len(h)] for label, group in groups.items()}
    if not any(filled.values()):
        raise ArgumentError(
            explain("a plot expected at least one history with an epoch in it", "none", "Train for an epoch first")
        )
    return {label: group for label, group in filled.items() if group}


def complete_styles(labels: Any, styles: Mapping[str, LineStyle] | None) -> dict[str, LineStyle]:
    """A style for every label: the given one, or the next of the cycle."""
    return {label: (styles or {}).get(label, line_style(i)) for i, label in enumerate(labels)}


def column_of(group: Sequence[History], column: str) -> Floats:
    """A column of several histories, (seeds, epochs); NaN where a history ended earlier."""
    epochs = max(len(history) for history in group)
    table = np.full((len(group), epochs), np.nan)
    for row, history in zip(table, group, strict=True):
        if column in history:
            row[: len(history)] = [np.nan if value is None else value for value in history[column]]
    return table


def draw_line(axes: Axes, label: str, values: Floats, style: LineStyle, *, start: int = 1) -> None:
    """The mean over the seeds, values (seeds, epochs), as a line; within a band of a standard deviation."""
    present = np.isfinite(values)
    if not present.any():
        axes.plot([], [], style.dash, color=style.colour, marker=style.marker, label=f"{label} (not finite)")
        return
    n = np.where(present.any(axis=0), present.sum(axis=0), np.nan)
    mean = np.where(present, values, 0.0).sum(axis=0) / n
    epochs = np.arange(start, start + values.shape[1])
    every = max(1, math.ceil(len(epochs) / 8))
    axes.plot(
        epochs,
        mean,
        style.dash,
        color=style.colour,
        marker=style.marker,
        markevery=every,
        markersize=4.5,
        markeredgecolor="white",
        markeredgewidth=0.6,
        linewidth=1.7,
        label=label,
    )
    if len(values) > 1:
        deviation = np.sqrt(np.where(present, (values - mean) ** 2, 0.0).sum(axis=0) / np.maximum(n - 1, 1))
        axes.fill_between(epochs, mean - deviation, mean + deviation, color=style.colour, alpha=0.18, linewidth=0)


def whole_epochs(axes: Axes) -> None:
    """Ticks at whole numbers: there is no epoch 2.5."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))


def plain_numbers(axes: Axes) -> None:
    """0.1 and 2 instead of powers of ten on a logarithmic scale."""
    from matplotlib.ticker import LogFormatter, LogLocator, NullFormatter

    class Plain(LogFormatter):
        def __call__(self, x: float, pos: int | None = None) -> str:
            return f"{x:g}" if super().__call__(x, pos) else ""

    low, high = axes.get_ylim()
    few = high / max(low, 1e-300) < 300
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,)))
    axes.yaxis.set_major_formatter(Plain(labelOnlyBase=False, minor_thresholds=(9, 9)))
    axes.yaxis.set_minor_formatter(NullFormatter())


def legend_below(figure: Figure, axes: Axes) -> None:
    """One legend for all panels, under them, where it hides no line."""
    handles, labels = axes.get_legend_handles_labels()
    if not any(labels):
        return
    figure.legend(
        handles,
        labels,
        loc="outside lower left",
        ncols=min(4, max(1, len(labels))),
        frameon=False,
        fontsize=9,
        handlelength=3.2,
    )
