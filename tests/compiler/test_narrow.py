"""Rows of at most eight elements are computed in vectors of eight; every bit is that of a row in a longer array."""

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import lucidgrad as lg
from lucidgrad.compiler import trace
from lucidgrad.compiler.machine import AVX2, BASELINE, Target
from lucidgrad.compiler.program import Program
from lucidgrad.tensor import Tensor
from tests.compiler.elements import same_bits
from tests.compiler.test_product import native

TARGETS = [None, Target(AVX2), Target(BASELINE)]
SPECIAL = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0, 1e-40, 3e38, -2.5])


def curve(x: Tensor) -> Tensor:
    return lg.functional.where(x > 0, x.exp(), -x / (x + 2.0)) + (x * x + 1.0).log()


@pytest.mark.parametrize("target", TARGETS, ids=["host", "avx2", "baseline"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_short_rows_have_the_bits_of_a_long_one(dtype: type, target: Target | None) -> None:
    for columns in (1, 2, 3, 7, 8, 9):
        x = np.random.default_rng(columns).standard_normal((20, columns)).astype(dtype)
        x.reshape(-1)[:: columns + 1][: len(SPECIAL)] = SPECIAL[: len(x.reshape(-1)[:: columns + 1])]
        long = native(curve, [x.reshape(1, -1)], target).reshape(x.shape)
        assert same_bits(native(curve, [x], target), long), columns


@pytest.mark.parametrize("target", TARGETS, ids=["host", "avx2", "baseline"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_few_columns_of_a_product_have_the_bits_that_they_have_among_many(dtype: type, target: Target | None) -> None:
    rng = np.random.default_rng(1)
    x, w, b = (rng.standard_normal(s).astype(dtype) for s in ((19, 33), (33, 40), (40,)))
    x[3, 5], w[7, 1], b[2] = np.inf, np.nan, -0.0

    def layer(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
        return lg.functional.relu(x @ w + b)

    many = native(layer, [x, w, b], target)
    for columns in (1, 2, 5, 8, 9):
        few = native(layer, [x, w[:, :columns].copy(), b[:columns].copy()], target)
        assert same_bits(few, many[:, :columns].copy()), columns


def test_vectors_are_narrow_only_where_rows_are_short() -> None:
    def text(columns: int) -> str:
        return Program(trace(curve, Tensor(np.zeros((20, columns), np.float32)))).text

    assert "<8 x float>" in text(8)
    assert "<16 x float>" not in text(8)
    assert "<8 x float>" not in text(9)


def test_an_index_outside_is_noticed_in_a_narrow_vector_too() -> None:
    values, places = np.arange(5.0), np.array([[0, 4, 1], [2, 5, 3]])
    with pytest.raises(lg.errors.ArgumentError, match="inside of their arrays"):
        native(lambda v, i: v[i], [values, places])
    assert (native(lambda v, i: v[i], [values, places % 5]) == values[places % 5]).all()
