"""Instructions that do nothing, or say in two steps what is one, are written simply. Every bit of every result stays.

Backward passes are full of them: the loss has the slope 1, and cotangents are stretched only to be multiplied.
"""

from __future__ import annotations

from collections.abc import Sequence

from lucidgrad.compiler.passes import identities, layout
from lucidgrad.compiler.passes.constant_fold import fold
from lucidgrad.compiler.passes.rewrite import Rule, rewrite
from lucidgrad.compiler.passes.stretch import is_elementwise, stretch_later
from lucidgrad.graph import Graph
from lucidgrad.ops.op import Op


def simplify(graph: Graph) -> Graph:
    """The graph after the rules of ``stretch``, ``identities``, ``layout`` and ``constant_fold``, in one walk.

    Instructions that are not needed any more stay, for ``dead_code`` to take.

    >>> text = "inputs %0: float32[5]", "%1: float32[5] = multiply(%0, constant float32[5] 1.0)", "outputs %1"
    >>> print(simplify(Graph.parse(chr(10).join(text))))
    inputs %0: float32[5]
    outputs %0
    """
    return rewrite(graph, rules)


def rules(op: Op) -> Sequence[Rule]:
    """What is tried on an instruction of this op, one after the other."""
    first = (fold, stretch_later) if is_elementwise(op) else (fold,)
    return (*first, *identities.RULES.get(op, ()), *layout.RULES.get(op, ()))
