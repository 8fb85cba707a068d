"""Compares a compiled random program with the interpreter, as tightly as the program's own sensitivity allows.

An element that differs is judged by Monte Carlo arithmetic (Parker 1997): the graph is interpreted again with every
rounded result moved by a few units of the last place. What then changes its mask, or moves as far, is ill-conditioned.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

import lucidgrad as lg
from lucidgrad.compiler import interpret
from lucidgrad.graph import Graph, Value
from tests.native.generate import program
from tests.native.programs import leaves

EXACT = frozenset(
    ["negative", "absolute", "sign", "where", "reshape", "transpose", "broadcast_to", "pad", "concatenate", "getitem"]
)  # what neither rounds nor chooses between zeros
RUNS = 60


def perturbed(graph: Graph, inputs: list[Any], rng: np.random.Generator) -> list[Any]:
    """The outputs with each rounded result moved by up to 4 units of the last place, and its zeros' signs drawn."""
    known: dict[Value, Any] = dict(zip(graph.inputs, inputs, strict=True))
    with np.errstate(all="ignore"):
        for i in graph.instructions:
            operands = [known[x] if isinstance(x, Value) else x for x in i.inputs]
            y = np.asarray(i.op.forward(*operands, **i.attrs))
            if y.dtype.kind == "f" and i.op.name not in EXACT:
                y = y + rng.integers(-4, 5, y.shape).astype(y.dtype) * np.where(y == 0, 0, np.spacing(y))
                y = np.where(y == 0, np.copysign(0, rng.normal(size=y.shape)), y).astype(i.output.dtype)
            known[i.output] = y
    return [known[x] if isinstance(x, Value) else np.asarray(x) for x in graph.outputs]


def wrong(got: Any, expected: Any) -> Any:
    """Where elements differ."""
    if expected.dtype.kind != "f":
        return got != expected
    rtol = 1e-5 if expected.dtype == np.float32 else 1e-12
    with np.errstate(all="ignore"):
        near = np.abs(got - expected) <= rtol * np.abs(expected)
        same = (got == expected) & ((expected != 0) | (np.signbit(got) == np.signbit(expected)))
        return ~(same | (near & (expected != 0) & np.isfinite(expected)) | (np.isnan(got) & np.isnan(expected)))


def excused(got: Any, expected: Any, runs: list[Any]) -> Any:
    """Where the program itself is as uncertain as the difference."""
    if expected.dtype.kind != "f":
        return np.any([r != expected for r in runs], axis=0)
    with np.errstate(all="ignore"):
        spread = np.max([np.where(np.isfinite(r - expected), np.abs(r - expected), 0) for r in runs], axis=0)
        near = np.abs(got - expected) <= 8 * spread
    other = [(np.isnan(r) != np.isnan(expected)) | (np.isinf(r) != np.isinf(expected)) for r in runs]
    signs = [(r == 0) & (expected == 0) & (np.signbit(r) != np.signbit(expected)) for r in runs]
    return near & (expected != 0) | np.any(other, axis=0) | np.any(signs, axis=0) | (near & (spread > 0))


def divergence(seed: int) -> str:
    """What is wrong with the compiled program of a seed; nothing where it agrees."""
    p = program(seed)
    graph, tensors = p.graph(), p.tensors()
    inputs = [t.numpy() for t in tensors]
    expected = interpret(graph, *inputs)
    got = [np.asarray(t) for t in leaves(lg.jit(p)(*tensors))]
    if [(x.shape, x.dtype) for x in got] != [(x.shape, x.dtype) for x in expected]:
        return f"shapes or dtypes differ in seed {seed}\n{p}"
    places = [wrong(g, e) for g, e in zip(got, expected, strict=True)]
    if not any(w.any() for w in places):
        return ""
    rng = np.random.default_rng(seed)
    runs = [perturbed(graph, inputs, rng) for _ in range(RUNS)]
    for k, (g, e, w) in enumerate(zip(got, expected, places, strict=True)):
        left = w & ~excused(g, e, [r[k] for r in runs])
        if left.any():
            return f"output {k} of seed {seed}: {g[left][:5]} instead of {e[left][:5]}\n{p}"
    return ""


if __name__ == "__main__":
    for n in range(int(sys.argv[1]), int(sys.argv[2])):
        print("seed", n, flush=True)
        found = divergence(n)
        if found:
            print(found, flush=True)
            print("DIVERGED", n, flush=True)
