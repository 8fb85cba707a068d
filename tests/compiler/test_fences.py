"""Compiled programs write what they are to write, and not a byte behind it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from lucidgrad.compiler import trace
from lucidgrad.compiler.machine import AVX2, BASELINE, Target
from lucidgrad.compiler.program import Program
from lucidgrad.tensor import Tensor
from tests.compiler.fences import Fenced

WIDE = ("int64", "int32", "int16", "float64", "float32", "bool")
NARROW = ("int8", "uint8", "int16", "uint16", "int32", "float32", "bool")


def test_a_fence_notices_a_byte() -> None:
    fenced = Fenced()
    array = fenced.like(np.zeros(3, np.uint8))
    assert fenced.whole()
    np.lib.stride_tricks.as_strided(array, (4,))[3] = 1
    assert not fenced.whole()


@pytest.mark.parametrize("target", [None, Target(AVX2), Target(BASELINE)], ids=["this machine", "AVX2", "baseline"])
@pytest.mark.parametrize("length", [*range(1, 18), 33])
def test_conversions_write_nothing_behind_the_last_element(length: int, target: Target | None) -> None:
    arrays = [(np.arange(length) % 5).astype(wide) for wide in WIDE]

    def function(*tensors: Any) -> Any:
        return [x.astype(narrow) for x in tensors for narrow in NARROW if x.dtype != narrow]

    made = Program(trace(function, *map(Tensor.wrap, arrays)), target=target)
    fenced = Fenced()
    for buffer, array in zip(made.plan.inputs, arrays, strict=True):
        made.table[buffer.slot] = fenced.like(array).ctypes.data
    results = [fenced.like(np.zeros(b.shape, b.dtype)) for b in made.plan.outputs if b is not None]
    for buffer, result in zip((b for b in made.plan.outputs if b is not None), results, strict=True):
        made.table[buffer.slot] = result.ctypes.data
    made.run()
    assert fenced.whole()
    expected = [x.astype(narrow) for x in arrays for narrow in NARROW if x.dtype != narrow]
    for got, wanted in zip(results, expected, strict=True):
        np.testing.assert_array_equal(got, wanted)
