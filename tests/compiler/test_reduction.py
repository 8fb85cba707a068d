"""Short rows are reduced 16 at a time, and each has the bits that it has alone."""

from __future__ import annotations

import platform

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="machine code is made with llvmlite")

import lucidgrad as lg
from lucidgrad.compiler import trace
from lucidgrad.compiler.machine import BASELINE, Target
from lucidgrad.compiler.program import Program
from lucidgrad.tensor import Tensor
from tests.native.targets import run

X86_64 = platform.machine().lower() in ("x86_64", "amd64")


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
@pytest.mark.parametrize("name", ["sum", "max", "min", "prod"])
def test_a_short_row_has_the_bits_it_has_alone(name: str, dtype: type) -> None:
    rng = np.random.default_rng(3)
    call = lg.jit(lambda x: getattr(x, name)(axis=-1))
    for columns in (1, 2, 3, 4, 5, 8, 9, 16, 17):
        x = (rng.standard_normal((37, columns)) * 3).astype(dtype)
        if np.dtype(dtype).kind == "f":
            x.reshape(-1)[:: columns + 2] = rng.choice(
                [np.nan, np.inf, -np.inf, -0.0, 1e30], len(x.reshape(-1)[:: columns + 2])
            )
        together = call(lg.tensor(x)).numpy()
        alone = np.concatenate([call(lg.tensor(x[i : i + 1])).numpy() for i in range(len(x))])
        assert together.tobytes() == alone.tobytes(), columns
        if np.dtype(dtype).kind == "i":
            assert (together == getattr(x, name)(axis=-1)).all()


def test_more_axes_and_kept_ones() -> None:
    x = np.random.default_rng(0).standard_normal((3, 21, 5)).astype(np.float32)
    for keepdims in (False, True):
        made = lg.jit(lambda t, k=keepdims: t.max(axis=2, keepdims=k) * 2)(lg.tensor(x)).numpy()
        assert (made == 2 * x.max(axis=2, keepdims=keepdims)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_lanes_behind_the_end_of_a_row_never_count(dtype: type) -> None:
    """LLVM let the NaN of 0 / 0 in them through, in code for a CPU without AVX."""
    for n in range(16, 36):
        x = np.random.default_rng(n).uniform(1, 2, (9, n)).astype(dtype)
        graph = trace(lambda x: (x / x).sum(axis=1), Tensor.wrap(x))
        for target in (None, Target(BASELINE)) if X86_64 else (None,):
            made = Program(graph, target=target)
            (got,) = run(made, [x])
            np.testing.assert_array_equal(got, n)
