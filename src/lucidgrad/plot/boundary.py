"""The decision boundary of a classifier of two features: which class it gives to every point of the plane."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from lucidgrad.errors import ArgumentError, ShapeError, explain
from lucidgrad.nn import Module
from lucidgrad.plot.language import word
from lucidgrad.plot.style import COLOURS, INK, MARKERS, dress, grid_columns, heading, new_figure
from lucidgrad.training import predict_proba

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
CLASS_COLOURS = tuple(COLOURS[n] for n in ("blue", "vermilion", "green", "purple", "orange", "sky", "yellow", "black"))


@dataclass(frozen=True, eq=False)
class Boundary:
    """Class probabilities on a grid of points over the plane: all that is needed to draw a decision boundary.

    Parameters
    ----------
    extent
        (left, right, bottom, top) in units of the features.
    probabilities : (rows, columns, classes)
        From the bottom row up.
    title
        Of the panel.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> from lucidgrad.plot import Boundary
    >>> x, y = lg.data.xor(40)
    >>> Boundary.of(lg.nn.Linear(2, 2), x, points=30).probabilities.shape
    (30, 30, 2)
    """

    extent: tuple[float, float, float, float]
    probabilities: Array
    title: str = ""

    @classmethod
    def of(cls, model: Module, x: ArrayLike, *, points: int = 160, title: str = "") -> Boundary:
        """Ask the model about a grid over the range of the samples, with a margin.

        Parameters
        ----------
        model
            Gives logits (batch, classes), or one logit (batch, 1) for two classes.
        x
            The samples, (n, 2).
        points
            Of the grid along each axis.
        title
            Of the panel.
        """
        samples = _two_features(x)
        low, high = samples.min(axis=0), samples.max(axis=0)
        margin = 0.12 * np.maximum(high - low, 1e-6)
        (left, bottom), (right, top) = (low - margin).tolist(), (high + margin).tolist()
        across, up = np.meshgrid(np.linspace(left, right, points), np.linspace(bottom, top, points))
        grid = np.stack([across.ravel(), up.ravel()], axis=1).astype(samples.dtype)
        return cls((left, right, bottom, top), predict_proba(model, grid).reshape(points, points, -1), title)


def decision_boundary(
    model: Module, x: ArrayLike, y: ArrayLike, *, names: Sequence[str] = (), title: str = "", points: int = 200
) -> Figure:
    """Where the model draws the line: shades for its probabilities, a line where the most probable class changes.

    Parameters
    ----------
    model
        Gives logits (batch, classes), or one logit (batch, 1) for two classes.
    x : (n, 2)
        Samples to draw.
    y : (n,)
        Their classes; up to 8.
    names
        A name for each class; by default its number.
    title
        Over the figure.
    points
        Of the grid along each axis.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        When x has not two columns, or y not as many rows.
    ArgumentError
        When there are more than 8 classes.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> from lucidgrad.plot import decision_boundary
    >>> x, y = lg.data.xor(40)
    >>> figure = decision_boundary(lg.nn.Linear(2, 2), x, y, points=30)
    >>> figure.axes[0].get_xlabel()
    'feature 1'
    """
    return boundary_panels([Boundary.of(model, x, points=points)], x, y, names=names, title=title)


def boundary_panels(
    boundaries: Sequence[Boundary], x: ArrayLike, y: ArrayLike, *, names: Sequence[str] = (), title: str = ""
) -> Figure:
    """Several decision boundaries side by side, with the same samples in each: how networks differ, or one changes.

    Parameters
    ----------
    boundaries
        At least one, a panel each.
    x
        Samples to draw, (n, 2).
    y
        Their classes, (n,); up to 8.
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
        When x and y do not fit together.
    ArgumentError
        When there is no boundary, or there are more than 8 classes.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> from lucidgrad.plot import Boundary, boundary_panels
    >>> x, y = lg.data.xor(40)
    >>> start, end = (Boundary.of(lg.nn.Linear(2, 2), x, points=30, title=title) for title in ("before", "after"))
    >>> [axes.get_title(loc="left") for axes in boundary_panels([start, end], x, y).axes]
    ['before', 'after']
    """
    samples, labels = _two_features(x), np.asarray(y)
    if labels.shape != (len(samples),):
        raise ShapeError(
            explain(f"y expected a class for each of {len(samples)} samples", f"{labels.shape}", "Pair x with y")
        )
    if not boundaries:
        raise ArgumentError(explain("boundary_panels expected at least one boundary", "none", "Use Boundary.of"))
    classes = max(int(labels.max()) + 1, boundaries[0].probabilities.shape[-1])
    if classes > len(CLASS_COLOURS):
        raise ArgumentError(
            explain(f"decision boundaries expected at most {len(CLASS_COLOURS)} classes", f"{classes}", "Draw fewer")
        )
    return BoundaryPanels(boundaries, samples, labels, names, title).figure


class BoundaryPanels:
    """Decision boundaries on a figure, where ``show`` puts others in their place: a frame of an animation."""

    def __init__(
        self,
        boundaries: Sequence[Boundary],
        x: Array,
        y: Array,
        names: Sequence[str] = (),
        title: str = "",
        shades: int = 255,
    ) -> None:
        self.shades = shades
        columns = grid_columns(len(boundaries))
        rows = math.ceil(len(boundaries) / columns)
        side = {1: 4.6, 4: 2.7}.get(columns, 3.1)
        self.figure = new_figure(width=side * columns + 0.3, height=side * rows + (0.85 if title else 0.6))
        self.panels = self.figure.subplots(rows, columns, squeeze=False).ravel()[: len(boundaries)]
        for axes in self.figure.axes[len(boundaries) :]:
            axes.set_visible(False)
        self.lines: list[Any] = []
        self.images = []
        for i, axes in enumerate(self.panels):
            dress(axes, x="feature 1", y="feature 2" if i % columns == 0 else "", grid=False)
            self.images.append(_draw_plane(axes, boundaries[i], shades))
            _draw_samples(axes, x, y, names)
        handles, texts = self.panels[0].get_legend_handles_labels()
        self.figure.legend(handles, texts, loc="outside lower left", ncols=4, frameon=False, fontsize=9)
        self.show(boundaries, title)

    def show(self, boundaries: Sequence[Boundary], title: str = "") -> None:
        """Draw these boundaries, as many as there are panels, instead of those that were there."""
        for line in self.lines:
            line.remove()
        self.lines.clear()
        for axes, image, boundary in zip(self.panels, self.images, boundaries, strict=True):
            size = 9.5 if len(self.panels) > 3 else 11  # four in a row are narrow
            axes.set_title(boundary.title, fontsize=size, color=INK, loc="left", fontweight="bold")
            image.set_data(_mixed_colours(boundary.probabilities, self.shades))
            self.lines += _draw_lines(axes, boundary)
        heading(self.figure, title)


def _draw_plane(axes: Axes, boundary: Boundary, shades: int) -> Any:
    left, right, bottom, top = boundary.extent
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    colours = _mixed_colours(boundary.probabilities, shades)
    return axes.imshow(colours, extent=boundary.extent, origin="lower", interpolation="bilinear", aspect="equal")


def _mixed_colours(p: Array, shades: int) -> Array:
    """The colours of the classes mixed by their probabilities p (rows, columns, classes): (rows, columns, 3)."""
    from matplotlib.colors import to_rgb

    colours = np.array([to_rgb(CLASS_COLOURS[c]) for c in range(p.shape[-1])])
    mixed = 1 - 0.55 * (1 - np.round(p * shades) / shades @ colours)  # half way to white: the samples stand out
    colour: Array = np.clip(np.nan_to_num(mixed, nan=0.8), 0, 1)
    return colour


def _draw_lines(axes: Axes, boundary: Boundary) -> list[Any]:
    """A line around each region where one class is the most probable."""
    p = boundary.probabilities
    left, right, bottom, top = boundary.extent
    x, y = np.linspace(left, right, p.shape[1]), np.linspace(bottom, top, p.shape[0])
    lines = []
    for c in range(p.shape[-1] if p.shape[-1] > 2 else 1):
        margin = p[..., c] - np.delete(p, c, axis=-1).max(axis=-1)
        if margin.min() < 0 < margin.max():
            lines.append(axes.contour(x, y, margin, levels=[0.0], colors=INK, linewidths=1.3))
    return lines


def _draw_samples(axes: Axes, x: Array, y: Array, names: Sequence[str]) -> None:
    """Dots whose colour and shape tell the class."""
    for c in np.unique(y).astype(int):
        chosen = x[y == c]
        axes.scatter(
            chosen[:, 0],
            chosen[:, 1],
            s=17,
            color=CLASS_COLOURS[c],
            marker=MARKERS[c],
            edgecolors="white",
            linewidths=0.5,
            label=names[c] if len(names) else word("class {number}", number=c),
            zorder=3,
        )


def _two_features(x: ArrayLike) -> Array:
    samples = np.asarray(x)
    if samples.ndim != 2 or samples.shape[1] != 2 or not len(samples):
        raise ShapeError(
            explain(
                "a decision boundary expected samples of two features, shape (n, 2)",
                f"{samples.shape}",
                "Choose two columns",
            )
        )
    return samples
