"""Matrix products in machine code: every remainder of rows and columns, and the same bits on every machine."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from lucidgrad.compiler import trace
from lucidgrad.compiler.buffers import GATHERED, pack, unpack
from lucidgrad.compiler.layout import Place
from lucidgrad.compiler.machine import AVX2, BASELINE, Target
from lucidgrad.compiler.program import Program
from lucidgrad.tensor import Tensor

FORMS = {
    "forward": ((0, 1), (1, 2), lambda x, w: x @ w),
    "forward of a transposed weight": ((0, 1), (2, 1), lambda x, w: x @ w.T),
    "gradient of a weight": ((1, 0), (1, 2), lambda x, d: x.T @ d),
    "gradient of a transposed weight": ((1, 2), (1, 0), lambda x, d: d.T @ x),
}
SIZES = [
    (1, 1, 1), (1, 70, 10), (2, 3, 17), (3, 1, 64), (5, 7, 65), (6, 16, 48), (7, 33, 31), (9, 2, 80), (11, 5, 33),
    (12, 12, 12), (13, 64, 16), (14, 9, 15), (15, 8, 128), (23, 10, 63), (29, 4, 49), (32, 17, 10), (70, 70, 70),
    (21, 9, 24), (31, 40, 100),
]  # fmt: skip


def operands(form, sizes, dtype):
    left, right, function = FORMS[form]
    rng = np.random.default_rng([20, *sizes])
    arrays = [rng.standard_normal([sizes[i] for i in axes]).astype(dtype) for axes in (left, right)]
    return function, arrays


def native(function, arrays, target=None, inputs=None, order=None, given=None):
    """What the compiled function makes of the arrays; ``given`` are the arrays the program reads instead."""
    graph = trace(function, *[Tensor.wrap(a) for a in arrays])
    program = Program(graph, inputs, target=target)
    output = program.graph.outputs[0]
    result = np.full(output.shape, np.nan, output.dtype)
    for value, array in zip(program.graph.inputs, given or arrays, strict=True):
        program.table[program.plan.buffer_of[value].slot] = array.ctypes.data
    program.table[program.plan.buffer_of[output].slot] = result.ctypes.data
    if order is not None:
        program.table[program.plan.order_slot] = order.ctypes.data
    program.run(rows=len(arrays[0]))
    return result


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("form", FORMS)
def test_products_of_all_sizes_are_those_of_numpy_in_float64(form, dtype):
    for sizes in SIZES:
        function, (a, b) = operands(form, sizes, dtype)
        wide, size = function(a.astype(float), b.astype(float)), function(abs(a.astype(float)), abs(b.astype(float)))
        error = np.abs(native(function, [a, b]) - wide)
        assert (error <= sizes[1] * np.finfo(dtype).eps * size).all(), sizes


@pytest.mark.parametrize(("columns", "half"), [(24, True), (100, True), (104, True), (105, False), (112, False)])
def test_the_last_vector_of_a_row_is_half_as_long_where_that_is_enough(columns, half):
    function, arrays = operands("forward", (20, 30, columns), np.float32)
    text = Program(trace(function, *map(Tensor.wrap, arrays))).text
    assert ("fma.v8f32" in text) == half
    assert "fma.v16f32" in text


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("cpu", [AVX2, BASELINE])
@pytest.mark.parametrize("sizes", [(7, 33, 31), (15, 8, 70), (5, 21, 10), (17, 40, 100)])
def test_products_have_the_same_bits_on_every_machine(sizes, cpu, dtype):
    for form in FORMS:
        function, arrays = operands(form, sizes, dtype)
        assert native(function, arrays).tobytes() == native(function, arrays, Target(cpu)).tobytes(), form


def rounded(exact):
    """The float32 nearest to a fraction: by way of a float64 alone, it would be rounded twice."""
    near = np.float32(float(exact))
    around = [near, np.nextafter(near, np.float32(np.inf)), np.nextafter(near, np.float32(-np.inf))]
    return min(around, key=lambda x: abs(Fraction(float(x)) - exact))


def test_each_element_is_one_chain_of_fused_multiplications_and_additions_in_order():
    function, (a, b) = operands("forward", (3, 40, 5), np.float32)
    result = native(function, [a, b])
    for i in range(3):
        for j in range(5):
            total = np.float32(0)
            for x, y in zip(a[i], b[:, j], strict=True):
                total = rounded(Fraction(float(x)) * Fraction(float(y)) + Fraction(float(total)))
            assert result[i, j] == total


@pytest.mark.parametrize("form", ["forward", "gradient of a weight"])
def test_the_rows_of_a_batch_are_read_where_they_lie_in_the_data(form):
    function, (x, other) = operands(form, (20, 13, 35) if form == "forward" else (13, 20, 35), np.float32)
    rng = np.random.default_rng(21)
    data = rng.standard_normal((50, 13)).astype(np.float32)
    order = rng.permutation(50)[:20].astype(np.int64)
    gathered = native(function, [x, other], None, [Place(GATHERED), Place()], order, [data, other])
    assert gathered.tobytes() == native(function, [data[order], other]).tobytes()


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("shape", [(1, 1), (3, 16), (16, 3), (5, 64), (70, 65), (9, 130)])
def test_a_matrix_comes_back_from_its_panels(shape, axis):
    matrix = np.random.default_rng(22).standard_normal(shape).astype(np.float32)
    flat = pack(matrix, axis)
    assert np.count_nonzero(flat) == matrix.size  # what fills up the last panel is zero
    np.testing.assert_array_equal(unpack(flat, shape, axis), matrix)


def test_panels_are_64_columns_side_by_side_and_the_last_one_whole_vectors():
    flat = pack(np.arange(3 * 70, dtype=np.float32).reshape(3, 70), 1)
    assert flat.shape == (3 * 80,)
    assert flat[1 * 64 + 5] == 70 + 5
    assert flat[3 * 64 + 2 * 16 + 4] == 2 * 70 + 68
