"""Pictures look as they looked: compared with stored ones, of data that are written down here.

After a change that is wanted, look at the new pictures and store them:
``STORE_IMAGES=1 python -m pytest tests/plot/test_stored_images.py``.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad import plot
from lucidgrad.training import History
from lucidgrad.training.learning_rate import LearningRateSearch

STORED = Path(__file__).parent / "stored"
# Letters differ a little between versions of FreeType; a line that moved or a colour that changed differs by more.
TOLERANCE = 6.0

EPOCHS = range(1, 9)
HISTORY = History(
    [
        {
            "epoch": e,
            "loss": 2.0 / e,
            "validation_loss": 1.0 / e + 0.05 * e,
            "accuracy": 1 - 0.5 / e,
            "validation_accuracy": 0.9 - 0.4 / e,
            "max_abs_weight": {"0.weight": 0.2 * e, "2.weight": 0.5 + 0.05 * e},
            "weights": {"0.weight": {"5%": -0.3 * e, "25%": -0.1 * e, "50%": 0.02 * e, "75%": 0.1 * e, "95%": 0.3 * e}},
            "activations": {
                name: {q: e * f for q, f in zip(("5%", "25%", "50%", "75%", "95%"), spread, strict=True)}
                for name, spread in (("0 tanh", (-0.4, -0.1, 0, 0.1, 0.4)), ("2 relu", (0, 0, 0.05, 0.2, 0.5)))
            },
        }
        for e in EPOCHS
    ]
)


def slanted() -> lg.nn.Linear:
    model = lg.nn.Linear(2, 2)
    model.load_state({"weight": np.array([[0, 3], [3, 1]], np.float32), "bias": np.array([0, 0.3], np.float32)})
    return model


def line() -> lg.nn.Linear:
    model = lg.nn.Linear(1, 1)
    model.load_state({"weight": np.array([[0.7]], np.float32), "bias": np.array([0.2], np.float32)})
    return model


def search() -> LearningRateSearch:
    rates = np.geomspace(1e-5, 10, 40)
    losses = 2 - 1.5 / (1 + (0.02 / rates)) + rates**2 / 20
    facts = {"least": 0.7, "kind": "fell"}
    return LearningRateSearch(rates, losses + 0.02 * np.sin(9 * np.arange(40)), losses, 0.175, facts)


def moving() -> list[plot.Boundary]:
    """The boundary of a model whose weights change."""
    model, found = slanted(), []
    for turn in (-3.0, 0.0, 3.0):
        model.load_state({"weight": np.array([[0, 3], [3, turn]], np.float32), "bias": np.array([0, 0.3], np.float32)})
        found.append(plot.Boundary.of(model, X, points=40, title=f"{turn:g}"))
    return found


X = np.stack([np.cos(np.arange(24)), np.sin(2.0 * np.arange(24))], axis=1).astype(np.float32)
Y = (X[:, 0] > X[:, 1]).astype(int)
SURE = np.linspace(0.5, 1, 60)
PICTURES = {
    "loss_curves": lambda: plot.loss_curves(HISTORY),
    "accuracy_curves": lambda: plot.accuracy_curves({"a": HISTORY, "b": [HISTORY, History(HISTORY.rows[:4])]}),
    "max_abs_weight": lambda: plot.max_abs_weight(HISTORY),
    "weights_over_epochs": lambda: plot.weights_over_epochs(HISTORY),
    "first_layer_weights": lambda: plot.first_layer_weights(np.sin(np.arange(72.0)).reshape(8, 9), (3, 3)),
    "depth_series": lambda: plot.depth_series([1, 2, 3], {"relu": [1, 0.9, 0.8]}, {"relu": [0.9, 0.8, 0.7]}),
    "activations_over_epochs": lambda: plot.activations_over_epochs(HISTORY),
    "learning_rate_curve": lambda: plot.learning_rate_curve(search()),
    "decision_boundary": lambda: plot.decision_boundary(slanted(), X, Y, points=60),
    "boundary_panels": lambda: plot.boundary_panels(moving(), X, Y),
    "regression_curves": lambda: plot.regression_curves({"line": line()}, X[:, 0], X[:, 0] ** 2),
    "confusion_matrix": lambda: plot.confusion_matrix([[50, 3, 0], [4, 40, 2], [0, 1, 60]]),
    "calibration": lambda: plot.calibration((np.arange(60) % 4 == 0), np.stack([SURE, 1 - SURE], axis=1)),
    "images": lambda: plot.images(np.eye(9), (3, 3), titles=[f"{i}" for i in range(9)]),
    "lines": lambda: plot.lines(
        np.arange(-3, 4), {"x": np.arange(-3, 4), "|x|": np.abs(np.arange(-3, 4))}, y_label="y"
    ),
    "bars": lambda: plot.bars(["a", "b"], {"1": [1, 2.5], "2": [2, 1.5]}, y_label="loss"),
    "worst_mistakes": lambda: plot.worst_mistakes(np.eye(4), [0, 1, 0, 1], [[0.2, 0.8]] * 2 + [[0.3, 0.7]] * 2, (2, 2)),
}


def pixels(figure) -> np.ndarray:
    from PIL import Image

    with Image.open(io.BytesIO(plot.png_bytes(figure, pixels_per_inch=50))) as image:
        return np.asarray(image.convert("RGB"), np.float64)


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_looks_as_the_stored_one(name: str, language: str):
    from PIL import Image

    plot.set_language(language)
    try:
        drawn = pixels(PICTURES[name]())
    finally:
        plot.set_language("en")
    path = STORED / f"{name}_{language}.png"
    if os.environ.get("STORE_IMAGES"):
        STORED.mkdir(exist_ok=True)
        Image.fromarray(drawn.astype(np.uint8)).save(path, optimize=True)
    with Image.open(path) as image:
        stored = np.asarray(image.convert("RGB"), np.float64)
    assert drawn.shape == stored.shape
    assert np.sqrt(((drawn - stored) ** 2).mean()) < TOLERANCE


def test_a_picture_of_other_data_is_told_apart_from_the_stored_one():
    from PIL import Image

    with Image.open(STORED / "regression_curves_en.png") as image:
        stored = np.asarray(image.convert("RGB"), np.float64)
    model = line()
    model.load_state({"weight": np.array([[-0.7]], np.float32), "bias": np.array([0.2], np.float32)})
    drawn = pixels(plot.regression_curves({"line": model}, X[:, 0], X[:, 0] ** 2))
    assert drawn.shape != stored.shape or np.sqrt(((drawn - stored) ** 2).mean()) > TOLERANCE
