from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from lucidgrad.lab import Settings, default_settings, load_task, run_lab
from lucidgrad.lab.figures import evidence
from lucidgrad.lab.progress import LabProgress, NoProgress
from lucidgrad.training import evaluate

TINY = {"widths": (8,), "activations": ("tanh",), "epochs": 3, "batch_size": 40, "depths": (), "descent_epochs": 0}


@pytest.fixture(scope="module")
def tiny(small_digits):
    """1 and 2 layers, the control, and all the extras, with 2 seeds: trained once for this file."""
    settings = Settings(
        layers=(1, 2),
        widths=(8,),
        activations=("tanh",),
        epochs=3,
        batch_size=40,
        seeds=2,
        descent_epochs=2,
        full_batch_epochs=4,
        depths=(1, 2),
        depth_width=6,
        depth_epochs=2,
    )
    return run_lab(small_digits, settings)


def test_every_planned_trial_has_its_result(tiny):
    assert len(tiny.results) == len(tiny.models) == tiny.planned == 2 * 2 + 1 + 2 + 5
    assert [r.status for r in tiny.results] == ["done"] * tiny.planned
    assert not tiny.interrupted
    assert [r.name for r in tiny.results[:5]] == ["64-10", "64-10", "64-8-10 tanh", "64-8-10 tanh", "64-8-10"]


def test_what_was_measured_is_what_the_model_gives(tiny):
    data = tiny.task.data
    for result, model in zip(tiny.results[:4], tiny.models, strict=False):
        test = evaluate(model, data.x_test, data.y_test, loss="cross_entropy", metrics=["accuracy"])
        train = evaluate(model, data.x_train, data.y_train, metrics=["accuracy"])
        assert (result.test_accuracy, result.test_loss) == (test["accuracy"], test["loss"])
        assert result.train_accuracy == train["accuracy"]
        assert len(result.mistakes) == round((1 - test["accuracy"]) * len(data.y_test))
        last = result.history.last
        assert last["validation_accuracy"] == test["accuracy"]
        assert last["training_accuracy"] == train["accuracy"]
        assert result.gap == train["accuracy"] - test["accuracy"]
        for path, weight in model.parameters().items():
            assert last["max_abs_weight"][path] == pytest.approx(np.abs(weight.numpy()).max())


def test_gradients_are_measured_before_training_and_after_each_epoch(tiny):
    for result in tiny.results:
        assert len(result.gradient_norms) == 1 + len(result.history)
        assert all(len(norms) == len(result.sizes) - 1 for norms in result.gradient_norms)
        assert all(norm > 0 for norms in result.gradient_norms for norm in norms.values())


def test_gradient_norms_are_those_of_the_formula(small_digits):
    """For one layer at the start dL/dw = (softmax(x w) - y)^T x / n."""
    from lucidgrad.lab import perceptron
    from lucidgrad.lab.observer import gradient_norms

    model, data = perceptron([64, 10], dtype="float64"), small_digits.data
    x = data.x_train.astype(np.float64)
    z = x @ model.state()["0.weight"].T
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    expected = np.linalg.norm((p - np.eye(10)[data.y_train]).T @ x / len(x))
    assert gradient_norms(model, data) == pytest.approx({"0.weight": expected}, rel=1e-6)


def test_the_same_seed_gives_the_same_numbers_and_another_one_others(tiny, small_digits):
    again = run_lab(small_digits, tiny.settings)
    for first, second in zip(tiny.results, again.results, strict=True):
        assert first.test_loss == second.test_loss
        assert first.gradient_norms == second.gradient_norms
    assert tiny.results[2].test_loss != tiny.results[3].test_loss


def test_the_networks_are_grouped_over_their_seeds(tiny):
    e = evidence(tiny)
    assert [(n.label, len(n.results)) for n in e.networks] == [("1 layer", 2), ("2 layers, tanh", 2)]
    assert e.networks[1].accuracy == np.mean([r.test_accuracy for r in tiny.results[2:4]])
    assert e.linear.label == "2 layers, no activation"
    assert tiny.networks == [0, 2, 4]


def test_only_part_of_the_training_samples_can_be_used(small_digits):
    settings = Settings(layers=(1,), **TINY | {"train_samples": 50, "batch_size": 50, "epochs": 1})
    experiment = run_lab(small_digits, settings)
    assert experiment.results[0].train_accuracy * 50 == pytest.approx(round(experiment.results[0].train_accuracy * 50))
    assert evidence(experiment).train_samples == 50


def test_float64_is_float64_throughout(small_digits):
    experiment = run_lab(small_digits, Settings(layers=(2,), dtype="float64", **TINY))
    assert {p.dtype for model in experiment.models for p in model.parameters().values()} == {np.dtype("float64")}


def test_a_run_that_diverges_is_a_result_and_no_warning(small_digits):
    settings = Settings(layers=(2,), optimizer="sgd", learning_rate=1e38, schedule="constant", **TINY)
    experiment = run_lab(small_digits, settings)
    assert {r.status for r in experiment.results} == {"diverged"}
    assert evidence(experiment).sound == []
    assert not experiment.interrupted


def test_one_layer_fails_and_two_succeed_where_no_straight_line_parts_the_classes():
    task = load_task("circles")
    settings = default_settings(task, layers=(1, 2), activations=("tanh",), epochs=60, depths=(), descent_epochs=0)
    experiment = run_lab(task, settings)
    one, two, linear = experiment.results
    assert one.test_accuracy < 0.6
    assert linear.test_accuracy < 0.6
    assert two.test_accuracy > 0.97
    assert set(experiment.frames) == {0, 1, 2}
    moments = sorted(experiment.frames[1])
    assert moments[0] == 0
    assert moments[-1] == 60
    assert experiment.frames[1][60].probabilities.shape[-1] == 2


class InterruptAt(NoProgress):
    """Presses Ctrl-C in an epoch of a trial."""

    def __init__(self, trial: int, epoch: int) -> None:
        self.trial, self.epoch, self.begun = trial, epoch, 0

    def begin(self, trial):
        self.begun += 1

    def update(self, run):
        if self.begun == self.trial and run.epoch == self.epoch and run.stop_reason is None:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize(("epoch", "statuses"), [(1, ["done", "interrupted"]), (0, ["done"])])
def test_ctrl_c_keeps_what_was_measured_so_far(small_digits, epoch, statuses):
    progress = InterruptAt(trial=2, epoch=epoch)
    progress.showing = lambda trials, samples: _Context(progress)
    experiment = run_lab(small_digits, Settings(layers=(1, 2), **TINY), progress)
    assert experiment.interrupted
    assert [r.status for r in experiment.results] == statuses
    assert experiment.planned == 3
    if epoch:
        assert len(experiment.results[1].history) == 1


class _Context:
    def __init__(self, value):
        self.value = value

    def __enter__(self):
        return self.value

    def __exit__(self, *exception):
        return None


def test_progress_names_the_network_its_epoch_and_its_accuracy(small_digits, monkeypatch, capsys):
    import lucidgrad.lab.progress as progress

    monkeypatch.setattr(progress, "SECONDS_BETWEEN_UPDATES", 0.0)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "150")
    run_lab(small_digits, Settings(layers=(1, 2), **TINY), LabProgress())
    shown = capsys.readouterr().err
    assert "1/3  1 layer" in shown
    assert "2/3  2 layers, tanh  epoch 2/3" in shown
    assert "accuracy" in shown
    assert "100 %" in shown or " 99 %" in shown


def test_nobody_sees_progress_where_there_is_no_terminal(monkeypatch):
    assert not LabProgress.is_wanted()
    monkeypatch.setattr("sys.stderr", None)
    assert not LabProgress.is_wanted()


def mnist_folder() -> Path | None:
    """Where MNIST is on this machine, if it is."""
    beside = Path(__file__).parents[2].parent / "shared" / "data" / "mnist"
    places = [os.environ.get("LUCIDGRAD_DATA"), beside]
    for place in filter(None, places):
        for folder in (Path(place), Path(place) / "mnist"):
            if any(folder.glob("train-images*")):
                return folder
    return None


@pytest.mark.skipif(mnist_folder() is None, reason="MNIST is not on this machine (LUCIDGRAD_DATA says where it is)")
def test_a_quick_lab_on_the_real_mnist_gets_most_digits_right():
    task = load_task("mnist", mnist_folder(), download=False)
    settings = default_settings(
        task, quick=True, layers=(1, 2), activations=("relu",), epochs=5, widths=(64,), depths=(), descent_epochs=0
    )
    one, two, _ = run_lab(task, settings).results
    assert 0.87 < one.test_accuracy < two.test_accuracy
    assert two.test_accuracy > 0.92
