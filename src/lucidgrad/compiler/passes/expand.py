"""Rows that are composed of others are written out, so that a compiler need not know them.

The rules are in the rows (``codegen=Composed(rule)``) and are run as functions are traced: on Tensors over values.
"""

from __future__ import annotations

from typing import Any

from lucidgrad.compiler.passes.rewrite import Rewriter
from lucidgrad.errors import ArgumentError, explain
from lucidgrad.graph import Graph, Instruction
from lucidgrad.ops.codegen import Composed
from lucidgrad.tensor import Tensor


def expand(graph: Graph) -> Graph:
    """The graph without composed rows; what it computes may differ in the last digits.

    >>> text = "inputs %0: float32[4, 3], %1: float32[2, 3], %2: float32[2]",
    >>> text += "%3: float32[4, 2] = linear(%0, %1, %2)", "outputs %3"
    >>> print(expand(Graph.parse(chr(10).join(text))))
    inputs %0: float32[4, 3], %1: float32[2, 3], %2: float32[2]
    %3: float32[3, 2] = transpose(%1, order=(1, 0))
    %4: float32[4, 2] = matmul(%0, %3)
    %5: float32[4, 2] = add(%4, %2)
    outputs %5
    """
    while any(isinstance(i.op.codegen, Composed) for i in graph.instructions):
        graph = _expand_once(graph)
    return graph


def _expand_once(graph: Graph) -> Graph:
    new = Rewriter(graph)
    for instruction in graph.instructions:
        inputs = new.operands(instruction.inputs)
        codegen = instruction.op.codegen
        if isinstance(codegen, Composed):
            new.became(instruction.output, _composed(codegen, instruction, inputs))
        else:
            value = new.record(instruction.op, inputs, instruction.attrs, instruction.output.spec)
            new.became(instruction.output, value)
    return new.finish()


def _composed(codegen: Composed, instruction: Instruction, inputs: tuple[Any, ...]) -> Any:
    tensors = [Tensor.wrap(x) if hasattr(x, "dtype") else x for x in inputs]
    result = codegen.rule(*tensors, **instruction.attrs).raw
    if (result.shape, result.dtype) != instruction.output.spec:
        raise ArgumentError(
            explain(
                f"the rule that {instruction.op.name} is composed by expected to give {instruction.output.spec}",
                f"{result.dtype}{list(result.shape)}",
                "Give what the row's forward gives",
            )
        )
    return result
