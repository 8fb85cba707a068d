"""Sixteen rows of few elements are computed together, a row in each lane, and each has the bits that it has alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="machine code is made with llvmlite")

import lucidgrad as lg
from lucidgrad.compiler import trace
from lucidgrad.compiler.fuse import FEW, SOME_ROWS
from lucidgrad.compiler.machine import AVX2, BASELINE, Target
from lucidgrad.compiler.program import Program
from lucidgrad.tensor import Tensor
from tests.compiler.elements import same_bits
from tests.native.targets import compiled, run

TARGETS = [(None, 1), (None, 3), (Target(AVX2), 1), (Target(BASELINE), 2)]
SPECIAL = [np.nan, np.inf, -np.inf, -0.0, 0.0, 1e-40, 3e38]


def numbers(rows: int, columns: int, dtype: type, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = (3 * rng.standard_normal((rows, columns))).astype(dtype)
    if np.dtype(dtype).kind == "f":
        x.reshape(-1)[:: columns + 4] = rng.choice(SPECIAL, len(x.reshape(-1)[:: columns + 4]))
        x[rows // 2] = -0.0  # adds up to 0, or to -0
    return x


def softmax(x: Tensor) -> list[Tensor]:
    """Stores rows, a number for each of them in two shapes, and places; an axis is turned, too."""
    exps = (x - x.max(axis=1, keepdims=True)).exp()
    total = exps.sum(axis=1, keepdims=True)
    return [exps / total, total.log() + 1.0, (x * 2).min(axis=1), x.argmax(axis=1), (exps / total).T @ x]


def each_alone(f: Callable[[Tensor], list[Tensor]], x: np.ndarray, number: int) -> np.ndarray:
    """The result of that number for one row after the other: too few for lanes of their own."""
    call = lg.jit(f)
    return np.concatenate([call(Tensor.wrap(x[i : i + 1]))[number].numpy() for i in range(len(x))])


@pytest.mark.parametrize(("target", "threads"), TARGETS)
def test_a_row_has_the_bits_that_it_has_alone(target: Target | None, threads: int) -> None:
    for dtype, columns in ((np.float32, 2), (np.float32, 3), (np.float32, FEW), (np.float32, FEW + 1), (np.float64, 3)):
        x = numbers(37, columns, dtype)
        expected = [each_alone(softmax, x, i) for i in range(4)]
        for rows in (SOME_ROWS, 16, 37) if columns == 3 else (21,):
            got = run(compiled(trace(softmax, Tensor.wrap(x[:rows])), target, threads), [x[:rows]])
            for made, wanted in zip(got, expected, strict=False):
                assert same_bits(made, wanted[:rows]), (dtype, columns, rows)


@pytest.mark.parametrize("name", ["sum", "max", "min", "prod", "argmax", "argmin"])
@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.uint8])
def test_every_reduction_of_short_rows_is_what_it_is_eagerly(name: str, dtype: type) -> None:
    for columns in (2, 3, 4):
        x = numbers(21, columns, dtype)
        if name in ("sum", "prod"):
            x = np.clip(np.nan_to_num(x), 0, 3).astype(np.int8).astype(dtype)  # nothing is rounded in any order

        def f(t: Tensor) -> Tensor:
            return getattr(t, name)(axis=1)

        np.testing.assert_array_equal(lg.jit(f)(Tensor.wrap(x)).numpy(), f(Tensor.wrap(x)).numpy())


def test_the_step_of_a_classifier_of_few_classes_has_one_kernel_for_its_loss() -> None:
    def loss(z: Tensor, y: Tensor) -> list[Tensor]:
        value = lg.losses.CrossEntropy()(z, y)
        return [value, *lg.grad(value, [z])]

    for classes, together in ((2, True), (FEW, True), (FEW + 1, False)):
        graph = trace(loss, lg.Tensor(np.zeros((16, classes), np.float32)), lg.Tensor(np.zeros(16, np.int64)))
        kernels = Program(graph).plan.kernels
        assert any(k.short for k in kernels) == together
        assert (len(kernels) == 2) == together, [k.roots for k in kernels]  # and the sum of the losses


def test_rows_that_lie_anywhere_are_read_and_state_is_written_where_it_was() -> None:
    def step(w: Tensor, x: Tensor, i: Tensor) -> list[Tensor]:
        shifted = w / (w * w).sum(axis=1, keepdims=True).sqrt()
        turned = x.T[i] - x.T[i].max(axis=1, keepdims=True)
        return [shifted - 0.1 * shifted.min(axis=1, keepdims=True), turned.exp().sum(axis=1)]

    w, x = numbers(19, 3, np.float32, 1), numbers(3, 30, np.float32, 2)
    i = np.random.default_rng(0).integers(-30, 30, 19)
    with np.errstate(all="ignore"):
        expected = step(*map(lg.tensor, (w, x, i)))
    for made, wanted in zip(lg.jit(step)(*map(lg.tensor, (w, x, i))), expected, strict=True):
        np.testing.assert_allclose(made.numpy(), wanted.numpy(), rtol=1e-5)


@pytest.mark.parametrize("rows", [8, 16, 19])
def test_every_second_row_is_no_run_of_rows(rows: int) -> None:
    def f(a: Tensor, b: Tensor) -> list[Tensor]:
        pairs = (a[:, 0] * a[:, 1]).reshape(rows, 2)
        return [(pairs * b).sum(axis=1), (pairs[::-1] * b).max(axis=1)]

    a, b = (np.random.default_rng(3).standard_normal((n, 2)).astype(np.float32) for n in (2 * rows, rows))
    (kernel,) = {k for k in Program(trace(f, Tensor(a), Tensor(b))).plan.kernels if k.short}
    assert len(kernel.roots) == 2
    for made, wanted in zip(lg.jit(f)(a, b), f(Tensor(a), Tensor(b)), strict=True):
        np.testing.assert_allclose(made.numpy(), wanted.numpy(), rtol=1e-5)


def test_an_index_outside_is_noticed_in_a_lane_too() -> None:
    def f(x: Tensor, i: Tensor) -> Tensor:
        return x[i].max(axis=1) + x[i].sum(axis=1)

    x, i = numbers(5, 3, np.float32), np.arange(20) % 5
    i[17] = 5
    with pytest.raises(lg.errors.ArgumentError, match="inside of their arrays"):
        lg.jit(f)(lg.tensor(x), lg.tensor(i))
