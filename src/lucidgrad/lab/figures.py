"""The figures of the report: which of the pictures, of which of the results, and what to say under each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lucidgrad.errors import counted
from lucidgrad.lab.evidence import Evidence, Network
from lucidgrad.lab.experiment import Experiment
from lucidgrad.lab.plan import DEPTH_ACTIVATIONS
from lucidgrad.metrics import confusion_matrix
from lucidgrad.plot import (
    Boundary,
    LineStyle,
    accuracy_curves,
    boundary_panels,
    depth_series,
    first_layer_weights,
    loss_curves,
    max_abs_weight,
    worst_mistakes,
)
from lucidgrad.plot import confusion_matrix as confusion_figure
from lucidgrad.plot.style import COLOURS, CYCLE, DASHES, MARKERS
from lucidgrad.training import predict_class, predict_proba

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Picture:
    """A figure of the report.

    Parameters
    ----------
    name
        Of its file, without ending.
    caption
        What can be seen in it.
    draw
        Gives the figure.
    section
        Where in the report it belongs: ``curves``, ``networks``, ``weights``, ``mistakes``, ``depth``, ``descent``.
    """

    name: str
    caption: str
    draw: Callable[[], Figure]
    section: str


def pictures(experiment: Experiment) -> Iterator[Picture]:
    """All figures that the results allow."""
    e = evidence(experiment)
    if e.networks:
        yield from _curves(e)
        if experiment.task.is_plane:
            yield from _planes(experiment)
        yield from _weights(experiment, e)
        yield from _mistakes(experiment)
    yield from _descent(e)
    yield from _depth(e)


def evidence(experiment: Experiment) -> Evidence:
    """The results of an experiment, grouped."""
    data = experiment.task.data
    train = len(data.x_train)
    judged = min(train, experiment.settings.train_samples or train)
    return Evidence(experiment.results, 0 if data.x_test is None else len(data.x_test), judged)


def styles(networks: list[Network]) -> dict[str, LineStyle]:
    """The colour tells the activation; dash and marker the number of layers."""
    activations = list(dict.fromkeys(n.activation for n in networks if n.activation))
    layers = sorted({n.layers for n in networks})
    look = {}
    for n in networks:
        place = layers.index(n.layers)
        colour = CYCLE[activations.index(n.activation) % len(CYCLE)] if n.activation else COLOURS["black"]
        look[n.label] = LineStyle(colour, (":", "-", "--", "-.")[place % 4], MARKERS[place % len(MARKERS)])
    return look


def _curves(e: Evidence) -> Iterator[Picture]:
    look = styles(e.networks)
    histories = {n.label: [r.history for r in n.results] for n in e.networks}
    seeds = max(len(n.results) for n in e.networks)
    band = f" The lines are means over {seeds} seeds, the bands a standard deviation." if seeds > 1 else ""
    judged = "Both are measured after each epoch with the weights as they are then; validation is on the test samples."
    yield Picture(
        "accuracy",
        f"Accuracy per epoch. {judged} The space between the two is what does not carry over.{band}",
        lambda: accuracy_curves(histories, styles=look, training="training_accuracy", title="Accuracy per epoch"),
        "curves",
    )
    yield Picture(
        "loss",
        f"Cross-entropy per epoch, on a logarithmic scale. Where the right side rises again, a network overfits.{band}",
        lambda: loss_curves(histories, styles=look, training="training_loss", title="Loss per epoch"),
        "curves",
    )


def _planes(experiment: Experiment) -> Iterator[Picture]:
    data = experiment.task.data

    def draw() -> Figure:
        finals = [final_boundary(experiment, i) for i in experiment.networks]
        title = "Decision boundaries after training"
        return boundary_panels(finals, data.x_train, data.y_train, names=data.class_names, title=title)

    yield Picture(
        "boundaries",
        "What each network makes of the plane. The shade is its probability for each class, the line is where the most "
        "probable class changes, the dots are the training samples; in the titles, accuracy on the test samples.",
        draw,
        "networks",
    )


def final_boundary(experiment: Experiment, i: int) -> Boundary:
    """The decision boundary of a trained network, with its accuracy in the title."""
    result = experiment.results[i]
    title = f"{result.trial.label}: {100 * result.test_accuracy:.1f} %"
    return Boundary.of(experiment.models[i], experiment.task.data.x_train, title=title)


def _weights(experiment: Experiment, e: Evidence) -> Iterator[Picture]:
    shown = {n.label: [r.history for r in n.results] for n in e.networks}
    starts = {n.label: n.first.start_max_abs_weight for n in e.networks}
    yield Picture(
        "max_weight",
        "The largest absolute weight of each layer, before training (epoch 0) and after each epoch.",
        lambda: max_abs_weight(shown, starts=starts, title="max|w| of each layer"),
        "weights",
    )
    if not experiment.task.has_images:
        return
    for layers in e.depths[:2]:
        network = e.best_of_depth(layers)
        yield Picture(
            f"first_layer_{layers}", _first_layer_caption(layers), _first_layer(experiment, network), "weights"
        )


def _first_layer_caption(layers: int) -> str:
    if layers == 1:
        return (
            "The weights of the network of one layer, an image for each class: blue where ink speaks for the class, "
            "red where it speaks against it."
        )
    return (
        "What the hidden units of the first layer look for: ink on blue switches a unit on, ink on red off. The units "
        "with the largest weights, with their numbers."
    )


def _first_layer(experiment: Experiment, network: Network) -> Callable[[], Figure]:
    data = experiment.task.data
    model = experiment.models[experiment.results.index(network.first)]
    assert data.image_shape is not None  # only called for tasks with images
    shape = data.image_shape

    def draw() -> Figure:
        weight = next(iter(model.parameters().values())).numpy()
        names = data.class_names if network.layers == 1 else ()
        return first_layer_weights(weight, shape, names=names, title=f"First layer of {network.name}")

    return draw


def _mistakes(experiment: Experiment) -> Iterator[Picture]:
    data, result = experiment.task.data, experiment.results[experiment.best]
    model = experiment.models[experiment.best]
    x, y, names = data.x_test, data.y_test, data.class_names
    assert x is not None  # every task has a test part
    assert y is not None

    def confusion() -> Figure:
        counts = confusion_matrix(predict_class(model, x), y, classes=len(names))
        return confusion_figure(counts, names=names, title=f"Confusion matrix of {result.name}")

    yield Picture(
        "confusion",
        f"Which class is taken for which, counted over the {len(y):,} test samples by the network that is right most "
        f"often, {result.name}.",
        confusion,
        "mistakes",
    )
    if data.image_shape is None:
        return
    shape = data.image_shape
    yield Picture(
        "worst_mistakes",
        f"The test samples to whose true class {result.name} gives the least probability.",
        lambda: worst_mistakes(
            x, y, predict_proba(model, x), shape, names=names, title=f"The worst mistakes of {result.name}"
        ),
        "mistakes",
    )


def _descent(e: Evidence) -> Iterator[Picture]:
    runs = e.of("descent")
    if not runs:
        return
    histories = {f"{r.trial.label}, eta = {r.trial.learning_rate:g}": r.history for r in runs}
    yield Picture(
        "descent",
        f"Plain gradient descent with {runs[0].name}: accuracy per epoch, an epoch being one look at every sample.",
        lambda: accuracy_curves(histories, training="training_accuracy", title="Whole set or minibatches"),
        "descent",
    )


def _depth(e: Evidence) -> Iterator[Picture]:
    series = [r for r in e.of("depth") if r.trial.optimizer == "sgd"]
    depths = sorted({len(r.trial.widths) for r in series})
    by_activation = {
        a: sorted((r for r in series if r.trial.activation == a), key=lambda r: len(r.sizes)) for a in DEPTH_ACTIVATIONS
    }
    complete = {a: rs for a, rs in by_activation.items() if len(rs) == len(depths) > 1}
    if not complete:
        return
    gradients = {a: [next(iter(r.gradient_norms[0].values())) for r in rs] for a, rs in complete.items()}
    accuracies = {a: [r.test_accuracy for r in rs] for a, rs in complete.items()}
    look = {a: replace(LineStyle(CYCLE[i]), dash=DASHES[i], marker=MARKERS[i]) for i, a in enumerate(complete)}
    yield Picture(
        "depth",
        "How much gradient reaches the first layer of ever deeper networks before training (left, logarithmic), and "
        "how far "
        f"{counted(series[0].trial.epochs, 'epoch')} of plain gradient descent brought them (right).",
        lambda: depth_series(depths, gradients, accuracies, styles=look, title="What becomes of the gradient"),
        "depth",
    )
