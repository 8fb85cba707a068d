"""A run in machine code ends where the eager run ends: every layer, loss, activation and optimiser, over 50 steps."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad import losses, nn, optim
from lucidgrad.functional import ACTIVATIONS

pytest.importorskip("llvmlite")

ROWS = 110  # batches of 24: four whole ones and a shorter last one


def data(classes: int = 3, dtype: Any = np.float32) -> tuple[Any, Any]:
    generator = np.random.default_rng(5)
    x = generator.standard_normal((ROWS, 7)).astype(dtype)
    return x, x[:, :classes].argmax(axis=1)


def mlp(*between: Any, dtype: Any = np.float32, outputs: int = 3) -> nn.Module:
    lg.seed(3)
    return nn.Sequential(nn.Linear(7, 19, dtype=dtype), *between, nn.Linear(19, outputs, dtype=dtype))


def compare(make: Any, x: Any, y: Any, dtype: Any = np.float32, **settings: Any) -> None:
    """Train twice, with either engine, and compare weights, optimiser state, history and buffers."""
    options = {"loss": "cross_entropy", "optimizer": optim.SGD(0.05), "epochs": 10, "batch_size": 24} | settings
    runs = []
    for engine in ("eager", "native"):
        model = make()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            runs.append(lg.fit(model, x, y, engine=engine, progress=False, **options))
    eager, native = runs
    tolerance = 1e-4 if dtype == np.float32 else 1e-11
    for path, array in eager.model.state().items():
        scale = float(np.abs(array).max(initial=1.0))
        np.testing.assert_allclose(
            native.model.state()[path], array, rtol=tolerance, atol=tolerance * scale, err_msg=path
        )
    np.testing.assert_allclose(native.history["loss"], eager.history["loss"], rtol=tolerance)
    assert native.step == eager.step
    for name in eager.metrics:
        np.testing.assert_allclose(native.history[name], eager.history[name], rtol=tolerance)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_every_activation(name: str) -> None:
    x, y = data()
    compare(lambda: mlp(ACTIVATIONS[name]), x, y, metrics=["accuracy"])


OPTIMIZERS = [
    optim.SGD(0.1),
    optim.SGD(0.1, momentum=0.9),
    optim.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    optim.Adam(0.01),
    optim.AdamW(0.01, weight_decay=0.1),
    optim.RMSprop(0.01),
    optim.Adagrad(0.05),
    optim.Lion(0.003),
    optim.clipped(optim.SGD(0.5), max_norm=0.1),
    optim.clipped(optim.Adam(0.01), max_value=0.01),
    optim.regularized(optim.SGD(0.1), l2=0.01, l1=0.001),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_every_optimiser(optimizer: Any, dtype: Any) -> None:
    x, y = data(dtype=dtype)
    compare(lambda: mlp(lg.functional.tanh, dtype=dtype), x, y, dtype, optimizer=optimizer)


@pytest.mark.parametrize(
    "layers",
    [
        lambda dtype: (nn.Dropout(0.4), lg.functional.relu),
        lambda dtype: (nn.BatchNorm(19, dtype=dtype), lg.functional.relu),
        lambda dtype: (nn.LayerNorm(19, dtype=dtype), lg.functional.tanh),
        lambda dtype: (nn.Linear(19, 33, dtype=dtype), lg.functional.gelu, nn.Linear(33, 19, bias=False, dtype=dtype)),
    ],
    ids=["dropout", "batch norm", "layer norm", "deeper, without bias"],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_layer(layers: Any, dtype: Any) -> None:
    x, y = data(dtype=dtype)
    # Not Adam: a bias in front of a batch norm has a gradient of rounding errors, which Adam makes steps of full size.
    compare(lambda: mlp(*layers(dtype), dtype=dtype), x, y, dtype, optimizer=optim.SGD(0.1), metrics=["accuracy"])


@pytest.mark.parametrize("name", ["squared_error", "absolute_error", "huber"])
def test_losses_of_regression(name: str) -> None:
    x, _ = data(dtype=np.float64)
    y = x @ np.arange(14.0).reshape(7, 2) / 10
    compare(lambda: mlp(lg.functional.tanh, dtype=np.float64, outputs=2), x, y, np.float64, loss=losses.as_loss(name))


def test_an_embedding_and_integer_inputs() -> None:
    tokens = np.random.default_rng(0).integers(0, 9, (ROWS, 3))

    def make() -> nn.Module:
        lg.seed(1)
        return nn.Sequential(nn.Embedding(9, 5), lambda x: x.reshape(len(x), 15), nn.Linear(15, 3))

    compare(make, tokens, tokens.sum(1) % 3)


def test_sample_weights_of_which_some_are_zero() -> None:
    x, y = data()
    weight = np.random.default_rng(2).integers(0, 3, ROWS).astype(np.float64)
    compare(lambda: mlp(lg.functional.relu), x, y, sample_weight=weight, metrics=["accuracy"])


@pytest.mark.parametrize("view", ["columns first", "every other row", "float64", "uint8"])
def test_inputs_of_any_layout(view: str) -> None:
    x, y = data()
    views = {
        "columns first": np.asfortranarray(x),
        "every other row": np.repeat(x, 2, axis=0)[::2],
        "float64": x.astype(np.float64),
        "uint8": (x * 10 + 50).astype(np.uint8),
    }
    compare(lambda: mlp(lg.functional.tanh), views[view], y, optimizer=optim.SGD(1e-3))


def test_schedules_and_held_back_samples() -> None:
    x, y = data()
    schedule = optim.schedules.cosine(0.1, 50)
    compare(lambda: mlp(lg.functional.relu), x, y, optimizer=optim.SGD(schedule), validation=0.3, metrics=["accuracy"])


def test_a_callback_sees_and_changes_the_weights_of_each_epoch() -> None:
    x, y = data()

    class Halve(lg.training.Callback):
        def on_epoch_end(self, run: lg.Run) -> None:
            for p in run.parameters.values():
                p.data = p.detach() * 0.5

    compare(lambda: mlp(lg.functional.relu), x, y, callbacks=[Halve()])


def test_a_callback_is_called_after_every_step() -> None:
    x, y = data()
    norms: dict[str, list[float]] = {"eager": [], "native": []}

    for engine, seen in norms.items():

        class Watch(lg.training.Callback):
            def on_step_end(self, run: lg.Run, seen: list[float] = seen) -> None:
                seen.append(float(np.abs(next(iter(run.parameters.values())).numpy()).sum()))

        lg.fit(mlp(), x, y, loss="cross_entropy", optimizer=optim.SGD(0.1), epochs=2, batch_size=24,
               callbacks=[Watch()], engine=engine, progress=False)  # fmt: skip
    assert len(norms["native"]) == 10
    np.testing.assert_allclose(norms["native"], norms["eager"], rtol=1e-5)


@pytest.mark.parametrize("batch_size", [24, ROWS - 1])
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_the_loss_of_every_step_is_reported(reduction: Any, batch_size: int) -> None:
    """The loss may be the very number that the loss of the epoch adds up: of a sum, or of a last batch of one row."""
    x, y = data(dtype=np.float64)
    seen: dict[str, list[float]] = {"eager": [], "native": []}

    for engine, batch_losses in seen.items():

        class Watch(lg.training.Callback):
            def on_step_end(self, run: lg.Run, batch_losses: list[float] = batch_losses) -> None:
                batch_losses.append(run.batch_loss)

        lg.fit(mlp(dtype=np.float64), x, y, loss=losses.CrossEntropy(reduction), optimizer=optim.SGD(1e-3), epochs=2,
               batch_size=batch_size, callbacks=[Watch()], engine=engine, progress=False)  # fmt: skip
    np.testing.assert_allclose(seen["native"], seen["eager"], rtol=1e-12)


def test_labels_out_of_range_are_refused_before_a_step_is_done() -> None:
    x, y = data()
    model = mlp(lg.functional.relu)
    before = {k: v.copy() for k, v in model.state().items()}
    y[-1] = 7
    with pytest.raises(lg.errors.LucidgradError, match="7"):
        lg.fit(model, x, y, loss="cross_entropy", optimizer=optim.SGD(0.1), epochs=1, batch_size=24, engine="native")
    for path, array in model.state().items():
        np.testing.assert_array_equal(array, before[path])


def test_a_model_that_cannot_be_compiled_names_the_op_and_trains_eagerly() -> None:
    cube = lg.ops.Op(
        "cube", forward=lambda x: x * x * x, shape=lg.ops.shapes.elementwise, vjp=(lambda g, y, x: 3 * g * x * x,)
    )
    x, y = data()
    with pytest.warns(RuntimeWarning, match="cube"):
        run = lg.fit(mlp(lambda x: cube(x)), x, y, loss="cross_entropy", optimizer=optim.SGD(0.01), epochs=1)
    assert len(run.history.rows) == 1


def test_an_unknown_engine_is_refused() -> None:
    x, y = data()
    with pytest.raises(lg.errors.ArgumentError, match="engine expected"):
        lg.fit(mlp(), x, y, loss="cross_entropy", optimizer=optim.SGD(0.1), epochs=1, engine="fast")


@pytest.mark.parametrize("threads", [2, 3])
def test_the_bits_do_not_depend_on_the_number_of_threads(threads: int) -> None:
    generator = np.random.default_rng(0)
    x = generator.standard_normal((300, 100)).astype(np.float32)
    y = x[:, :5].argmax(axis=1)
    states = []
    for count in (1, threads):
        lg.seed(0)
        model = nn.Sequential(
            nn.Linear(100, 130), nn.BatchNorm(130), lg.functional.relu, nn.Dropout(0.3), nn.Linear(130, 70),
            nn.LayerNorm(70), lg.functional.tanh, nn.Linear(70, 5),
        )  # fmt: skip
        optimizer = optim.clipped(optim.Adam(0.01), max_norm=1.0)
        lg.fit(model, x, y, loss="cross_entropy", optimizer=optimizer, epochs=3, batch_size=128, threads=count,
               engine="native", progress=False)  # fmt: skip
        states.append(model.state())
    for path, array in states[0].items():
        assert array.tobytes() == states[1][path].tobytes(), path
