"""What nobody needs is not computed: instructions that no output depends on are left out. Inputs stay."""

from __future__ import annotations

from lucidgrad.compiler.passes.rewrite import Rewriter
from lucidgrad.graph import Graph, Value


def dead_code(graph: Graph) -> Graph:
    """The graph without the instructions whose values reach no output.

    >>> text = "inputs %0: float32[]", "%1: float32[] = exp(%0)", "%2: float32[] = sin(%0)", "outputs %2"
    >>> print(dead_code(Graph.parse(chr(10).join(text))))
    inputs %0: float32[]
    %1: float32[] = sin(%0)
    outputs %1
    """
    needed = {x for x in graph.outputs if type(x) is Value}
    for instruction in reversed(graph.instructions):
        if instruction.output in needed:
            needed.update([x for x in instruction.inputs if type(x) is Value])
    new = Rewriter(graph)
    for instruction in graph.instructions:
        old = instruction.output
        if old in needed:
            inputs = new.operands(instruction.inputs)
            new.became(old, new.record(instruction.op, inputs, instruction.attrs, old.spec))
    return new.finish()
