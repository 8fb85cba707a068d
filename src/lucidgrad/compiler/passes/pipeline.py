"""The passes one after the other, the graph checked after each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lucidgrad.compiler.passes.cse import cse
from lucidgrad.compiler.passes.dead_code import dead_code
from lucidgrad.compiler.passes.expand import expand
from lucidgrad.compiler.passes.simplify import simplify
from lucidgrad.compiler.passes.turn import turn
from lucidgrad.graph import Graph

Pass = Callable[[Graph], Graph]

EXACT: tuple[Pass, ...] = (simplify, cse, dead_code)
"""Passes that keep every bit of every result, NaN, infinities and the sign of zero included."""

NATIVE: tuple[Pass, ...] = (expand, simplify, turn, cse, dead_code)
"""What a graph goes through to become machine code: only rows that the compiler knows are left."""


def pipeline(
    graph: Graph,
    passes: Sequence[Pass] = EXACT,
    *,
    observe: Callable[[str, Graph, Graph], None] | None = None,
) -> Graph:
    """The graph after the passes; the one given stays as it is.

    Parameters
    ----------
    graph
        What to start from.
    passes
        Functions of a graph that give a new one.
    observe
        Called after each pass with its name and the graphs before and after it.

    Raises
    ------
    ArgumentError
        Where a pass has made a graph that is not sound.

    Examples
    --------
    >>> text = "inputs %0: float32[]", "%1: float32[] = multiply(%0, 1.0)", "outputs %1"
    >>> show = lambda name, before, after: print(name, len(before.instructions), len(after.instructions))
    >>> print(pipeline(Graph.parse(chr(10).join(text)), observe=show))
    simplify 1 0
    cse 0 0
    dead_code 0 0
    inputs %0: float32[]
    outputs %0
    """
    for change in passes:
        before, graph = graph, change(graph)
        graph.verify()
        if observe is not None:
            observe(change.__name__, before, graph)
    return graph
