from __future__ import annotations

import base64

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.errors import ArgumentError, ShapeError
from lucidgrad.plot import (
    BoundaryRecorder,
    activations_over_epochs,
    boundary_animation,
    calibration,
    learning_rate_curve,
    loss_curves,
    weights_over_epochs,
)
from lucidgrad.training import History, LayerStatistics


@pytest.fixture
def run():
    x, y = lg.data.xor(60, seed=0)
    a, b, c = lg.Key(0).split(3)
    model = lg.nn.Sequential(
        lg.nn.Linear(2, 8, key=a),
        lg.functional.tanh,
        lg.nn.Linear(8, 8, key=b),
        lg.functional.relu,
        lg.nn.Linear(8, 2, key=c),
    )
    watching = LayerStatistics()
    return lg.fit(
        model, x, y, loss="cross_entropy", optimizer=lg.optim.SGD(0.5), epochs=3, callbacks=[watching], progress=False
    )


def test_weights_over_epochs_have_a_panel_for_each_layer_with_the_median_of_its_weights(run):
    figure = weights_over_epochs(run.history, title="weights")
    visible = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in visible] == ["0.weight", "2.weight", "4.weight"]
    (median,) = visible[0].lines
    assert median.get_xdata() == pytest.approx([1, 2, 3])
    assert median.get_ydata()[-1] == pytest.approx(np.median(run.parameters["0.weight"].numpy()), abs=1e-6)
    assert len(visible[0].collections) == 2  # bands


def test_activations_over_epochs_have_a_panel_for_each_nonlinearity(run):
    figure = activations_over_epochs(run.history)
    assert [axes.get_title(loc="left") for axes in figure.axes if axes.get_visible()] == ["0 tanh", "2 relu"]
    inputs, _, _ = run.samples.batch(np.arange(60))
    hidden = np.tanh(inputs.numpy() @ run.parameters["0.weight"].numpy().T + run.parameters["0.bias"].numpy())
    assert run.history.last["activations"]["0 tanh"]["95%"] == pytest.approx(np.quantile(hidden, 0.95), abs=1e-5)


@pytest.mark.parametrize("history", [History(), History([{"epoch": 1, "loss": 1.0}])])
def test_a_history_without_the_columns_is_an_error_that_names_the_callback(history):
    with pytest.raises(ArgumentError, match=r"Train with callbacks=\[LayerStatistics\(\)\]"):
        weights_over_epochs(history)


def test_the_callback_can_look_at_other_samples_and_keeps_the_start(run):
    x, y = lg.data.xor(60, seed=0)
    watching = LayerStatistics(np.zeros((4, 2), np.float32))
    model = lg.nn.Sequential(lg.nn.Linear(2, 8, key=lg.Key(0)), lg.functional.tanh, lg.nn.Linear(8, 2, key=lg.Key(1)))
    lg.fit(model, x, y, loss="cross_entropy", optimizer=lg.optim.SGD(0.5), epochs=1, callbacks=[watching])
    assert watching.start["activations"]["0 tanh"] == dict.fromkeys(("5%", "25%", "50%", "75%", "95%"), 0.0)


def test_calibration_measures_how_far_certainty_is_from_being_right():
    p = np.array([[0.75, 0.25]] * 8)
    perfect = calibration([0] * 6 + [1] * 2, p)
    assert perfect.axes[0].get_title(loc="left") == "expected calibration error 0.000"
    too_sure = calibration([0] * 2 + [1] * 6, p)
    assert too_sure.axes[0].get_title(loc="left") == "expected calibration error 0.500"
    line = too_sure.axes[0].lines[1]
    assert (line.get_xdata(), line.get_ydata()) == (pytest.approx([0.75]), pytest.approx([0.25]))
    assert sum(bar.get_height() for bar in too_sure.axes[1].patches) == 8


@pytest.mark.parametrize(
    ("true", "p", "bins", "error", "message"),
    [
        ([0, 1], [[0.5, 0.5]], 10, ShapeError, r"got \(2,\) and \(1, 2\)"),
        ([0], [[3.0, -1.0]], 10, ArgumentError, "Use predict_proba"),
        ([0], [[0.5, 0.5]], 1, ArgumentError, "at least 2 bins"),
    ],
)
def test_calibration_wants_probabilities_of_the_same_samples(true, p, bins, error, message):
    with pytest.raises(error, match=message):
        calibration(true, p, bins=bins)


def test_a_learning_rate_curve_marks_the_suggestion_and_does_without_one():
    x, y = lg.data.moons(100, seed=0)
    model = lg.nn.Linear(2, 2, key=lg.Key(0))
    search = lg.find_learning_rate(model, x, y, loss="cross_entropy", steps=40)
    (axes,) = learning_rate_curve(search).axes
    assert [line.get_label() for line in axes.lines][-1] == f"suggested: {search.suggestion:.2g}"
    assert axes.lines[-1].get_xdata() == pytest.approx([search.suggestion] * 2)
    none = lg.find_learning_rate(model, x * np.float32(np.nan), y, loss="cross_entropy")
    figure = learning_rate_curve(none)
    assert [line.get_label() for line in figure.axes[0].lines] == ["measured", "smoothed"]
    figure.canvas.draw()


def test_recorded_boundaries_become_an_animation(tmp_path):
    x, y = lg.data.moons(60, seed=0)
    recorder = BoundaryRecorder(x, moments=4, points=12)
    options = {"loss": "cross_entropy", "optimizer": lg.optim.SGD(0.5), "epochs": 9, "progress": False}
    lg.fit(lg.nn.Linear(2, 2), x, y, callbacks=[recorder], **options)
    assert recorder.titles == ["epoch 0", "epoch 1", "epoch 4", "epoch 9"]
    last = boundary_animation(recorder.frames, x, y, tmp_path / "moving.gif", titles=recorder.titles)
    assert (tmp_path / "moving.gif").read_bytes().startswith(b"GIF89a")
    assert last.get_suptitle() == "epoch 9"
    assert base64.b64encode((tmp_path / "moving.gif").read_bytes()).decode() in last._repr_html_()
    shown = boundary_animation(recorder.frames[:2], x, y)  # in a notebook, without a file
    assert "data:image/gif;base64," in shown._repr_html_()
    assert loss_curves(History([{"epoch": 1, "loss": 1.0}]))._repr_html_() is None  # what does not move is a PNG
    with pytest.raises(ArgumentError, match="at least 2 moments"):
        BoundaryRecorder(x, moments=1)
