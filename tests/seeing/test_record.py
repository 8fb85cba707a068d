"""A recorded step is the step of the run: its numbers are right, and what is written beside them follows from them."""

from __future__ import annotations

import dataclasses
import json
import math
import re

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad import optim
from lucidgrad.seeing.equations import pulled_back
from lucidgrad.seeing.frames import frames_of
from lucidgrad.seeing.kernels import MOST_LINES
from lucidgrad.seeing.phrases import PHRASES
from lucidgrad.seeing.readable import number
from lucidgrad.seeing.tables import Tables, cell_of, place_of_largest, table
from lucidgrad.training import Callback, Checkpoint

OPTIMIZERS = {
    "sgd": optim.SGD(0.1),
    "nesterov": optim.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adam": optim.Adam(0.01),
    "adamw": optim.AdamW(lambda step: 0.01 / (1 + step)),
    "rmsprop": optim.RMSprop(0.01, momentum=0.5, centered=True),
    "adagrad": optim.Adagrad(0.1),
    "lion": optim.Lion(0.01),
    "clipped": optim.clipped(optim.SGD(0.5, momentum=0.5), max_norm=0.1),
    "clipped values": optim.clipped(optim.Adam(0.01), max_value=0.01),
    "regularized": optim.clipped(optim.regularized(optim.Adam(0.01), l1=0.1, l2=0.1), max_norm=0.5),
}


class Losses(Callback):
    def __init__(self):
        self.losses = []

    def on_step_end(self, run):
        self.losses.append(run.batch_loss)


def network(norm=True):
    lg.seed(0)
    parts = [lg.nn.Linear(2, 4), *([lg.nn.BatchNorm(4)] if norm else []), lg.functional.tanh, lg.nn.Dropout(0.25)]
    return lg.nn.Sequential(*parts, lg.nn.Linear(4, 2))


def train(optimizer, engine="eager", callbacks=(), norm=True, epochs=2, n=20):
    x, y = lg.data.xor(n, seed=0)
    return lg.fit(
        network(norm), x, y, loss="cross_entropy", optimizer=optimizer, epochs=epochs, batch_size=6, engine=engine,
        sample_weight=np.linspace(0.5, 2, n), callbacks=callbacks,
    )  # fmt: skip


class Root:
    """Binds as the root sign does: to what stands right behind it."""

    def __pow__(self, x):
        return math.sqrt(x)


def calculated(line):
    """The value of what stands between the equals signs of an example, and the value behind the last."""
    _name, *middle, last = line.split(" = ")
    assert middle, line
    text = middle[0].replace("−", "-").replace("·", "*").replace("^", "**").replace("Σₙ", "")
    text = text.replace("√", "root ** ")
    known = {
        "root": Root(),
        "tanh": math.tanh,
        "relu": lambda x: max(x, 0),
        "sqrt": math.sqrt,
        "sign": np.sign,
        "maximum": max,
    }
    return eval(text, known), float(last.replace("−", "-"))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_step_in_slow_motion_ends_where_the_run_was(name):
    heard = Losses()
    run = train(OPTIMIZERS[name], callbacks=[heard])
    recording = lg.record(run, epoch=2, batch=3, kernels=False)
    assert recording.step.largest_difference == 0.0
    assert recording.step.loss == recording.replayed.loss == heard.losses[recording.replayed.step]
    for path, buffer in recording.step.buffers_after.items():
        np.testing.assert_array_equal(buffer.numpy(), recording.replayed.after.tensors[path].numpy())


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_numbers_of_the_update_multiply_out_to_what_stands_behind_them(name):
    recording = lg.record(train(OPTIMIZERS[name]), epoch=2, batch=1, kernels=False)
    lines = [line for f in recording.frames if f.phase == "update" for line in f.example]
    assert len(lines) >= 6
    for line in lines:
        made, said = calculated(line)
        assert made == pytest.approx(said, rel=2e-2, abs=1e-6), line


def test_a_native_run_is_recorded_with_its_numbers_to_rounding():
    heard = Losses()
    run = train(optim.SGD(0.1, momentum=0.9), "native", [heard])
    recording = lg.record(run, epoch=2, batch=4, kernels=False)
    assert recording.replayed.engine == "native"
    step = recording.step
    assert step.loss == heard.losses[-1]
    for path, parameter in run.model.parameters().items():  # it was the last step
        np.testing.assert_array_equal(step.parameters_after[path].numpy(), parameter.numpy())
    assert 0 < step.largest_difference < 1e-6
    assert step.loss_difference == abs(step.loss - step.eager_loss) < 1e-6
    for language in ("en", "ko"):
        assert number(step.largest_difference, 2) in recording.frames[-1].text[language]
    assert "eager replay" in recording.frames[0].text["en"]


def test_what_the_texts_say_of_a_native_run_depends_on_what_differs(recording):
    step = dataclasses.replace(recording.step, eager_loss=recording.step.loss)
    step.eager_parameters_after = step.parameters_after
    assert step.largest_difference == step.loss_difference == 0.0
    last = frames_of(step, Tables())[-1]
    assert "has the very same" in last.text["en"]
    assert "똑같습니다" in last.text["ko"]
    step.eager_loss += 0.0014
    last = frames_of(step, Tables())[-1]
    assert "by at most 0 in the parameters and by 0.0014 in the loss" in last.text["en"]
    assert "매개변수에서 최대 0, 손실에서 0.0014," in last.text["ko"]


@pytest.fixture(scope="module")
def recording():
    return lg.record(train(optim.Adam(0.01), "native", norm=False), epoch=2, batch=2)


def test_gradients_grow_part_by_part_to_the_whole(recording):
    step = recording.step
    last = {}
    for _, pulls in step.pulls:
        for pull in pulls:
            assert (pull.before is None) == (pull.edge.source not in last)
            last[pull.edge.source] = pull.after
    assert len(last) > 8
    for vertex, gradient in last.items():
        np.testing.assert_allclose(gradient, vertex.gradient, rtol=1e-5, atol=1e-8)


def test_the_frames_go_forward_back_and_through_each_parameter(recording):
    phases = [f.phase for f in recording.frames]
    assert list(dict.fromkeys(phases)) == ["data", "forward", "backward", "update", "result"]
    assert phases.count("forward") == len(list(recording.step.chart.operations()))
    assert phases.count("update") == len(recording.replayed.run.parameters)
    formulas = [line for f in recording.frames for line in f.formulas]
    assert {"z₁ = x · W₁ᵀ + b₁", "a = tanh(z₁)", "∇z₁ = ∇a ⊙ (1 − a²)", "∇W₁ = ∇z₁ᵀ · x", "∇b₁ = Σ₀(∇z₁)"} <= set(
        formulas
    )
    assert {"m′ = 0.9 · m + 0.1 · ∇W₁", "W₁′ = W₁ − αₜ · m′ / (√v′ + εₜ)"} <= set(formulas)


def test_the_page_writes_the_equations_that_explanations_write(recording):
    formulas = [line for f in recording.frames if f.phase == "backward" for line in f.formulas]
    edges = [e for e in recording.step.chart.edges if e.backward]
    assert len(edges) > 8
    for edge in edges:
        equation = re.sub(r"\(∂L/∂(\w+)\)ᵀ|∂L/∂(\w+)", lambda m: f"∇{m[1]}ᵀ" if m[1] else f"∇{m[2]}", pulled_back(edge))
        assert f"∇{edge.source.symbol} = {equation}" in {line.partition("   + ")[0] for line in formulas}
    meant = {f.formulas[0]: f.text for f in recording.frames if f.phase == "backward"}
    assert "ᵀ swaps rows and columns; Σ₀ adds up over axis 0" in meant["∇W₁ = ∇z₁ᵀ · x"]["en"]
    assert "⊙: 원소끼리 곱하기" in meant["∇z₁ = ∇a ⊙ (1 − a²)"]["ko"]


def test_the_example_of_an_element_multiplies_out(recording):
    lines = [line for f in recording.frames if f.phase != "update" for line in f.example if "…" not in line]
    assert len(lines) > 8
    for line in lines:
        made, said = calculated(line)
        assert made == pytest.approx(said, rel=2e-2, abs=2e-4), line


def test_the_cell_that_is_marked_is_the_element_of_the_example(recording):
    for frame in recording.frames:
        marked = [t for t in frame.tables if t["mark"] and t["kind"] == "after"]
        for said, shown in zip(frame.example, [t for t in marked if t["name"] in frame.example[0]], strict=False):
            place = [int(i) for i in re.search(r"\[([\d, ]+)\]", said)[1].split(",")]
            assert ([0] * (2 - len(place)) + place) == shown["mark"]


def test_each_op_shows_the_kernel_that_computes_it(recording):
    codes, frames = recording.codes, recording.frames
    assert all("define" in code.text and code.text.count("\n") < MOST_LINES for code in codes)
    by_title = {f.title["en"]: f for f in frames}
    assert codes[by_title["z₁ = linear"].kernel].words.startswith("matmul")
    assert by_title["a = tanh"].kernel == by_title["z₁ = linear"].kernel  # fused
    assert "sqrt" in codes[by_title["Update 0.weight"].kernel].words
    assert sum(f.kernel is not None for f in frames if f.arrays) > 0.6 * sum(bool(f.arrays) for f in frames)


def test_where_there_is_no_native_program_the_reason_is_said(monkeypatch):
    run = train(optim.SGD(0.1))
    assert lg.record(run, kernels=False).codes == "kernels=False"
    monkeypatch.setattr("lucidgrad.seeing.kernels.available", lambda: False)
    assert lg.record(run).codes == "llvmlite is not installed"


def test_a_minimiser_of_its_own_is_recorded_with_what_it_made():
    x, y = lg.data.xor(20, seed=0)
    run = lg.fit(lg.nn.Linear(2, 2), x, y, loss="cross_entropy", optimizer=optim.LBFGS(max_iterations=3), epochs=1)
    recording = lg.record(run)
    assert recording.step.largest_difference == 0.0
    assert "LBFGS minimises the loss by itself" in recording.frames[-2].text["en"]
    assert "minimises by itself" in recording.codes


def test_a_parameter_that_the_loss_does_not_reach_and_one_used_twice():
    class Twice(lg.nn.Module):
        def __init__(self):
            self.used = lg.nn.Linear(2, 2)
            self.idle = lg.nn.Linear(2, 2)

        def forward(self, x):
            return self.used(self.used(x).tanh())

    x, y = lg.data.xor(12, seed=0)
    run = lg.fit(Twice(), x, y, loss="cross_entropy", optimizer=optim.SGD(0.1), epochs=1, engine="eager")
    recording = lg.record(run, kernels=False)
    assert recording.step.largest_difference == 0.0
    assert any("in several places" in f.text["en"] for f in recording.frames)
    assert not recording.step.gradients["idle.weight"].numpy().any()


def test_a_step_that_diverged_is_recorded_with_what_is_no_number():
    x, y = [[1.0], [2.0]], [[0.0], [0.0]]
    with pytest.warns(RuntimeWarning, match="training stopped"):
        run = lg.fit(lg.nn.Linear(1, 1, key=lg.Key(0)), x, y, loss="squared_error", optimizer=optim.SGD(1e20), epochs=9)
    recording = lg.record(run, epoch=run.epoch, kernels=False)
    assert not np.isfinite(recording.step.loss)
    assert "update" not in {f.phase for f in recording.frames}  # the run has left it out
    assert "has left the update out" in recording.frames[-1].text["en"]
    assert recording.step.largest_difference == recording.step.loss_difference == 0.0
    for path, before in recording.step.parameters_before.items():
        np.testing.assert_array_equal(recording.step.parameters_after[path].numpy(), before.numpy())
    json.loads(re.search(r'id="step">(.*?)</script>', recording.html, flags=re.DOTALL)[1])


def test_recorder_writes_the_page_while_the_run_goes_on(tmp_path):
    recorder = lg.Recorder(epoch=2, batch=3, path=tmp_path / "step.html", kernels=False)
    run = train(optim.Adam(0.01), "native", [recorder], epochs=3)
    later = lg.record(run, epoch=2, batch=3, kernels=False)
    assert (tmp_path / "step.html").read_text(encoding="utf-8") == recorder.recording.html
    assert recorder.recording.replayed.checked_epochs == 1
    for path, tensor in recorder.recording.step.parameters_after.items():
        np.testing.assert_array_equal(tensor.numpy(), later.step.parameters_after[path].numpy())


def test_recorder_follows_a_run_whose_weights_are_changed_between_epochs():
    class Shrink(Callback):
        def on_epoch_begin(self, run):
            for tensor in run.parameters.values():
                tensor.data = tensor.detach() * 0.5

    recorder = lg.Recorder(epoch=2, batch=1, kernels=False)
    run = train(optim.SGD(0.1), callbacks=[Shrink(), recorder])
    assert recorder.recording.step.largest_difference == 0.0
    with pytest.raises(lg.errors.ReplayError):
        lg.record(run, epoch=2)


def test_recorder_has_nothing_of_a_step_that_did_not_come_and_something_of_one_that_did():
    class Stop(Callback):
        def on_step_end(self, run):
            if run.step == 6:
                run.stop("enough")

    recorders = [lg.Recorder(epoch=2, batch=b, kernels=False) for b in (2, 3)]
    train(optim.SGD(0.1), callbacks=[Stop(), *recorders])
    assert recorders[0].recording.step.largest_difference == 0.0
    assert recorders[1].recording is None


def test_a_late_step_is_recorded_from_a_checkpoint(tmp_path):
    run = train(optim.Adam(0.01), callbacks=[Checkpoint(tmp_path, keep=None)], epochs=3)
    recording = lg.record(run, epoch=3, batch=1, checkpoint=tmp_path, kernels=False)
    assert recording.replayed.checked_epochs == 1
    assert recording.step.largest_difference == 0.0


def test_errors_name_the_argument():
    with pytest.raises(lg.errors.ArgumentError, match=r"Recorder\(batch\) expected an integer >= 1, got 0"):
        lg.Recorder(batch=0)
    with pytest.raises(lg.errors.ArgumentError, match="language expected one of"):
        lg.Recorder(language="fr")
    with pytest.raises(lg.errors.ArgumentError, match="language expected one of"):
        lg.record(None, language="fr")


def test_large_layers_are_summed_up_and_the_page_stays_small():
    x, y = np.random.default_rng(0).normal(size=(32, 900)), np.arange(32) % 2
    model = lg.nn.Sequential(lg.nn.Linear(900, 1000), lg.functional.relu, lg.nn.Linear(1000, 2))
    run = lg.fit(model, x, y, loss="cross_entropy", optimizer=optim.SGD(0.1), epochs=1, engine="eager")
    assert len(lg.record(run, kernels=False).html) < 400_000


def test_a_table_shows_all_of_a_small_array_and_the_telling_part_of_a_large_one():
    small = table(np.array([[1.0, -2.0], [np.nan, 0.5]], np.float32))
    assert small["cells"] == [["1", "−2"], ["NaN", "0.5"]]
    assert small["heat"] == [[50, -100], [None, 25]]
    assert "picture" not in small
    large = np.zeros((3, 40))
    large[1, 20] = 4.0
    shown = table(large)
    assert 20 in shown["columns"]
    assert shown["summary"]["largest"] == "4"
    assert len(shown["picture"]) == 3
    assert table(np.array([3, 1]))["heat"] == [[0, 0]]  # labels are no quantities
    assert table(np.zeros((0, 3)))["cells"] == []
    assert table(np.array(2.5))["cells"] == [["2.5"]]


def test_every_number_of_a_table_has_all_its_digits_at_hand():
    for dtype in (np.float16, np.float32, np.float64):
        array = np.random.default_rng(0).normal(size=(3, 4)).astype(dtype)
        np.testing.assert_array_equal(np.array(table(array)["exact"], dtype), array)


def test_the_example_is_read_off_a_number_that_is_shown():
    array = np.zeros((2, 30, 4), np.float32)
    array[1, 29, 3] = -7
    place = place_of_largest(array)
    assert place == (1, 29, 3)
    assert cell_of(array, place) == [1, 119]
    assert place_of_largest(np.array(3.0)) == ()


def test_both_languages_say_the_same_things():
    for name, (english, korean) in PHRASES.items():
        assert set(re.findall(r"{(\w+)}", english)) == set(re.findall(r"{(\w+)}", korean)), name
        assert (name == "language") != bool(re.search("[가-힣]", korean)), name
