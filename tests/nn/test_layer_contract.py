"""What holds for every layer of lucidgrad.nn; a layer without a sample does not pass."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad import Key, Tensor, nn
from lucidgrad.compiler import interpret, trace
from lucidgrad.errors import LucidgradError
from lucidgrad.nn import Module
from tests.nn.samples import SAMPLES, Sample

KEY = Key(11)
MODES = pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
EVERY_LAYER = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())


def build(sample: Sample, dtype: Any = np.float64, training: bool = True) -> Module:
    return sample.make(Key(7), dtype).train(training)


def input_tensor(sample: Sample, dtype: Any = np.float64) -> Tensor:
    array = sample.input(dtype)
    return lg.tensor(array, dtype=array.dtype, requires_grad=sample.classes is None)


def run(module: Module, x: Any) -> Tensor:
    """The output, with the same random numbers each time."""
    with lg.use_key(KEY):
        return module(x)


def projection(shape: tuple[int, ...]) -> np.ndarray:
    """A fixed random direction, so that a single number depends on every output."""
    return np.random.default_rng(3).normal(size=shape)


def differentiable(module: Module, x: Tensor) -> dict[str, Tensor]:
    return module.parameters() | ({"the input": x} if x.requires_grad else {})


def test_every_exported_layer_has_a_sample() -> None:
    layers = {name for name, value in vars(nn).items() if inspect.isclass(value) and issubclass(value, Module)}
    assert layers - {"Module"} == SAMPLES.keys()


@MODES
@EVERY_LAYER
def test_the_output_has_the_shape_it_says(sample: Sample, training: bool) -> None:
    assert run(build(sample, training=training), sample.input()).shape == sample.output_shape


@MODES
@EVERY_LAYER
def test_gradients_agree_with_finite_differences_and_reach_each_parameter(sample: Sample, training: bool) -> None:
    module, x = build(sample, training=training), input_tensor(sample)
    direction = projection(sample.output_shape)
    leaves = differentiable(module, x)
    if not leaves:
        pytest.fail("a layer that takes integers has parameters to differentiate")
    start = {path: t.raw for path, t in module.buffers().items()}

    def value() -> float:
        for path, buffer in module.buffers().items():
            buffer.data = start[path]
        return (run(module, x) * direction).sum().item()

    grads = lg.grad((run(module, x) * direction).sum(), list(leaves.values()))
    for (path, leaf), g in zip(leaves.items(), grads, strict=True):
        expected = _finite_differences(value, leaf)
        np.testing.assert_allclose(g.numpy(), expected, rtol=1e-6, atol=1e-8, err_msg=path)
        assert np.abs(expected).max() > 1e-3, f"the output does not depend on {path}"


def _finite_differences(value: Any, leaf: Tensor) -> np.ndarray:
    origin, slopes, step = leaf.numpy().copy(), np.zeros(leaf.shape), 1e-5
    for i in np.ndindex(leaf.shape):
        values = []
        for sign in (1, -1):
            moved = origin.copy()
            moved[i] += sign * step
            leaf.data = moved
            values.append(value())
        slopes[i] = (values[0] - values[1]) / (2 * step)
    leaf.data = origin
    return slopes


@EVERY_LAYER
def test_a_state_saved_and_loaded_gives_the_same_bits(sample: Sample) -> None:
    trained = build(sample)
    run(trained, sample.input())  # moves running statistics
    other = sample.make(Key(8), np.float64)
    other.load_state(trained.state())
    assert other.state().keys() == trained.state().keys()
    for path, array in trained.state().items():
        assert not array.flags.writeable
        np.testing.assert_array_equal(other.state()[path], array)
    x = sample.input()
    np.testing.assert_array_equal(run(other.eval(), x).numpy(), run(trained.eval(), x).numpy())


@EVERY_LAYER
def test_train_and_eval_reach_all_modules_inside(sample: Sample) -> None:
    module = build(sample)
    assert module.eval() is module
    assert not any(part.training for part in module.modules().values())
    assert module.train() is module
    assert all(part.training for part in module.modules().values())


@EVERY_LAYER
def test_evaluation_changes_nothing_and_is_the_same_with_any_key(sample: Sample) -> None:
    module, x = build(sample, training=False), sample.input()
    before = module.state()
    outputs = []
    for seed in (1, 2):
        with lg.use_key(Key(seed)):
            outputs.append(module(x).numpy())
    np.testing.assert_array_equal(*outputs)
    assert all(module.state()[path] is array for path, array in before.items())


@EVERY_LAYER
def test_repr_shows_what_the_layer_was_made_with(sample: Sample) -> None:
    assert repr(build(sample)) == sample.repr


@EVERY_LAYER
def test_the_summary_counts_every_parameter_and_leaves_the_layer_as_it_was(sample: Sample) -> None:
    module = build(sample)
    before, attributes = module.state(), {path: dict(vars(part)) for path, part in module.modules().items()}
    kind = np.float64 if sample.classes is None else np.int64
    text = module.summary(sample.input_shape[1:], input_dtype=kind)
    count = sum(p.size for p in module.parameters().values())
    assert f"{count:,} parameters" in text
    assert "not run" not in text
    shape = ", ".join(["batch", *map(str, sample.output_shape[1:])])
    assert f"({shape})" in text.splitlines()[2]
    assert all(module.state()[path] is array for path, array in before.items())
    assert all(part.training for part in module.modules().values())
    for path, part in module.modules().items():
        assert {k: v for k, v in vars(part).items() if k != "training"} == {
            k: v for k, v in attributes[path].items() if k != "training"
        }


@MODES
@EVERY_LAYER
def test_the_traced_layer_agrees_with_eager_bit_by_bit_forwards_and_backwards(sample: Sample, training: bool) -> None:
    module, x = build(sample, np.float32, training), input_tensor(sample, np.float32)
    direction = projection(sample.output_shape).astype(np.float32)
    leaves = list((module.parameters() | module.buffers()).values())
    start = [t.raw for t in leaves]
    learned = list(module.parameters().values())

    def step(x: Tensor, words: Tensor, *values: Tensor) -> list[Any]:
        for leaf, value in zip(leaves, values, strict=True):
            leaf.data = value
        with lg.use_key(Key.of_words(words)):
            y = module(x)
        wrt = [*learned, x] if x.requires_grad else learned
        return [y, lg.grad((y * direction).sum(), wrt), list(module.buffers().values())]

    def constants(arrays: list[Any]) -> list[Tensor]:
        return [Tensor.wrap(array) for array in arrays]

    graph = trace(step, x, Key(0).words, *constants(start))
    for seed in (1, 2):  # one graph, traced with another key, draws what each key says
        words = Key(seed).words
        y, grads, buffers = step(x, words, *constants(start))
        eager = [t.numpy().copy() for t in (y, *grads, *buffers)]
        traced = interpret(graph, x.numpy(), words.numpy(), *start)
        assert len(traced) == len(eager)
        for a, b in zip(traced, eager, strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)


@EVERY_LAYER
def test_a_deep_copy_has_tensors_of_its_own(sample: Sample) -> None:
    module = build(sample)
    twin = copy.deepcopy(module)
    x = sample.input()
    np.testing.assert_array_equal(run(twin, x).numpy(), run(module, x).numpy())
    before = module.state()
    for path, p in twin.parameters().items():
        assert p is not module.parameters()[path]
        assert p.requires_grad
        p.data = p.numpy() + 1
    assert all(module.state()[path] is array for path, array in before.items())


@MODES
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@EVERY_LAYER
def test_outputs_gradients_and_buffers_keep_the_dtype(sample: Sample, dtype: Any, training: bool) -> None:
    module, x = build(sample, dtype, training), input_tensor(sample, dtype)
    y = run(module, x)
    assert y.dtype == dtype
    leaves = list(differentiable(module, x).values())
    assert all(g.dtype == dtype for g in lg.grad(y.sum(), leaves))
    assert all(t.dtype == dtype for t in (*module.parameters().values(), *module.buffers().values()))


@EVERY_LAYER
def test_the_same_key_starts_with_the_same_bits(sample: Sample) -> None:
    first, second, other = (sample.make(Key(seed), np.float32).state() for seed in (5, 5, 6))
    for path, array in first.items():
        np.testing.assert_array_equal(array, second[path])
    drawn = [path for path, array in first.items() if array.std() > 0]
    assert all((first[path] != other[path]).any() for path in drawn)


@pytest.mark.parametrize("name", [name for name, sample in SAMPLES.items() if sample.wrong is not None])
def test_a_wrong_input_is_explained(name: str) -> None:
    sample = SAMPLES[name]
    with pytest.raises(LucidgradError) as caught:
        build(sample)(sample.wrong)
    assert str(caught.value) == sample.message
