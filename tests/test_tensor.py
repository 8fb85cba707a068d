"""Tensor: what it can be made of, what it tells about itself, and that nobody can change it behind its back."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.errors import ArgumentError, DtypeError, GradientError, ShapeError, TracingError
from lucidgrad.tensor import Tensor

# --- the scalar-autograd tutorial --------------------------------------------------------------------------------


def test_a_neuron_by_hand():
    """Tanh(w1 x1 + w2 x2 + b) at numbers where the slope of tanh is exactly 1 - 0.6^2."""
    x1, x2, w1, w2 = Tensor(1.0), Tensor(-2.0), Tensor(0.5), Tensor(0.25)
    b = Tensor(float(np.arctanh(0.6)))
    o = (w1 * x1 + w2 * x2 + b).tanh()
    o.backward()
    slope = 1 - 0.6**2
    assert o.item() == pytest.approx(0.6)
    assert w1.grad.item() == pytest.approx(slope * 1.0)
    assert w2.grad.item() == pytest.approx(slope * -2.0)
    assert x1.grad.item() == pytest.approx(slope * 0.5)
    assert x2.grad.item() == pytest.approx(slope * 0.25)
    assert b.grad.item() == pytest.approx(slope)


def test_an_expression_that_uses_every_operator():
    a, b = Tensor(3.0), Tensor(-2.0)
    c = a * b + b**2 - a / b
    c = c + (1 - c) * 2 - 6 / a + 2**b + (-c).relu()
    c.backward()
    # c0 = ab + b^2 - a/b = -0.5, so relu(-c0) = -c0; all in all c = 2 - 2 c0 - 6/a + 2^b.
    assert c.item() == pytest.approx(2 + 2 * 0.5 - 2 + 0.25)
    assert a.grad.item() == pytest.approx(-2 * (-2 + 0.5) + 6 / 9)
    assert b.grad.item() == pytest.approx(-2 * (3 - 4 + 3 / 4) + 0.25 * np.log(2), rel=1e-6)


def test_reflected_operators_take_numbers_on_the_left():
    x = Tensor(4.0)
    results = [1 + x, 1 - x, 2 * x, 2 / x, 2**x, True + x]
    assert [float(y) for y in results] == [5, -3, 8, 0.5, 16, 5]
    grads = [lg.grad(y, x).item() for y in results[:5]]
    assert grads == pytest.approx([1, -1, 2, -2 / 16, 16 * np.log(2)])


def test_gradient_descent_on_a_scalar_by_its_data():
    x = Tensor(4.0)
    for _ in range(60):
        x.grad = None
        loss = (x - 1) ** 2
        loss.backward()
        x.data -= 0.1 * x.grad.data
    assert x.data == pytest.approx(1.0, abs=1e-4)
    assert x.dtype == np.float32


# --- data --------------------------------------------------------------------------------------------------------


def test_the_data_of_a_leaf_can_be_replaced():
    x = Tensor(1.0)
    x.data += 0.5
    assert x.data == 1.5
    x.data = Tensor(2.0) * 2
    assert (x.item(), x.node, x.requires_grad) == (4.0, None, True)
    w = Tensor([1.0, 2.0])
    w.data = w.data - 0.5 * np.ones(2)
    assert (w.tolist(), w.dtype) == ([0.5, 1.5], np.float32)


def test_data_that_came_from_an_array_is_a_copy():
    w, new = Tensor([0.0, 0.0]), np.ones(2, np.float32)
    w.data = new
    new[:] = 7
    assert w.tolist() == [1, 1]


def test_new_data_has_the_shape_of_the_old():
    with pytest.raises(ShapeError, match=r"new data expected shape \(2,\), got \(3,\)"):
        Tensor([1.0, 2.0]).data = np.zeros(3)


def test_only_leaves_take_new_data():
    y = Tensor(2.0) * 3
    with pytest.raises(GradientError, match=r"new data expected a leaf .* got the output of multiply"):
        y.data = 1.0


def test_a_leaf_that_was_replaced_after_use_is_an_error_and_no_wrong_gradient():
    x = Tensor(2.0)
    y = x * x
    x.data = 3.0
    with pytest.raises(GradientError, match="data was replaced since"):
        y.backward()
    assert x.grad is None


def test_an_in_place_change_of_the_data_of_a_used_leaf_is_an_error_too():
    x = Tensor(2.0)
    y = x.exp() * x
    x.data += 0.0
    with pytest.raises(GradientError, match="went into"):
        lg.grad(y, x)


def test_a_replaced_leaf_that_nobody_asks_for_does_no_harm():
    x, w = Tensor(2.0), Tensor(5.0)
    y = x * w
    w.data = 1.0
    assert lg.grad(y, x, create_graph=False).item() == 5.0


def test_arrays_cannot_be_written_to():
    x = Tensor([1.0, 2.0])
    for array in (x.data, x.numpy(), (x * 2).numpy(), x[0:1].numpy(), x.reshape(2, 1).numpy(), np.asarray(x)):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    with pytest.raises(ValueError, match="read-only"):
        x.data += 1  # the array is changed before it is set


def test_the_source_of_a_tensor_may_change_afterwards():
    source = np.array([1.0, 2.0], np.float32)
    x, y = lg.tensor(source), Tensor(source)
    source[:] = 0
    assert x.tolist() == y.tolist() == [1, 2]


def test_an_array_beside_a_tensor_may_change_before_the_gradient_is_asked_for():
    x, factor = Tensor([1.0, 1.0]), np.array([2.0, 3.0], np.float32)
    y = (x * factor).sum()
    factor[:] = 100
    y.backward()
    assert x.grad.tolist() == [2, 3]


def test_an_index_array_may_change_before_the_gradient_is_asked_for():
    x, index = Tensor([1.0, 1.0, 1.0]), np.array([0, 2])
    y = x[index].sum()
    index[:] = 1
    y.backward()
    assert x.grad.tolist() == [1, 0, 1]


def test_a_copy_of_a_tensor_does_not_share_its_history():
    x = Tensor(2.0)
    y = Tensor(x * 3)
    assert (y.item(), y.node, y.requires_grad) == (6.0, None, True)
    assert not lg.tensor(x).requires_grad


# --- what it can be made of --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1.0, "float32"),
        ([0.5, 1], "float32"),
        (np.zeros(2), "float32"),
        (np.zeros(2, np.float16), "float32"),
        (np.zeros(2, ">f4"), "float32"),
        (np.float64(1.0), "float32"),
        (3, "int64"),
        ([[1, 2], [3, 4]], "int64"),
        (np.zeros(2, np.uint8), "uint8"),
        (np.zeros(2, ">i4"), "int32"),
        (True, "bool"),
        ([], "float32"),
    ],
    ids=repr,
)
def test_floats_become_float32_and_integers_stay_what_they_are(data: Any, dtype: str):
    x = Tensor(data)
    assert x.dtype == dtype
    assert x.dtype.isnative
    assert x.requires_grad == (x.dtype.kind == "f")
    np.testing.assert_array_equal(x.numpy(), np.asarray(data))


def test_float64_comes_on_request():
    assert Tensor(1 / 3, dtype=np.float64).item() == 1 / 3
    assert lg.tensor([1, 2], dtype=">f8").dtype == np.float64
    assert lg.tensor(np.arange(3, dtype=">f8") / 3, dtype=np.float64).numpy()[1] == 1 / 3


def test_numbers_beyond_float32_become_infinite_without_a_warning():
    assert Tensor(1e300).item() == np.inf


def test_nan_is_a_number_like_others():
    x = Tensor([np.nan, 1.0])
    assert np.isnan(x.sum().item())
    assert repr(x) == "Tensor([nan,  1.])"
    assert not bool((x == x)[0])


@pytest.mark.parametrize(
    ("data", "error", "says"),
    [
        ([[1.0], [1.0, 2.0]], ShapeError, "expected numbers in a regular grid"),
        ("text", DtypeError, "encode text labels as integers"),
        (["1.5", "2"], DtypeError, "encode text labels as integers"),
        (None, DtypeError, "expected booleans, integers, float32 or float64, got dtype object"),
        ([...], DtypeError, "got dtype object"),
        (1 + 2j, DtypeError, "got dtype complex128"),
        (2**70, DtypeError, "got dtype object"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("dtype", [None, np.float32])
def test_what_is_no_array_of_numbers_is_refused(data: Any, error: Any, says: str, dtype: Any):
    with pytest.raises(error, match=says):
        Tensor(data, dtype=dtype)


@pytest.mark.parametrize("dtype", [np.float16, np.complex64, "U3", object])
def test_other_dtypes_are_refused(dtype: Any):
    with pytest.raises(DtypeError, match="expected booleans, integers, float32 or float64"):
        Tensor([1.0], dtype=dtype)


def test_integers_cannot_require_gradients():
    with pytest.raises(DtypeError, match="requires_grad=True expected floats, got dtype int64"):
        Tensor([1, 2], requires_grad=True)
    with pytest.raises(DtypeError, match="Only real numbers have gradients"):
        lg.tensor(True, requires_grad=True)


# --- as a Python object ------------------------------------------------------------------------------------------


def test_numbers_come_out_of_scalars():
    assert (float(Tensor(1.5)), int(Tensor(2.7)), bool(Tensor(0.0)), Tensor([[3.0]]).item()) == (1.5, 2, False, 3.0)
    assert ["a", "b", "c"][lg.tensor(1)] == "b"
    assert f"{Tensor(1 / 3):.3f}" == "0.333"
    assert f"{Tensor(0.5)}" == "Tensor(0.5)"


def test_the_truth_of_several_elements_is_not_defined():
    with pytest.raises(ValueError, match="ambiguous"):
        bool(Tensor([1.0, 2.0]))
    with pytest.raises(TypeError, match="integer"):
        [1, 2][Tensor(1.0)]


def test_length_and_iteration_go_over_the_first_axis():
    x = Tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    assert (len(x), x.size, x.shape, x.ndim) == (3, 6, (3, 2), 2)
    first, *_, last = x
    (first * last).sum().backward()
    assert x.grad.tolist() == [[5, 6], [0, 0], [1, 2]]
    with pytest.raises(TypeError, match="a scalar Tensor has no length"):
        len(Tensor(1.0))
    with pytest.raises(TypeError, match="no length"):
        list(Tensor(1.0))


def test_a_tensor_is_found_in_a_dict_by_identity():
    x, y = Tensor(1.0), Tensor(1.0)
    assert {x: "x", y: "y"}[x] == "x"
    assert len({x, y, x}) == 2


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (Tensor(2.0), "Tensor(2.)"),
        (Tensor([1.0, 0.5]), "Tensor([1. , 0.5])"),
        (Tensor([1.0], dtype=np.float64), "Tensor([1.], dtype=float64)"),
        (lg.tensor([1, 2]), "Tensor([1, 2])"),
        (lg.tensor(np.uint8(3)), "Tensor(3, dtype=uint8)"),
        (lg.tensor([True]), "Tensor([ True])"),
        (Tensor([[1.0, 2.0], [3.0, 4.0]]), "Tensor([[1., 2.],\n        [3., 4.]])"),
        (Tensor([]), "Tensor([])"),
    ],
    ids=lambda x: str(getattr(x, "dtype", "")),
)
def test_repr_shows_the_elements_and_an_unusual_dtype(x: Tensor, text: str):
    assert repr(x) == text


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
@pytest.mark.parametrize("x", [Tensor([1 / 3], dtype=np.float64), lg.tensor([1.5]), lg.tensor([1, 2]), Tensor(2.0) * 3])
def test_copies_keep_elements_dtype_and_whether_gradients_are_wanted(clone: Any, x: Tensor):
    y = clone(x)
    assert y is not x
    assert (y.dtype, y.requires_grad, y.tolist(), y.node) == (x.dtype, x.requires_grad, x.tolist(), None)
    assert not y.numpy().flags.writeable


def test_a_traced_tensor_has_no_elements_to_show():
    seen: list[str] = []

    def f(x: Tensor) -> Tensor:
        seen.append(repr(x))
        if x > 0:
            return x
        return -x

    with pytest.raises(TracingError, match=r"expected a tensor with elements, got bool\[\].*lucidgrad.where instead"):
        lg.compiler.trace(f, Tensor(1.0))
    assert seen == ["Tensor(%0: float32[])"]


# --- beside NumPy ------------------------------------------------------------------------------------------------


def test_numpy_functions_with_a_row_go_through_it():
    x = Tensor([1.0, 4.0])
    for y, expected in [(np.exp(x), np.exp([1, 4])), (np.sqrt(x), [1, 2]), (np.negative(x), [-1, -4])]:
        assert isinstance(y, Tensor)
        assert y.requires_grad
        np.testing.assert_allclose(y.numpy(), expected, rtol=1e-6)


def test_arrays_on_the_left_make_tensors():
    x, a = Tensor([1.0, 4.0]), np.array([2.0, 2.0])
    for y, expected in [(a + x, [3, 6]), (a - x, [1, -2]), (a * x, [2, 8]), (a / x, [2, 0.5]), (a**x, [2, 16])]:
        assert isinstance(y, Tensor)
        assert y.tolist() == expected
    assert ((a > x).tolist(), (np.float64(2) * x).tolist()) == ([True, False], [2, 8])
    assert (np.eye(2) @ x).tolist() == [1, 4]
    assert (a @ x).item() == 10


def test_arrays_are_not_changed_in_place_by_tensors():
    a = np.ones(2)
    with pytest.raises(GradientError, match="an array expected to stay as it is, got an in-place subtract"):
        a -= Tensor([1.0, 1.0])
    with pytest.raises(GradientError, match="in-place exp"):
        np.exp(Tensor([1.0, 1.0]), out=a)
    assert a.tolist() == [1, 1]


@pytest.mark.parametrize("call", [lambda x: np.cbrt(x), lambda x: np.add.reduce(x), lambda x: np.exp(x, where=True)])
def test_numpy_functions_without_a_row_say_what_to_do(call: Any):
    with pytest.raises(DtypeError, match=r"expected|got np\..*Use the tensor's own method"):
        call(Tensor([1.0, 2.0]))


class Series:
    """Like a column of a table of pandas: it turns into an array, and has an ``apply`` of its own."""

    def __init__(self, values: list[Any]) -> None:
        self.values = np.array(values)
        self.dtype, self.ndim, self.shape = self.values.dtype, 1, self.values.shape

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array(self.values, dtype=dtype)

    def apply(self, *_: Any) -> None:
        raise AssertionError("nobody should call this")


def test_columns_of_tables_are_arrays_like_others():
    x, mask, numbers = Tensor([1.0, 2.0]), Series([True, False]), Series([2.0, 3.0])
    assert lg.tensor(numbers).tolist() == [2, 3]
    assert (x * numbers).tolist() == [2, 6]
    assert x[mask].tolist() == [1]
    assert x[Series([1, 1])].tolist() == [2, 2]
    assert lg.where(mask, x, 0.0).tolist() == [1, 0]
    assert lg.maximum(numbers, x).tolist() == [2, 3]
    assert lg.concatenate([numbers, x]).tolist() == [2, 3, 1, 2]


def test_np_asarray_shares_and_np_array_copies():
    x = Tensor([1.0, 2.0])
    assert np.shares_memory(np.asarray(x), x.numpy())
    mine = np.array(x)
    mine[0] = 5
    assert x.tolist() == [1, 2]
    assert np.asarray(x, np.float64).dtype == np.float64


def test_an_index_of_another_kind_is_explained():
    with pytest.raises(ArgumentError, match="an index expected slices, integers"):
        Tensor([1.0, 2.0])[0.5]
    with pytest.raises(DtypeError, match="encode text labels"):
        Tensor([1.0, 2.0])["a"]
