"""The curve behind a suggested learning rate: where the loss falls, where it is least, where it bursts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lucidgrad.plot.language import word
from lucidgrad.plot.style import COLOURS, INK, QUIET, dress, heading, new_figure
from lucidgrad.training import LearningRateSearch

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def learning_rate_curve(search: LearningRateSearch, *, title: str = "") -> Figure:
    """The loss against the learning rate, on a logarithmic scale, with the suggestion where there is one.

    Parameters
    ----------
    search
        What ``lucidgrad.find_learning_rate`` gives.
    title
        Over the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import lucidgrad as lg
    >>> from lucidgrad.plot import learning_rate_curve
    >>> x, y = lg.data.xor(100, seed=0)
    >>> search = lg.find_learning_rate(lg.nn.Linear(2, 2, key=lg.Key(0)), x, y, loss="cross_entropy", steps=20)
    >>> learning_rate_curve(search).axes[0].get_xlabel()
    'learning rate'
    """
    figure = new_figure(width=6.4, height=3.9)
    axes = dress(figure.subplots(), x="learning rate", y="loss before the step")
    axes.set_xscale("log")
    axes.plot(
        search.rates, search.losses, "o", color=QUIET, markersize=3, alpha=0.6, linewidth=0, label=word("measured")
    )
    axes.plot(search.rates, search.smoothed, color=COLOURS["blue"], linewidth=2, label=word("smoothed"))
    if search.suggestion is not None:
        least, suggestion = search.facts["least"], search.suggestion
        axes.axvline(least, color=INK, linestyle=":", linewidth=1.3, label=word("least: {rate:.2g}", rate=least))
        label = word("suggested: {rate:.2g}", rate=suggestion)
        axes.axvline(suggestion, color=COLOURS["vermilion"], linestyle="--", linewidth=1.8, label=label)
    axes.legend(frameon=False, fontsize=9)
    heading(figure, title)
    return figure
