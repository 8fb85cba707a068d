"""fit: what it trains, what it writes down, and what it refuses."""

from __future__ import annotations

import signal
import threading

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad import nn, optim
from lucidgrad.errors import ArgumentError, DtypeError, LucidgradError, ShapeError
from lucidgrad.training import Callback


def classifier(seed: int = 0, features: int = 2, classes: int = 2, hidden: int = 8) -> nn.Module:
    lg.seed(seed)
    return nn.Sequential(nn.Linear(features, hidden), lg.functional.tanh, nn.Linear(hidden, classes))


def fit(model: nn.Module, x: object, y: object, **options: object) -> lg.Run:
    given = {"loss": "cross_entropy", "optimizer": optim.Adam(0.02), "epochs": 3, "batch_size": 16, "progress": False}
    return lg.fit(model, x, y, **(given | options))


XOR = lg.data.xor(101, seed=0)


class Recorder(Callback):
    """Keeps what it is called with."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.batch_losses: list[float] = []

    def on_run_begin(self, run: lg.Run) -> None:
        self.calls.append("run begin")

    def on_epoch_begin(self, run: lg.Run) -> None:
        self.calls.append(f"epoch begin {run.epoch}")

    def on_step_end(self, run: lg.Run) -> None:
        self.calls.append(f"step {run.step}")
        self.batch_losses.append(run.batch_loss)

    def on_epoch_end(self, run: lg.Run) -> None:
        self.calls.append(f"epoch end {run.history.last['epoch']}")

    def on_run_end(self, run: lg.Run) -> None:
        self.calls.append("run end")


def test_a_network_with_a_hidden_layer_learns_xor_and_one_without_cannot() -> None:
    x, y = lg.data.xor(400, seed=1)
    deep = fit(classifier(), x, y, epochs=40, metrics=["accuracy"])
    flat = fit(nn.Sequential(nn.Linear(2, 2)), x, y, epochs=40, metrics=["accuracy"])
    assert deep.history["accuracy"][-1] > 0.97
    assert flat.history["accuracy"][-1] < 0.75


def test_regression_of_two_outputs_finds_the_line() -> None:
    x = np.linspace(-1, 1, 64).reshape(-1, 1)
    y = np.concatenate([2 * x + 1, -x], axis=1)
    model = nn.Linear(1, 2)
    run = fit(model, x, y, loss="squared_error", optimizer=optim.SGD(0.1), epochs=60)
    assert run.history["loss"][-1] < 1e-5
    np.testing.assert_allclose(model.weight.numpy(), [[2.0], [-1.0]], atol=1e-2)


def test_batch_size_none_is_gradient_descent_over_the_whole_set() -> None:
    x, y = XOR
    model, by_hand = classifier(), classifier()
    fit(model, x, y, batch_size=None, optimizer=optim.SGD(0.5), epochs=5, shuffle=False)
    loss = lg.losses.CrossEntropy()
    for _ in range(5):
        parameters = list(by_hand.parameters().values())
        gradients = lg.grad(loss(by_hand(x), y), parameters, create_graph=False)
        for p, g in zip(parameters, gradients, strict=True):
            p.data = p - 0.5 * g
    for name, value in by_hand.state().items():
        np.testing.assert_allclose(model.state()[name], value, rtol=1e-6, atol=1e-7)


def test_an_epoch_visits_every_sample_once_and_counts_the_short_last_batch_as_what_it_is() -> None:
    x, y = XOR
    recorder = Recorder()
    model = classifier()
    before = lg.evaluate(model, x, y, loss="cross_entropy")["loss"]
    run = fit(model, x, y, optimizer=optim.SGD(0.0), epochs=1, callbacks=[recorder], metrics=["accuracy"])
    assert len(recorder.batch_losses) == 7  # 6 batches of 16 and one of 5
    assert run.history["loss"][0] == pytest.approx(before, rel=1e-6)  # the weights never moved
    assert run.history["loss"][0] != pytest.approx(np.mean(recorder.batch_losses), rel=1e-9)
    assert run.history["accuracy"][0] == pytest.approx(lg.evaluate(model, x, y, metrics=["accuracy"])["accuracy"])


def test_hooks_are_called_in_order() -> None:
    recorder = Recorder()
    fit(classifier(), *XOR, epochs=2, batch_size=60, callbacks=[recorder])
    assert recorder.calls == [
        "run begin",
        *["epoch begin 0", "step 1", "step 2", "epoch end 1"],
        *["epoch begin 1", "step 3", "step 4", "epoch end 2"],
        "run end",
    ]


def test_the_history_has_a_row_for_each_epoch_with_everything_that_was_measured() -> None:
    run = fit(classifier(), *XOR, validation=0.2, metrics=["accuracy"])
    assert run.history["epoch"] == [1, 2, 3]
    row = run.history.last
    assert set(row) == {
        *["epoch", "loss", "accuracy", "validation_loss", "validation_accuracy"],
        *["learning_rate", "seconds", "max_abs_weight"],
    }
    assert row["learning_rate"] == pytest.approx(0.02)
    assert row["seconds"] > 0
    weights = run.model.parameters()
    assert row["max_abs_weight"] == {name: float(np.abs(p.numpy()).max()) for name, p in weights.items()}
    assert "validation_accuracy" in repr(run.history)


def test_validation_takes_a_fraction_or_data_with_weights() -> None:
    x, y = XOR
    for validation in (0.25, (x[:10], y[:10]), [x[:10], y[:10], np.ones(10)]):
        assert "validation_loss" in fit(classifier(), x, y, validation=validation, epochs=1).history
    by_data = fit(classifier(), x, y, validation=(x, y), epochs=1)
    again = lg.evaluate(by_data.model, x, y, loss="cross_entropy")["loss"]
    assert by_data.history["validation_loss"][0] == pytest.approx(again, rel=1e-6)


def test_a_held_back_fraction_is_not_trained_on_and_keeps_the_shares_of_the_classes() -> None:
    x = np.arange(40.0).reshape(-1, 1)
    y = np.arange(40) % 4
    seen: list[float] = []

    class Spy(nn.Module):
        def __init__(self) -> None:
            self.inner = nn.Linear(1, 4)

        def forward(self, batch: lg.Tensor) -> lg.Tensor:
            if self.training:
                seen.extend(batch.numpy().ravel().tolist())
            return self.inner(batch)

    fit(Spy(), x, y, validation=0.2, epochs=1, batch_size=8, engine="eager")
    assert len(seen) == len(set(seen)) == 32
    held_back = sorted(set(range(40)) - {int(v) for v in seen})
    assert [held_back_class % 4 for held_back_class in sorted(held_back, key=lambda i: i % 4)] == [
        0,
        0,
        1,
        1,
        2,
        2,
        3,
        3,
    ]


def test_integer_weights_mean_the_same_as_repeated_rows() -> None:
    x, y = XOR
    counts = np.arange(len(x)) % 3
    weighted, repeated = classifier(), classifier()
    options = {"batch_size": None, "optimizer": optim.SGD(0.3), "epochs": 4}
    a = fit(weighted, x, y, sample_weight=counts, **options)
    b = fit(repeated, np.repeat(x, counts, axis=0), np.repeat(y, counts), **options)
    assert a.history["loss"] == pytest.approx(b.history["loss"], rel=1e-5)
    for name, value in repeated.state().items():
        np.testing.assert_allclose(weighted.state()[name], value, rtol=1e-4, atol=1e-6)


def test_same_seed_same_bits_and_another_seed_other_bits() -> None:
    def weights(seed: int) -> bytes:
        model = nn.Sequential(*classifier(), nn.Dropout(0.1))
        fit(model, *XOR, seed=seed, validation=0.2)
        return b"".join(v.tobytes() for v in model.state().values())

    assert weights(0) == weights(0)
    assert weights(0) != weights(1)


def test_without_shuffling_the_samples_come_in_their_order() -> None:
    seen: list[int] = []

    class Spy(nn.Module):
        def __init__(self) -> None:
            self.inner = nn.Linear(1, 1)

        def forward(self, batch: lg.Tensor) -> lg.Tensor:
            seen.extend(int(v) for v in batch.numpy().ravel())
            return self.inner(batch)

    x = np.arange(10.0).reshape(-1, 1)
    fit(Spy(), x, x, loss="squared_error", epochs=2, batch_size=4, shuffle=False, engine="eager")
    assert seen == [*range(10), *range(10)]


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8, np.int32])
def test_inputs_of_any_kind_of_number_train_and_stay_as_they_were(dtype: type) -> None:
    x = (np.arange(60).reshape(20, 3) % 7).astype(dtype)
    y = np.arange(20) % 2
    before = x.copy(), y.copy()
    x.setflags(write=False)
    run = fit(classifier(features=3), x, y)
    assert np.isfinite(run.history["loss"]).all()
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(y, before[1])
    assert all(v.dtype == np.float32 for v in run.model.state().values())


def test_lists_and_memory_maps_train_to_the_same_weights_as_arrays(tmp_path: object) -> None:
    x, y = (np.asarray(a) for a in XOR)
    mapped = np.memmap(str(tmp_path) + "/x.bin", x.dtype, "w+", shape=x.shape)
    mapped[:] = x
    results = []
    for inputs in (x, x.tolist(), mapped):
        model = classifier()
        fit(model, inputs, y.tolist())
        results.append(np.concatenate([v.ravel() for v in model.state().values()]))
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


def test_a_float64_model_trains_in_float64() -> None:
    lg.seed(0)
    model = nn.Sequential(nn.Linear(2, 4, dtype=np.float64), lg.functional.tanh, nn.Linear(4, 2, dtype=np.float64))
    fit(model, *XOR, optimizer=optim.Adam(0.01))
    assert all(v.dtype == np.float64 for v in model.state().values())


def test_a_schedule_decides_the_learning_rate_of_each_step() -> None:
    seen: list[float] = []

    class Rates(Callback):
        def on_step_end(self, run: lg.Run) -> None:
            seen.append(run.learning_rate)

    fit(classifier(), *XOR, optimizer=optim.SGD(lambda step: 0.1 / (1 + step)), epochs=1, callbacks=[Rates()])
    assert seen == pytest.approx([0.1 / (1 + i) for i in range(7)])


def test_lbfgs_trains_on_the_whole_set_and_refuses_minibatches() -> None:
    x, y = XOR
    run = fit(classifier(), x, y, optimizer=optim.LBFGS(), epochs=10, batch_size=None, metrics=["accuracy"])
    assert run.history["accuracy"][-1] > 0.97
    with pytest.raises(ArgumentError, match="batch_size=None"):
        fit(classifier(), x, y, optimizer=optim.LBFGS(), batch_size=16)


def test_a_callback_stops_the_run_after_the_step_under_way() -> None:
    class StopAt(Callback):
        def on_step_end(self, run: lg.Run) -> None:
            if run.step == 9:
                run.stop("enough")

    run = fit(classifier(), *XOR, epochs=5, callbacks=[StopAt()])
    assert (run.step, run.epoch, run.batch, run.stop_reason) == (9, 1, 2, "enough")
    assert len(run.history) == 1


def test_ctrl_c_ends_the_run_after_a_whole_step_and_the_run_end_hook() -> None:
    recorder = Recorder()

    class Interrupt(Callback):
        def on_step_end(self, run: lg.Run) -> None:
            if run.step == 3:
                signal.raise_signal(signal.SIGINT)

    model = classifier()
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit(model, *XOR, callbacks=[Interrupt(), recorder])
    assert signal.getsignal(signal.SIGINT) is before
    assert recorder.calls[-2:] == ["step 3", "run end"]
    reference = classifier()
    fit(reference, *XOR, epochs=1, callbacks=[_StopAt3()])
    for name, value in reference.state().items():
        np.testing.assert_array_equal(model.state()[name], value)


def test_ctrl_c_in_the_moment_in_which_a_run_stops_by_itself_is_not_lost() -> None:
    class Stop(Callback):
        def on_epoch_end(self, run: lg.Run) -> None:
            run.stop("enough")

        def on_run_end(self, run: lg.Run) -> None:
            assert run.stop_reason == "enough"
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        fit(classifier(), *XOR, epochs=3, callbacks=[Stop()])


def test_a_process_that_ignores_ctrl_c_goes_on_ignoring_it() -> None:
    class Interrupt(Callback):
        def on_epoch_end(self, run: lg.Run) -> None:
            signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        run = fit(classifier(), *XOR, epochs=3, callbacks=[Interrupt()])
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    assert (run.epoch, run.stop_reason) == (3, None)


class _StopAt3(Callback):
    def on_step_end(self, run: lg.Run) -> None:
        if run.step == 3:
            run.stop("at 3")


def test_two_models_train_in_two_threads_as_they_do_one_after_the_other() -> None:
    def train(seed: int, into: dict[int, bytes]) -> None:
        model = classifier_with_key(seed)
        fit(model, *XOR, seed=seed)
        into[seed] = b"".join(v.tobytes() for v in model.state().values())

    def classifier_with_key(seed: int) -> nn.Module:
        with lg.use_key(lg.Key(seed)):
            return nn.Sequential(nn.Linear(2, 8), lg.functional.tanh, nn.Linear(8, 2), nn.Dropout(0.2))

    serial: dict[int, bytes] = {}
    parallel: dict[int, bytes] = {}
    for seed in (1, 2):
        train(seed, serial)
    threads = [threading.Thread(target=train, args=(seed, parallel)) for seed in (1, 2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert parallel == serial


def test_a_diverging_run_says_so() -> None:
    with pytest.warns(RuntimeWarning, match="Lower the learning rate"):
        fit(
            nn.Linear(2, 1),
            XOR[0] * 1e3,
            XOR[1].astype(float),
            loss="squared_error",
            optimizer=optim.SGD(1e6),
            epochs=9,
        )


def test_a_user_function_can_be_the_loss() -> None:
    def loss(predictions: lg.Tensor, targets: lg.Tensor) -> lg.Tensor:
        return ((predictions - targets) ** 2).mean()

    x = np.linspace(-1, 1, 30).reshape(-1, 1)
    run = fit(nn.Linear(1, 1), x, 3 * x, loss=loss, optimizer=optim.Adam(0.1), epochs=40)
    assert run.history["loss"][-1] < 1e-3


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"epochs": -1}, ArgumentError, "epochs expected an integer >= 0, got -1"),
        ({"epochs": 2.5}, ArgumentError, "epochs expected an integer"),
        ({"batch_size": 0}, ArgumentError, "batch_size expected an integer >= 1, got 0"),
        ({"validation": "some"}, ArgumentError, "validation expected a fraction"),
        ({"validation": (XOR[0][:3], XOR[1][:2])}, ShapeError, "validation expected as many rows in y as in x"),
        ({"validation": 1.5}, LucidgradError, "between 0 and 1"),
        ({"callbacks": [Callback]}, ArgumentError, "callbacks expected Callback objects"),
        ({"sample_weight": np.ones(3)}, ShapeError, "as many rows in sample_weight"),
        ({"sample_weight": -np.ones(101)}, ArgumentError, "finite sample_weight >= 0"),
        ({"sample_weight": np.zeros(101)}, ArgumentError, "at least one positive sample_weight"),
        ({"loss": "no such loss"}, LucidgradError, "cross_entropy"),
        ({"metrics": ["no such metric"]}, LucidgradError, "accuracy"),
        ({"loss": "zero_one"}, LucidgradError, "cross_entropy|CrossEntropy"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused_with_a_reason(
    change: dict[str, object], error: type, message: str
) -> None:
    with pytest.raises(error, match=message):
        fit(classifier(), *XOR, **change)


@pytest.mark.parametrize(
    ("x", "y", "error", "message"),
    [
        ([], [], ShapeError, "at least one row in x"),
        ([["a"]], [0], DtypeError, "numbers in x"),
        ([[1.0], [2.0, 3.0]], [0, 1], ShapeError, "regular array"),
        (np.ones((3, 2)), ["a", "b", "c"], DtypeError, "np.unique"),
        (np.ones((3, 2)), [0, 1], ShapeError, "as many rows in y as in x, 3"),
        (np.ones((3, 2)), [0, 1, 7], LucidgradError, "7"),
        (np.ones((3, 5)), [0, 1, 1], ShapeError, r"Linear\(in_features=2"),
        (np.ones((3, 2), complex), [0, 1, 1], DtypeError, "complex"),
    ],
)
def test_data_that_does_not_fit_is_refused_with_a_reason(x: object, y: object, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        fit(classifier(), x, y)


def test_zero_epochs_train_nothing() -> None:
    model = classifier()
    before = {k: v.copy() for k, v in model.state().items()}
    run = fit(model, *XOR, epochs=0)
    assert len(run.history) == 0
    for name, value in before.items():
        np.testing.assert_array_equal(model.state()[name], value)
