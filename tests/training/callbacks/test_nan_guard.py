"""NaNGuard stops a run that diverges, says where it began, and leaves weights that can be used."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad import nn, optim
from lucidgrad.errors import ArgumentError, DivergenceError
from lucidgrad.training import Callback, NaNGuard, Run


class Remembers(Callback):
    """Keeps the model's state after each step; index 0 is the state before the first."""

    def __init__(self) -> None:
        self.states: list[dict[str, Any]] = []

    def on_run_begin(self, run: Run) -> None:
        self.states.append(run.model.state())

    on_step_end = on_run_begin


def same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    return all((array == b[path]).all() for path, array in a.items())


def explodes_in_epoch(last_good: int) -> Any:
    """A schedule whose rate overflows the weights in the step with this number (from 0)."""
    return lambda step: 1e38 if step == last_good else 0.1


def test_a_step_that_is_too_large_is_named_and_undone(train: Any) -> None:
    """Step 5 (the second of epoch 2) multiplies the weights beyond float32; the loss of step 6 shows it."""
    remembers = Remembers()
    model = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm(4), nn.Linear(4, 2))
    with pytest.raises(DivergenceError) as caught:
        train(remembers, NaNGuard(), model=model, optimizer=optim.SGD(explodes_in_epoch(4)))
    message = str(caught.value)
    assert "training expected finite numbers, got a loss of" in message
    assert "in epoch 2, step 6" in message
    assert "The model has the weights it had before step" in message
    assert same(model.state(), remembers.states[int(message.split("before step ")[1].split()[0]) - 1])
    assert all(np.isfinite(array).all() for array in model.state().values())


def test_the_layer_and_op_that_made_the_first_infinity_are_named(train: Any) -> None:
    model = nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 4), lambda x: (x * 1e4).exp(), nn.Linear(4, 2))
    with pytest.raises(
        DivergenceError, match=r"in epoch 1, step 1\. In step 1, in layer 2: exp made an infinity.*test_nan"
    ):
        train(NaNGuard(), model=model)


def test_repeating_the_step_leaves_no_trace_in_the_running_statistics(train: Any) -> None:
    model = nn.Sequential(nn.BatchNorm(2), nn.Linear(2, 4), lambda x: (x * 1e4).exp(), nn.Linear(4, 2))
    before = model.state()
    with pytest.raises(DivergenceError, match="in layer 2"):
        train(NaNGuard(), model=model)
    assert same(model.state(), before)


def test_the_parameter_whose_gradient_is_not_finite_is_named(train: Any) -> None:
    model = nn.Sequential(nn.Linear(2, 4), lambda x: (x * 0.0).sqrt(), nn.Linear(4, 2))
    with pytest.raises(DivergenceError, match=r"step 2.*In step 1, the gradient of 0\.weight is not finite: .*sqrt"):
        train(NaNGuard(), model=model)


def test_a_row_of_the_data_that_is_not_finite_is_named_by_its_place_in_x(train: Any) -> None:
    x, y = lg.data.xor(40, seed=0)
    x = np.array(x)
    x[23, 1] = np.nan
    for validation in (None, 0.25):
        if validation:
            x[:] = np.nan_to_num(x)
            kept = lg.fit(
                nn.Linear(2, 2), x, y, loss="cross_entropy", optimizer=optim.SGD(0.1), epochs=0,
                validation=validation, progress=False,
            ).samples  # fmt: skip
            assert kept is not None
            assert kept.rows is not None
            row = int(kept.rows[7])
            x[row, 0] = np.inf
        else:
            row = 23
        with pytest.raises(DivergenceError, match=f"row {row} of x is not finite"):
            train(NaNGuard(), data=(x, y), validation=validation, batch_size=8)


def test_weights_that_overflow_in_the_last_step_of_an_epoch_are_found_at_its_end(train: Any) -> None:
    """No loss has shown it yet, and for the last epoch none would."""
    model = nn.Linear(2, 2, key=lg.Key(0))
    x, y = lg.data.xor(40, seed=0)
    with pytest.raises(
        DivergenceError, match=r"a weight of inf in weight after epoch 1, step 3\. The first weight.*weight,"
    ):
        train(
            NaNGuard(), model=model, data=(1e3 * x, y), epochs=1,
            optimizer=optim.SGD(lambda step: 3e38 if step == 2 else 0.0),
        )  # fmt: skip
    assert same(model.state(), nn.Linear(2, 2, key=lg.Key(0)).state())


def test_the_step_is_known_however_seldom_the_weights_are_kept(train: Any) -> None:
    remembers = Remembers()
    lg.seed(0)
    model = nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 2))
    with pytest.raises(DivergenceError, match=r"In step 7, in layer 1: .*before step 7 again"):
        train(remembers, NaNGuard(every_steps=4), model=model, optimizer=optim.SGD(explodes_in_epoch(5)), batch_size=4)
    assert same(model.state(), remembers.states[6])


def test_weights_that_are_not_finite_to_begin_with_are_named(train: Any) -> None:
    model = nn.Linear(2, 2)
    model.bias.data = np.array([0.0, np.nan], np.float32)
    with pytest.raises(DivergenceError, match="expected finite weights to begin with, got bias that is not"):
        train(NaNGuard(), model=model)


def test_an_optimiser_of_the_whole_set_is_guarded_too(train: Any) -> None:
    model = nn.Sequential(nn.Linear(2, 4), lambda x: (x * 1e4).exp(), nn.Linear(4, 2))
    with pytest.raises(DivergenceError, match="a loss of nan in epoch 1, step 1"):
        train(NaNGuard(), model=model, optimizer=optim.LBFGS(), batch_size=None)


def test_dropout_drops_the_same_units_when_the_step_is_repeated(train: Any) -> None:
    """Where the infinity is made only when one unit is kept, the repeated step has to find it again."""
    model = nn.Sequential(nn.Dropout(0.5), lambda x: x + (x.abs() > 1.9).astype("float32") * 3e38 * 10, nn.Linear(2, 2))
    with pytest.raises(DivergenceError, match=r"in layer 1: .* made an infinity"):
        train(NaNGuard(), model=model, epochs=20)


def test_a_run_in_order_is_the_same_with_and_without_it(train: Any) -> None:
    with_guard, without = train(NaNGuard()), train()
    assert with_guard.history["loss"] == without.history["loss"]
    assert same(with_guard.model.state(), without.model.state())


def test_every_steps_is_at_least_one() -> None:
    with pytest.raises(ArgumentError, match=r"NaNGuard\(every_steps\) expected at least 1, got 0"):
        NaNGuard(every_steps=0)
