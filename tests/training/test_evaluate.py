"""predict, predict_proba, predict_class and evaluate."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad import nn
from lucidgrad.errors import ArgumentError


def model(outputs: int = 3) -> nn.Module:
    with lg.use_key(lg.Key(5)):
        return nn.Sequential(nn.Linear(4, 8), lg.functional.relu, nn.Dropout(0.5), nn.Linear(8, outputs))


X = np.random.default_rng(0).standard_normal((37, 4)).astype(np.float32)


@pytest.mark.parametrize("batch_size", [None, 1, 5, 37, 1000])
def test_predictions_do_not_depend_on_the_batch_size(batch_size: int | None) -> None:
    net = model()
    whole = net.eval()(X).numpy()
    np.testing.assert_allclose(lg.predict(net, X, batch_size=batch_size), whole, rtol=1e-5, atol=1e-6)


def test_predicting_leaves_the_mode_of_every_layer_as_it_was() -> None:
    net = model()
    net[3].eval()
    lg.predict(net, X)
    assert net.training
    assert not net[3].training


def test_probabilities_sum_to_one_and_agree_with_the_classes() -> None:
    p = lg.predict_proba(model(), X)
    assert p.shape == (37, 3)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(p.argmax(axis=1), lg.predict_class(model(), X))


def test_a_single_logit_gives_two_probabilities() -> None:
    p = lg.predict_proba(model(outputs=1), X)
    logits = lg.predict(model(outputs=1), X)[:, 0]
    np.testing.assert_allclose(p[:, 1], 1 / (1 + np.exp(-logits)), rtol=1e-5)
    np.testing.assert_array_equal(lg.predict_class(model(outputs=1), X), (logits > 0).astype(int))


def test_probabilities_of_more_axes_are_refused() -> None:
    class Cube(nn.Module):
        def forward(self, x: lg.Tensor) -> lg.Tensor:
            return x.reshape(-1, 2, 2)

    with pytest.raises(ArgumentError, match="Flatten"):
        lg.predict_proba(Cube(), X)


def test_evaluate_is_the_loss_and_the_metrics_of_all_rows_whatever_the_batches() -> None:
    y = np.arange(37) % 3
    weight = np.arange(37) % 4
    for w in (None, weight):
        small = lg.evaluate(model(), X, y, loss="cross_entropy", metrics=["accuracy"], sample_weight=w, batch_size=5)
        large = lg.evaluate(model(), X, y, loss="cross_entropy", metrics=["accuracy"], sample_weight=w)
        assert small == pytest.approx(large, rel=1e-5)


def test_predict_takes_memory_for_a_batch_and_the_outputs_only(tmp_path: object) -> None:
    rows, features = 40_000, 256  # 41 MB of inputs
    x = np.memmap(str(tmp_path) + "/x.bin", np.float32, "w+", shape=(rows, features))
    net = nn.Linear(features, 2)
    lg.predict(net, x[:10])
    tracemalloc.start()
    lg.predict(net, x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 2**20


def test_the_inputs_are_never_written_to() -> None:
    x = X.copy()
    x.setflags(write=False)
    y = np.arange(37) % 3
    y.setflags(write=False)
    lg.predict(model(), x)
    lg.evaluate(model(), x, y, loss="cross_entropy")
    assert X.flags.writeable
    lg.predict(model(), X)
    assert X.flags.writeable  # looking at an array does not lock it


def test_a_batch_size_below_one_is_refused() -> None:
    with pytest.raises(ArgumentError, match="batch_size"):
        lg.predict(model(), X, batch_size=-3)
