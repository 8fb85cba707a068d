"""What is known before the program runs is computed now, by the forwards that would compute it then."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucidgrad.compiler.passes.rewrite import Rewriter, rewrite
from lucidgrad.graph import Graph, Value
from lucidgrad.ops.arrays import frozen
from lucidgrad.ops.movement import broadcast_to
from lucidgrad.ops.op import Op, Spec

LIMIT = 1024  # elements: a larger constant is made only of one that is as large


def constant_fold(graph: Graph) -> Graph:
    """The graph without instructions of constants alone.

    Broadcasts stay, and results of many elements: a program should not be larger than what was written.

    >>> text = "inputs", "%0: float32[] = exp(constant float32[] 0.0)", "outputs %0"
    >>> print(constant_fold(Graph.parse(chr(10).join(text))))
    inputs
    outputs constant float32[] 1.0
    """
    return rewrite(graph, lambda op: (fold,))


def fold(r: Rewriter, op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any], spec: Spec) -> Any:
    """The rule: the result as a constant, of the same bits."""
    for x in inputs:
        if type(x) is Value:
            return None
    size = max([LIMIT, *[x.size for x in inputs if isinstance(x, np.ndarray)]])
    if op is broadcast_to or np.prod(spec.shape) > size:
        return None
    try:
        with np.errstate(all="ignore"):
            result = np.asarray(op.forward(*inputs, **attrs))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None  # the program will say so when it comes to it
    if Spec(result.shape, result.dtype) != spec:
        return None
    return frozen(result.copy())
