from __future__ import annotations

import math

import numpy as np
import pytest

from lucidgrad.errors import ArgumentError
from lucidgrad.lab import Settings, Task, default_settings, load_task, perceptron, plan
from lucidgrad.lab.network import optimizer_of
from lucidgrad.lab.settings import LEARNING_RATES, SCHEDULES


def test_every_network_is_planned_with_every_seed():
    trials = [t for t in plan(Settings(seed=3, seeds=2)) if t.group == "main"]
    assert len(trials) == 2 * (1 + 3 + 3)
    assert {t.seed for t in trials} == {3, 4}
    assert {t.label for t in trials} == {
        "1 layer",
        *(f"{n} layers, {a}" for n in (2, 3) for a in ("relu", "tanh", "sigmoid")),
    }


def test_one_network_without_an_activation_is_the_control():
    (control,) = [t for t in plan(Settings()) if t.group == "control"]
    assert (control.label, control.widths, control.activation) == ("2 layers, no activation", (128,), "identity")


@pytest.mark.parametrize("changes", [{"layers": (1,)}, {"activations": ("identity", "relu")}])
def test_there_is_no_control_where_it_would_be_planned_already_or_be_alone(changes):
    assert not [t for t in plan(Settings(**changes)) if t.group == "control"]


def test_the_two_kinds_of_descent_differ_in_the_batch_and_the_step():
    mini, whole = [t for t in plan(Settings(descent_epochs=4, full_batch_epochs=9)) if t.group == "descent"]
    assert (mini.optimizer, whole.optimizer) == ("sgd", "sgd")
    assert mini.widths == whole.widths
    assert (mini.batch_size, whole.batch_size) == (128, None)
    assert (mini.epochs, whole.epochs) == (4, 9)
    assert mini.label == "minibatches of 128"


def test_the_depth_series_ends_with_adam_on_the_deepest():
    depth = [t for t in plan(Settings(depths=(1, 3), depth_width=7)) if t.group == "depth"]
    assert [(t.widths, t.activation, t.optimizer) for t in depth] == [
        ((7,), "relu", "sgd"),
        ((7, 7, 7), "relu", "sgd"),
        ((7,), "sigmoid", "sgd"),
        ((7, 7, 7), "sigmoid", "sgd"),
        ((7, 7, 7), "sigmoid", "adam"),
    ]


def test_what_is_not_wanted_is_not_planned():
    assert {t.group for t in plan(Settings(depths=(), descent_epochs=0))} == {"main", "control"}


def test_weight_decay_is_for_adamw_and_dropout_for_hidden_units():
    trials = plan(Settings(optimizer="adam", dropout=0.2))
    assert {t.weight_decay for t in trials} == {0.0}
    assert {t.dropout for t in trials if t.group == "main" and t.layers == 1} == {0.0}
    assert {t.dropout for t in trials if t.group == "main" and t.layers > 1} == {0.2}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layers": ()}, "layers expected at least one value, got none"),
        ({"layers": (1, 0)}, "layers expected whole numbers of at least 1, got 0"),
        ({"widths": (0,)}, "widths expected whole numbers of at least 1"),
        ({"epochs": 0}, "epochs expected whole numbers of at least 1"),
        ({"seed": -1}, "seed expected whole numbers of at least 0, got -1"),
        ({"activations": ("relu", "foo")}, "activations expected some of identity, relu.*got foo"),
        ({"optimizer": "lbfgs"}, "optimizer expected some of sgd.*got lbfgs"),
        ({"schedule": "step_decay"}, "schedule expected some of constant, cosine, one_cycle, got step_decay"),
        ({"dtype": "float16"}, "dtype expected some of float32, float64, got float16"),
        ({"learning_rate": -1.0}, r"learning_rate expected a number in \[0, inf\), got -1.0"),
        ({"weight_decay": float("nan")}, "weight_decay expected a number in"),
        ({"dropout": 1.0}, r"dropout expected a number in \[0, 1\), got 1.0"),
    ],
)
def test_a_setting_without_meaning_is_an_error(change, message):
    with pytest.raises(ArgumentError, match=message):
        Settings(**change)


def test_the_defaults_suit_the_task():
    digits, spirals = default_settings(load_task("digits")), default_settings(load_task("spirals"))
    assert digits.dropout > 0
    assert spirals.dropout == 0
    assert digits.widths != spirals.widths
    assert default_settings(load_task("xor"), quick=True).epochs < spirals.epochs
    assert default_settings(load_task("digits"), optimizer="lion").learning_rate == LEARNING_RATES["lion"]
    assert default_settings(load_task("digits"), optimizer="lion", learning_rate=0.5).learning_rate == 0.5


def test_a_perceptron_has_an_activation_between_its_layers_and_dropout_behind_it():
    model = perceptron([4, 6, 5, 3], "tanh", dropout=0.25, dtype="float64", seed=1)
    assert [getattr(layer, "__name__", type(layer).__name__) for layer in model] == [
        *("Linear", "tanh", "Dropout") * 2,
        "Linear",
    ]
    assert {p.dtype for p in model.parameters().values()} == {np.dtype("float64")}


def test_a_seed_means_one_start_whatever_was_drawn_before():
    first, again, other = (perceptron([4, 6, 3], "relu", seed=s).state()["0.weight"] for s in (5, 5, 6))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("activation", "bound"),
    [("relu", math.sqrt(6 / 400)), ("tanh", math.sqrt(6 / 600)), ("identity", math.sqrt(6 / 600))],
)
def test_weights_start_as_the_activation_wants_them(activation, bound):
    weight = perceptron([400, 200, 10], activation).state()["0.weight"]
    assert 0.98 * bound < np.abs(weight).max() <= bound


def test_selu_starts_with_normal_weights_of_variance_one_over_fan_in():
    assert perceptron([400, 200, 10], "selu").state()["0.weight"].std() == pytest.approx(1 / 20, rel=0.05)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("optimizer", LEARNING_RATES)
def test_every_optimizer_and_schedule_can_be_asked_for(optimizer, schedule):
    trial = plan(Settings(optimizer=optimizer, schedule=schedule, learning_rate=0.25, epochs=2, batch_size=30))[0]
    made = optimizer_of(trial, 100)
    rates = [made.learning_rate_at(step) for step in range(8)]
    assert max(rates) <= 0.25
    assert (rates[-1] < 0.05) == (schedule != "constant")


def test_an_unknown_task_is_an_error():
    with pytest.raises(ArgumentError, match="task expected one of mnist, digits"):
        load_task("minst")


def test_the_default_task_without_mnist_is_the_digits_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("LUCIDGRAD_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    task = load_task(download=False)
    assert task.name == "digits"
    assert "MNIST was not found on this machine, and fetching it was forbidden" in task.notice
    assert "digits of 8 x 8 pixels" in task.notice


def test_the_reason_why_mnist_could_not_be_fetched_is_passed_on(monkeypatch):
    from lucidgrad import data
    from lucidgrad.errors import DownloadError, explain

    def unreachable(folder, *, download):
        raise DownloadError(explain("mnist() expected files", "nothing there, and no route to host", "Try again"))

    monkeypatch.setattr(data, "mnist", unreachable)
    assert "could not be fetched (nothing there, and no route to host)" in load_task().notice


def test_a_folder_that_is_named_has_to_hold_mnist(tmp_path):
    from lucidgrad.errors import DownloadError

    with pytest.raises(DownloadError, match="train-images"):
        load_task(None, tmp_path, download=False)


@pytest.mark.parametrize("name", ["spirals", "moons", "circles", "xor"])
def test_two_feature_tasks_are_tested_on_other_samples_of_the_same_kind(name):
    task = load_task(name)
    assert isinstance(task, Task)
    assert task.is_plane
    assert not task.has_images
    assert not np.array_equal(task.data.x_train, task.data.x_test)
    assert task.data.description.endswith(".")
