from __future__ import annotations

import numpy as np
import pytest

from lucidgrad.errors import ArgumentError
from lucidgrad.plot import LineStyle, accuracy_curves, depth_series, loss_curves, max_abs_weight
from lucidgrad.plot.style import line_style
from lucidgrad.training import History


def labels(axes):
    return [line.get_label() for line in axes.lines]


def test_a_loss_figure_has_a_line_for_each_label_in_a_panel_for_training_and_one_for_validation(make_history):
    figure = loss_curves({"relu": make_history(5), "tanh": make_history(7)}, title="Loss per epoch")
    training, validation = figure.axes
    assert labels(training) == labels(validation) == ["relu", "tanh"]
    assert training.lines[0].get_ydata() == pytest.approx([2.0 / e for e in range(1, 6)])
    assert validation.lines[1].get_ydata() == pytest.approx([2.5 / e for e in range(1, 8)])
    assert training.lines[1].get_xdata() == pytest.approx(range(1, 8))
    assert training.get_yscale() == "log"
    assert training.get_ylabel() == "loss (nats)"
    assert training.get_xlabel() == "epoch"
    assert figure.get_suptitle() == "Loss per epoch"


def test_histories_without_validation_get_a_single_panel():
    (axes,) = loss_curves({"a": History([{"epoch": 1, "loss": 1.0}])}).axes
    assert axes.get_title(loc="left") == "training"


def test_accuracy_is_drawn_in_percent_and_the_scale_shows_the_end_of_the_curves(make_history):
    training, validation = accuracy_curves({"a": make_history(20, start=0.1)}).axes
    assert training.lines[0].get_ydata()[-1] == pytest.approx(100 * (1 - 0.9 / 20))
    low, high = validation.get_ylim()
    assert 100 <= high < 110
    assert 50 < low < 75  # the first epochs, from 10 % up, come in from below


def test_several_seeds_are_drawn_as_their_mean_within_a_band(make_history):
    low, high = make_history(4, start=0.4), make_history(4, start=0.6)
    training, _ = accuracy_curves({"a": [low, high]}).axes
    mean = (np.array(low["accuracy"]) + np.array(high["accuracy"])) * 50
    assert training.lines[0].get_ydata() == pytest.approx(mean)
    (band,) = training.collections
    top = band.get_paths()[0].vertices[:, 1].max()
    assert top == pytest.approx(np.max(mean + np.std([low["accuracy"], high["accuracy"]], axis=0, ddof=1) * 100))


def test_a_seed_that_ended_early_counts_where_it_was(make_history):
    long, short = make_history(4, start=0.4), make_history(2, start=0.6)
    training, _ = accuracy_curves({"a": [long, short]}).axes
    assert len(training.lines[0].get_ydata()) == 4
    assert training.lines[0].get_ydata()[-1] == pytest.approx(100 * long["accuracy"][-1])


def test_a_curve_that_is_nowhere_finite_is_named_in_the_legend(make_history):
    diverged = History([{"epoch": 1, "loss": float("nan")}, {"epoch": 2, "loss": float("inf")}])
    (axes,) = loss_curves({"bad": diverged, "good": History([{"epoch": 1, "loss": 1.0}])}).axes
    assert labels(axes) == ["bad (not finite)", "good"]


def test_given_styles_are_used_and_the_others_get_one_of_their_own(make_history):
    styles = {"a": LineStyle("#123456", ":", "s")}
    training, _ = loss_curves({"a": make_history(2), "b": make_history(2)}, styles=styles).axes
    assert training.lines[0].get_color() == "#123456"
    assert training.lines[0].get_linestyle() == ":"
    assert training.lines[1].get_color() == line_style(1).colour


def test_the_first_32_lines_differ_in_colour_or_dash():
    assert len({(line_style(i).colour, line_style(i).dash) for i in range(32)}) == 32


@pytest.mark.parametrize("histories", [{}, {"a": History()}, {"a": []}])
def test_without_an_epoch_there_is_nothing_to_draw(histories):
    with pytest.raises(ArgumentError, match=r"at least one history with an epoch in it, got none\. Train for an epoch"):
        loss_curves(histories)


def test_a_column_that_nobody_measured_is_an_error():
    with pytest.raises(ArgumentError, match="the column accuracy or validation_accuracy, got neither"):
        accuracy_curves({"a": History([{"epoch": 1, "loss": 1.0}])})


def test_max_abs_weight_draws_a_line_for_each_layer_and_begins_at_the_start(make_history):
    figure = max_abs_weight({"net": make_history(3)}, starts={"net": {"0.weight": 0.05, "2.weight": 0.07}})
    (axes,) = figure.axes
    assert labels(axes) == ["layer 1 (0.weight)", "layer 2 (2.weight)"]
    assert axes.lines[0].get_xdata() == pytest.approx([0, 1, 2, 3])
    assert axes.lines[0].get_ydata() == pytest.approx([0.05, 0.1, 0.2, 0.3])
    assert axes.get_title(loc="left") == "net"
    assert axes.get_ylabel() == "max |w|"


def test_max_abs_weight_draws_biases_when_asked_to(make_history):
    (axes,) = max_abs_weight(make_history(2), biases=True).axes
    assert labels(axes) == ["0.weight", "0.bias", "2.weight"]
    assert axes.lines[0].get_xdata() == pytest.approx([1, 2])


def test_networks_get_a_panel_each(make_history):
    figure = max_abs_weight({f"net {i}": make_history(2) for i in range(4)})
    assert [axes.get_title(loc="left") for axes in figure.axes if axes.get_visible()] == [f"net {i}" for i in range(4)]


def test_a_depth_series_shows_gradients_and_accuracies_against_depth():
    gradients = {"relu": [1.0, 0.9], "sigmoid": [0.1, 0.01]}
    left, right = depth_series([1, 2], gradients, {"relu": [0.9, 0.95], "sigmoid": [0.8, 0.1]}).axes
    assert labels(left) == ["relu", "sigmoid"]
    assert left.get_yscale() == "log"
    assert left.lines[1].get_ydata() == pytest.approx([0.1, 0.01])
    assert right.lines[1].get_ydata() == pytest.approx([80, 10])
    assert right.get_xlabel() == "hidden layers"


def test_a_depth_series_needs_a_number_for_each_depth():
    with pytest.raises(ArgumentError, match="expected 2 gradients and accuracies of 'relu', got 2 and 1"):
        depth_series([1, 2], {"relu": [1, 1]}, {"relu": [0.9]})
