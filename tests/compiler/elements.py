"""Running one function of registers over arrays, and how far two arrays of floats are apart."""

import ctypes
from typing import Any

import numpy as np

from lucidgrad.compiler.assembly import I64, LANES, PTR
from lucidgrad.compiler.elementwise import MathBuilder
from lucidgrad.compiler.machine import AVX2, BASELINE, Target, compile_text

TARGETS = {"host": None, "avx2": Target(AVX2), "baseline": Target(BASELINE)}


def compiled(function: Any, inputs: list[Any], target: Target | None = None, lanes: int = LANES) -> Any:
    """What ``function(c, *registers)`` makes of flat arrays of one length, in steps of ``lanes``."""
    return compiled_together([(function, inputs)], target, lanes)[0]


def compiled_together(
    cases: list[tuple[Any, list[Any]]], target: Target | None = None, lanes: int = LANES
) -> list[Any]:
    """The same for many functions, each with arrays of its own, in one module."""
    written = [write(f"f{i}", function, inputs, lanes) for i, (function, inputs) in enumerate(cases)]
    texts, names = [text for text, _ in written], [f"f{i}" for i in range(len(cases))]
    library = compile_text("\n".join(texts), names, target)
    results = []
    for name, (_, inputs), (_, dtype) in zip(names, cases, written, strict=True):
        length = len(inputs[0])
        padded = [np.concatenate([x, np.repeat(x[:1], -length % lanes)]) for x in inputs]
        output = np.empty(len(padded[0]), dtype)
        call = library.function(name, [ctypes.c_void_p] * (len(padded) + 1) + [ctypes.c_int64])
        call(*[x.ctypes.data for x in padded], output.ctypes.data, len(output))
        results.append(output[:length])
    return results


def write(name: str, function: Any, inputs: list[Any], lanes: int) -> tuple[str, Any]:
    """The text of the loop over the arrays, and the dtype of its output."""
    c = MathBuilder(name, [*[(f"x{i}", PTR) for i in range(len(inputs))], ("y", PTR), ("n", I64)])
    *pointers, y, n = c.params
    with c.loop(0, n, lanes) as loop:
        values = [
            c.load(c.offset(p, loop.index, x.dtype), x.dtype, lanes) for p, x in zip(pointers, inputs, strict=True)
        ]
        result = function(c, *values)
        assert result.lanes == lanes
        c.store(result, c.offset(y, loop.index, result.dtype))
    return c.text(), result.dtype


def same_bits(a: Any, b: Any) -> bool:
    """Equal to the bit, the sign of zeros included; any NaN is like any other."""
    integer = f"u{a.itemsize}"
    return bool(np.all((a.view(integer) == b.view(integer)) | (np.isnan(a) & np.isnan(b))))


def ulps(got: Any, exact: Any) -> Any:
    """The distance to exact values of a wider float, in units of the last place of the nearest float."""
    nearest = exact.astype(got.dtype)
    finite = np.isfinite(nearest) & np.isfinite(got)
    unit = np.spacing(np.abs(np.where(finite, nearest, 1))).astype(exact.dtype)
    return np.abs(np.where(finite, got, 0).astype(exact.dtype) - np.where(finite, exact, 0)) / unit
