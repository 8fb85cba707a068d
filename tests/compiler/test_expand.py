"""Rows that are composed of others: written out, they give the same to the last digits, in every special case too."""

from typing import Any

import numpy as np
import pytest

from lucidgrad.compiler import interpret, trace
from lucidgrad.compiler.passes import expand
from lucidgrad.errors import ArgumentError
from lucidgrad.graph import Graph
from lucidgrad.ops import TABLE, Op, Spec, shapes
from lucidgrad.ops.codegen import Composed
from lucidgrad.tensor import Tensor, tensor
from tests.ops.samples import SAMPLES

COMPOSED = {name: row for name, row in TABLE.items() if isinstance(row.codegen, Composed)}
CASES = [pytest.param(name, s.inputs, s.attrs, id=f"{name}: {s.name}") for name in COMPOSED for s in SAMPLES[name]]

INF, NAN = np.inf, np.nan
LOGITS = np.array(
    [
        [1.0, 2.0, 3.0], [1e4, -1e4, 0.0], [-1e4, -1e4, -1e4], [1e4, 1e4, 1e4], [0.0, -0.0, 0.0], [30.0, 0.0, -30.0],
        [INF, 0.0, 1.0], [-INF, 0.0, 1.0], [-INF, -INF, 1.0], [-INF, -INF, -INF], [INF, INF, 0.0], [NAN, 0.0, 1.0],
        [INF, -INF, NAN], [-INF, NAN, -INF], [-3e38, 3e38, 0.0], [1e-40, -1e-40, 0.0], [200.0, 0.0, 0.0],
    ]
)  # fmt: skip


def record(op: Op, arrays: tuple[Any, ...], attrs: dict[str, Any]) -> Graph:
    graph = Graph()
    inputs = tuple(graph.input(Spec(x.shape, x.dtype)) for x in arrays)
    graph.outputs = [graph.record(op, inputs, attrs)]
    return graph


def check(op: Op, arrays: tuple[Any, ...], attrs: dict[str, Any], ulps: int = 8, scale: float = 0.0) -> None:
    """Expanded, the op has the same results; ``scale`` is the size of numbers that cancel in them."""
    graph = record(op, arrays, attrs)
    expanded = expand(graph)
    expanded.verify()
    assert not any(isinstance(i.op.codegen, Composed) for i in expanded.instructions)
    (expected,), (got,) = interpret(graph, *arrays), interpret(expanded, *arrays)
    assert (got.shape, got.dtype) == (expected.shape, expected.dtype)
    eps = float(np.finfo(expected.dtype).eps)
    np.testing.assert_allclose(got, expected, rtol=ulps * eps, atol=ulps * eps * scale)


def test_the_rows_of_classes_and_layers_are_composed():
    assert set(COMPOSED) >= {"softmax", "log_softmax", "logsumexp", "cross_entropy", "cross_entropy_slope", "linear"}


@pytest.mark.parametrize(("name", "inputs", "attrs"), CASES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_sample_gives_the_same_to_a_few_ulps(name: str, inputs: Any, attrs: Any, dtype: Any):
    arrays = tuple(x.astype(dtype) if x.dtype.kind == "f" else x for x in inputs)
    check(COMPOSED[name], arrays, attrs, scale=4.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("axis", [1, -1, 0, None, (0, 1), ()])
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
def test_special_logits_give_the_same(name: str, axis: Any, dtype: Any):
    check(COMPOSED[name], (LOGITS.astype(dtype),), {"axis": axis})


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["cross_entropy", "cross_entropy_slope"])
@pytest.mark.parametrize("label", [0, 1, 2, -1, -3])
@pytest.mark.parametrize("kind", [np.int64, np.int8, np.uint8, np.uint64])
def test_special_logits_with_every_label_give_the_same(name: str, label: int, kind: Any, dtype: Any):
    if label < 0 and np.dtype(kind).kind == "u":
        label += 3
    check(COMPOSED[name], (LOGITS.astype(dtype), np.full(len(LOGITS), label, kind)), {})


def test_the_loss_of_a_sure_and_right_answer_keeps_its_digits():
    graph = expand(record(TABLE["cross_entropy"], (np.zeros((1, 2), np.float32), np.zeros(1, np.int64)), {}))
    (loss,) = interpret(graph, np.array([[0.0, -30.0]], np.float32), np.array([0]))
    np.testing.assert_allclose(loss, np.exp(-30.0), rtol=1e-6)


def test_small_dtypes_of_labels_hold_many_classes():
    logits = np.random.default_rng(3).normal(size=(4, 200)).astype(np.float32)
    check(TABLE["cross_entropy"], (logits, np.array([-1, -100, 100, 0], np.int8)), {})


def test_rows_composed_of_composed_rows_are_written_out_too():
    half = Op("half", lambda x: x * 0.5, shapes.elementwise, codegen=Composed(lambda x: x * 0.5))
    quarter = Op("quarter", lambda x: x * 0.25, shapes.elementwise, codegen=Composed(lambda x: half(half(x))))
    graph = expand(trace(lambda x: quarter(x), tensor([1.0])))
    assert [str(i) for i in graph.instructions] == [
        "%1: float32[1] = multiply(%0, 0.5)",
        "%2: float32[1] = multiply(%1, 0.5)",
    ]


def test_a_rule_that_gives_another_shape_is_refused():
    wrong = Op("wrong", lambda x: x, shapes.elementwise, codegen=Composed(lambda x: x.sum()))
    with pytest.raises(ArgumentError, match=r"wrong is composed by expected to give float32\[2\], got float32\[\]"):
        expand(trace(lambda x: wrong(x), Tensor([1.0, 2.0])))


def test_the_graph_that_is_expanded_stays_as_it_is():
    graph = record(TABLE["softmax"], (LOGITS,), {"axis": 1})
    before = str(graph)
    expand(graph)
    assert str(graph) == before
