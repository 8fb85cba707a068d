"""Every illness is found where it was caused on purpose, and nothing is found where nothing is wrong."""

from __future__ import annotations

import string
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.errors import ArgumentError
from lucidgrad.optim import SGD, Adam
from lucidgrad.training import Doctor, EarlyStopping, Run
from lucidgrad.training.doctor import CHECKS, Verdict
from lucidgrad.training.doctor.verdict import LANGUAGES
from tests.training.doctor.cases import HEALTHY_AFTER_ALL, SMALLER_SIGNS
from tests.training.doctor.samples import HEALTHY, ILL, fitted, mlp, moons


@pytest.fixture(scope="module")
def ill_run():
    """The ill runs, each made once."""
    made: dict[tuple[str, str], Run] = {}

    def get(illness: str, engine: str = "native") -> Run:
        if (illness, engine) not in made:
            made[illness, engine] = ILL[illness](engine)
        return made[illness, engine]

    return get


def test_every_check_has_a_run_where_its_illness_was_caused_and_words_in_every_language():
    assert set(ILL) == set(CHECKS)
    for language in LANGUAGES.values():
        assert set(language.messages) == set(CHECKS)
        assert language.terms.keys() == LANGUAGES["en"].terms.keys()


def test_every_illness_that_explains_another_is_looked_for_before_it():
    order = list(CHECKS)
    for name, check in CHECKS.items():
        assert all(order.index(cause) < order.index(name) for cause in check.unless)


@pytest.mark.parametrize("illness", CHECKS)
def test_the_languages_tell_the_same_pieces_of_evidence(illness: str):
    def fields(language: str) -> list[set[str | None]]:
        message = LANGUAGES[language].messages[illness]
        parse = string.Formatter().parse
        return [{name for _, name, _, _ in parse(text) if name} for text in (message.finding, message.remedy)]

    assert fields("en") == fields("ko")


@pytest.mark.parametrize("engine", ["native", "eager"])
@pytest.mark.parametrize("illness", CHECKS)
def test_an_illness_caused_on_purpose_is_found_and_told_in_both_languages(illness: str, engine: str, ill_run: Any):
    run = ill_run(illness, engine)
    diagnosis = lg.doctor(run)
    assert illness in diagnosis.illnesses
    verdict = next(v for v in diagnosis if v.illness == illness)
    for language, words in LANGUAGES.items():
        text = diagnosis.text(language)
        for part in (verdict.name(language), verdict.finding(language), verdict.remedy(language), words.remedy):
            assert part in text
        assert not any(bad in text for bad in ("None", "{", "}", "  nan"))


@pytest.mark.parametrize("name", HEALTHY)
def test_the_doctor_is_silent_about_a_healthy_run(name: str):
    diagnosis = lg.doctor(HEALTHY[name]())
    assert not diagnosis, diagnosis.text()
    assert "Nothing to find fault with" in str(diagnosis)
    assert "찾지 못했습니다" in diagnosis.text("ko")


@pytest.mark.parametrize("make", SMALLER_SIGNS)
def test_an_illness_is_found_by_smaller_signs_where_little_was_learned(make: Callable[[], Any]):
    diagnosis = lg.doctor(make())
    assert SMALLER_SIGNS[make] in diagnosis.illnesses
    assert set(diagnosis.illnesses) <= {SMALLER_SIGNS[make], "dead_relu"}  # units that died of it


@pytest.mark.parametrize("make", HEALTHY_AFTER_ALL)
def test_what_only_looks_ill_is_left_in_peace(make: Callable[[], Any]):
    diagnosis = lg.doctor(make())
    assert not diagnosis, diagnosis.text()


@pytest.mark.long
def test_the_doctor_is_silent_about_five_epochs_of_mnist():
    try:
        data = lg.data.mnist(download=False)
    except lg.errors.DownloadError as error:
        pytest.skip(f"MNIST is not at hand: {error}")
    for model, optimizer in (
        (mlp(784, 128, 10), Adam(1e-3)),
        (mlp(784, 256, 128, 10), SGD(0.05, momentum=0.9)),
        (mlp(784, 10), SGD(0.1)),
    ):
        run = fitted(
            model, data.x_train, data.y_train, optimizer=optimizer, epochs=5, batch_size=64, validation=0.1,
            engine="native",
        )  # fmt: skip
        assert not lg.doctor(run), str(lg.doctor(run))


def found(run: Run, illness: str) -> Verdict:
    return next(v for v in lg.doctor(run) if v.illness == illness)


def test_unscaled_inputs_are_found_behind_a_model_that_is_told_apart_from_one_that_scales_them_itself():
    x, y = moons()

    class Scaled(lg.nn.Module):
        def __init__(self):
            self.net = mlp(2, 16, 2)

        def forward(self, x):
            return self.net((x - 1000.0) / 255.0)

    assert "unscaled_inputs" not in lg.doctor(fitted(Scaled(), x * 255 + 1000, y)).illnesses


def test_the_counts_of_leaking_rows_are_those_of_the_rows_that_were_put_there(ill_run: Any):
    assert found(ill_run("leaking_rows"), "leaking_rows").evidence == {"shared": 50, "rows": 50, "share": 1.0}


def test_the_epoch_of_overfitting_is_that_of_the_best_validation_loss(ill_run: Any):
    run = ill_run("overfitting")
    best = run.history.best("validation_loss")
    verdict = found(run, "overfitting")
    assert verdict.epoch == best["epoch"]
    assert verdict.evidence["best"] == pytest.approx(best["validation_loss"])


def test_a_run_that_went_back_to_its_best_epoch_does_not_overfit(ill_run: Any):
    run = ill_run("overfitting", "eager")
    before, run.callbacks = run.callbacks, [EarlyStopping()]
    try:
        assert "overfitting" not in lg.doctor(run).illnesses
    finally:
        run.callbacks = before


@pytest.mark.parametrize("engine", ["native", "eager"])
def test_the_first_nan_is_traced_to_its_step_layer_and_op(engine: str, ill_run: Any):
    verdict = found(ill_run("first_nan", engine), "first_nan")
    assert verdict.layer == "2"
    assert verdict.evidence["kind"] == "output"
    assert "log" in verdict.evidence["place"]
    assert verdict.epoch is not None
    assert (verdict.epoch - 1) * 13 < verdict.evidence["step"] <= verdict.epoch * 13  # 400 rows by 32: 13 steps


def test_a_nan_in_the_data_is_told_with_its_row():
    x, y = moons()
    x = x.copy()
    x[123, 1] = np.nan
    verdict = found(fitted(mlp(2, 8, 2), x, y, epochs=2), "first_nan")
    assert (verdict.evidence["kind"], verdict.evidence["place"]) == ("data", "123")
    assert "in the data, in row 123" in verdict.finding("en")


def test_a_row_that_is_infinite_is_the_only_thing_to_find():
    x, y = moons()
    x = x.copy()
    x[77, 0] = np.inf
    assert lg.doctor(fitted(mlp(2, 8, 2), x, y, epochs=2)).illnesses == ["first_nan"]


def test_the_callback_examines_a_run_that_diverges_in_a_later_epoch():
    x, y = moons()
    doctor = Doctor(quiet=True)
    rates = lg.training.LearningRate(lambda epoch: 1.0 if epoch < 5 else 1e30)
    run = fitted(mlp(2, 8, 2), x, y, optimizer=SGD(0.1), epochs=8, callbacks=[rates, doctor])
    assert doctor.diagnosis is not None
    verdict = next(v for v in doctor.diagnosis if v.illness == "first_nan")
    assert verdict.epoch == len(run.history) > 5
    assert verdict.evidence["step"] == run.step


def test_an_update_that_overflows_in_the_very_last_step_is_found_from_the_first_weights():
    x, y = moons()
    model, rate = mlp(2, 8, 2), lg.training.LearningRate(lambda epoch: 1.0 if epoch < 5 else 1e300)
    run = fitted(model, x, y, optimizer=SGD(0.1), epochs=6, batch_size=None, callbacks=[rate], engine="eager")
    assert not all(np.isfinite(a).all() for a in model.state().values())
    verdict = found(run, "first_nan")
    assert (verdict.evidence["kind"], verdict.evidence["step"], verdict.epoch) == ("update", 6, 6)


def test_dead_relus_are_counted_in_the_layer_they_are_in(ill_run: Any):
    verdict = found(ill_run("dead_relu"), "dead_relu")
    assert verdict.layer == "0"
    assert verdict.evidence["dead"] == verdict.evidence["units"] == 32


def test_vanishing_gradients_are_reported_for_each_layer(ill_run: Any):
    verdict = found(ill_run("vanishing_gradients"), "vanishing_gradients")
    assert verdict.layer == "0"
    assert len(verdict.evidence["per_layer"]) == 8


@pytest.mark.parametrize("rate", [1e-5, 1e-6])
def test_a_learning_rate_that_is_too_low_by_far_is_still_recognised(rate: float):
    x, y = moons()
    run = fitted(mlp(2, 16, 2, activation=lg.functional.tanh), x, y, optimizer=SGD(rate), validation=0.2)
    assert lg.doctor(run).illnesses == ["learning_rate_too_low"]


def test_class_weights_take_care_of_an_imbalance():
    run = ILL["class_imbalance"]("native")
    run.loss = lg.losses.CrossEntropy(class_weight=[1.0, 25.0])
    assert "class_imbalance" not in lg.doctor(run).illnesses


@pytest.mark.parametrize("illness", ["learning_rate_too_high", "overfitting", "dead_relu"])
def test_the_run_and_the_model_are_left_as_they_were(illness: str, ill_run: Any):
    run = ill_run(illness)
    state, history = dict(run.model.state()), [dict(row) for row in run.history]
    modes = {path: m.training for path, m in run.model.modules().items()}
    optimizer_state, step = run.optimizer_state, run.step
    lg.seed(7)
    stream = lg.next_key().words.numpy()
    lg.seed(7)
    lg.doctor(run)
    assert {p: a.tobytes() for p, a in run.model.state().items()} == {p: a.tobytes() for p, a in state.items()}
    assert str(list(run.history)) == str(history)  # as text: NaN is not equal to itself
    assert {path: m.training for path, m in run.model.modules().items()} == modes
    assert run.optimizer_state is optimizer_state
    assert run.step == step
    assert (lg.next_key().words.numpy() == stream).all()


def test_the_callback_warns_in_the_language_asked_for_and_is_silent_about_a_healthy_run():
    x, y = moons()
    with pytest.warns(RuntimeWarning, match="처방"):
        fitted(mlp(2, 8, 2), 255 * x, y, callbacks=[Doctor("ko")])
    doctor = Doctor()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted(mlp(2, 16, 2), x, y, callbacks=[doctor])
    assert doctor.diagnosis is not None
    assert not doctor.diagnosis


def test_the_callback_changes_nothing_in_a_run():
    x, y = moons()
    plain = fitted(mlp(2, 16, 2), x, y, epochs=5)
    watched = fitted(mlp(2, 16, 2), x, y, epochs=5, callbacks=[Doctor(quiet=True)])
    assert watched.history["loss"] == plain.history["loss"]


def test_a_resumed_run_can_be_examined(tmp_path: Path):
    x, y = moons(600, noise=0.15)
    saving = lg.training.Checkpoint(tmp_path)
    fitted(mlp(2, 16, 2), x, y, epochs=6, callbacks=[saving])
    run = fitted(mlp(2, 16, 2), x, y, epochs=20, callbacks=[lg.training.Checkpoint(tmp_path)], resume=tmp_path)
    assert run.beginning.step > 0
    assert not lg.doctor(run)


@pytest.mark.parametrize("thing", [None, "a run", Run(mlp(2, 2), lg.losses.CrossEntropy(), SGD(0.1), 3)])
def test_what_is_no_run_of_an_epoch_cannot_be_examined(thing: Any):
    with pytest.raises(ArgumentError, match=r"run of at least one epoch, got (NoneType|str|0 epochs)"):
        lg.doctor(thing)


def test_an_unknown_language_is_an_error(ill_run: Any):
    with pytest.raises(ArgumentError, match="language expected one of en, ko, got 'fr'"):
        lg.doctor(ill_run("dead_relu"), language="fr")
    with pytest.raises(ArgumentError, match="language expected"):
        Doctor("fr")
