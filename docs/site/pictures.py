"""Pictures in docs/images, ``python -m docs.site.pictures``: graphs in both languages, and Korean twins of others."""

from __future__ import annotations

import io
import os
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

import lucidgrad as lg
from docs.site.sources import DOCS
from lucidgrad import plot
from lucidgrad.lab import Experiment, Trial, default_settings, load_task, run_lab
from lucidgrad.lab.figures import evidence, styles

IMAGES = DOCS / "images"


def words(trial: Trial) -> str:
    """What a network of the lab is called in Korean."""
    activation = {"": "", "identity": ", 활성화 함수 없음"}.get(trial.activation, f", {trial.activation}")
    return f"{trial.layers}층{activation}"


def boundaries() -> None:
    """Decision boundaries on three spirals."""
    lab = experiment("spirals")
    data = lab.task.data
    finals = [
        plot.Boundary.of(lab.models[i], data.x_train, title=f"{words(r.trial)}: {100 * r.test_accuracy:.1f} %")
        for i in lab.networks
        for r in [lab.results[i]]
    ]
    figure = plot.boundary_panels(finals, data.x_train, data.y_train, title="학습을 마친 뒤의 결정 경계")
    save(figure, "spirals_boundaries_ko.png")


def accuracies() -> None:
    """Accuracy per epoch on the embedded digits."""
    lab = experiment("digits")
    networks = evidence(lab).networks
    look = styles(networks)
    names = {n.label: words(n.first.trial) for n in networks}
    figure = plot.accuracy_curves(
        {names[n.label]: [r.history for r in n.results] for n in networks},
        styles={names[label]: style for label, style in look.items()},
        training="training_accuracy",
        title="에포크별 정확도",
    )
    save(figure, "digits_accuracy_ko.png")


def mistakes() -> None:
    """The worst mistakes on MNIST, where it is at hand."""
    lab = experiment("mnist", quick=True)
    data, model = lab.task.data, lab.models[lab.best]
    assert data.x_test is not None
    assert data.y_test is not None
    assert data.image_shape is not None
    figure = plot.worst_mistakes(
        data.x_test, data.y_test, lg.predict_proba(model, data.x_test), data.image_shape, title="가장 크게 틀린 숫자들"
    )
    save(figure, "mnist_worst_mistakes_ko.png")


def graph() -> None:
    """The computational graphs of a two-layer and of a three-layer perceptron, as on the page on seeing."""
    lg.seed(0)
    x, y = lg.data.xor(4, seed=0)
    tanh, relu = lg.functional.tanh, lg.functional.relu
    model = lg.nn.Sequential(lg.nn.Linear(2, 2), tanh, lg.nn.Linear(2, 2))
    deeper = lg.nn.Sequential(lg.nn.Linear(2, 3), tanh, lg.nn.Linear(3, 3), relu, lg.nn.Linear(3, 2))
    for language, ending in (("en", ""), ("ko", "_ko")):
        lg.draw(model, x, y, loss="cross_entropy", language=language).save(IMAGES / f"graph{ending}.svg")
        lg.draw(deeper, x, y, loss="cross_entropy", language=language, direction="right", expand=False).save(
            IMAGES / f"graph_right{ending}.svg"
        )


def learning_rate() -> None:
    """The curve of the page on the doctor."""
    x, y = lg.data.moons(400, noise=0.1, seed=0)
    (x,) = lg.data.standardize(x)
    first, second = lg.Key(0).split(2)
    model = lg.nn.Sequential(lg.nn.Linear(2, 16, key=first), lg.functional.tanh, lg.nn.Linear(16, 2, key=second))
    search = lg.find_learning_rate(model, x, y, loss="cross_entropy", optimizer=lg.optim.SGD(0.1), batch_size=32)
    figure = plot.learning_rate_curve(search, title="처음 써 볼 학습률")
    save(figure, "learning_rate_ko.png")


def save(figure: Figure, name: str) -> None:
    """Write a picture in 128 colours, a third of the bytes."""
    image = Image.open(io.BytesIO(plot.png_bytes(figure))).convert("RGB")
    image.quantize(128, dither=Image.Dither.NONE).save(IMAGES / name, optimize=True)


def experiment(task: str, *, quick: bool = False) -> Experiment:
    """The networks that the lab compares, without its series."""
    loaded = load_task(task)
    return run_lab(loaded, default_settings(loaded, quick=quick, depths=(), descent_epochs=0, full_batch_epochs=0))


if __name__ == "__main__":
    plot.set_language("ko")
    for draw in (graph, learning_rate, boundaries, accuracies):
        draw()
    if Path(os.environ.get("LUCIDGRAD_DATA", "")).name:
        mistakes()
