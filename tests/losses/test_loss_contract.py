"""What every loss keeps: its formula, its gradient, its reductions and weights, its dtype, eager and traced."""

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad import losses
from lucidgrad.errors import ArgumentError, DataError, LucidgradError, ShapeError
from lucidgrad.losses import LOSSES, CrossEntropy, Loss
from tests.losses.samples import SAMPLES, Sample

CASES = [
    pytest.param(sample, id=f"{kind.__name__}: {name}")
    for kind, samples in SAMPLES.items()
    for name, sample in samples.items()
]
each_sample = pytest.mark.parametrize("sample", CASES)
each_loss = pytest.mark.parametrize("kind", LOSSES.values(), ids=list(LOSSES))
WEIGHT = np.array([1.0, 2.0, 0.0, 3.0, 1.0, 2.0, 1.0])


def test_each_loss_has_a_name_and_samples():
    classes = {c for c in vars(losses).values() if isinstance(c, type) and issubclass(c, Loss) and c is not Loss}
    assert set(LOSSES.values()) == classes == set(SAMPLES)


@each_sample
def test_the_loss_of_each_sample_is_its_formula(sample: Sample):
    expected = sample.reference(sample.predictions, sample.targets)
    result = sample.make().per_sample(sample.predictions, sample.targets)
    assert result.shape == (7,)
    np.testing.assert_allclose(result.numpy(), expected, rtol=1e-13, atol=1e-14)


@each_sample
def test_the_gradient_agrees_with_finite_differences_twice(sample: Sample):
    loss = sample.make()
    assert lg.gradcheck(lambda p: loss(p, sample.targets), sample.predictions, order=2)
    assert lg.gradcheck(lambda p: loss(p, sample.targets, WEIGHT), sample.predictions)


@each_sample
def test_the_sum_is_the_mean_times_the_weight(sample: Sample):
    mean, total = sample.make("mean"), sample.make("sum")
    for weight in (None, WEIGHT):
        added, count = mean.sums(sample.predictions, sample.targets, weight)
        assert float(total(sample.predictions, sample.targets, weight)) == float(added)
        assert float(mean(sample.predictions, sample.targets, weight)) == pytest.approx(float(added) / float(count))


@each_sample
def test_without_weights_the_sum_adds_up_the_samples(sample: Sample):
    values = sample.make().per_sample(sample.predictions, sample.targets).numpy()
    assert float(sample.make("sum")(sample.predictions, sample.targets)) == pytest.approx(values.sum(), rel=1e-13)
    weighted = sample.make("sum")(sample.predictions, sample.targets, WEIGHT)
    assert float(weighted) == pytest.approx(values @ WEIGHT, rel=1e-13)


@each_sample
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_whole_number_as_weight_repeats_the_row(sample: Sample, reduction: str):
    rows = np.repeat(np.arange(7), WEIGHT.astype(int))
    loss = sample.make(reduction)
    repeated = loss(sample.predictions[rows], sample.targets[rows])
    assert float(loss(sample.predictions, sample.targets, WEIGHT)) == pytest.approx(float(repeated), rel=1e-12)


@each_sample
def test_batches_add_up_to_the_whole(sample: Sample):
    loss = sample.make()
    parts = [loss.sums(sample.predictions[i : i + 3], sample.targets[i : i + 3], WEIGHT[i : i + 3]) for i in (0, 3, 6)]
    total, weight = (sum(float(p[i]) for p in parts) for i in (0, 1))
    assert total / weight == pytest.approx(float(loss(sample.predictions, sample.targets, WEIGHT)), rel=1e-12)


@each_sample
@pytest.mark.parametrize("weighted", [False, True])
def test_a_traced_loss_and_its_gradient_are_the_eager_ones(sample: Sample, weighted: bool):
    loss = sample.make()

    def both(p, t, *weight):
        value = loss(p, t, *weight)
        return [value, lg.grad(value, p)]

    p = lg.Tensor(sample.predictions, dtype=np.float32)
    t = lg.tensor(sample.targets)
    inputs = (p, t, lg.tensor(WEIGHT)) if weighted else (p, t)
    traced = lg.compiler.interpret(lg.compiler.trace(both, *inputs), *(x.numpy() for x in inputs))
    for eager, replayed in zip(both(*inputs), traced, strict=True):
        np.testing.assert_array_equal(eager.numpy(), replayed)
        assert eager.dtype == np.float32


@each_sample
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_of_the_predictions_is_kept(sample: Sample, dtype: type):
    p = lg.Tensor(sample.predictions, dtype=dtype)
    for weight in (None, WEIGHT, lg.tensor(WEIGHT, dtype=np.float64)):
        value = sample.make()(p, sample.targets, weight)
        assert value.dtype == dtype
        assert lg.grad(value, p).dtype == dtype


@each_sample
def test_targets_may_be_lists_arrays_or_tensors(sample: Sample):
    loss, p = sample.make(), lg.Tensor(sample.predictions, dtype=np.float64)
    expected = loss(p, sample.targets)
    target = lg.tensor(sample.targets, dtype=sample.targets.dtype)
    for targets in (sample.targets.tolist(), target, np.asfortranarray(sample.targets)):
        assert float(loss(p, targets)) == float(expected)


@each_sample
def test_changing_an_array_of_targets_later_does_not_change_the_gradient(sample: Sample):
    p, targets = lg.Tensor(sample.predictions, dtype=np.float64), sample.targets.copy()
    expected = lg.grad(sample.make()(p, sample.targets), p)
    value = sample.make()(p, targets)
    targets[...] = 0
    np.testing.assert_array_equal(lg.grad(value, p).numpy(), expected.numpy())


@each_loss
def test_the_function_of_a_loss_is_the_loss(kind: type[Loss]):
    function = next(getattr(losses, name) for name, k in LOSSES.items() if k is kind)
    for sample in SAMPLES[kind].values():
        for reduction in ("mean", "sum"):
            direct = function(
                sample.predictions, sample.targets, sample_weight=WEIGHT, reduction=reduction, **sample.options
            )
            assert float(direct) == float(sample.make(reduction)(sample.predictions, sample.targets, WEIGHT))


@each_loss
def test_the_repr_of_a_loss_makes_it_again(kind: type[Loss]):
    for sample in SAMPLES[kind].values():
        loss = sample.make("sum")
        assert vars(eval(repr(loss), vars(losses))) == vars(loss)


@each_sample
def test_one_column_and_none_never_broadcast(sample: Sample):
    if sample.predictions.ndim == 1:
        pairs = [(sample.predictions[:, None], sample.targets), (sample.predictions, sample.targets[:, None])]
        for p, t in pairs:
            np.testing.assert_allclose(
                sample.make().per_sample(p, t).numpy(),
                sample.make().per_sample(sample.predictions, sample.targets).numpy(),
            )
    with pytest.raises(ShapeError, match=r"expected .* got .*\. \w+"):
        sample.make()(sample.predictions, sample.targets[:3])


@each_sample
def test_targets_that_are_not_numbers_are_refused(sample: Sample):
    bad = sample.targets.astype(float)
    bad[3] = np.nan
    with pytest.raises(LucidgradError, match=r"(for sample 3|integer labels|0 to 1|0 and 1)"):
        sample.make()(sample.predictions, bad)


@each_loss
@pytest.mark.parametrize("shape", [(), (0,), (0, 4)])
def test_an_empty_batch_or_none_at_all_is_refused(kind: type[Loss], shape: tuple[int, ...]):
    with pytest.raises(ShapeError, match=f"{kind.__name__} expected predictions .* at least one sample"):
        kind()(np.zeros(shape), np.zeros(shape))


@each_sample
def test_weights_are_one_finite_number_each_and_not_all_zero(sample: Sample):
    def weigh(weight):
        return sample.make()(sample.predictions, sample.targets, weight)

    with pytest.raises(ShapeError, match=r"sample_weight expected shape \(7,\)"):
        weigh(np.ones(6))
    with pytest.raises(ShapeError, match=r"sample_weight expected shape \(7,\)"):
        weigh(np.ones((7, 1)))
    for bad in (-1.0, np.nan, np.inf):
        with pytest.raises(ArgumentError, match="sample_weight expected finite numbers >= 0"):
            weigh(np.where(np.arange(7) == 2, bad, 1.0))
    with pytest.raises(ArgumentError, match="expected a sample of positive weight"):
        weigh(np.zeros(7))


@each_loss
def test_an_unknown_reduction_is_refused(kind: type[Loss]):
    with pytest.raises(ArgumentError, match=r"expected reduction 'mean' or 'sum', got 'none'.*per_sample"):
        kind("none")


def test_a_batch_of_weight_zero_adds_nothing_to_the_sums_of_an_evaluation():
    total, weight = CrossEntropy().sums(np.zeros((2, 3)), [0, 1], [0.0, 0.0])
    assert (float(total), float(weight)) == (0.0, 0.0)


def test_targets_too_large_for_the_dtype_of_the_predictions_are_refused():
    with pytest.raises(DataError, match="SquaredError expected finite targets, got inf for sample 1"):
        losses.SquaredError()(lg.Tensor([0.0, 0.0]), np.array([1.0, 1e300]))
