"""The text of a graph is read back to the same graph: ops, shapes, attrs, and the bits of its constants."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lucidgrad.compiler import interpret, trace
from lucidgrad.errors import ArgumentError
from lucidgrad.graph import Graph
from lucidgrad.literals import Reader, write_literal
from lucidgrad.ops import TABLE, Op, Spec, arithmetic, shapes
from lucidgrad.ops.promotion import SUPPORTED
from lucidgrad.tensor import Tensor
from tests.ops.samples import SAMPLES, Sample

ALL = [pytest.param(name, s, id=f"{name}: {s.name}") for name, samples in SAMPLES.items() for s in samples]

GRAPH = """inputs %0: float32[2, 3], %3: int64[]
%4: float32[2, 3] = multiply(%0, constant float32[3] [0.1, -0.0, nan])
%7: float32[2] = sum(%4, axis=1)
%8: bool[2] = less(%7, 0.5)
outputs %7, %8, %3, constant float64[2] 1e-300"""


def same_bits(a: Any, b: Any) -> bool:
    return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())


def of_constant(array: Any) -> Graph:
    graph = Graph()
    graph.outputs = [array]
    return graph


def graph_of(name: str, sample: Sample) -> Graph:
    """The sample with its first array as an input and the others as constants."""
    graph = Graph()
    inputs: list[Any] = [x.copy() if isinstance(x, np.ndarray) else x for x in sample.inputs]
    first = next(i for i, x in enumerate(inputs) if isinstance(x, np.ndarray))
    inputs[first] = graph.input(Spec(inputs[first].shape, inputs[first].dtype))
    graph.outputs = [graph.record(TABLE[name], tuple(inputs), sample.attrs)]
    return graph


@pytest.mark.parametrize(("name", "sample"), ALL)
def test_every_sample_of_every_op_is_read_back(name: str, sample: Sample):
    graph = graph_of(name, sample)
    again = Graph.parse(graph.text(full=True))
    again.verify()
    assert str(again) == str(graph)
    assert again.text(full=True) == graph.text(full=True)
    array = next(x for x in sample.inputs if isinstance(x, np.ndarray))
    assert same_bits(interpret(graph, array)[0], interpret(again, array)[0])


def test_a_text_is_read_back_with_its_numbers_of_values():
    graph = Graph.parse(GRAPH)
    assert str(graph) == GRAPH
    assert str(graph.input(Spec((), np.dtype(bool)))) == "%9"


def test_lines_of_remarks_and_empty_lines_are_passed_over():
    assert str(Graph.parse("\n# a remark\n" + GRAPH.replace("\n", "\n\n  "))) == GRAPH


def test_an_empty_graph_is_read_back():
    assert str(Graph()) == "inputs\noutputs"
    assert str(Graph.parse("inputs\noutputs")) == "inputs\noutputs"


@given(
    st.sampled_from(sorted(SUPPORTED, key=str)).flatmap(
        lambda d: hnp.arrays(d, hnp.array_shapes(min_dims=0, min_side=0, max_side=5))
    )
)
def test_constants_are_read_back_to_the_bit(array: Any):
    text = of_constant(array).text(full=True)
    again = Graph.parse(text)
    assert same_bits(again.outputs[0], array)
    assert again.text(full=True) == text


@given(st.floats(width=32))
def test_a_float32_is_written_in_its_own_digits(x: float):
    array = np.array(x, np.float32)
    assert same_bits(Graph.parse(of_constant(array).text(full=True)).outputs[0], array)


numbers = st.integers() | st.floats() | st.booleans() | st.none()
slices = st.builds(slice, *[st.none() | st.integers()] * 3)
leaves = numbers | slices | st.just(...) | st.text() | st.sampled_from(sorted(SUPPORTED, key=str))


@given(st.recursive(leaves, lambda x: st.lists(x) | st.lists(x).map(tuple)))
def test_attrs_are_read_back(value: Any):
    line = Reader(write_literal(value), 1)
    assert repr(line.literal()) == repr(value)
    line.end()


def test_digits_that_would_round_twice_are_written_in_full():
    x = np.nextafter(np.float32(7.038531e-26), np.float32(1))
    assert same_bits(Graph.parse(str(of_constant(np.array(x)))).outputs[0], np.array(x))


def test_a_constant_of_like_elements_is_written_as_one():
    assert "constant float32[60000, 784] 0.5" in str(of_constant(np.full((60000, 784), 0.5, np.float32)))


def test_large_constants_have_a_name_and_their_elements_at_the_end():
    graph = Graph()
    x = graph.input(Spec((20,), np.dtype(np.float32)))
    large = np.arange(20, dtype=np.float32)
    y = graph.record(arithmetic.add, (x, large), {})
    graph.outputs = [graph.record(arithmetic.multiply, (y, large.copy()), {})]
    assert str(graph).splitlines()[1:] == [
        "%1: float32[20] = add(%0, @c0)",
        "%2: float32[20] = multiply(%1, @c0)",
        "outputs %2",
        "@c0: float32[20] [0.0, 1.0, 2.0, 3.0, ...]",
    ]
    assert same_bits(Graph.parse(graph.text(full=True)).instructions[1].inputs[1], large)


def test_a_nan_with_bits_of_its_own_keeps_them():
    array = np.array([0x7FC00001, 0xFFC00000], np.uint32).view(np.float32)
    assert same_bits(Graph.parse(of_constant(array).text(full=True)).outputs[0], array)


def test_constants_are_read_only():
    assert not any(
        c.flags.writeable for c in Graph.parse("inputs\noutputs constant int64[3] 1, constant bool[1] [True]").outputs
    )


def test_ops_from_outside_are_read_where_they_are_given():
    cube = Op("cube", lambda x: x * x * x, shapes.elementwise)
    graph = trace(lambda x: cube(x), Tensor([1.0]))
    assert str(Graph.parse(str(graph), ops=[cube])) == str(graph)
    with pytest.raises(ArgumentError, match="line 2 of the graph expected an op of the table"):
        Graph.parse(str(graph))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("inputs", "input", "line 1 of the graph expected 'inputs', got 'input' in column 1"),
        ("float32[2, 3], %3", "float16[2, 3], %3", "line 1 .* expected a dtype such as float32, got 'float16'"),
        ("[2, 3], %3", "[2, -3], %3", "line 1 .* expected a size such as 3, got '-3'"),
        ("%3: int64", "%0: int64", "line 1 .* expected a new value such as %3, got '%0'"),
        ("int64[]", "int64[] %9", "line 1 .* expected its end, got '%9'"),
        ("multiply(%0", "multiply(%1", "line 2 .* expected a value or constant that a line above has made, got '%1'"),
        ("multiply(%0", "multiply(%4", "line 2 .* expected a value or constant that a line above has made, got '%4'"),
        ("multiply(%0", "multiply(@c0", "line 2 .* expected a constant, got '@c0'"),
        ("multiply(%0", "multiply(foo", "line 2 .* expected a number, a string, .* got 'foo'"),
        ("multiply(%0", "multiply(?", "line 2 .* got '\\?' in column 30"),
        ("multiply(%0", "frobnicate(%0", "line 2 .* expected an op of the table, .* got 'frobnicate'"),
        ("nan]", "nan", "line 2 .* expected '\\]'"),
        (", nan", "", "line 2 .* expected elements of shape \\(3,\\), got \\(2,\\)"),
        (", nan", ", [1]", "line 2 .* expected elements of float32\\[3\\]"),
        ("nan", "True", "line 2 .* expected elements of float32, got True"),
        ("nan", "None", "line 2 .* expected elements of float32, got None"),
        ("%7: float32[2]", "%7: float32[3]", "line 3 .* expected float32\\[2\\], which is what sum gives, got float"),
        ("axis=1", "axis=2", "line 3 .* expected inputs and attrs that sum can have, got expected an axis"),
        ("axis=1", "places=1", "line 3 .* expected inputs and attrs that sum can have"),
        ("axis=1)", "axis=1", "line 3 .* expected '\\)', got its end"),
        ("axis=1)", "axis=1) + 1", "line 3 .* expected its end"),
        ("axis=1", "axis=__import__('os')", "line 3 .* expected a number, a string"),
        ("%8: bool[2] =", "%8: bool[2]", "line 4 .* expected '='"),
        ("outputs %7", "results %7", "line 5 .* expected 'outputs', got 'results'"),
        ("outputs %7", "outputs %9", "line 5 .* expected a value or constant"),
        ("%8, %3", "%8 %3", "line 5 .* expected its end"),
    ],
)  # fmt: skip
def test_a_text_that_is_no_graph_is_refused_with_its_line(old: str, new: str, says: str):
    assert old in GRAPH
    with pytest.raises(ArgumentError, match=says):
        Graph.parse(GRAPH.replace(old, new, 1))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1 of the graph expected 'inputs', got its end"),
        ("inputs", "line 2 of the graph expected 'outputs', got its end"),
        ("inputs\noutputs constant uint8[] 300", "expected elements of uint8"),
        ("inputs\noutputs @c0\n@c0: float32[20] [0.0, ...]", "line 3 .* expected all elements of a constant"),
        ("inputs\noutputs @c0\n@c0: float32[20] base64 AAAA", "line 3 .* expected the bytes of float32\\[20\\]"),
        ("inputs\noutputs @c0\n@c0: float32[1] base64 AA?A", "line 3 .* expected the bytes of float32\\[1\\]"),
    ],
)
def test_other_mistakes_are_told_too(text: str, says: str):
    with pytest.raises(ArgumentError, match=says):
        Graph.parse(text)
