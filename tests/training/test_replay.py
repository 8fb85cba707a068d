"""A step that is replayed is the step that was done: the same bits before it, after it, and in its loss."""

from __future__ import annotations

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.optim import Adam, clipped, regularized
from lucidgrad.training import Callback, Checkpoint, LearningRate
from lucidgrad.training.replay import replay

SGD = lg.optim.SGD
OPTIMIZERS = {
    "sgd": SGD(0.1),
    "momentum": SGD(lambda step: 0.1 / (1 + step), momentum=0.9, nesterov=True),
    "adam": Adam(0.01),
    "clipped": clipped(SGD(0.5, momentum=0.5), max_norm=0.1),
    "regularized": regularized(Adam(0.01), l2=0.1),
}


class EveryStep(Callback):
    """Writes down what the run had before and after each step."""

    def __init__(self):
        self.states, self.losses = [], []

    def on_epoch_begin(self, run):
        if not self.states:
            self.states.append(self._now(run))

    def on_step_end(self, run):
        self.states.append(self._now(run))
        self.losses.append(run.batch_loss)

    def _now(self, run):
        return {path: np.array(a) for path, a in run.model.state().items()}


class KeepWeightsSmall(Callback):
    """A constraint that no replay can know of."""

    def on_epoch_end(self, run):
        for tensor in run.parameters.values():
            tensor.data = tensor.detach().clip(-0.05, 0.05)


def network(seed=0):
    lg.seed(seed)
    return lg.nn.Sequential(
        lg.nn.Linear(2, 6), lg.nn.BatchNorm(6), lg.functional.tanh, lg.nn.Dropout(0.3), lg.nn.Linear(6, 2)
    )


def data(n=22):
    x, y = lg.data.xor(n, seed=0)
    return x, y, np.linspace(0, 2, n)  # the first weight is 0: that sample does not count


def train(optimizer, engine="eager", callbacks=(), epochs=3, **options):
    x, y, weight = data()
    steps = EveryStep()
    run = lg.fit(
        network(), x, y, loss="cross_entropy", optimizer=optimizer, epochs=epochs, batch_size=6, sample_weight=weight,
        engine=engine, callbacks=[*callbacks, steps], seed=3, **options,
    )  # fmt: skip
    return run, steps


def assert_same(moment, state):
    assert moment.tensors.keys() == state.keys()
    for path, tensor in moment.tensors.items():
        np.testing.assert_array_equal(tensor.numpy(), state[path], err_msg=path)


@pytest.mark.parametrize("engine", ["eager", "native"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_replayed_step_has_the_bits_of_the_run(name, engine):
    run, steps = train(OPTIMIZERS[name], engine)
    for epoch, batch in ((1, 1), (2, 3), (3, 4)):
        found = replay(run, epoch=epoch, batch=batch)
        assert found.step == (epoch - 1) * 4 + batch - 1
        assert_same(found.before, steps.states[found.step])
        assert_same(found.after, steps.states[found.step + 1])
        assert found.loss == steps.losses[found.step]
        assert (found.engine, found.checked_epochs) == (engine, epoch)


def test_the_run_and_its_model_stay_as_they_are():
    run, steps = train(Adam(0.01))
    run.model.eval()
    before = (run.epoch, run.batch, run.step, len(run.history.rows), run.optimizer_state, run.callbacks)
    replay(run, epoch=2, batch=1)
    assert (run.epoch, run.batch, run.step, len(run.history.rows), run.optimizer_state, run.callbacks) == before
    assert not any(module.training for module in run.model.modules().values())
    for path, array in run.model.state().items():
        np.testing.assert_array_equal(array, steps.states[-1][path])


def test_the_rows_of_the_minibatch_are_those_of_the_data_set():
    run, _ = train(SGD(0.1))
    x, y, weight = data()
    found = replay(run, epoch=1, batch=4)
    assert len(found.rows) == 3  # 21 samples count: the last minibatch is short
    np.testing.assert_array_equal(found.data[0].numpy(), x[found.rows])
    np.testing.assert_array_equal(found.data[1].numpy(), y[found.rows])
    np.testing.assert_allclose(found.data[2].numpy(), weight[found.rows])


@pytest.mark.parametrize("engine", ["eager", "native"])
def test_learning_rates_that_a_callback_has_set_are_set_again(engine):
    run, steps = train(SGD(0.2), engine, [LearningRate(lambda epoch: 0.5**epoch)])
    found = replay(run, epoch=3, batch=2)
    assert found.learning_rate == pytest.approx(0.05)
    assert_same(found.after, steps.states[found.step + 1])


def test_a_resumed_run_is_replayed_from_a_checkpoint(tmp_path):
    train(Adam(0.01), callbacks=[Checkpoint(tmp_path, every_steps=3, keep=None)], epochs=2)
    run, steps = train(Adam(0.01), callbacks=[Checkpoint(tmp_path, keep=None)], epochs=4, resume=True)
    with pytest.raises(lg.errors.ArgumentError, match=r"a state from before it.*checkpoint=folder"):
        replay(run, epoch=2, batch=1)
    early = replay(run, epoch=2, batch=1, checkpoint=tmp_path)
    assert early.before.step == 4
    later = replay(run, epoch=3, batch=1)
    assert_same(later.after, steps.states[1])


def test_a_step_is_replayed_while_the_run_goes_on():
    found = []

    class Look(Callback):
        def on_epoch_end(self, run):
            if run.epoch == 2:
                found.append(replay(run, epoch=1, batch=2))

    run, steps = train(Adam(0.01), "native", [Look()])
    undisturbed, _ = train(Adam(0.01), "native")
    assert run.history["loss"] == undisturbed.history["loss"]
    assert_same(found[0].before, steps.states[1])


def test_a_minimiser_of_its_own_has_one_step_an_epoch():
    x, y, _ = data()
    run = lg.fit(
        lg.nn.Linear(2, 2), x, y, loss="cross_entropy", optimizer=lg.optim.LBFGS(max_iterations=3), epochs=2
    )  # fmt: skip
    found = replay(run, epoch=2)
    assert found.after.tensors["weight"].numpy().tolist() == run.model.weight.numpy().tolist()


def test_a_step_that_has_diverged_can_be_replayed():
    x, y = [[1.0], [2.0]], [[0.0], [0.0]]
    with pytest.warns(RuntimeWarning, match="training stopped"):
        run = lg.fit(lg.nn.Linear(1, 1, key=lg.Key(0)), x, y, loss="squared_error", optimizer=SGD(1e20), epochs=9)
    found = replay(run, epoch=run.epoch)
    assert not np.isfinite(found.loss)
    assert_same(found.after, {path: t.numpy() for path, t in found.before.tensors.items()})


def test_a_run_that_was_steered_by_more_than_its_settings_is_not_replayed_wrongly():
    run, _ = train(SGD(0.5), callbacks=[KeepWeightsSmall()])
    with pytest.raises(lg.errors.ReplayError, match=r"expected the numbers of the run, in epoch 2.*Recorder"):
        replay(run, epoch=2, batch=1)


def test_data_that_has_changed_is_noticed():
    x, y = lg.data.xor(20, seed=0)
    run = lg.fit(lg.nn.Linear(2, 2), x, y, loss="cross_entropy", optimizer=SGD(0.1), epochs=1)
    x *= 2
    with pytest.raises(lg.errors.ReplayError, match="arrays that have changed"):
        replay(run)


def test_errors_say_which_steps_there_are():
    run, _ = train(SGD(0.1), epochs=1)
    with pytest.raises(lg.errors.ArgumentError, match="epoch expected an integer from 1 to 1, got 2"):
        replay(run, epoch=2)
    with pytest.raises(lg.errors.ArgumentError, match="batch expected an integer from 1 to 4, got 0"):
        replay(run, batch=0)
    with pytest.raises(lg.errors.ArgumentError, match="expected a Run that has begun, got Sequential"):
        replay(run.model)

    class Stop(Callback):
        def on_step_end(self, run):
            run.stop("enough")

    run, _ = train(SGD(0.1), callbacks=[Stop()])
    with pytest.raises(lg.errors.ArgumentError, match="1 step done, the last of them batch 1 of epoch 1"):
        replay(run, batch=2)


def test_checkpoints_of_another_run_are_refused(tmp_path):
    train(SGD(0.1), callbacks=[Checkpoint(tmp_path)], epochs=1)
    run, _ = train(SGD(0.2), epochs=2)
    with pytest.raises(lg.errors.CheckpointError, match="expected the run that was saved"):
        replay(run, epoch=2, checkpoint=tmp_path)
    lg.io.checkpoint.save(tmp_path / "other", 1, {"step": 1})
    with pytest.raises(lg.errors.CheckpointError, match="expected the state of a run"):
        replay(run, epoch=2, checkpoint=tmp_path / "other")
