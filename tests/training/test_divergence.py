"""A loss that is no number ends the run: epoch, step and layer are named, the weights are those from before."""

import math
from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad import nn, optim

rng = np.random.default_rng(4)
X, Y = rng.standard_normal((40, 3)).astype(np.float32), rng.integers(0, 2, 40)


def diverging(engine: str, epochs: int = 5, bad_step: int = 13, **options: Any) -> lg.Run:
    """A run of ten steps an epoch whose loss is inf or NaN in step ``bad_step``, counted from 1."""
    with lg.use_key(lg.Key(1)):
        model = nn.Sequential(nn.Linear(3, 4), lg.functional.relu, nn.Linear(4, 2))
    optimizer = optim.SGD(lambda step: 1e30 if step == bad_step - 2 else 0.01)
    return lg.fit(
        model, X, Y, loss="cross_entropy", optimizer=optimizer, epochs=epochs, batch_size=4, engine=engine, **options
    )


@pytest.mark.parametrize("engine", ["native", "eager"])
def test_the_run_stops_and_names_epoch_step_and_layer(engine):
    with pytest.warns(
        RuntimeWarning, match=r"training stopped.* in epoch 2, step 13\. In that step, .*Lower the"
    ) as seen:
        run = diverging(engine)
    assert run.stop_reason is not None
    assert run.stop_reason.startswith("diverged in epoch 2, step 13: ")
    assert "in layer " in str(seen[0].message)
    assert run.step == 13
    assert len(run.history) == 2
    assert not math.isfinite(run.history["loss"][-1])


@pytest.mark.parametrize("engine", ["native", "eager"])
@pytest.mark.parametrize("bad_step", [2, 10, 11, 13, 20])
def test_the_model_has_the_weights_from_before_the_step(engine, bad_step):
    with pytest.warns(RuntimeWarning, match=f"step {bad_step}"):
        run = diverging(engine, bad_step=bad_step)

    class StopsBefore(lg.training.Callback):
        def on_step_end(self, run: lg.Run) -> None:
            if run.step == bad_step - 1:
                run.stop("enough")

    before = diverging(engine, bad_step=bad_step, callbacks=[StopsBefore()])
    for path, array in before.model.state().items():
        np.testing.assert_array_equal(run.model.state()[path], array)


def test_both_engines_stop_with_the_same_history():
    runs = []
    for engine in ("native", "eager"):
        with pytest.warns(RuntimeWarning, match="training stopped"):
            runs.append(diverging(engine, metrics=["accuracy"]))
    native, eager = (r.history for r in runs)
    np.testing.assert_allclose(native["loss"][:1], eager["loss"][:1], rtol=1e-5)
    assert native["accuracy"] == eager["accuracy"]


@pytest.mark.parametrize("engine", ["native", "eager"])
def test_a_bad_row_of_the_data_is_named(engine):
    x = X.copy()
    x[17, 1] = np.nan
    with pytest.warns(RuntimeWarning, match=r"row 17 of x is not finite"):
        lg.fit(
            nn.Linear(3, 2), x, Y, loss="cross_entropy", optimizer=optim.SGD(0.1), epochs=2, batch_size=4, engine=engine
        )
