"""What random programs are excused by: what correct implementations give, and nothing that none of them does."""

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.compiler.trace import trace
from tests.native.compare import failure
from tests.native.generate import program
from tests.native.uncertainty import runs


def seen(x, count=200):
    graph = trace(lambda t: t.prod(), lg.Tensor(x))
    return [run[0] for run in runs(graph, [x], np.random.default_rng(0), count)]


def columns(large, small, rows=32):
    return np.tile(np.array([large] * 7 + [small] * 7 + [1.0], np.float32), (rows, 1))


def test_a_product_of_columns_that_overflow_and_underflow_may_be_no_number():
    assert any(np.isnan(y) for y in seen(columns(1e3, 1e-3)))


@pytest.mark.parametrize("x", [columns(1e3, 1.0), columns(1e-3, 1.0), columns(1.01, 0.99)])
def test_a_product_of_columns_of_which_only_one_or_none_leaves_the_range_is_a_number(x):
    assert not any(np.isnan(y) for y in seen(x))


def test_the_program_whose_columns_overflow_and_underflow_agrees():
    assert failure(program(49298), 49298) == ""


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 3), ()])
def test_sums_and_products_of_nothing_and_of_one_number_are_known(shape):
    x = np.full(shape, 2.0)
    expected = np.prod(x)
    assert all(abs(y - expected) <= 1e-14 for y in seen(x, 20))


def test_all_terms_are_in_every_order():
    x = np.arange(1.0, 14).reshape(1, 13)
    assert all(abs(y / np.prod(x) - 1) <= 1e-14 for y in seen(x, 100))
