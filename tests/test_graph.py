"""Graphs: a program as a list that can be read, and that is checked before it is trusted."""

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.errors import ArgumentError, ShapeError
from lucidgrad.graph import Graph, Instruction, Value
from lucidgrad.ops import Spec, arithmetic, reduce

F32 = np.dtype(np.float32)


def example() -> Graph:
    """x -> sum(x * 2) along the rows."""
    graph = Graph()
    x = graph.input(Spec((2, 3), F32))
    doubled = graph.record(arithmetic.multiply, (x, 2), {})
    graph.outputs = [graph.record(reduce.sum, (doubled,), {"axis": 1})]
    return graph


def test_a_graph_reads_as_a_program():
    assert str(example()) == (
        "inputs %0: float32[2, 3]\n%1: float32[2, 3] = multiply(%0, 2)\n%2: float32[2] = sum(%1, axis=1)\noutputs %2"
    )


def test_constants_are_printed_with_their_shape():
    graph = Graph()
    x = graph.input(Spec((100,), F32))
    graph.outputs = [graph.record(arithmetic.add, (x, np.zeros(100, np.float32)), {}), np.array(3)]
    text = str(graph)
    assert "add(%0, constant float32[100] 0.0)" in text
    assert text.endswith("outputs %1, constant int64[] 3")


def test_recording_infers_shape_and_dtype_and_finds_mistakes():
    graph = Graph()
    x = graph.input(Spec((2, 3), F32))
    assert graph.record(arithmetic.less, (x, np.zeros((4, 1, 3), F32)), {}).spec == Spec((4, 2, 3), np.dtype(bool))
    with pytest.raises(ShapeError, match="expected shapes that broadcast"):
        graph.record(arithmetic.add, (x, np.zeros(2, F32)), {})
    assert len(graph.instructions) == 1


def test_a_value_knows_its_shape_but_no_elements():
    value = Graph().input(Spec((2, 3), F32))
    assert (value.shape, value.dtype, value.ndim, str(value)) == ((2, 3), F32, 2, "%0")


def test_a_good_graph_passes_verification():
    example().verify()


def test_verification_finds_a_value_that_is_used_before_it_is_made():
    graph = example()
    graph.instructions.reverse()
    with pytest.raises(ArgumentError, match=r"expected operands that were made earlier, got %1 in '%2"):
        graph.verify()


def test_verification_finds_an_output_that_nobody_makes():
    graph = example()
    graph.outputs.append(Value(graph, 9, Spec((), F32)))
    with pytest.raises(ArgumentError, match="got %9 in 'outputs'"):
        graph.verify()


def test_verification_finds_a_wrong_shape():
    graph = example()
    total = graph.instructions[-1]
    graph.instructions[-1] = Instruction(total.op, total.inputs, {"axis": 0}, total.output)
    with pytest.raises(ArgumentError, match=r"expected float32\[3\] from sum, got float32\[2\]"):
        graph.verify()


def test_verification_finds_a_value_that_is_made_twice():
    graph = example()
    graph.instructions.append(graph.instructions[-1])
    with pytest.raises(ArgumentError, match="expected each value to be made once, got a second %2"):
        graph.verify()


def test_graphs_are_what_tracing_gives():
    graph = lg.compiler.trace(lambda x: (x * 2).sum(1), lg.tensor(np.ones((2, 3))))
    assert str(graph) == str(example()).replace("axis=1", "axis=1, keepdims=False")
