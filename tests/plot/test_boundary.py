from __future__ import annotations

import io

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.errors import ArgumentError, ShapeError
from lucidgrad.plot import Boundary, boundary_animation, boundary_panels, decision_boundary, regression_curves
from lucidgrad.plot.boundary import CLASS_COLOURS

X = np.array([[0.0, 1.0], [1.0, 0.0], [0.2, 0.9], [0.8, 0.1]], np.float32)
Y = np.array([0, 1, 0, 1])


def contours(axes):
    from matplotlib.contour import ContourSet

    return [child for child in axes.get_children() if isinstance(child, ContourSet)]


def test_a_boundary_asks_the_model_about_a_grid_a_little_wider_than_the_samples(linear_model):
    boundary = Boundary.of(linear_model, X, points=21)
    assert boundary.extent == pytest.approx((-0.12, 1.12, -0.12, 1.12))
    assert boundary.probabilities.shape == (21, 21, 2)
    assert boundary.probabilities[0, -1, 1] > 0.99  # bottom right: feature 1 is larger
    assert boundary.probabilities[-1, 0, 0] > 0.99
    assert boundary.probabilities.sum(axis=-1) == pytest.approx(np.ones((21, 21)))


def test_the_line_is_drawn_where_the_most_probable_class_changes(linear_model):
    (axes,) = decision_boundary(linear_model, X, Y, names=("left", "right"), points=41).axes
    (line,) = contours(axes)
    vertices = np.concatenate([path.vertices for path in line.get_paths()])
    assert vertices[:, 0] == pytest.approx(vertices[:, 1], abs=1e-4)
    assert [text.get_text() for text in axes.figure.legends[0].get_texts()] == ["left", "right"]


def test_the_shade_of_a_point_is_nearer_to_the_colour_of_its_class(linear_model):
    from matplotlib.colors import to_rgb

    (axes,) = decision_boundary(linear_model, X, Y, points=41).axes
    corner = axes.images[0].get_array()[0, -1]  # class 1 for certain
    distances = [np.abs(corner - (0.45 + 0.55 * np.array(to_rgb(c)))).max() for c in CLASS_COLOURS[:2]]
    assert distances[1] < 0.02 < distances[0]


def test_several_classes_get_a_line_around_each():
    lg.seed(0)
    x, y = lg.data.blobs(60, centers=3)
    model = lg.nn.Linear(2, 3)
    lg.fit(model, x, y, loss="cross_entropy", optimizer=lg.optim.Adam(0.3), epochs=20, progress=False)
    (axes,) = decision_boundary(model, x, y, points=40).axes
    assert len(contours(axes)) == 3
    assert len(axes.collections) >= 3


def test_a_single_logit_is_two_classes():
    model = lg.nn.Linear(2, 1)
    assert Boundary.of(model, X, points=5).probabilities.shape == (5, 5, 2)


def test_a_model_without_a_boundary_in_sight_has_no_line(linear_model):
    linear_model.load_state({"weight": np.zeros((2, 2), np.float32), "bias": np.array([9, 0], np.float32)})
    (axes,) = decision_boundary(linear_model, X, Y, points=5).axes
    assert contours(axes) == []


def test_a_model_that_has_diverged_can_be_drawn(linear_model):
    linear_model.load_state({"weight": np.full((2, 2), np.nan, np.float32), "bias": np.zeros(2, np.float32)})
    figure = decision_boundary(linear_model, X, Y, points=5)
    figure.canvas.draw()


def test_panels_share_the_samples_and_have_titles_of_their_own(linear_model):
    boundaries = [Boundary.of(linear_model, X, points=9, title=f"epoch {i}") for i in range(4)]
    figure = boundary_panels(boundaries, X, Y, title="moving")
    visible = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in visible] == ["epoch 0", "epoch 1", "epoch 2", "epoch 3"]
    assert figure.get_suptitle() == "moving"


@pytest.mark.parametrize(
    ("x", "y", "error", "message"),
    [
        (np.zeros((3, 3)), [0, 0, 0], ShapeError, r"two features, shape \(n, 2\), got \(3, 3\)"),
        (X, [0, 1], ShapeError, r"a class for each of 4 samples, got \(2,\)"),
        (X, [0, 1, 2, 8], ArgumentError, "at most 8 classes, got 9"),
    ],
)
def test_what_cannot_be_drawn_in_the_plane_is_an_error(linear_model, x, y, error, message):
    with pytest.raises(error, match=message):
        boundary_panels([Boundary((0, 1, 0, 1), np.full((2, 2, 2), 0.5))], x, y)


def test_no_boundary_at_all_is_an_error():
    with pytest.raises(ArgumentError, match="at least one boundary"):
        boundary_panels([], X, Y)


def test_an_animation_has_a_frame_for_each_moment_and_holds_the_last(linear_model, tmp_path):
    from PIL import Image

    frames = []
    for shift in (0.0, 0.5, 1.0):
        linear_model.load_state(
            {"weight": np.array([[0, 4], [4, 0]], np.float32), "bias": np.array([shift, 0], np.float32)}
        )
        frames.append([Boundary.of(linear_model, X, points=15, title="a"), Boundary.of(linear_model, X, points=15)])
    target = tmp_path / "moving.gif"
    boundary_animation(frames, X, Y, target, titles=["epoch 0", "epoch 1", "epoch 2"], frames_per_second=10)
    with Image.open(io.BytesIO(target.read_bytes())) as gif:
        assert gif.n_frames == 3
        durations = []
        for i in range(3):
            gif.seek(i)
            gif.load()
            durations.append(gif.info["duration"])
        assert durations == [100, 100, 2000]
        assert gif.info["loop"] == 0
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(("titles", "speed"), [(["one", "too many"], 8), ((), 0)])
def test_an_animation_needs_frames_with_titles_and_a_speed(linear_model, tmp_path, titles, speed):
    frames = [[Boundary.of(linear_model, X, points=5)]]
    with pytest.raises(ArgumentError, match="expected frames, a title for each or none, and a positive speed"):
        boundary_animation(frames, X, Y, tmp_path / "a.gif", titles=titles, frames_per_second=speed)
    with pytest.raises(ArgumentError, match="got 0 frames"):
        boundary_animation([], X, Y, tmp_path / "a.gif")
    assert list(tmp_path.iterdir()) == []


def test_regression_curves_show_the_samples_and_what_each_model_makes_of_them():
    x = np.linspace(-1, 1, 9, dtype=np.float32)
    model = lg.nn.Linear(1, 1)
    model.load_state({"weight": np.array([[3]], np.float32), "bias": np.array([1], np.float32)})
    (axes,) = regression_curves({"line": model}, x, x**2, x_label="time (s)", y_label="way (m)").axes
    samples, curve = axes.lines
    assert samples.get_xdata() == pytest.approx(x)
    assert curve.get_ydata() == pytest.approx(3 * curve.get_xdata() + 1)
    assert curve.get_xdata()[0] == pytest.approx(-1.1)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("time (s)", "way (m)")
    (single,) = regression_curves(model, x[:, None], x[:, None]).axes
    assert single.lines[1].get_label() == "model"


def test_regression_curves_are_of_one_feature_and_one_target():
    with pytest.raises(ShapeError, match=r"x \(3, 2\) and y \(3,\)"):
        regression_curves(lg.nn.Linear(2, 1), np.zeros((3, 2)), np.zeros(3))
    with pytest.raises(ShapeError, match="wide expected one output per sample"):
        regression_curves({"wide": lg.nn.Linear(1, 2)}, np.arange(3.0), np.zeros(3))
