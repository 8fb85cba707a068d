"""What is exported computes the same elsewhere, to 1e-5, for any number of samples."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

import lucidgrad as lg
from lucidgrad import Key, Tensor, ops
from lucidgrad.compiler import interpret, trace
from lucidgrad.data import Standardize
from lucidgrad.errors import ArgumentError, DependencyError, OnnxError
from lucidgrad.functional import concatenate, gelu, relu, softmax, stack, tanh
from lucidgrad.io.functions import FUNCTIONS
from lucidgrad.nn import Embedding, Linear, Module, Sequential
from lucidgrad.onnx.builder import Ref
from lucidgrad.onnx.nodes import Nodes
from lucidgrad.onnx.pipeline import OPSET, Pipeline
from tests.nn.samples import SAMPLES, Sample
from tests.ops.samples import SAMPLES as OP_SAMPLES

onnxruntime.set_default_logger_severity(3)
EVERY_LAYER = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.onnx"


def session(model: Any) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def assert_same_elsewhere(model: Module, x: np.ndarray, path: Path, batches: Any = None) -> None:
    lg.onnx.export(model, path, input_shape=x.shape[1:], input_dtype=x.dtype)
    onnx.checker.check_model(str(path), full_check=True)
    elsewhere, again = session(str(path)), lg.onnx.load(path)
    for n in batches or (1, len(x)):
        expected = model.eval()(lg.tensor(x[:n], dtype=x.dtype)).numpy()
        for got in (elsewhere.run(None, {"input": x[:n]})[0], again(lg.tensor(x[:n], dtype=x.dtype)).numpy()):
            assert (got.dtype, got.shape) == (expected.dtype, expected.shape)
            np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


@EVERY_LAYER
def test_every_layer_computes_the_same_elsewhere_and_imported_again(sample: Sample, path: Path) -> None:
    model = sample.make(Key(3), np.float32)
    model(sample.input(np.float32))  # moves running statistics
    assert_same_elsewhere(model, sample.input(np.float32), path)


OPTIONS: dict[str, Any] = {
    "one_hot": {"classes": 4}, "is_class": {"classes": 4}, "take": {"indices": [2, 0], "axis": 1},
    "maximum": {"b": 0.25}, "minimum": {"b": 0.25}, "clip": {"low": 0.2, "high": 0.5}, "mean": {"axis": 1},
    "var": {"axis": (-1,), "keepdims": True},
}  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_computes_the_same_elsewhere_and_imported_again(name: str, dtype: Any, path: Path) -> None:
    x = np.random.default_rng(5).normal(size=(6, 4)).astype(dtype) * 3
    if name in ("log", "log1p", "sqrt"):
        x = np.abs(x) + dtype(0.1)
    if name in ("one_hot", "is_class"):
        x = np.arange(4)
    over_all = name in ("sum", "max", "min", "prod", "logsumexp", "argmax", "argmin")
    variants = [FUNCTIONS[name]] if name not in OPTIONS else []
    variants += [partial(FUNCTIONS[name], **OPTIONS[name])] if name in OPTIONS else []
    variants += [partial(FUNCTIONS[name], axis=1)] if over_all else []
    for variant in variants:
        assert_same_elsewhere(Sequential(variant), x, path)


@pytest.mark.parametrize("x", [[-1e4, -100.0, -20.0, 0.0], [0.0, 20.0, 100.0, 1e4]])
@pytest.mark.parametrize("activation", list(lg.functional.ACTIVATIONS.values()), ids=lambda f: f.__name__)
def test_activations_are_safe_for_large_inputs_elsewhere_too(activation: Any, x: Any, path: Path) -> None:
    assert_same_elsewhere(Sequential(activation), np.array([x], np.float32), path)


# Rows that no network has in evaluation mode: randomness, and what only gradients and losses are made of.
NOT_EXPORTED = {"put", "random_bits", "shift_right", "fold_in", "cross_entropy", "cross_entropy_slope"}


def test_every_other_row_of_the_op_table_says_what_it_is_in_onnx() -> None:
    assert {name for name, row in ops.TABLE.items() if row.onnx is None} == NOT_EXPORTED


def as_float32(x: Any) -> Any:
    return x.astype(np.float32) if isinstance(x, np.ndarray) and x.dtype == np.float64 else x


@pytest.mark.parametrize("name", sorted(ops.TABLE.keys() - NOT_EXPORTED))
def test_every_row_computes_the_same_elsewhere(name: str) -> None:
    done = 0
    for sample in OP_SAMPLES[name]:
        inputs = [as_float32(x) for x in sample.inputs]
        first = next((i for i, x in enumerate(inputs) if isinstance(x, np.ndarray)), None)
        if first is None or 0 in inputs[first].shape:
            continue
        done += _same_elsewhere(ops.TABLE[name], inputs, first, sample.attrs)
    assert done


def _same_elsewhere(row: Any, inputs: list[Any], first: int, attrs: dict[str, Any]) -> bool:
    """Whether the sample has a form in ONNX; where it has, it computes the same."""

    def function(x: Tensor) -> Tensor:
        rest = [lg.tensor(v, dtype=v.dtype) if isinstance(v, np.ndarray) else v for v in inputs]
        return row(*rest[:first], x, *rest[first + 1 :], **attrs)

    x = np.ascontiguousarray(inputs[first]).reshape(inputs[first].shape)
    graph = trace(function, lg.tensor(x, dtype=x.dtype))
    try:
        pipeline = Pipeline()
        pipeline._inputs.append(pipeline._info("input", x.shape, x.dtype))  # of a single number of samples
        given = Ref("input", x.shape, x.dtype)
        pipeline.output("output", Nodes(pipeline.build, {}).add((graph, graph), [given]))
        model = pipeline.model()
    except OnnxError:
        assert row.name == "getitem"  # with several arrays, which ONNX has not
        return False
    onnx.checker.check_model(model, full_check=True)
    (expected,) = interpret(graph, x)
    (got,) = session(model.SerializeToString()).run(None, {"input": x})
    assert (got.dtype, got.shape) == (expected.dtype, expected.shape)
    np.testing.assert_allclose(got, expected, rtol=2e-5, atol=1e-5)
    return True


class Branches(Module):
    """What a Sequential cannot say."""

    def __init__(self) -> None:
        self.words, self.out = Embedding(10, 4, key=Key(1)), Linear(8, 3, key=Key(2))

    def forward(self, x: Tensor) -> Tensor:
        embedded = self.words(x).reshape((x.shape[0] * x.shape[1], 4))
        both = concatenate([gelu(embedded), embedded[:, ::-1]], axis=1)
        rows = softmax(self.out(both)).reshape((x.shape[0], x.shape[1], 3))
        return (
            stack([rows[:, 0], rows[:, -1]], axis=1).transpose(0, 2, 1)
            + rows.mean(1).broadcast_to((x.shape[0], 3))[:, :, None]
        )


def test_a_module_of_ones_own_is_exported(path: Path) -> None:
    assert_same_elsewhere(Branches(), np.arange(10).reshape(5, 2), path, batches=(1, 2, 5))


def test_the_file_says_what_it_is(path: Path) -> None:
    lg.onnx.export(Sequential(Linear(3, 2), relu), path, input_shape=(3,))
    model = onnx.load(path)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", OPSET)]
    (x,), (y,) = model.graph.input, model.graph.output
    assert (x.name, [d.dim_param or d.dim_value for d in x.type.tensor_type.shape.dim]) == ("input", ["batch", 3])
    assert (y.name, [d.dim_param or d.dim_value for d in y.type.tensor_type.shape.dim]) == ("output", ["batch", 2])
    assert [t.name for t in model.graph.initializer] == ["0.weight", "0.bias"]
    assert [node.op_type for node in model.graph.node] == ["Gemm", "Relu", "Identity"]


def test_float64_stays_float64(path: Path) -> None:
    model = Sequential(Linear(3, 4, dtype=np.float64), tanh)
    lg.onnx.export(model, path, input_shape=(3,))
    x = np.random.default_rng(1).normal(size=(5, 3))
    np.testing.assert_allclose(session(str(path)).run(None, {"input": x})[0], model(x).numpy(), rtol=1e-12)


def test_the_error_function_of_float64_is_within_1e_7_elsewhere(path: Path) -> None:
    x = np.linspace(-6, 6, 997)[:, None]
    lg.onnx.export(Sequential(Tensor.erf), path, input_shape=(1,), input_dtype=np.float64)
    (got,) = session(str(path)).run(None, {"input": x})
    assert got.dtype == np.float64
    assert np.abs(got - lg.tensor(x).erf().numpy()).max() < 1.2e-7


def test_exporting_leaves_the_model_in_the_mode_it_was_in(path: Path) -> None:
    model = SAMPLES["Sequential"].make(Key(1), np.float32)
    model[1].eval()
    lg.onnx.export(model, path, input_shape=(4,))
    assert (model.training, model[1].training, model[3].training) == (True, False, True)


class Of(Module):
    def __init__(self, function: Any) -> None:
        self.function = function

    def forward(self, x: Tensor) -> Any:
        return self.function(x)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: x - x.mean(0), "a number of divide that depends on their number"),
        (lambda x: x[: len(x) - 1], "an option of getitem that depends on their number"),
        (lambda x: x + lg.zeros(x.shape), "a constant of add that depends on their number"),
        (
            lambda x: x.reshape((x.shape[0] + 1, -1)) if x.shape[0] == 1 else x[0:1] if x.shape[0] == 7 else x,
            "of its ops",
        ),
        (lambda x: x * lg.next_key().uniform((2,)), "an exported network expected"),
        (lambda x: (x, x), "got 2 outputs"),
        (lambda x: lg.zeros((2,)), "one output that follows from its input"),
        (lambda x: x[lg.tensor([0, 1]), lg.tensor([0, 1])], "one array beside whole axes"),
        (lambda x: lg.ops.indexing.put(x, key=(0,), shape=(3, *x.shape)), "expected"),
    ],
)
def test_what_has_no_form_in_onnx_is_named(function: Any, message: str, path: Path) -> None:
    with pytest.raises(OnnxError, match=message):
        lg.onnx.export(Of(function), path, input_shape=(2,))
    assert not path.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"input_shape": 2},
            r"input_shape expected the sizes of one sample, got 2\. Leave the batch out: input_shape=",
        ),
        ({"input_shape": (-1, 2)}, r"input_shape expected the sizes of one sample, got \(-1, 2\)"),
        ({"input_dtype": "real"}, "input_dtype expected a dtype of NumPy, got 'real'"),
        ({"preprocessing": abs}, "preprocessing expected a Standardize, got a builtin_function"),
        ({"preprocessing": Standardize(np.zeros(3), np.ones(3))}, r"samples of shape \(3,\), got input_shape=\(2,\)"),
    ],
)
def test_options_of_an_export_that_are_none_are_explained(options: Any, message: str, path: Path) -> None:
    with pytest.raises(ArgumentError, match=message):
        lg.onnx.export(Linear(2, 1), path, **{"input_shape": (2,), **options})
    assert not path.exists()


def test_the_command_that_installs_a_missing_library_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    for act in (lambda: lg.onnx.export(Linear(1, 1), path, input_shape=(1,)), lambda: lg.onnx.load(path)):
        with pytest.raises(DependencyError, match=r"pip install lucidgrad\[onnx\]"):
            act()
