"""More runs, of other shapes: illnesses that show in smaller signs, and healthy runs that look ill at first sight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import lucidgrad as lg
from lucidgrad.data import standardize
from lucidgrad.functional import sigmoid, tanh
from lucidgrad.nn import init
from lucidgrad.optim import SGD, Adam
from tests.training.doctor.samples import fitted, mlp, moons


def _random(seed: int = 2) -> np.random.Generator:
    return np.random.default_rng(seed)


def _wine() -> Any:
    """178 wines, 13 features, three classes; comes with scikit-learn."""
    from sklearn.datasets import load_wine

    data = load_wine()
    return standardize(data.data.astype(np.float32))[0], data.target


def _diabetes() -> Any:
    """442 patients, 10 features, a number to predict; comes with scikit-learn."""
    from sklearn.datasets import load_diabetes

    data = load_diabetes()
    x, y = (standardize(a.astype(np.float32))[0] for a in (data.data, data.target[:, None]))
    return x, y


def _normal(std: float) -> Callable[..., Any]:
    return lambda key, shape, dtype: init.normal(key, shape, dtype, std=std)


def inputs_of_a_fiftieth() -> Any:
    x, y = _wine()
    return fitted(mlp(13, 16, 3), x * 0.02, y, optimizer=SGD(0.1), epochs=30)


def inputs_far_from_zero() -> Any:
    x, y = _wine()
    return fitted(mlp(13, 16, 3), x * 0.1 + 4, y, epochs=30, optimizer=Adam(0.003))


def pixels_to_sixteen() -> Any:
    d = lg.data.digits()
    return fitted(mlp(64, 32, 10), d.x_train * 16, d.y_train, optimizer=SGD(0.1), epochs=5)


def targets_around_twenty() -> Any:
    x, y = _diabetes()
    return fitted(mlp(10, 16, 1), x, 20 + y, loss="squared_error", optimizer=SGD(0.001), epochs=5)


def steps_that_crawl() -> Any:
    x, y = _wine()
    return fitted(mlp(13, 16, 3), x, y, optimizer=SGD(1e-3), epochs=15)


def weights_that_explode_a_little() -> Any:
    d = lg.data.digits()
    model = mlp(64, *[64] * 5, 10, init=_normal(0.4))
    return fitted(model, d.x_train, d.y_train, optimizer=Adam(1e-4), epochs=3)


def weights_that_begin_too_small() -> Any:
    d = lg.data.digits()
    model = mlp(64, *[32] * 4, 10, activation=tanh, init=_normal(0.01))
    return fitted(model, d.x_train, d.y_train, optimizer=SGD(0.1), epochs=4)


def sigmoids_seven_deep() -> Any:
    d = lg.data.digits()
    model = mlp(64, *[32] * 6, 10, activation=sigmoid)
    return fitted(model, d.x_train, d.y_train, optimizer=SGD(0.1), epochs=3)


def a_rate_that_killed_all_units_at_once() -> Any:
    d = lg.data.digits()
    return fitted(mlp(64, 64, 10), d.x_train, d.y_train, optimizer=SGD(3.0, momentum=0.9), epochs=6)


def numbers_of_other_patients() -> Any:
    x, y = _diabetes()
    return fitted(mlp(10, 16, 1), x, _random().permutation(y), loss="squared_error", epochs=30, validation=0.2)


def classes_of_other_rows_and_nothing_held_back() -> Any:
    x, y = _wine()
    return fitted(mlp(13, 8, 3), x, _random().permutation(y), epochs=10, optimizer=Adam(0.003))


def a_data_set_written_twice() -> Any:
    x, y = _wine()
    return fitted(mlp(13, 16, 3), np.concatenate([x, x]), np.concatenate([y, y]), epochs=8, validation=0.2)


# What is to be found, and only that besides what goes with it.
SMALLER_SIGNS: dict[Callable[[], Any], str] = {
    inputs_of_a_fiftieth: "unscaled_inputs",
    inputs_far_from_zero: "unscaled_inputs",
    pixels_to_sixteen: "unscaled_inputs",
    targets_around_twenty: "unscaled_targets",
    steps_that_crawl: "learning_rate_too_low",
    weights_that_explode_a_little: "exploding_gradients",
    weights_that_begin_too_small: "vanishing_gradients",
    sigmoids_seven_deep: "vanishing_gradients",
    a_rate_that_killed_all_units_at_once: "learning_rate_too_high",
    numbers_of_other_patients: "shuffled_labels",
    classes_of_other_rows_and_nothing_held_back: "shuffled_labels",
    a_data_set_written_twice: "leaking_rows",
}


def yes_and_no() -> Any:
    """Six questions: every validation row has been answered so before, by others."""
    rng = _random()
    x = (rng.random((2000, 6)) < 0.5).astype(np.float32)
    y = ((x[:, :3].sum(1) > 1.5) ^ (rng.random(2000) < 0.05)).astype(np.int64)
    return fitted(mlp(6, 16, 2), x, y, validation=0.2, epochs=12)


def a_questionnaire() -> Any:
    """Four answers from 1 to 5."""
    rng = _random()
    x = rng.integers(1, 6, (3000, 4)).astype(np.float32)
    y = (x.sum(1) + rng.normal(size=3000) > 12).astype(np.int64)
    return fitted(mlp(4, 16, 2), standardize(x)[0], y, validation=0.2, epochs=10, optimizer=Adam(0.003))


def a_weak_dependence() -> Any:
    """Features tell 58 of 100 answers, which neighbours do not see."""
    rng = _random()
    x = rng.normal(size=(3000, 4)).astype(np.float32)
    y = (0.3 * x[:, 0] + rng.normal(size=3000) > 0).astype(np.int64)
    return fitted(mlp(4, 8, 2), x, y, epochs=6, validation=0.2, optimizer=Adam(1e-3))


def rare_words() -> Any:
    """Of 3,000 words a text has six: small features, though their numbers are 1."""
    rng = _random()
    x = (rng.random((1500, 3000)) < 0.002).astype(np.float32)
    y = (x @ rng.normal(size=3000) > 0).astype(np.int64)
    return fitted(mlp(3000, 16, 2), x, y, epochs=4, validation=0.1, optimizer=Adam(0.003))


def lengths_in_centimetres() -> Any:
    """Flowers measured in centimetres, which is not far from 1."""
    from sklearn.datasets import load_iris

    data = load_iris()
    return fitted(mlp(4, 16, 3), data.data.astype(np.float32), data.target, epochs=60, validation=0.2)


def moons_for_one_epoch() -> Any:
    x, y = moons(900)
    return fitted(mlp(2, 16, 2), x, y, epochs=1)


HEALTHY_AFTER_ALL: list[Callable[[], Any]] = [
    yes_and_no,
    a_questionnaire,
    a_weak_dependence,
    rare_words,
    lengths_in_centimetres,
    moons_for_one_epoch,
]
