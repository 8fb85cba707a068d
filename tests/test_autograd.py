"""The walk backwards: right on every shape of graph, however long, and leaving nothing behind."""

import gc
import weakref
from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.errors import GradientError, ShapeError
from lucidgrad.ops import Op, shapes
from lucidgrad.tensor import Tensor

# --- graphs ------------------------------------------------------------------------------------------------------


def test_a_tensor_used_twice_gets_the_sum_of_both_gradients():
    x = Tensor(3.0)
    (x * x + x).backward()
    assert x.grad.item() == 7


def test_a_diamond_is_walked_once_for_each_node():
    x = Tensor(2.0)
    a = x * 3
    for _ in range(60):  # 2^60 paths
        a = (a + a) * 0.5
    a.backward()
    assert x.grad.item() == pytest.approx(3)


def test_gradients_add_up_over_calls_of_backward():
    x = Tensor([1.0, 2.0])
    (x * x).sum().backward()
    (x * 3).sum().backward()
    assert x.grad.tolist() == [5, 7]


def test_backward_twice_over_the_same_graph_adds_the_same_again():
    x = Tensor(3.0)
    y = x * x
    y.backward()
    y.backward()
    assert x.grad.item() == 12


def test_results_that_are_held_get_gradients_too():
    x = Tensor(2.0)
    a = x * 3
    b = a * a
    b.backward()
    assert (x.grad.item(), a.grad.item(), b.grad.item()) == (36, 12, 1)


def test_tensors_that_share_a_cotangent_have_gradients_of_their_own():
    a, b = Tensor([1.0]), Tensor([1.0])
    (a + b).sum().backward()
    a.grad.data = a.grad.data * 5
    assert b.grad.tolist() == [1]


def test_a_leaf_can_be_differentiated_by_itself():
    x = Tensor(2.0)
    x.backward()
    assert x.grad.item() == 1
    assert lg.grad(x, x).item() == 1


def test_the_gradient_of_several_numbers_needs_a_cotangent():
    x = Tensor([1.0, 2.0])
    y = x * x
    with pytest.raises(GradientError, match=r"a gradient expected a single number to differentiate, got shape \(2,\)"):
        y.backward()
    y.backward([1.0, 10.0])
    assert x.grad.tolist() == [2, 40]
    assert lg.grad(y, x, gradient=lg.tensor([0.0, 1.0])).tolist() == [0, 4]
    with pytest.raises(ShapeError, match=r"gradient expected shape \(2,\), got \(3,\)"):
        y.backward(np.ones(3))


def test_an_empty_tensor_has_no_number_to_differentiate():
    with pytest.raises(GradientError, match=r"got shape \(0,\)"):
        (Tensor([]) * 2).backward()
    x = Tensor([])
    x.sum().backward()
    assert x.grad.shape == (0,)


def test_a_tensor_without_history_says_why_there_is_no_gradient():
    for y in (lg.tensor(1.0) * 2, Tensor(1.0) > 0, Tensor([1.0]).argmax(), Tensor(1.0).detach()):
        with pytest.raises(GradientError, match="comparisons, argmax and integers have no gradient"):
            y.backward()
    with pytest.raises(GradientError, match="an output without such a history"):
        lg.grad(lg.tensor(1.0), Tensor(1.0))
    with pytest.raises(GradientError, match=r"a tensor of shape \(\) without such a history"):
        lg.grad(Tensor(1.0) * 2, lg.tensor(1.0))


def test_grad_with_respect_to_a_result_on_the_way():
    x = Tensor([1.0, 2.0])
    a = x * x
    y = (a * a).sum()
    assert lg.grad(y, a).tolist() == [2, 8]
    dx, da, dy = lg.grad(y, [x, a, y])
    assert (dx.tolist(), da.tolist(), dy.item()) == ([4, 32], [2, 8], 1)
    assert x.grad is None
    assert a.grad is None


def test_grad_of_what_the_output_does_not_depend_on_is_zeros():
    x, other = Tensor([1.0, 2.0]), Tensor(np.ones((2, 2)), dtype=np.float64)
    dx, d = lg.grad((x * x).sum(), [x, other])
    assert dx.tolist() == [2, 4]
    assert (d.dtype, d.tolist()) == (np.float64, [[0, 0], [0, 0]])


def test_grad_does_not_walk_paths_that_nobody_asked_for():
    called = []
    spy = Op("spy", lambda x: x * 1.0, shapes.elementwise, (lambda g, y, x: called.append(1) or g,))
    x, w = Tensor(1.0), Tensor(2.0)
    y = spy(x) * w
    assert lg.grad(y, w).item() == 1
    assert not called
    lg.grad(y, x)
    assert called


def test_grad_takes_tuples_and_nothing_at_all():
    x = Tensor(1.0)
    assert [g.item() for g in lg.grad(x * 2, (x, x))] == [2, 2]
    assert lg.grad(x * 2, []) == []


# --- higher derivatives ------------------------------------------------------------------------------------------


def derivatives(f: Any, at: float, count: int) -> list[float]:
    x = Tensor(at, dtype=np.float64)
    y, found = f(x), []
    for _ in range(count):
        y = lg.grad(y, x)
        found.append(y.item())
    return found


def test_third_derivatives_of_a_cube():
    assert derivatives(lambda x: x**3, 2.0, 4) == [12, 12, 6, 0]
    assert derivatives(lambda x: x * x * x, 2.0, 3) == [12, 12, 6]


def test_third_derivatives_of_exp():
    assert derivatives(lambda x: x.exp(), 0.5, 5) == pytest.approx([np.exp(0.5)] * 5)


def test_third_derivatives_of_tanh():
    t = np.tanh(0.3)
    s = 1 - t * t
    expected = [s, -2 * t * s, -2 * s * (1 - 3 * t * t)]
    assert derivatives(lambda x: x.tanh(), 0.3, 3) == pytest.approx(expected)


def test_third_derivatives_of_sine_sigmoid_and_quotients():
    assert derivatives(lambda x: x.sin(), 0.7, 4) == pytest.approx(
        [np.cos(0.7), -np.sin(0.7), -np.cos(0.7), np.sin(0.7)]
    )
    s = 1 / (1 + np.exp(-0.7))
    d = s * (1 - s)
    assert derivatives(lambda x: x.sigmoid(), 0.7, 3) == pytest.approx(
        [d, d * (1 - 2 * s), d * (1 - 6 * s + 6 * s * s)]
    )
    assert derivatives(lambda x: 1 / x, 2.0, 3) == pytest.approx([-1 / 4, 2 / 8, -6 / 16])
    assert derivatives(lambda x: x.log(), 2.0, 3) == pytest.approx([1 / 2, -1 / 4, 2 / 8])
    assert derivatives(lambda x: x.sqrt(), 4.0, 2) == pytest.approx([1 / 4, -1 / 32])


def test_mixed_second_derivatives():
    x, y = Tensor(2.0), Tensor(3.0)
    dx = lg.grad(x * x * y, x)
    assert lg.grad(dx, [x, y])[0].item() == 6
    assert lg.grad(dx, y).item() == 4


def test_a_hessian_vector_product():
    a = np.array([[2.0, 1.0], [1.0, 3.0]])
    x = Tensor([1.0, -1.0], dtype=np.float64)
    dx = lg.grad(x @ (lg.tensor(a, dtype=np.float64) @ x), x)
    assert lg.grad(dx, x, gradient=[1.0, 2.0]).tolist() == (2 * a @ [1.0, 2.0]).tolist()


def test_a_gradient_penalty_reaches_the_parameters():
    w, x = Tensor(0.5, dtype=np.float64), Tensor(2.0, dtype=np.float64)
    penalty = lg.grad((w * x * x), x) ** 2  # (2 w x)^2
    penalty.backward()
    assert w.grad.item() == pytest.approx(8 * 0.5 * 4)


def test_gradients_without_create_graph_have_no_history():
    x = Tensor(2.0)
    dx = lg.grad(x**3, x, create_graph=False)
    assert (dx.item(), dx.requires_grad, dx.node) == (12, False, None)
    x.exp().backward()
    assert x.grad.node is None


# --- memory ------------------------------------------------------------------------------------------------------


def test_a_chain_of_100_000_ops_goes_forward_backward_and_away():
    x = Tensor(1.0)
    y = x
    for _ in range(100_000):
        y = y + 0.00001
    y.backward()
    assert x.grad.item() == 1
    first_result = weakref.ref(y.raw)
    del y
    assert first_result() is None


@pytest.fixture
def without_collector() -> Any:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("without_collector")
def test_graphs_are_freed_at_once_for_they_have_no_cycles():
    x = Tensor([1.0, 2.0])
    y = (x * x).exp()
    middle, node = weakref.ref(y.node.parents[0].values[0]), weakref.ref(y)
    loss = y.sum()
    loss.backward()
    dx = lg.grad(loss, x)
    second = lg.grad(dx.sum(), x)
    refs = [middle, node, weakref.ref(y.raw), weakref.ref(loss), weakref.ref(dx), weakref.ref(second)]
    x.grad = None
    del y, loss, dx, second
    assert [r() for r in refs[1:]] == [None] * 5
    assert middle() is x.raw


@pytest.mark.usefixtures("without_collector")
def test_results_that_nobody_holds_keep_no_memory_of_their_gradients():
    freed: list[Any] = []

    def note(g: Tensor, y: Tensor, x: Tensor) -> Tensor:
        freed.append([r() is None for r in cotangents])
        cotangents.append(weakref.ref(g.raw))
        return g * 1.0

    cotangents: list[Any] = []
    copy = Op("copy", lambda x: x * 1.0, shapes.elementwise, (note,))
    copy(copy(copy(Tensor([1.0])))).sum().backward()
    assert freed[-1][0]  # the cotangent of the last op is gone when the first op's turn comes


@pytest.mark.usefixtures("without_collector")
def test_what_is_computed_without_recording_keeps_nothing_alive():
    x = Tensor([1.0])
    with lg.no_grad():
        a = x * 2
        b = a + 1
    gone = weakref.ref(a.raw)
    del a
    assert gone() is None
    assert b.node is None


# --- rules from outside ------------------------------------------------------------------------------------------


def apply_with_rule(rule: Any) -> Tensor:
    return Op("mine", lambda x: x * 2.0, shapes.elementwise, (rule,))(Tensor([[1.0, 2.0, 3.0]] * 2)).sum()


def test_a_rule_that_returns_no_tensor_is_named():
    with pytest.raises(GradientError, match=r"the vjp rule of mine for its input 0 .* return a Tensor, got ndarray"):
        apply_with_rule(lambda g, y, x: g.numpy() * 2).backward()
    with pytest.raises(GradientError, match="got NoneType"):
        apply_with_rule(lambda g, y, x: None).backward()


def test_a_rule_that_returns_another_shape_is_named():
    with pytest.raises(GradientError, match=r"the vjp rule of mine .* shape \(2, 3\) of the input, got \(3,\)"):
        apply_with_rule(lambda g, y, x: g.sum(0)).backward()


def test_an_op_without_rules_leaves_no_history():
    rounded = Op("round", np.round, shapes.elementwise)
    y = rounded(Tensor([1.4]))
    assert (y.tolist(), y.requires_grad) == ([1], False)


def test_an_input_without_a_rule_gets_no_gradient():
    scaled = Op("scaled", np.multiply, shapes.elementwise, (lambda g, y, a, b: g * b, None))
    a, b = Tensor(2.0), Tensor(3.0)
    da, db = lg.grad(scaled(a, b), [a, b])
    assert (da.item(), db.item()) == (3, 0)
