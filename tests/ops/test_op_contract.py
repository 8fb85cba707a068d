"""What every row of the op table promises, tried on every sample: a new op is tested by adding samples of it."""

from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.compiler import interpret, trace
from lucidgrad.errors import LucidgradError
from lucidgrad.ops import TABLE, Spec
from lucidgrad.tensor import Tensor
from tests.ops.samples import SAMPLES, Sample

ALL = [pytest.param(name, s, id=f"{name}: {s.name}") for name, samples in SAMPLES.items() for s in samples]


def is_varied(name: str, sample: Sample) -> bool:
    """Whether the op has a gradient at this sample at all."""
    output = np.asarray(sample.reference(*sample.inputs, **sample.attrs))
    floats = any(isinstance(x, np.ndarray) and x.dtype.kind == "f" for x in sample.inputs)
    return TABLE[name].vjp is not None and floats and output.dtype.kind == "f"


DIFFERENTIABLE = [p for p in ALL if is_varied(*p.values)]
every_sample = pytest.mark.parametrize(("name", "sample"), ALL)
every_differentiable_sample = pytest.mark.parametrize(("name", "sample"), DIFFERENTIABLE)
every_smooth_sample = pytest.mark.parametrize(("name", "sample"), [p for p in DIFFERENTIABLE if p.values[1].gradient])


def as_tensors(sample: Sample, dtype: Any = None) -> list[Any]:
    """The inputs as tensors over the very arrays, strides and all; floats in another dtype if one is given."""
    tensors = []
    for x in sample.inputs:
        if not isinstance(x, np.ndarray):
            tensors.append(x)
            continue
        array = (x if dtype is None or x.dtype.kind != "f" else x.astype(dtype)).view()
        array.setflags(write=False)
        t = Tensor.wrap(array)
        t.requires_grad = array.dtype.kind == "f"
        tensors.append(t)
    return tensors


def variables(tensors: list[Any]) -> list[Tensor]:
    return [t for t in tensors if isinstance(t, Tensor) and t.requires_grad]


def gradients(op: Any, tensors: list[Any], attrs: dict[str, Any], seed: int = 5) -> list[Tensor]:
    """The gradients along a cotangent that only the shape of the output determines."""
    y = op(*tensors, **attrs)
    g = np.random.default_rng([seed, *y.shape]).normal(size=y.shape)
    return lg.grad(y, variables(tensors), gradient=lg.tensor(g, dtype=y.dtype))


def same(a: Any, b: Any) -> bool:
    """Equal to the bit, in shape and dtype too."""
    a, b = np.asarray(a), np.asarray(b)
    return a.shape == b.shape and a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def test_every_row_has_samples_and_every_sample_a_row():
    assert set(SAMPLES) == set(TABLE), "tests/ops/samples.py and lucidgrad.ops.TABLE name different ops"
    assert all(SAMPLES.values())


def test_every_row_is_called_by_its_name():
    assert all(row.name == name for name, row in TABLE.items())


@every_sample
def test_forward_agrees_with_numpy(name: str, sample: Sample):
    got = TABLE[name](*as_tensors(sample), **sample.attrs).numpy()
    expected = np.asarray(sample.reference(*sample.inputs, **sample.attrs))
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype
    np.testing.assert_allclose(got, expected, rtol=1e-13, atol=1e-13)


@every_sample
@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
def test_the_shape_rule_tells_shape_and_dtype_of_the_output(name: str, sample: Sample, dtype: Any):
    tensors = as_tensors(sample, dtype)
    y = TABLE[name](*tensors, **sample.attrs)
    arrays = [t.raw if isinstance(t, Tensor) else t for t in tensors]
    assert TABLE[name].spec(arrays, sample.attrs) == Spec(y.shape, y.dtype)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "bool"])
@every_differentiable_sample
def test_integers_are_computed_as_the_shape_rule_says_or_refused_in_words(name: str, sample: Sample, dtype: str):
    given = [
        lg.tensor(x.astype(dtype) if x.dtype.kind == "f" else x) if isinstance(x, np.ndarray) else x
        for x in sample.inputs
    ]
    refused = ""
    try:
        y = TABLE[name](*given, **sample.attrs)
    except LucidgradError as error:
        refused = str(error)
    if refused:
        assert name in refused
        return
    only = [t for t in given if isinstance(t, Tensor)]
    graph = trace(lambda *ts: apply_to(TABLE[name], given, ts, sample.attrs), *only)
    assert graph.outputs[0].spec == Spec(y.shape, y.dtype)


def apply_to(op: Any, inputs: list[Any], tensors: tuple[Tensor, ...], attrs: dict[str, Any]) -> Any:
    """The op on the inputs with its tensors replaced by others."""
    rest = iter(tensors)
    return op(*(next(rest) if isinstance(x, Tensor) else x for x in inputs), **attrs)


@every_smooth_sample
def test_gradient_agrees_with_finite_differences(name: str, sample: Sample):
    assert lg.gradcheck(float_function(name, sample), *float_inputs(sample), order=1)


@every_smooth_sample
def test_gradient_of_the_gradient_agrees_with_finite_differences(name: str, sample: Sample):
    assert lg.gradcheck(float_function(name, sample), *float_inputs(sample), order=2)


def float_inputs(sample: Sample) -> list[Any]:
    return [x for x in sample.inputs if isinstance(x, np.ndarray) and x.dtype.kind == "f"]


def float_function(name: str, sample: Sample) -> Any:
    """The op as a function of its float inputs, the others fixed."""

    def f(*leaves: Tensor) -> Any:
        rest = iter(leaves)
        inputs = [next(rest) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x for x in as_given(sample)]
        return TABLE[name](*inputs, **sample.attrs)

    return f


def as_given(sample: Sample) -> list[Any]:
    return [lg.tensor(x) if isinstance(x, np.ndarray) and x.dtype.kind != "f" else x for x in sample.inputs]


@every_differentiable_sample
def test_gradient_in_float32_is_that_of_float64_rounded(name: str, sample: Sample):
    narrow = as_tensors(sample, np.float32)
    wide = [as_wide(t) for t in narrow]
    for g32, g64 in zip(
        gradients(TABLE[name], narrow, sample.attrs), gradients(TABLE[name], wide, sample.attrs), strict=True
    ):
        assert g32.dtype == np.float32
        assert g64.dtype == np.float64
        np.testing.assert_allclose(g32.numpy(), g64.numpy(), rtol=2e-5, atol=2e-5)


def as_wide(t: Any) -> Any:
    if not isinstance(t, Tensor) or t.dtype != np.float32:
        return t
    return lg.Tensor(t, dtype=np.float64)


@every_sample
def test_traced_and_interpreted_it_gives_the_same_bits(name: str, sample: Sample):
    tensors = as_tensors(sample)
    only = [t for t in tensors if isinstance(t, Tensor)]
    graph = trace(lambda *ts: apply_to(TABLE[name], tensors, ts, sample.attrs), *only)
    (got,) = interpret(graph, *(t.numpy() for t in only))
    assert same(got, TABLE[name](*tensors, **sample.attrs).numpy())


@every_differentiable_sample
def test_the_traced_gradient_gives_the_same_bits(name: str, sample: Sample):
    tensors = as_tensors(sample)
    only = [t for t in tensors if isinstance(t, Tensor)]

    def traced(*ts: Tensor) -> Any:
        rest = iter(ts)
        return gradients(TABLE[name], [next(rest) if isinstance(t, Tensor) else t for t in tensors], sample.attrs)

    got = interpret(trace(traced, *only), *(t.numpy() for t in only))
    for g, expected in zip(got, gradients(TABLE[name], tensors, sample.attrs), strict=True):
        assert same(g, expected.numpy())


@every_sample
def test_inputs_stay_as_they_are_and_outputs_cannot_be_written_to(name: str, sample: Sample):
    tensors = as_tensors(sample)
    before = [t.numpy().copy() for t in tensors if isinstance(t, Tensor)]
    y = TABLE[name](*tensors, **sample.attrs)
    if y.requires_grad:
        gradients(TABLE[name], tensors, sample.attrs)
    assert not y.numpy().flags.writeable
    assert all(same(a, t.numpy()) for a, t in zip(before, [t for t in tensors if isinstance(t, Tensor)], strict=True))


@every_differentiable_sample
def test_gradients_have_the_shape_and_dtype_of_their_inputs(name: str, sample: Sample):
    for dtype in (np.float32, np.float64):
        tensors = as_tensors(sample, dtype)
        for g, x in zip(gradients(TABLE[name], tensors, sample.attrs), variables(tensors), strict=True):
            assert (g.shape, g.dtype) == (x.shape, x.dtype)
