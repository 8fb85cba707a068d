"""The suggested learning rate trains, its reason names it, and looking for it changes nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.errors import ArgumentError
from lucidgrad.nn import BatchNorm, Dropout, Linear, Sequential
from lucidgrad.optim import LBFGS, SGD, Adam
from lucidgrad.training.learning_rate import _REASONS


def net(width: int = 16) -> Sequential:
    a, b = lg.Key(0).split(2)
    return Sequential(Linear(2, width, key=a), lg.functional.tanh, Linear(width, 2, key=b))


def moons() -> Any:
    x, y = lg.data.moons(400, noise=0.1, seed=0)
    return lg.data.standardize(x)[0], y


def reached(model: Any, optimizer: Any, **options: Any) -> float:
    import warnings

    x, y = moons()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="training stopped")
        run = lg.fit(model, x, y, loss="cross_entropy", optimizer=optimizer, epochs=5, batch_size=32, progress=False)
    return float(np.nan_to_num(run.history["loss"][-1], nan=np.inf))


@pytest.mark.parametrize("rule", [SGD, Adam])
def test_the_suggestion_trains_better_than_a_thirtieth_of_it_and_than_thirty_times_it(rule: Any):
    search = lg.find_learning_rate(net(), *moons(), loss="cross_entropy", optimizer=rule(0.1))
    assert search.suggestion is not None
    much_lower, suggested, much_higher = (reached(net(), rule(f * search.suggestion)) for f in (1 / 30, 1, 30))
    assert suggested < 0.85 * much_lower
    assert suggested < 0.85 * much_higher


def test_the_reason_names_the_suggestion_in_both_languages():
    search = lg.find_learning_rate(net(), *moons(), loss="cross_entropy", optimizer=Adam())
    assert "a quarter of that, leaves room" in search.reason()
    assert "4분의 1(" in search.reason("ko")
    for language in ("en", "ko"):
        assert f"{search.suggestion:.2g}" in search.reason(language)
    assert search.reason() in repr(search)
    assert search.facts["begins"] <= search.facts["least"] == 4 * search.suggestion <= search.facts["burst"]


def test_the_order_of_the_samples_is_drawn_once_an_epoch(monkeypatch: pytest.MonkeyPatch):
    from lucidgrad.training import learning_rate

    drawn = []

    def counted(n: int, key: Any, epoch: int) -> Any:
        drawn.append(epoch)
        return lg.data.epoch_order(n, key, epoch)

    monkeypatch.setattr(learning_rate, "epoch_order", counted)
    x, y = moons()
    search = lg.find_learning_rate(net(), x, y, loss="cross_entropy", batch_size=32, high=0.1, steps=30)
    assert len(search.rates) == 30
    assert drawn == [0, 1, 2]  # 400 samples: 12 whole batches an epoch


def test_every_reason_is_told_in_every_language():
    assert all(set(reason) == {"en", "ko"} for reason in _REASONS.values())


def test_the_curve_has_a_rate_and_a_loss_for_each_step_and_begins_at_low():
    search = lg.find_learning_rate(net(), *moons(), loss="cross_entropy", low=1e-4, high=1.0, steps=30)
    assert len(search.rates) == len(search.losses) == len(search.smoothed) <= 30
    assert search.rates[0] == pytest.approx(1e-4)
    assert np.diff(np.log(search.rates)) == pytest.approx(np.log(1e4) / 29)
    again = lg.find_learning_rate(net(), *moons(), loss="cross_entropy", low=1e-4, high=1.0, steps=30)
    assert (again.losses == search.losses).all()


def test_a_burst_to_infinity_ends_the_trial_and_there_still_is_a_suggestion():
    x = np.linspace(-1, 1, 200, dtype=np.float32)[:, None]
    model = Linear(1, 1, key=lg.Key(1))
    search = lg.find_learning_rate(model, x, 3 * x, loss="squared_error", high=1e30, steps=60)
    assert len(search.rates) < 60
    assert search.facts["bursts"]
    assert search.suggestion is not None
    assert 0.01 < search.suggestion < 10
    assert "bursts at" in search.reason()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_data_that_is_not_finite_gives_a_reason_instead_of_a_suggestion(bad: float):
    x, y = moons()
    search = lg.find_learning_rate(net(), x * np.float32(bad), y, loss="cross_entropy")
    assert search.suggestion is None
    assert "no finite number" in search.reason()
    assert "유한한 수가 아니어서" in search.reason("ko")


def test_a_loss_that_cannot_fall_gives_a_reason_instead_of_a_suggestion():
    x, y = moons()
    search = lg.find_learning_rate(net(), x, y, loss="cross_entropy", low=1e-12, high=1e-9)
    assert search.suggestion is None
    assert "never fell" in search.reason()
    assert "추천할 값이 없습니다" in search.reason("ko")


def test_the_model_and_the_stream_of_keys_are_left_as_they_were():
    x, y = moons()
    model = Sequential(Linear(2, 8, key=lg.Key(0)), BatchNorm(8), Dropout(0.5), Linear(8, 2, key=lg.Key(1))).eval()
    before = {path: array.copy() for path, array in model.state().items()}
    lg.seed(3)
    expected = lg.next_key().words.numpy()
    lg.seed(3)
    lg.find_learning_rate(model, x, y, loss="cross_entropy", high=1e20)
    assert (lg.next_key().words.numpy() == expected).all()
    assert all((array == before[path]).all() for path, array in model.state().items())
    assert not any(module.training for module in model.modules().values())


def test_the_model_is_put_back_also_when_the_loss_fails():
    x, y = moons()
    model = net()
    before = dict(model.state())
    with pytest.raises(lg.errors.LucidgradError):
        lg.find_learning_rate(model, x, y + 7, loss="cross_entropy")
    assert all(array is before[path] or (array == before[path]).all() for path, array in model.state().items())


@pytest.mark.parametrize(
    "options", [{"low": 0}, {"low": 1, "high": 0.1}, {"steps": 9}, {"steps": 10.5}, {"low": "a"}, {"batch_size": 0}]
)
def test_a_range_that_is_none_is_an_error(options: dict[str, Any]):
    with pytest.raises(ArgumentError, match="0 < low < high, at least 10 steps"):
        lg.find_learning_rate(net(), *moons(), loss="cross_entropy", **options)


def test_an_optimiser_without_a_learning_rate_and_an_unknown_language_are_errors():
    with pytest.raises(ArgumentError, match="an optimiser with a learning rate, got LBFGS"):
        lg.find_learning_rate(net(), *moons(), loss="cross_entropy", optimizer=LBFGS())
    search = lg.find_learning_rate(net(), *moons(), loss="cross_entropy")
    with pytest.raises(ArgumentError, match="language expected one of en, ko, got 'de'"):
        search.reason("de")
