"""Regression of one feature: the samples, and the curves that models draw through them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from lucidgrad.errors import ShapeError, explain
from lucidgrad.nn import Module
from lucidgrad.plot.language import word
from lucidgrad.plot.style import INK, dress, heading, line_style, new_figure
from lucidgrad.training import predict

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def regression_curves(
    models: Module | Mapping[str, Module],
    x: ArrayLike,
    y: ArrayLike,
    *,
    title: str = "",
    x_label: str = "x",
    y_label: str = "y",
    points: int = 400,
) -> Figure:
    """The samples as dots and what the models predict as curves, a little beyond the samples on both sides.

    Parameters
    ----------
    models
        One model, or several by label: from (batch, 1) to (batch, 1).
    x : (n, 1) or (n,)
        The feature.
    y : (n, 1) or (n,)
        The targets.
    title
        Over the figure.
    x_label, y_label
        Names of the axes, with their units.
    points
        At which the curves are computed.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        When there is more than one feature or target, or a model has more than one output.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> from lucidgrad.plot import regression_curves
    >>> x, y = lg.data.sine(50)
    >>> figure = regression_curves({"a straight line": lg.nn.Linear(1, 1)}, x, y)
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['samples', 'a straight line']
    """
    samples, targets = np.asarray(x), np.asarray(y)
    if samples.size != len(samples) or targets.size != len(samples):
        raise ShapeError(
            explain(
                "regression_curves expected one feature and one target per sample",
                f"x {samples.shape} and y {targets.shape}",
                "Choose a column of each: x[:, :1], y[:, :1]",
            )
        )
    named = {"model": models} if isinstance(models, Module) else models
    margin = 0.05 * float(np.ptp(samples))
    line = np.linspace(samples.min() - margin, samples.max() + margin, points, dtype=samples.dtype)
    figure = new_figure(width=7.0, height=4.2)
    axes = dress(figure.subplots(), x=x_label, y=y_label)
    axes.plot(
        samples.ravel(), targets.ravel(), "o", color=INK, markersize=3.5, alpha=0.45, label=word("samples"), linewidth=0
    )
    for i, (label, model) in enumerate(named.items()):
        curve = predict(model, line[:, None])
        if curve.size != points:
            raise ShapeError(explain(f"{label} expected one output per sample", f"{curve.shape}", "Give it one output"))
        style = line_style(i)
        axes.plot(line, curve.ravel(), style.dash, color=style.colour, linewidth=2, label=label)
    axes.legend(frameon=False, fontsize=9)
    heading(figure, title)
    return figure
