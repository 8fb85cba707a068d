"""A jitted function gives what the eager one gives, for every row of the op table, forward and backward."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.compiler import jitted
from lucidgrad.ops import TABLE, Op, shapes
from tests.ops.samples import SAMPLES

pytest.importorskip("llvmlite")

CASES = [pytest.param(name, i, id=f"{name}-{s.name}") for name in TABLE for i, s in enumerate(SAMPLES[name])]


def agree(compiled: Any, eager: Any, dtype: str) -> None:
    c, e = compiled.numpy(), eager.numpy()
    assert (c.shape, c.dtype) == (e.shape, e.dtype)
    if e.dtype.kind != "f":
        np.testing.assert_array_equal(c, e)
        return
    tolerance = 2e-5 if e.dtype == np.float32 or dtype == "float32" else 1e-12
    scale = np.max(np.abs(e[np.isfinite(e)]), initial=1.0)
    np.testing.assert_allclose(c, e, rtol=tolerance, atol=tolerance * float(scale) * 0.1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "number"), CASES)
def test_every_row_compiled_gives_what_it_gives_eagerly(name: str, number: int, dtype: str) -> None:
    sample = SAMPLES[name][number]
    op = TABLE[name]
    places = [i for i, x in enumerate(sample.inputs) if isinstance(x, np.ndarray)]
    arrays = []
    for i in places:
        x = sample.inputs[i]
        arrays.append(
            lg.Tensor(
                x.astype(dtype) if x.dtype == np.float64 else x, dtype=dtype if x.dtype == np.float64 else x.dtype
            )
        )

    def function(*tensors: Any) -> Any:
        inputs = list(sample.inputs)
        for i, t in zip(places, tensors, strict=True):
            inputs[i] = t
        y = op(*inputs, **sample.attrs)
        wanted = [t for t in tensors if t.requires_grad] if y.requires_grad else []
        return [y, *(lg.grad((y * y).sum(), wanted) if wanted and y.dtype.kind == "f" else [])]

    if not arrays:
        pytest.skip("numbers alone are not a program")
    with np.errstate(all="ignore"):
        eager = function(*arrays)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            compiled = lg.jit(function)(*arrays)
    for c, e in zip(compiled, eager, strict=True):
        agree(c, e, dtype)


def test_results_keep_their_structure() -> None:
    f = lg.jit(lambda p: {"sum": p["a"] + p["b"], "both": (p["a"], [p["b"] * 2]), "n": 3})
    result = f({"a": lg.Tensor([1.0]), "b": lg.Tensor([2.0])})
    assert result["sum"].tolist() == [3.0]
    assert result["both"][0].tolist() == [1.0]
    assert result["both"][1][0].tolist() == [4.0]
    assert result["n"] == 3


def test_other_shapes_and_numbers_are_compiled_anew() -> None:
    f = lg.jit(lambda x, n: x * n)
    assert f(lg.Tensor([1.0, 2.0]), 2).tolist() == [2.0, 4.0]
    assert f(lg.Tensor([1.0, 2.0, 3.0]), 2).tolist() == [2.0, 4.0, 6.0]
    assert f(lg.Tensor([1.0, 2.0]), 3).tolist() == [3.0, 6.0]


def test_what_cannot_be_compiled_runs_eagerly_and_says_so_once() -> None:
    cube = Op("cube", forward=lambda x: x * x * x, shape=shapes.elementwise, vjp=(lambda g, y, x: 3 * g * x * x,))
    f = lg.jit(lambda x: cube(x))
    with pytest.warns(RuntimeWarning, match="cube"):
        assert f(lg.Tensor([2.0])).tolist() == [8.0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert f(lg.Tensor([3.0])).tolist() == [27.0]


def test_an_index_outside_is_an_error_and_not_a_crash() -> None:
    f = lg.jit(lambda x, i: x[i])
    assert f(lg.Tensor([1.0, 2.0]), np.array([1, -2])).tolist() == [2.0, 1.0]
    with pytest.raises(lg.errors.ArgumentError, match="outside"):
        f(lg.Tensor([1.0, 2.0]), np.array([0, 2]))


def test_arrays_of_any_layout_are_taken() -> None:
    x = np.arange(24, dtype=np.float32).reshape(4, 6)
    f = lg.jit(lambda x: x + 1)
    for view in (x[::-1], x.T, x[:, ::2], np.broadcast_to(x[:1], (4, 6))):
        np.testing.assert_array_equal(f(view).numpy(), view + 1)


def test_a_foreign_argument_is_refused() -> None:
    with pytest.raises(lg.errors.ArgumentError, match="jit expected tensors"):
        lg.jit(lambda x: x)(object())


def test_a_product_with_a_constant_matrix() -> None:
    constant = np.arange(12, dtype=np.float32).reshape(3, 4)
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(lg.jit(lambda x: x @ lg.tensor(constant))(x).numpy(), x @ constant)


def test_a_number_computed_from_the_sum_of_the_same_kernel() -> None:
    def function(x: Any) -> Any:
        total = x.sum()
        return [total, x * (total - 1).exp()]

    x = lg.tensor([0.5, 1.5, -1.0])
    for got, expected in zip(lg.jit(function)(x), function(x), strict=True):
        agree(got, expected, "float32")


def test_a_reduction_of_a_single_number_inside_of_a_kernel() -> None:
    function = lg.jit(lambda n: (lg.ops.TABLE["argmin"](n) + 3) * 2)
    assert function(lg.tensor(5)).tolist() == 6


def test_empty_arrays_put_together_are_empty() -> None:
    x = lg.tensor(np.zeros((0, 7), np.float32))
    assert lg.jit(lambda x: lg.functional.concatenate([x, x], axis=0))(x).shape == (0, 7)


def test_threads_may_call_it_with_more_shapes_than_programs_are_kept(monkeypatch: Any) -> None:
    monkeypatch.setattr(jitted, "MOST_PROGRAMS", 2)
    double = lg.jit(lambda x: 2 * x)

    def call(n: int) -> bool:
        x = np.arange(n % 5 + 1, dtype=np.float32)
        return bool((double(x).numpy() == 2 * x).all())

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(call, range(60)))


def test_while_one_function_is_traced_others_are_called() -> None:
    """A function may even wait for another thread that calls one."""
    double = lg.jit(lambda x: 2 * x)
    three = np.ones(3, np.float32)
    answers: list[Any] = []

    def waits(x: Any) -> Any:
        other = Thread(target=lambda: answers.extend((double(three).numpy(), double(three[:2]).numpy())))
        other.start()
        other.join(60)
        return x + 1

    lg.jit(waits)(three)
    assert [a.tolist() for a in answers] == [[2.0, 2.0, 2.0], [2.0, 2.0]]
