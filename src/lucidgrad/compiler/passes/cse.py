"""What is computed twice is computed once: common subexpressions (Cocke 1970) get one instruction.

The same op with the same attrs, of the same values, numbers, and constants of equal bits gives the same result; no
op has a state, random numbers included.
"""

from __future__ import annotations

from collections.abc import Hashable
from hashlib import blake2b
from typing import Any

import numpy as np

from lucidgrad.compiler.passes.rewrite import Rewriter
from lucidgrad.graph import Graph, Value


def cse(graph: Graph) -> Graph:
    """The graph with one instruction for each thing that is computed.

    >>> text = "inputs %0: float32[]", "%1: float32[] = exp(%0)", "%2: float32[] = exp(%0)", "outputs %1, %2"
    >>> print(cse(Graph.parse(chr(10).join(text))))
    inputs %0: float32[]
    %1: float32[] = exp(%0)
    outputs %1, %1
    """
    new = Rewriter(graph)
    known: dict[Hashable, Value] = {}
    constants: dict[int, Hashable] = {}
    for instruction in graph.instructions:
        inputs = new.operands(instruction.inputs)
        key = (
            instruction.op,
            tuple([_operand(x, constants) for x in inputs]),
            tuple(sorted([(name, _attr(x)) for name, x in instruction.attrs.items()])) if instruction.attrs else (),
        )
        value = known.get(key)
        if value is None:
            value = known[key] = new.record(instruction.op, inputs, instruction.attrs, instruction.output.spec)
        new.became(instruction.output, value)
    return new.finish()


def _operand(x: Any, constants: dict[int, Hashable]) -> Hashable:
    if type(x) is Value:
        return x
    if not isinstance(x, np.ndarray):
        return _attr(x)
    key = constants.get(id(x))  # the graph holds the array, so that no other has its id
    if key is None:
        key = constants[id(x)] = ("constant", x.dtype.str, x.shape, blake2b(x.tobytes()).digest())
    return key


def _attr(x: Any) -> str:
    """Text that two attrs share only if they mean the same; 1, 1.0 and True, and 0.0 and -0.0, do not."""
    if isinstance(x, tuple | list):
        return f"{type(x).__name__}({','.join(map(_attr, x))})"
    if isinstance(x, slice):
        return f"slice({_attr(x.start)},{_attr(x.stop)},{_attr(x.step)})"
    if x is None or x is ... or isinstance(x, bool | int | float | str | np.dtype | np.generic):
        return f"{type(x).__name__} {x!r}"
    return f"id {id(x)}"
