"""In which dtype two operands meet: the table, written down."""

from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.errors import DtypeError


def t(dtype: str) -> lg.Tensor:
    return lg.tensor(np.ones(2), dtype=dtype) if dtype.startswith("float") else lg.tensor(np.ones(2, dtype))


def array(dtype: str) -> Any:
    return np.ones(2, dtype)


SUMS = [
    # floats win over integers, the wider over the narrower
    (t("float32"), t("float32"), "float32"),
    (t("float32"), t("float64"), "float64"),
    (t("float32"), t("int64"), "float32"),
    (t("float32"), t("uint8"), "float32"),
    (t("float32"), t("bool"), "float32"),
    (t("float64"), t("int64"), "float64"),
    # integers among themselves as in NumPy, except that no float comes of them
    (t("int32"), t("int64"), "int64"),
    (t("uint8"), t("int8"), "int16"),
    (t("uint64"), t("int64"), "int64"),
    (t("bool"), t("bool"), "bool"),
    (t("bool"), t("uint8"), "uint8"),
    # Python numbers follow
    (t("float32"), 2, "float32"),
    (t("float32"), 0.1, "float32"),
    (t("float64"), 0.1, "float64"),
    (t("uint8"), 2, "uint8"),
    (t("int64"), 0.5, "float32"),
    (t("bool"), 2, "int64"),
    (t("bool"), 0.5, "float32"),
    (t("bool"), True, "bool"),
    # NumPy's scalars follow like Python's
    (t("float32"), np.float64(0.1), "float32"),
    (t("float32"), np.int64(1), "float32"),
    (t("int64"), np.float64(0.5), "float32"),
    # arrays follow the float tensors they meet, however wide they are
    (t("float32"), array("float64"), "float32"),
    (t("float32"), array("int64"), "float32"),
    (t("float64"), array("float32"), "float64"),
    (t("float32"), array(">f8"), "float32"),
    (t("float64"), array(">f8"), "float64"),
    # and count as they are beside tensors of integers
    (t("int64"), array("float64"), "float64"),
    (t("int64"), array("float32"), "float32"),
    (t("int64"), array("float16"), "float32"),
    (t("int64"), [0.5, 0.5], "float64"),
    (t("float32"), [0.5, 0.5], "float32"),
]


@pytest.mark.parametrize(("a", "b", "expected"), SUMS, ids=lambda x: getattr(x, "dtype", x))
def test_a_sum_has_the_dtype_of_the_table(a: Any, b: Any, expected: str):
    assert (a + b).dtype == expected
    assert (b + a).dtype == expected


@pytest.mark.parametrize("a", ["int64", "uint8", "bool"])
@pytest.mark.parametrize("b", [t("int64"), t("bool"), 2, True])
def test_a_quotient_of_integers_is_float32(a: str, b: Any):
    assert (t(a) / b).dtype == np.float32
    assert (b / t(a)).dtype == np.float32


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool"])
def test_functions_of_integers_are_float32(dtype: str):
    x = t(dtype)
    for y in (x.exp(), x.log(), x.sqrt(), x.tanh(), x.sigmoid(), x.softplus(), x.erf(), x.logsumexp(), x.mean()):
        assert y.dtype == np.float32


@pytest.mark.parametrize(
    ("dtype", "total"),
    [("float32", "float32"), ("float64", "float64"), ("int32", "int64"), ("uint8", "uint64"), ("bool", "int64")],
)
def test_sums_do_not_overflow_in_narrow_integers(dtype: str, total: str):
    assert t(dtype).sum().dtype == total
    assert t(dtype).prod().dtype == total


def test_comparisons_are_booleans():
    x = t("float32")
    for y in (x == x, x != 1, x < 2.0, x <= array("float64"), x > t("int64"), x >= x):
        assert y.dtype == np.bool_


def test_a_comparison_with_float64_data_takes_place_in_the_dtype_of_the_tensor():
    assert bool((lg.tensor(0.1) == np.array(0.1)).item())


def test_float64_is_kept_through_a_network_and_its_gradients():
    x, w = lg.tensor(np.ones((4, 3)), dtype=np.float64), lg.Tensor(np.ones((3, 2)), dtype=np.float64)
    loss = ((x @ w).tanh() * 0.5 + 1).sigmoid().mean()
    assert loss.dtype == np.float64
    assert lg.grad(loss, w).dtype == np.float64


def test_a_float32_parameter_keeps_float32_gradients_in_a_float64_loss():
    w = lg.Tensor([1.0, 2.0])
    (w * lg.tensor([0.1, 0.2], dtype=np.float64)).sum().backward()
    assert w.grad is not None
    assert w.grad.dtype == np.float32


@pytest.mark.parametrize(
    "bad", [np.array(["a"]), np.array([None]), np.array([1j]), np.array(["2020-01-01"], "M8[D]")], ids=str
)
def test_other_kinds_of_arrays_are_refused(bad: Any):
    with pytest.raises(DtypeError, match="expected booleans, integers, float32 or float64"):
        t("float32") + bad


@pytest.mark.parametrize(
    "call",
    [lambda: t("bool") - t("bool"), lambda: -t("bool"), lambda: t("int64") ** -1, lambda: t("uint8") + 300],
)
def test_what_numpy_cannot_do_with_integers_says_to_convert(call: Any):
    with pytest.raises(DtypeError, match=r"expected numbers it is defined for.*Convert to floats first"):
        call()
