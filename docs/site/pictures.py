"""The pictures in docs/images in both languages: ``python -m docs.site.pictures`` makes all, with names those alone.

The chart of the benchmarks comes from ``python -m benchmarks``.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

import lucidgrad as lg
from docs.site.sources import DOCS
from lucidgrad import plot
from lucidgrad.lab import Experiment, Trial, default_settings, load_task, run_lab
from lucidgrad.lab.figures import evidence, styles

IMAGES = DOCS / "images"
ENDINGS = {"en": "", "ko": "_ko"}
TITLES = {
    "boundaries": {"en": "Decision boundaries after training", "ko": "학습을 마친 뒤의 결정 경계"},
    "accuracies": {"en": "Accuracy per epoch", "ko": "에포크별 정확도"},
    "mistakes": {"en": "The worst mistakes", "ko": "가장 크게 틀린 숫자들"},
    "learning_rate": {"en": "A learning rate to begin with", "ko": "처음 써 볼 학습률"},
}


def graph(language: str) -> None:
    """The computational graphs of a two-layer and of a three-layer perceptron, as on the page on seeing."""
    lg.seed(0)
    x, y = lg.data.xor(4, seed=0)
    tanh, relu = lg.functional.tanh, lg.functional.relu
    model = lg.nn.Sequential(lg.nn.Linear(2, 2), tanh, lg.nn.Linear(2, 2))
    deeper = lg.nn.Sequential(lg.nn.Linear(2, 3), tanh, lg.nn.Linear(3, 3), relu, lg.nn.Linear(3, 2))
    whole = lg.draw(model, x, y, loss="cross_entropy", language=language)
    whole.save(IMAGES / f"graph{ENDINGS[language]}.svg")
    layers = lg.draw(deeper, x, y, loss="cross_entropy", language=language, direction="right", expand=False)
    layers.save(IMAGES / f"graph_right{ENDINGS[language]}.svg")


def step(language: str) -> None:
    """The page of a recorded step, as on the page on seeing, at the layer before the loss on the way back."""
    lg.seed(0)
    x, y = lg.data.xor(40, seed=0)
    model = lg.nn.Sequential(lg.nn.Linear(2, 3), lg.functional.tanh, lg.nn.Linear(3, 2))
    run = lg.fit(model, x, y, loss="cross_entropy", optimizer=lg.optim.Adam(0.05), epochs=3, batch_size=4)
    recording = lg.record(run, epoch=2, batch=5, language=language)
    at = [f.title["en"] for f in recording.frames].index("∇a, ∇W₂, ∇b₂ ← ∇z₂")
    with tempfile.TemporaryDirectory() as folder:
        recording.save(page := Path(folder) / "step.html")
        compress(photographed(page, ["-", "-", *["ArrowRight"] * at]), f"step{ENDINGS[language]}.png")


def photographed(page: Path, keys: list[str]) -> bytes:
    """A page in Chromium, after some keys were pressed, as PNG."""
    from playwright.sync_api import sync_playwright

    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        opened = browser.new_page(viewport={"width": 1280, "height": 880}, device_scale_factor=1.4)
        opened.goto(page.as_uri())
        for key in keys:
            opened.keyboard.press(key)
        made = opened.screenshot()
        browser.close()
    return made


def learning_rate(language: str) -> None:
    """The curve of the page on the doctor."""
    x, y = lg.data.moons(400, noise=0.1, seed=0)
    (x,) = lg.data.standardize(x)
    first, second = lg.Key(0).split(2)
    model = lg.nn.Sequential(lg.nn.Linear(2, 16, key=first), lg.functional.tanh, lg.nn.Linear(16, 2, key=second))
    search = lg.find_learning_rate(model, x, y, loss="cross_entropy", optimizer=lg.optim.SGD(0.1), batch_size=32)
    save(plot.learning_rate_curve(search, title=TITLES["learning_rate"][language]), "learning_rate", language)


def boundaries(language: str) -> None:
    """Decision boundaries on three spirals."""
    lab = experiment("spirals")
    data = lab.task.data
    finals = [
        plot.Boundary.of(
            lab.models[i], data.x_train, title=f"{words(r.trial, language)}: {100 * r.test_accuracy:.1f} %"
        )
        for i in lab.networks
        for r in [lab.results[i]]
    ]
    figure = plot.boundary_panels(finals, data.x_train, data.y_train, title=TITLES["boundaries"][language])
    save(figure, "spirals_boundaries", language)


def accuracies(language: str) -> None:
    """Accuracy per epoch on the embedded digits."""
    networks = evidence(experiment("digits")).networks
    look = styles(networks)
    names = {n.label: words(n.first.trial, language) for n in networks}
    figure = plot.accuracy_curves(
        {names[n.label]: [r.history for r in n.results] for n in networks},
        styles={names[label]: style for label, style in look.items()},
        training="training_accuracy",
        title=TITLES["accuracies"][language],
    )
    save(figure, "digits_accuracy", language)


def mistakes(language: str) -> None:
    """The worst mistakes on MNIST, where it is at hand."""
    if not Path(os.environ.get("LUCIDGRAD_DATA", "")).name:
        return
    lab = experiment("mnist")
    data, model = lab.task.data, lab.models[lab.best]
    x, y, shape = data.x_test, data.y_test, data.image_shape
    assert x is not None
    assert y is not None
    assert shape is not None
    figure = plot.worst_mistakes(x, y, lg.predict_proba(model, x), shape, title=TITLES["mistakes"][language])
    save(figure, "mnist_worst_mistakes", language)


PICTURES = {draw.__name__: draw for draw in (graph, step, learning_rate, boundaries, accuracies, mistakes)}


def words(trial: Trial, language: str) -> str:
    """What a network of the lab is called."""
    if language == "en":
        return trial.label
    activation = {"": "", "identity": ", 활성화 함수 없음"}.get(trial.activation, f", {trial.activation}")
    return f"{trial.layers}층{activation}"


def save(figure: Figure, name: str, language: str) -> None:
    """Write a figure."""
    compress(plot.png_bytes(figure), f"{name}{ENDINGS[language]}.png")


def compress(png: bytes, name: str) -> None:
    """Write a picture in 128 colours, a third of the bytes."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    image.quantize(128, dither=Image.Dither.NONE).save(IMAGES / name, optimize=True)


@cache
def experiment(task: str) -> Experiment:
    """The networks that the lab compares, without its series; MNIST with less of everything."""
    loaded = load_task(task)
    quick = task == "mnist"
    return run_lab(loaded, default_settings(loaded, quick=quick, depths=(), descent_epochs=0, full_batch_epochs=0))


@contextmanager
def labelled_in(language: str) -> Iterator[None]:
    """Label figures in a language."""
    plot.set_language(language)
    try:
        yield
    finally:
        plot.set_language("en")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(PICTURES)}; none: all of them")
    asked = parser.parse_args().names or list(PICTURES)
    if unknown := set(asked) - PICTURES.keys():
        parser.error(f"expected names of {', '.join(PICTURES)}, got {', '.join(sorted(unknown))}")
    for name in asked:
        for language in ENDINGS:
            with labelled_in(language):
                PICTURES[name](language)
