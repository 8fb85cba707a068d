"""Tracing: the same code that computes writes its program down, gradients and updates included."""

from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.compiler import interpret, trace
from lucidgrad.compiler.trace import flatten
from lucidgrad.errors import GradientError, LucidgradError, ShapeError, TracingError
from lucidgrad.graph import Graph
from lucidgrad.tensor import Tensor


def numbers(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype(np.float32)


def names(graph: Graph) -> list[str]:
    return [i.op.name for i in graph.instructions]


def test_a_function_is_written_down_as_the_ops_it_applies():
    graph = trace(lambda x, w: (x @ w).relu().sum(), lg.tensor(numbers(2, 3)), lg.tensor(numbers(3, 4)))
    assert names(graph) == ["matmul", "relu", "sum"]
    assert [v.shape for v in graph.inputs] == [(2, 3), (3, 4)]
    assert graph.outputs[0].shape == ()


def test_a_gradient_inside_is_written_down_like_anything_else():
    def loss_and_gradients(w: Tensor, b: Tensor, x: Tensor) -> Any:
        loss = ((x @ w + b).tanh() ** 2).mean()
        return loss, lg.grad(loss, [w, b], create_graph=False)

    arrays = numbers(3, 2), numbers(2), numbers(5, 3)
    examples = [Tensor(arrays[0]), Tensor(arrays[1]), lg.tensor(arrays[2])]
    got = interpret(trace(loss_and_gradients, *examples), *arrays)
    loss, grads = loss_and_gradients(*examples)
    for a, b in zip(got, [loss, *grads], strict=True):
        np.testing.assert_array_equal(a, b.numpy())


def test_a_gradient_of_a_gradient_is_written_down_too():
    def second(x: Tensor) -> Tensor:
        return lg.grad(lg.grad((x**3).sum(), x).sum(), x)

    x = numbers(4)
    (got,) = interpret(trace(second, Tensor(x)), x)
    np.testing.assert_allclose(got, 6 * x, rtol=1e-6)


def test_backward_fills_gradients_that_are_values_of_the_graph():
    def f(w: Tensor) -> Tensor:
        (w * w).sum().backward()
        assert w.grad is not None
        return w.grad

    w = numbers(3)
    (got,) = interpret(trace(f, Tensor(w)), w)
    np.testing.assert_array_equal(got, 2 * w)


def test_a_whole_step_of_gradient_descent_is_one_graph():
    def step(w: Tensor, x: Tensor, y: Tensor) -> Tensor:
        loss = ((x @ w - y) ** 2).mean()
        return (w - 0.1 * lg.grad(loss, w, create_graph=False)).detach()

    w, x = np.zeros((3, 1), np.float32), numbers(20, 3)
    y = x @ np.array([[1.0], [2.0], [3.0]], np.float32)
    graph = trace(step, Tensor(w), lg.tensor(x), lg.tensor(y))
    for _ in range(200):
        (w,) = interpret(graph, w, x, y)
    np.testing.assert_allclose(w.ravel(), [1, 2, 3], atol=1e-3)


def test_parameters_outside_of_the_function_are_constants_of_the_graph():
    w = Tensor(numbers(3))
    graph = trace(lambda x: (x * w).sum(), lg.tensor(numbers(3)))
    (instruction, _) = graph.instructions
    assert instruction.inputs[1] is w.raw


def test_buffers_that_change_inside_hold_values_of_the_graph():
    mean = lg.tensor([0.0, 0.0])
    before = mean.raw

    def f(x: Tensor) -> Tensor:
        mean.data = 0.9 * mean + 0.1 * x
        return mean

    x = numbers(2)
    (got,) = interpret(trace(f, lg.tensor(x)), x)
    np.testing.assert_allclose(got, 0.1 * x, rtol=1e-6)
    mean.data = Tensor.wrap(before)


def test_a_replaced_leaf_is_found_while_tracing_as_well():
    def f(w: Tensor) -> Tensor:
        y = w * w
        w.data = y.detach()
        return lg.grad(y, w)

    with pytest.raises(GradientError, match="data was replaced since"):
        trace(f, Tensor(2.0))


def test_random_numbers_are_drawn_from_a_key_that_is_an_input():
    def dropout(x: Tensor, words: Tensor) -> Tensor:
        return lg.where(lg.Key.of_words(words).bernoulli(0.5, x.shape), x, 0.0)

    x = numbers(50)
    graph = trace(dropout, lg.tensor(x), lg.Key(0).words)
    for seed in (1, 2):
        (got,) = interpret(graph, x, lg.Key(seed).words.numpy())
        np.testing.assert_array_equal(got, dropout(lg.tensor(x), lg.Key(seed).words).numpy())


def test_an_array_index_is_an_input_and_may_change():
    graph = trace(lambda x, i: x[i], lg.tensor(numbers(5, 2)), lg.tensor([0, 1]))
    x = numbers(5, 2)
    np.testing.assert_array_equal(interpret(graph, x, np.array([4, 2]))[0], x[[4, 2]])


def test_an_array_that_a_function_closes_over_is_copied_into_the_graph():
    scale = np.ones(3, np.float32)
    graph = trace(lambda x: x * scale, lg.tensor(numbers(3)))
    scale[:] = 100
    np.testing.assert_array_equal(interpret(graph, numbers(3))[0], numbers(3))


def test_a_loop_is_unrolled_and_empties_are_traced():
    def f(x: Tensor) -> Tensor:
        for _ in range(3):
            x = x + 1
        return x

    assert names(trace(f, lg.tensor(np.zeros((0, 2))))) == ["add"] * 3


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x if x.sum() > 0 else -x,
        lambda x: x * float(x.sum()),
        lambda x: x * x.numpy(),
        lambda x: x * x.data,
        lambda x: x[x > 0],
        lambda x: x * int(x.sum()),
        lambda x: [x] * x.sum().astype(np.int64).__index__(),
        lambda x: x.tolist(),
        lambda x: np.asarray(x),
    ],
)
def test_asking_for_elements_while_tracing_says_what_to_do_instead(f: Any):
    with pytest.raises(TracingError, match="Inside a traced function use tensor operations only"):
        trace(f, lg.tensor([1.0, 2.0]))


def test_outputs_come_out_of_nested_structures_in_order():
    tensors = [Tensor(float(i)) for i in range(4)]
    tree = {"a": tensors[0], "b": [tensors[1], (tensors[2], {"c": tensors[3]})], "d": []}
    assert all(x is y for x, y in zip(flatten(tree), tensors, strict=True))


def test_a_constant_result_is_an_output_too():
    graph = trace(lambda x: (x, lg.tensor([1.0, 2.0])), lg.tensor(0.5))
    got = interpret(graph, np.float32(3.0))
    assert [a.tolist() for a in got] == [3.0, [1.0, 2.0]]


@pytest.mark.parametrize("arrays", [(), (np.zeros(2, np.float32),) * 2])
def test_a_graph_is_run_with_as_many_arrays_as_it_has_inputs(arrays: Any):
    with pytest.raises(LucidgradError, match="the graph expected 1 inputs"):
        interpret(trace(lambda x: x * 2, lg.tensor(numbers(2))), *arrays)


@pytest.mark.parametrize("array", [np.zeros(3, np.float32), np.zeros(2), np.zeros((2, 1), np.float32)])
def test_a_graph_is_run_with_arrays_of_its_shapes_and_dtypes(array: Any):
    with pytest.raises(ShapeError, match=r"input %0 expected float32\[2\]"):
        interpret(trace(lambda x: x * 2, lg.tensor(numbers(2))), array)


def test_nothing_is_left_behind_when_tracing_fails():
    with pytest.raises(TracingError):
        trace(lambda x: x if x > 0 else -x, lg.tensor(1.0))
    y = Tensor(2.0) * 3
    assert (y.item(), y.requires_grad) == (6, True)
