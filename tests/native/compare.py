"""Compares a compiled random program with the interpreter: within the tolerance, or within what rounding leaves open.

Shapes and dtypes, integers, booleans, the places of NaN and infinities and the signs of zeros have to be the same,
and other floats within 1e-5 (float32) or 1e-12 (float64) of their size. An element that is not is excused only where
``uncertainty.runs`` shows that correct implementations may have it. The code runs twice, the second time in arrays
with fences around them, and has to give the same bits and write to nothing else.

    python -m tests.native.compare 17   # the program of this seed, and what is wrong with it, if anything
"""

from __future__ import annotations

import pickle
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

import numpy as np

import lucidgrad as lg
from lucidgrad.compiler import interpret
from lucidgrad.graph import Value
from tests.native.generate import program
from tests.native.programs import Program, leaves
from tests.native.shrink import shrunk
from tests.native.targets import run, same_bits
from tests.native.uncertainty import runs

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
RUNS = (40, 400)  # more are only done where the first show too little
MARGIN = 4  # times the width of what was seen: runs see most of what can happen, not all


def differs(got: Any, expected: Any) -> Any:
    """Where elements are not the same."""
    if expected.dtype.kind != "f":
        return got != expected
    with np.errstate(all="ignore"):
        near = np.abs(got - expected) <= TOLERANCE[expected.dtype.name] * np.abs(expected)
        same = (got == expected) & ((expected != 0) | (np.signbit(got) == np.signbit(expected)))
        return ~(same | (near & (expected != 0) & np.isfinite(expected)) | (np.isnan(got) & np.isnan(expected)))


def possible(got: Any, expected: Any, seen: list[Any]) -> Any:
    """Where the element is one that correct implementations may have, judged by those seen.

    NaN, an infinity, or a sign of zero has to be seen itself; another number has to lie between the least and the
    largest seen, widened by MARGIN times their distance.
    """
    every = np.stack([expected, *seen])
    if expected.dtype.kind == "b":
        return np.any(every == got, axis=0)
    wide = every.astype(np.longdouble)
    finite = np.isfinite(wide)
    with np.errstate(all="ignore"):
        low = np.where(finite, wide, np.inf).min(axis=0)
        high = np.where(finite, wide, -np.inf).max(axis=0)
        # From the expected one, which rounding moves to either side.
        reach = MARGIN * np.where(high > low, high - low, 0)
        low = np.where(np.any(wide == -np.inf, axis=0), -np.inf, low - reach)
        high = np.where(np.any(wide == np.inf, axis=0), np.inf, high + reach)
        number = (got >= low) & (got <= high) & np.isfinite(got)
    if expected.dtype.kind == "f":
        number &= (got != 0) | np.any(np.signbit(every) == np.signbit(got), axis=0)
    alike = np.any((every == got) | (np.isnan(wide) & np.isnan(got)), axis=0) & ~np.isfinite(got)
    return number | alike


def divergence(p: Program, seed: int = 0) -> str:
    """What is wrong with a compiled program; nothing where it agrees."""
    graph, tensors = p.graph(), p.tensors()
    inputs = [t.numpy() for t in tensors]
    expected = interpret(graph, *inputs)
    jitted = lg.jit(p)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # jit says so when it does not compile
        got = [np.asarray(t) for t in leaves(jitted(*tensors))]
    if [(x.shape, x.dtype) for x in got] != [(x.shape, x.dtype) for x in expected]:
        return f"shapes or dtypes are {[(x.shape, x.dtype) for x in got]}"
    (made,) = jitted._programs.values()
    assert made is not None  # it was compiled, or jit had said so
    _run_again(made.program, inputs, got)
    places = [differs(g, e) for g, e in zip(got, expected, strict=True)]
    rng = np.random.default_rng([5, seed])
    for count in RUNS:
        if not any(w.any() for w in places):
            return ""
        seen = runs(graph, inputs, rng, count)
        for k, (g, e) in enumerate(zip(got, expected, strict=True)):
            places[k] = places[k] & ~possible(g, e, [run[k] for run in seen])
    wrong = [k for k, w in enumerate(places) if w.any()]
    return "\n".join(_told(k, got[k], expected[k], places[k]) for k in wrong)


def _run_again(made: Any, inputs: list[Any], got: list[Any]) -> None:
    """The same code, in arrays with fences around them: nothing else is written to, and the bits are the same."""
    first = {v: g for v, g in reversed(list(zip(made.graph.outputs, got, strict=True))) if isinstance(v, Value)}
    computed = [v for v, b in zip(made.graph.outputs, made.plan.outputs, strict=True) if b is not None]
    for value, again in zip(dict.fromkeys(computed), run(made, inputs), strict=True):
        assert same_bits(first[value], again), f"{value} has other bits in the second run"


def _told(number: int, got: Any, expected: Any, wrong: Any) -> str:
    where = tuple(int(i) for i in np.argwhere(wrong)[0]) if wrong.ndim else ()
    return (
        f"output {number} differs at {int(wrong.sum())} of {wrong.size} places, first at {where}: "
        f"{got[where]!r} instead of {expected[where]!r}"
    )


def failure(p: Program, seed: int = 0) -> str:
    """What is wrong with a compiled program, an exception included; nothing where it agrees."""
    try:
        return divergence(p, seed)
    except Exception as error:
        return "".join(traceback.format_exception(error)[-3:])


def check(seed: int) -> str:
    """What is wrong with the program of a seed, and the smallest like it; nothing where it agrees."""
    found = failure(program(seed), seed)
    if not found:
        return ""
    kind = _kind(found)
    small = shrunk(program(seed), lambda p: _kind(failure(p, seed)) == kind)
    return f"{found}\nMade smaller:\n{small}\n{failure(small, seed)}"


def _kind(found: str) -> str:
    """Failures of a kind are what shrinking may turn into each other."""
    return "differs" if found.startswith("output") else found.splitlines()[-1][:30] if found else ""


def main(argument: str) -> str:
    """What is printed for a seed, or for a file with a pickled program."""
    given = Path(argument)
    p = pickle.loads(given.read_bytes()) if given.is_file() else program(int(argument))
    print(p, flush=True)  # before it may crash
    return failure(p)


if __name__ == "__main__":
    found = main(sys.argv[1])
    print(found or "agrees")
    sys.exit(bool(found))
