"""Run a Graph one instruction after the other with the NumPy forwards of the op table.

Slow and plain on purpose: it is the oracle that every compiled form of a graph has to agree with.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lucidgrad.errors import ArgumentError, ShapeError, explain
from lucidgrad.graph import Graph, Value
from lucidgrad.ops.op import Spec


def interpret(graph: Graph, *inputs: Any) -> list[np.ndarray[Any, np.dtype[Any]]]:
    """The outputs of the graph for the given arrays.

    Parameters
    ----------
    graph
        As ``trace`` gives it.
    inputs
        One array for each of its inputs, of that shape and dtype.

    Returns
    -------
    One array for each of its outputs, of that shape and dtype.

    Raises
    ------
    ArgumentError, ShapeError
        When there are not as many inputs, or one has another shape or dtype.

    Examples
    --------
    >>> import numpy as np, lucidgrad as lg
    >>> from lucidgrad.compiler import interpret
    >>> graph = lg.compiler.trace(lambda x: x * 2, lg.tensor([1.0, 2.0]))
    >>> interpret(graph, np.array([3.0, 4.0], np.float32))
    [array([6., 8.], dtype=float32)]
    """
    if len(inputs) != len(graph.inputs):
        raise ArgumentError(
            explain(f"the graph expected {len(graph.inputs)} inputs", f"{len(inputs)}", "Pass one array for each input")
        )
    known: dict[Value, Any] = {}
    for value, given in zip(graph.inputs, inputs, strict=True):
        array = np.asarray(given)
        if Spec(array.shape, array.dtype) != value.spec:
            raise ShapeError(
                explain(
                    f"input {value} expected {value.spec}",
                    f"{Spec(array.shape, array.dtype)}",
                    "Convert it, or trace the function again for these shapes",
                )
            )
        known[value] = array
    with np.errstate(all="ignore"):
        for instruction in graph.instructions:
            operands = [known[x] if isinstance(x, Value) else x for x in instruction.inputs]
            known[instruction.output] = np.asarray(instruction.op.forward(*operands, **instruction.attrs))
    return [known[x] if isinstance(x, Value) else np.asarray(x) for x in graph.outputs]
