"""gradcheck: it passes what is right, and names what is not."""

from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.errors import ArgumentError, DtypeError, GradientError
from lucidgrad.ops import Op, shapes
from lucidgrad.tensor import Tensor


def multiply_with(rule_a: Any, rule_b: Any) -> Op:
    """An op from outside of the package, right forwards and as given backwards."""
    return Op("my_multiply", lambda a, b: a * b, shapes.elementwise, (rule_a, rule_b))


RIGHT = multiply_with(lambda g, y, a, b: g * b, lambda g, y, a, b: g * a)
A, B = np.linspace(-1, 1, 12).reshape(3, 4), np.linspace(0.5, 1.5, 12).reshape(3, 4)


def test_an_op_from_outside_with_the_right_rules_passes():
    assert lg.gradcheck(RIGHT, A, B, order=2)
    assert lg.gradcheck(lambda a, b: RIGHT(a, b).tanh().sum(0), A, B[0], order=2)


def test_a_wrong_rule_is_named_with_its_input_and_element():
    wrong = multiply_with(lambda g, y, a, b: g * b, lambda g, y, a, b: g * a * 2)
    a = np.array([[1.0, 1.0, 1.0, 1.5]])
    with pytest.raises(GradientError) as caught:
        lg.gradcheck(lambda a, b: wrong(a[:, 3:].exp().log(), b).sum(), a, [[2.0]])
    assert str(caught.value).startswith(
        "my_multiply, input 1, element (0, 0): expected 1.5 (finite differences), got 3. Look at its vjp rule"
    )


@pytest.mark.parametrize("shape", [(3, 4), (20, 30)], ids=["every element", "random directions"])
@pytest.mark.parametrize("order", [1, 2])
def test_a_rule_that_is_off_at_a_single_element_is_found(shape: tuple[int, int], order: int):
    x = np.random.default_rng(0).normal(size=shape)
    at = tuple(n - 2 for n in shape)
    spike = np.zeros(shape)
    spike[at] = 0.25

    def rule(g: Any, y: Any, x: Any) -> Any:
        off = lg.tensor(spike, dtype=np.float64)
        return g * (2 * x + (off if order == 1 else off * (x - x.detach())))  # the second: right at first order

    square = Op("my_square", lambda x: x * x, shapes.elementwise, (rule,))
    with pytest.raises(GradientError) as caught:
        lg.gradcheck(square, x, order=order)
    what = "my_square" if order == 1 else "the gradient of the gradient of my_square"
    assert str(caught.value).startswith(f"{what}, input 0, element {at}: expected ")


def test_a_rule_that_cannot_be_differentiated_fails_at_second_order_only():
    cube = Op("my_cube", lambda x: x**3, shapes.elementwise, (lambda g, y, x: g * 3 * (x * x).detach(),))
    assert lg.gradcheck(cube, [1.0, 2.0])
    with pytest.raises(GradientError, match=r"the gradient of the gradient of my_cube, input 0, element \(0,\)"):
        lg.gradcheck(cube, [1.0, 2.0], order=2)


def test_a_history_that_is_cut_is_told_from_a_wrong_rule():
    with pytest.raises(GradientError, match=r"f, input 0, element \(0,\): expected 2 .*, got 1\. .*history is cut"):
        lg.gradcheck(lambda x: (x * x.detach()).sum(), [1.0, 2.0])
    with pytest.raises(GradientError, match=r"got 0\. .*history is cut"):
        lg.gradcheck(lambda x: lg.tensor(x, dtype=np.float64) * 2, [1.0])


def test_a_kink_is_reported_as_such():
    with pytest.raises(GradientError, match=r"relu, input 0, element \(1,\): expected 0\.5 .*, got 0.*away from kinks"):
        lg.gradcheck(lambda x: x.relu(), [1.0, 0.0])
    assert lg.gradcheck(lambda x: x.relu(), [1.0, -1e-3])


def test_functions_of_many_elements_are_checked_along_random_directions():
    x, w = np.random.default_rng(0).normal(size=(40, 30)), np.random.default_rng(1).normal(size=(30, 20))
    assert lg.gradcheck(lambda x, w: ((x @ w).tanh() ** 2).mean(0), x, w, order=2)
    assert lg.gradcheck(lambda x: x.logsumexp(1), x, key=lg.Key(3))


def test_integers_booleans_and_numbers_are_taken_along():
    assert lg.gradcheck(lambda x, i: x[i], [1.0, 2.0, 3.0], np.array([0, 0, 2]), order=2)
    assert lg.gradcheck(lambda c, x: lg.where(c, x * x, x), [True, False], [1.0, 2.0], order=2)
    assert lg.gradcheck(lambda x, n: x**n, 2.0, 3)
    assert lg.gradcheck(lambda x: x.sum(), Tensor(np.ones((0, 3))), order=2)


def test_functions_that_do_not_depend_on_an_input_pass():
    assert lg.gradcheck(lambda x, y: x * 2, [1.0], [2.0], order=2)
    assert lg.gradcheck(lambda x: lg.tensor(1.0, dtype=np.float64), [1.0], order=2)


def test_it_works_at_numbers_of_any_size():
    assert lg.gradcheck(lambda x: x * x, [1e-6, 1.0, 1e6], order=2)
    assert lg.gradcheck(lambda x: x.log(), [1e3, 1e6], order=2)


def test_it_records_also_inside_of_no_grad_and_leaves_gradients_alone():
    x = Tensor([1.0, 2.0])
    with lg.no_grad():
        assert lg.gradcheck(lambda x: x * x, x, order=2)
    assert x.grad is None


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: lg.gradcheck(lambda x: x, 1.0, order=3), ArgumentError, "expected order 1 or 2"),
        (lambda: lg.gradcheck(lambda x: x, 1.0, eps=0.0), ArgumentError, "eps > 0"),
        (lambda: lg.gradcheck(lambda x: x.log(), 0.0), ArgumentError, "expected f to be finite"),
        (lambda: lg.gradcheck(lambda x: x.astype(np.float32), 1.0), DtypeError, "got a Tensor of float32"),
        (lambda: lg.gradcheck(lambda x: x.numpy(), 1.0), DtypeError, "got ndarray"),
        (
            lambda: lg.gradcheck(lambda x: x * lg.next_key().uniform((1,), dtype=np.float64), 1.0),
            ArgumentError,
            "Give whatever is random in it a fixed key",
        ),
    ],
)
def test_what_cannot_be_checked_is_explained(call: Any, error: Any, says: str):
    with pytest.raises(error, match=says):
        call()
