"""Runs a program's code as it is made for several machines and numbers of threads: the bits have to be the same.

python -m tests.native.targets 17   # the program of this seed, and where its bits differ, if anywhere
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np

from lucidgrad.compiler import stages
from lucidgrad.compiler.kernels import zeros
from lucidgrad.compiler.layout import Place
from lucidgrad.compiler.machine import AVX2, BASELINE, Target, host
from lucidgrad.compiler.program import Program
from lucidgrad.graph import Graph, Value
from tests.compiler.fences import Fenced
from tests.native.generate import program

# The machine, what it includes, and how many threads; the first is what the others have to agree with. A CPU of
# LLVM's that this machine does not include would be an illegal instruction, which the children report.
VARIANTS: dict[str, tuple[Target | None, int]] = {
    "this machine": (None, 1),
    "2 threads": (None, 2),
    "3 threads": (None, 3),
    "AVX2": (Target(AVX2), 1),
    "AVX2, 3 threads": (Target(AVX2), 3),
    "baseline x86-64": (Target(BASELINE), 1),
}


@contextmanager
def everything_is_shared() -> Iterator[None]:
    """The block compiles programs whose threads share also the smallest kernels: random programs have no others."""
    with mock.patch.object(stages, "WORTH_SHARING", 1):
        yield


@contextmanager
def zeros_are_left_out() -> Iterator[None]:
    """The block compiles programs whose products look for zeros also where that does not pay."""
    with mock.patch.object(zeros, "LEAST", 1):
        yield


def compiled(graph: Graph, target: Target | None = None, threads: int = 1) -> Program:
    """The program of a graph; from two threads on its products look for zeros, in whatever they are given."""
    if threads == 1:
        return Program(graph, target=target)
    with everything_is_shared(), zeros_are_left_out():
        return Program(graph, [Place(zeros=True)] * len(graph.inputs), target=target, threads=threads)


def run(made: Program, inputs: list[Any]) -> list[Any]:
    """The outputs of a program that are computed, in the order of the graph: inputs and constants are left out."""
    fenced = Fenced()
    for buffer, array in zip(made.plan.inputs, inputs, strict=True):
        made.table[buffer.slot] = fenced.like(array).ctypes.data
    arena = fenced.like(np.zeros(made.plan.arena_bytes, np.uint8)).ctypes.data
    for buffer in made.plan.buffers:
        if buffer.place is not None:
            made.table[buffer.slot] = arena + buffer.place
    results: dict[Value, Any] = {}
    for value, buffer in zip(made.graph.outputs, made.plan.outputs, strict=True):
        if buffer is not None and value not in results:
            results[value] = fenced.like(np.zeros(buffer.shape, buffer.dtype))
            made.table[buffer.slot] = results[value].ctypes.data
    made.run()
    assert fenced.whole(), "the program wrote outside of its arrays"
    return list(results.values())


def same_bits(a: Any, b: Any) -> bool:
    """Equal to the bit, the sign of zeros included; any NaN is like any other."""
    if a.dtype.kind != "f":
        return bool(np.array_equal(a, b))
    unsigned = f"u{a.dtype.itemsize}"
    return bool(np.all((a.view(unsigned) == b.view(unsigned)) | (np.isnan(a) & np.isnan(b))))


def different_bits(graph: Graph, inputs: list[Any]) -> str:
    """Where the bits depend on machine or threads; nothing where they do not."""
    expected: list[Any] | None = None
    for name, (target, threads) in VARIANTS.items():
        got = run(compiled(graph, target, threads), inputs)
        expected = expected or got
        for number, (g, e) in enumerate(zip(got, expected, strict=True)):
            if not same_bits(g, e):
                return f"{name} ({host().cpu}): result {number} differs at {np.argwhere(g != e)[:1].tolist()}"
    return ""


def check(seed: int) -> str:
    """Where the bits of a seed's program depend on machine or threads; nothing where they do not."""
    p = program(seed)
    found = different_bits(p.graph(), [t.numpy() for t in p.tensors()])
    return f"{found}\n{p}" if found else ""


if __name__ == "__main__":
    found = check(int(sys.argv[1]))
    print(found or f"{program(int(sys.argv[1]))}\nthe same bits")
    sys.exit(bool(found))
