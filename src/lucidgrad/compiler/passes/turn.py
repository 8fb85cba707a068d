"""A product that is only wanted transposed is computed transposed: (b^T a)^T becomes a^T b.

The gradient of the weights w in x @ w is written as (g^T x)^T. Turned, it lies as w does, and the rule of the optimiser
can take it over element by element while it is in registers.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from lucidgrad.compiler.passes.rewrite import Rewriter
from lucidgrad.compiler.passes.simplify import rules
from lucidgrad.graph import Graph, Value
from lucidgrad.ops.linalg import matmul
from lucidgrad.ops.movement import transpose


def turn(graph: Graph) -> Graph:
    """The graph with such products turned. Each element is the same chain of the same products.

    >>> text = "inputs %0: float32[4, 3], %1: float32[3, 2]", "%2: float32[4, 2] = matmul(%0, %1)"
    >>> text += "%3: float32[2, 4] = transpose(%2, order=(1, 0))", "outputs %3"
    >>> print(turn(Graph.parse(chr(10).join(text))).instructions[-1])
    %5: float32[2, 4] = matmul(%3, %4)
    """
    made_by = {i.output: i for i in graph.instructions}
    uses = Counter(x for i in graph.instructions for x in i.inputs if isinstance(x, Value))
    uses.update(x for x in graph.outputs if isinstance(x, Value))
    new = Rewriter(graph, rules)

    def turned(x: Any) -> Any:
        return new.emit(transpose, (x,), {"order": _last_two_swapped(x.ndim)})

    for instruction in graph.instructions:
        made = made_by.get(instruction.inputs[0]) if instruction.op is transpose else None
        if (
            made is not None
            and made.op is matmul
            and uses[made.output] == 1
            and tuple(instruction.attrs["order"]) == _last_two_swapped(len(made.output.shape))
        ):
            left, right = new.operands(made.inputs)
            value = new.record(matmul, (turned(right), turned(left)), {}, instruction.output.spec)
        else:
            value = new.record(
                instruction.op, new.operands(instruction.inputs), instruction.attrs, instruction.output.spec
            )
        new.became(instruction.output, value)
    return new.finish()


def _last_two_swapped(ndim: int) -> tuple[int, ...]:
    return (*range(ndim - 2), ndim - 1, ndim - 2)
