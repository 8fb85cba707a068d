"""What every metric keeps: scikit-learn's number, however batched, and a state that a checkpoint can hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lucidgrad as lg
from lucidgrad import metrics
from lucidgrad.errors import ArgumentError, DataError, ShapeError
from lucidgrad.metrics import METRICS, Metric, as_metric
from tests.metrics.samples import SAMPLES

each_metric = pytest.mark.parametrize("name", METRICS)
tried = settings(max_examples=40, deadline=None, derandomize=True)

FUNCTIONS = {
    "accuracy": metrics.accuracy,
    "zero_one": metrics.zero_one_loss,
    "top_5": metrics.top_k_accuracy,
    "log_loss": metrics.log_loss,
    "precision": metrics.precision,
    "recall": metrics.recall,
    "f1": metrics.f1,
    "mae": metrics.mean_absolute_error,
    "mse": metrics.mean_squared_error,
    "r2": metrics.r2_score,
}


def test_each_metric_has_samples_and_a_function():
    assert set(METRICS) == set(SAMPLES) == set(FUNCTIONS)
    named = {type(m) for m in METRICS.values()} | {metrics.ConfusionMatrix}
    public = {c for c in vars(metrics).values() if isinstance(c, type) and issubclass(c, Metric) and c is not Metric}
    assert named == public


@each_metric
def test_a_metric_is_the_number_of_scikit_learn(name: str):
    sample = SAMPLES[name]

    @tried
    @given(sample.batches)
    def agrees(batch):
        p, t, w = batch
        even = np.ones(len(p))
        assert METRICS[name](p, t, w) == pytest.approx(sample.reference(p, t, w), rel=1e-12, abs=1e-12)
        assert METRICS[name](p, t) == pytest.approx(sample.reference(p, t, even), rel=1e-12, abs=1e-12)

    agrees()


@each_metric
def test_batches_add_up_to_the_whole(name: str):
    sample = SAMPLES[name]

    @tried
    @given(sample.batches, st.integers(1, 7))
    def adds_up(batch, size):
        p, t, w = batch
        state = METRICS[name].init()
        for i in range(0, len(p), size):
            state = METRICS[name].update(state, p[i : i + size], t[i : i + size], w[i : i + size])
        assert METRICS[name].result(state) == pytest.approx(METRICS[name](p, t, w), rel=1e-11, abs=1e-12)

    adds_up()


def example(name: str):
    """A batch of 20 of the kind the metric is for."""
    rng = np.random.default_rng(8)
    if name in ("mae", "mse", "r2"):
        return rng.normal(size=(20, 2)), rng.normal(size=(20, 2)), rng.integers(1, 4, 20).astype(float)
    return rng.normal(size=(20, 6)), rng.integers(0, 6, 20), rng.integers(1, 4, 20).astype(float)


@each_metric
def test_the_function_of_a_metric_is_the_metric(name: str):
    p, t, w = example(name)
    assert FUNCTIONS[name](p, t, w) == METRICS[name](p, t, w)
    assert type(FUNCTIONS[name](p, t)) is float
    assert as_metric(name) == (name, METRICS[name])
    assert as_metric(FUNCTIONS[name]) == (FUNCTIONS[name].__name__, METRICS[name])
    assert as_metric(METRICS[name]) == (name, METRICS[name])


@each_metric
def test_tensors_arrays_and_lists_are_the_same(name: str):
    p, t, w = example(name)
    expected = METRICS[name](p, t, w)
    tensors = [lg.tensor(a, dtype=a.dtype) for a in (p, t, w)]
    assert METRICS[name](*tensors) == METRICS[name](p.tolist(), t.tolist(), w.tolist()) == expected


@each_metric
def test_a_whole_number_as_weight_repeats_the_row(name: str):
    p, t, w = example(name)
    rows = np.repeat(np.arange(20), w.astype(int))
    assert METRICS[name](p, t, w) == pytest.approx(METRICS[name](p[rows], t[rows]), rel=1e-12)


@each_metric
def test_the_state_is_float64_arrays_that_do_not_grow(name: str):
    p, t, w = example(name)
    states = [METRICS[name].update(METRICS[name].init(), p, t, w)]
    before = {k: v.copy() for k, v in states[0].items()}
    for _ in range(3):
        states.append(METRICS[name].update(states[-1], p, t, w))
    for k, v in before.items():
        assert all(np.asarray(s[k]).dtype == np.float64 and np.shape(s[k]) == np.shape(v) for s in states)
        np.testing.assert_array_equal(states[0][k], v)  # an update leaves the state it was given alone


@each_metric
def test_float32_predictions_are_measured_in_float64(name: str):
    p, t, w = example(name)
    narrow = p.astype(np.float32)
    assert METRICS[name](narrow, t, w) == METRICS[name](narrow.astype(np.float64), t, w)


@each_metric
def test_what_cannot_be_measured_is_explained(name: str):
    p, t, w = example(name)
    with pytest.raises(DataError, match="expected at least one sample"):
        METRICS[name](p[:0], t[:0])
    with pytest.raises(ShapeError, match=r"expected .*, got"):
        METRICS[name](p, t[:5])
    with pytest.raises(ShapeError, match=r"sample_weight expected shape \(20,\)"):
        METRICS[name](p, t, w[:5])
    with pytest.raises(ArgumentError, match="sample_weight expected finite numbers >= 0, got numbers from -1 to"):
        METRICS[name](p, t, np.where(np.arange(20) == 3, -1, w))
    with pytest.raises(ArgumentError, match="expected a sample of positive weight"):
        METRICS[name](p, t, np.zeros(20))


@each_metric
def test_a_batch_without_weight_changes_nothing(name: str):
    p, t, w = example(name)
    metric = METRICS[name]
    state = metric.update(metric.init(), p, t, np.zeros(20))
    assert metric.result(metric.update(state, p, t, w)) == pytest.approx(metric(p, t, w), rel=1e-14)
