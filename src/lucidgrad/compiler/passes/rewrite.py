"""The walk that passes share: over a graph from its first instruction to its last, writing a new graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucidgrad.graph import Graph, Instruction, Value
from lucidgrad.ops.movement import broadcast_to
from lucidgrad.ops.op import Op, Spec


class Rewriter:
    """A new graph while it is written, and what the values of the old one have become in it.

    Attributes
    ----------
    graph
        The new graph.
    made_by
        The instruction of each Value of the new graph that is not an input.

    Parameters
    ----------
    source
        The old graph.
    rules
        The rules of an op, for ``emit``.
    """

    def __init__(self, source: Graph, rules: Callable[[Op], Sequence[Rule]] | None = None) -> None:
        self.graph = Graph()
        self._rules = rules
        self._rules_of: dict[Op, Sequence[Rule]] = {}
        self.made_by: dict[Value, Instruction] = {}
        self._became: dict[Value, Any] = {v: self.graph.input(v.spec) for v in source.inputs}
        self._source = source

    def operands(self, old: Sequence[Any]) -> tuple[Any, ...]:
        """Inputs of the old graph as inputs of the new one; constants and numbers stay what they are."""
        became = self._became
        return tuple([became[x] if type(x) is Value else x for x in old])

    def became(self, old: Value, new: Any) -> None:
        """From here on, ``new`` (a Value of the new graph or a constant) stands for ``old``."""
        self._became[old] = new

    def record(self, op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any], spec: Spec | None = None) -> Value:
        """Write down an instruction of the new graph."""
        value = self.graph.record(op, inputs, attrs, spec)
        self.made_by[value] = self.graph.instructions[-1]
        return value

    def emit(self, op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any], spec: Spec | None = None) -> Any:
        """What the first rule that has something to say makes of an instruction; itself, written down, if none."""
        if spec is None:
            spec = op.spec(inputs, attrs)
        rules = self._rules_of.get(op)
        if rules is None:
            rules = self._rules_of[op] = () if self._rules is None else tuple(self._rules(op))
        for rule in rules:
            found = rule(self, op, inputs, attrs, spec)
            if found is not None:
                return found
        return self.record(op, inputs, attrs, spec)

    def maker(self, x: Any, op: Op) -> Instruction | None:
        """The instruction that made ``x``, if it is of this op."""
        made = self.made_by.get(x) if type(x) is Value else None
        return made if made is not None and made.op is op else None

    def stretched(self, x: Any, shape: tuple[int, ...]) -> Any:
        """``x`` broadcast to ``shape``; itself where it has that shape."""
        if x.shape == shape:
            return x
        return self.emit(broadcast_to, (x,), {"shape": shape}, Spec(shape, x.dtype))

    def finish(self) -> Graph:
        """The new graph, with the outputs of the old one."""
        self.graph.outputs = list(self.operands(self._source.outputs))
        return self.graph


# What an instruction can be instead: a Value of the new graph or a constant, of the same shape and dtype; None where
# the rule has nothing to say. It may emit instructions of its own.
Rule = Callable[[Rewriter, Op, tuple[Any, ...], dict[str, Any], Spec], Any]


def rewrite(graph: Graph, rules: Callable[[Op], Sequence[Rule]]) -> Graph:
    """The graph with each instruction replaced by what its rules make of it."""
    new = Rewriter(graph, rules)
    for instruction in graph.instructions:
        inputs = new.operands(instruction.inputs)
        new.became(instruction.output, new.emit(instruction.op, inputs, instruction.attrs, instruction.output.spec))
    return new.finish()


def has_spec(x: Any, spec: Spec) -> bool:
    """Whether an operand can stand for a result of this shape and dtype as it is."""
    return hasattr(x, "dtype") and x.dtype == spec.dtype and x.shape == spec.shape


def number_of(x: Any) -> Any:
    """The number an operand is known to be, as an element of an array or a Python number; None if it is not known."""
    if type(x) is Value:
        return None
    if not isinstance(x, np.ndarray):
        return x
    return x.reshape(-1)[0] if x.size == 1 else None


def is_number(x: Any, number: float) -> bool:
    """Whether an operand is known to be this number; 0.0 and -0.0 are different ones."""
    found = number_of(x)
    return found is not None and bool(found == number) and bool(np.signbit(float(found)) == np.signbit(number))
