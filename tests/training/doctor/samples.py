"""Runs that are ill on purpose, an illness each, and runs with nothing wrong: other data, depth, optimiser, engine."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import lucidgrad as lg
from lucidgrad.data import standardize
from lucidgrad.functional import gelu, relu, sigmoid, tanh
from lucidgrad.nn import BatchNorm, Dropout, Linear, Sequential, init
from lucidgrad.optim import SGD, Adam, AdamW, RMSprop


def mlp(*widths: int, activation: Any = relu, key: int = 0, **options: Any) -> Sequential:
    keys = lg.Key(key).split(len(widths) - 1)
    layers: list[Any] = []
    for k, a, b in zip(keys, widths, widths[1:], strict=False):
        layers += [Linear(a, b, key=k, **options), activation]
    return Sequential(*layers[:-1])


def fitted(model: Any, x: Any, y: Any, **options: Any) -> Any:
    given: dict[str, Any] = {"loss": "cross_entropy", "optimizer": Adam(0.01), "epochs": 20, "batch_size": 32}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="training stopped")  # some are to diverge
        return lg.fit(model, x, y, progress=False, **given | options)


def moons(n: int = 400, noise: float = 0.1, seed: int = 0) -> Any:
    x, y = lg.data.moons(n, noise=noise, seed=seed)
    return standardize(x)[0], y


def sine(n: int = 300, seed: int = 0) -> Any:
    x, y = lg.data.sine(n, seed=seed)
    return standardize(x)[0], y


def _noise(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def unscaled_inputs(engine: str) -> Any:
    x, y = moons()
    return fitted(mlp(2, 16, 2), x * 255 + 1000, y, optimizer=Adam(1e-3), engine=engine)


def unscaled_targets(engine: str) -> Any:
    x, y = sine()
    return fitted(mlp(1, 16, 1), x, 250 * y + 2000, loss="squared_error", optimizer=SGD(1e-4), engine=engine)


def leaking_rows(engine: str) -> Any:
    x, y = moons()
    return fitted(mlp(2, 16, 2), x, y, validation=(x[::8], y[::8]), engine=engine)


def shuffled_labels(engine: str) -> Any:
    x, y = moons(500)
    return fitted(mlp(2, 16, 2), x, _noise().permutation(y), validation=0.2, engine=engine)


def class_imbalance(engine: str) -> Any:
    x, y = lg.data.blobs(600, centers=2, seed=0)
    x = x + _noise().normal(0, 2.5, x.shape).astype(np.float32)
    keep = (y == 0) | (np.arange(len(y)) % 25 == 1)
    return fitted(mlp(2, 8, 2), standardize(x[keep])[0], y[keep], epochs=10, engine=engine)


class LogOf(lg.nn.Module):
    """Takes the logarithm of something that training makes negative."""

    def forward(self, x: Any) -> Any:
        return (x + 3.0).log()


def first_nan(engine: str) -> Any:
    x, y = moons()
    model = Sequential(Linear(2, 8, key=lg.Key(0)), tanh, Linear(8, 2, key=lg.Key(1)), LogOf())
    return fitted(model, x, y, optimizer=SGD(2.0), epochs=10, engine=engine)


def exploding_gradients(engine: str) -> Any:
    x, y = moons()
    big = lambda key, shape, dtype: init.normal(key, shape, dtype, std=2.0)  # noqa: E731
    return fitted(mlp(2, 32, 32, 32, 2, init=big), x, y, optimizer=SGD(1e-6), epochs=3, engine=engine)


def saturated_activations(engine: str) -> Any:
    x, y = moons()
    big = lambda key, shape, dtype: init.normal(key, shape, dtype, std=20.0)  # noqa: E731
    return fitted(mlp(2, 16, 16, 2, activation=tanh, init=big), x, y, epochs=3, engine=engine)


def dead_relu(engine: str) -> Any:
    x, y = moons()
    model = mlp(2, 32, 2)
    bias = model.parameters()["0.bias"]
    bias.data = np.full(bias.shape, -50, np.float32)
    return fitted(model, x, y, optimizer=SGD(0.1), engine=engine)


def vanishing_gradients(engine: str) -> Any:
    x, y = moons()
    return fitted(mlp(2, *[16] * 7, 2, activation=sigmoid), x, y, optimizer=SGD(0.1), engine=engine)


def learning_rate_too_high(engine: str) -> Any:
    x, y = moons()
    return fitted(mlp(2, 16, 16, 2, activation=gelu), x, y, optimizer=SGD(15.0), engine=engine)


def learning_rate_too_low(engine: str) -> Any:
    x, y = moons()
    return fitted(mlp(2, 16, 2), x, y, optimizer=SGD(1e-4), engine=engine)


class PushedApart(lg.losses.CrossEntropy):
    """Is smaller the larger the logits are, without an end."""

    def terms(self, predictions: Any, targets: Any) -> Any:
        return super().terms(predictions, targets) - 0.2 * predictions.abs().sum(axis=1)


def growing_weights(engine: str) -> Any:
    x, y = moons(noise=0.02)
    return fitted(mlp(2, 8, 2, activation=tanh), x, y, loss=PushedApart(), optimizer=SGD(1.0), epochs=30, engine=engine)


def overfitting(engine: str) -> Any:
    x, y = moons(160, noise=0.4)
    rng = _noise()
    x = np.concatenate([x, rng.normal(size=(len(x), 20)).astype(np.float32)], axis=1)
    return fitted(mlp(22, 64, 64, 2), x, y, epochs=60, validation=0.4, engine=engine)


def underfitting(engine: str) -> Any:
    x, y = lg.data.circles(400, seed=0)
    return fitted(Linear(2, 2, key=lg.Key(0)), standardize(x)[0], y, engine=engine)


ILL: dict[str, Callable[[str], Any]] = {
    f.__name__: f
    for f in (
        unscaled_inputs,
        unscaled_targets,
        leaking_rows,
        shuffled_labels,
        class_imbalance,
        first_nan,
        exploding_gradients,
        saturated_activations,
        dead_relu,
        vanishing_gradients,
        learning_rate_too_high,
        learning_rate_too_low,
        growing_weights,
        overfitting,
        underfitting,
    )
}


def healthy_moons() -> Any:
    x, y = moons(600, noise=0.15)
    return fitted(mlp(2, 16, 2), x, y, validation=0.2, engine="native")


def healthy_moons_eagerly() -> Any:
    x, y = moons(600, noise=0.15)
    return fitted(mlp(2, 16, 16, 2, activation=tanh), x, y, validation=0.2, optimizer=SGD(0.3), engine="eager")


def healthy_digits() -> Any:
    d = lg.data.digits()
    return fitted(
        mlp(64, 64, 10), d.x_train, d.y_train, validation=0.1, optimizer=Adam(3e-3), epochs=10, engine="native"
    )


def healthy_linear_digits() -> Any:
    d = lg.data.digits()
    return fitted(Linear(64, 10, key=lg.Key(3)), d.x_train, d.y_train, validation=0.1, engine="native")


def healthy_sine() -> Any:
    x, y = sine(600)
    return fitted(
        mlp(1, 32, 32, 1, activation=tanh), x, y, loss="squared_error", validation=0.2, epochs=60, engine="native"
    )


def healthy_line_by_full_batch() -> Any:
    rng = _noise()
    x = rng.normal(size=(300, 4)).astype(np.float32)
    y = x @ np.float32([1, -2, 0.5, 0]) + 0.1 * rng.normal(size=300).astype(np.float32)
    model = Linear(4, 1, key=lg.Key(0))
    return fitted(model, x, y, loss="squared_error", optimizer=SGD(0.1), batch_size=None, epochs=60, engine="native")


def healthy_spirals() -> Any:
    x, y = lg.data.spirals(900, seed=0)
    model = mlp(2, 48, 48, 3, activation=gelu)
    return fitted(model, standardize(x)[0], y, optimizer=AdamW(0.01), epochs=40, validation=0.2, engine="native")


def healthy_sigmoid_xor() -> Any:
    x, y = lg.data.xor(400, seed=0)
    return fitted(mlp(2, 16, 2, activation=sigmoid), x, y, optimizer=RMSprop(0.03), epochs=40, engine="native")


def healthy_normalised() -> Any:
    d = lg.data.digits()
    model = Sequential(
        Linear(64, 64, key=lg.Key(0)), BatchNorm(64), relu, Dropout(0.2), Linear(64, 64, key=lg.Key(1)), BatchNorm(64),
        relu, Linear(64, 10, key=lg.Key(2)),
    )  # fmt: skip
    return fitted(model, d.x_train, d.y_train, validation=0.1, epochs=8, engine="native")


def healthy_single_logit() -> Any:
    x, y = lg.data.circles(500, seed=1)
    return fitted(
        mlp(2, 24, 1), standardize(x)[0], y.astype(np.float32), loss="logistic", validation=0.2, epochs=30,
        engine="native",
    )  # fmt: skip


def healthy_counts() -> Any:
    """A Poisson loss, whose predictions are logarithms."""
    rng = _noise()
    x = rng.normal(size=(400, 3)).astype(np.float32)
    y = rng.poisson(np.exp(x[:, 0])).astype(np.float32)
    return fitted(Linear(3, 1, key=lg.Key(0)), x, y, loss="poisson", epochs=40, engine="native")


def healthy_images_of_bytes() -> Any:
    """Pixels from 0 to 255 that the model itself scales."""

    class Scaled(lg.nn.Module):
        def __init__(self) -> None:
            self.net = mlp(16, 16, 2)

        def forward(self, x: Any) -> Any:
            return self.net(x.reshape((x.shape[0], 16)).astype(np.float32) / 128.0 - 1.0)

    images = _noise().integers(0, 256, (400, 4, 4)).astype(np.uint8)
    return fitted(Scaled(), images, (images[:, 0, 0] > 127).astype(np.int64), engine="native")


def healthy_noisy_labels() -> Any:
    """A fifth of the labels are wrong: the loss stays high, and that is nobody's fault."""
    x, y = moons(1500)
    wrong = _noise().random(len(y)) < 0.2
    return fitted(mlp(2, 16, 2), x, np.where(wrong, 1 - y, y), validation=0.2, epochs=12, engine="native")


HEALTHY: dict[str, Callable[[], Any]] = {
    f.__name__: f
    for f in (
        healthy_moons,
        healthy_moons_eagerly,
        healthy_digits,
        healthy_linear_digits,
        healthy_sine,
        healthy_line_by_full_batch,
        healthy_spirals,
        healthy_sigmoid_xor,
        healthy_normalised,
        healthy_single_logit,
        healthy_counts,
        healthy_images_of_bytes,
        healthy_noisy_labels,
    )
}
