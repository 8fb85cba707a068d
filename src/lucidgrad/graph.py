"""A program as a list: what a function of tensors does, written down instead of done.

A Graph is in static single assignment form: each Instruction applies one op to Values and makes a new Value. It
can be printed, verified, and run by the interpreter (``compiler/interpret.py``), which is what every compiled form
of it is tested against.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lucidgrad.errors import ArgumentError
from lucidgrad.ops.op import Op, Spec


@dataclass(frozen=True, eq=False, slots=True)
class Value:
    """An array that a program will compute: its graph, its number, its shape and dtype, but no elements."""

    graph: Graph = field(repr=False)
    number: int
    spec: Spec

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the axes."""
        return self.spec.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The kind of number."""
        return self.spec.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.spec.shape)

    def __str__(self) -> str:
        return f"%{self.number}"


@dataclass(frozen=True, eq=False, slots=True)
class Instruction:
    """One application of an op. ``inputs`` are Values, constant arrays, or Python numbers."""

    op: Op
    inputs: tuple[Any, ...]
    attrs: dict[str, Any]
    output: Value

    def __str__(self) -> str:
        operands = [_operand(x) for x in self.inputs] + [f"{k}={v!r}" for k, v in self.attrs.items()]
        return f"{self.output}: {self.output.spec} = {self.op.name}({', '.join(operands)})"


def _operand(x: Any) -> str:
    if isinstance(x, np.ndarray):
        text = np.array2string(x, threshold=8, separator=", ").replace("\n", "")
        return f"constant {Spec(x.shape, x.dtype)} {text}"
    return str(x)


@dataclass(eq=False, slots=True)
class Graph:
    """Inputs, instructions in the order they run, and outputs (Values or constant arrays).

    >>> import lucidgrad as lg
    >>> from lucidgrad.compiler import trace
    >>> print(trace(lambda x: (x * 2).tanh(), lg.tensor([1.0, 2.0])))
    inputs %0: float32[2]
    %1: float32[2] = multiply(%0, 2)
    %2: float32[2] = tanh(%1)
    outputs %2
    """

    inputs: list[Value] = field(default_factory=list)
    instructions: list[Instruction] = field(default_factory=list)
    outputs: list[Any] = field(default_factory=list)
    _count: int = 0

    def input(self, spec: Spec) -> Value:
        """Add an input of the given shape and dtype."""
        value = self._new(spec)
        self.inputs.append(value)
        return value

    def record(self, op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any]) -> Value:
        """Write down one application of an op, and return the Value it will have."""
        output = self._new(op.spec(inputs, attrs))
        self.instructions.append(Instruction(op, inputs, attrs, output))
        return output

    def _new(self, spec: Spec) -> Value:
        value = Value(self, self._count, spec)
        self._count += 1
        return value

    def verify(self) -> None:
        """Check that each Value is made once, before it is used, with the shape and dtype its row says."""
        known = set(self.inputs)
        for instruction in self.instructions:
            _check_known(known, instruction.inputs, str(instruction))
            expected = instruction.op.spec(instruction.inputs, instruction.attrs)
            if expected != instruction.output.spec:
                raise ArgumentError(
                    f"expected {expected} from {instruction.op.name}, got {instruction.output.spec} in "
                    f"'{instruction}'. The pass before this check made an ill-typed instruction."
                )
            if instruction.output in known:
                raise ArgumentError(
                    f"expected each value to be made once, got a second {instruction.output} in '{instruction}'. "
                    "Give the result of each instruction a value of its own."
                )
            known.add(instruction.output)
        _check_known(known, tuple(self.outputs), "outputs")

    def __str__(self) -> str:
        lines = [f"inputs {', '.join(f'{v}: {v.spec}' for v in self.inputs)}"]
        lines += [str(instruction) for instruction in self.instructions]
        lines += [f"outputs {', '.join(map(_operand, self.outputs))}"]
        return "\n".join(lines)


def _check_known(known: set[Value], operands: tuple[Any, ...], where: str) -> None:
    for x in operands:
        if isinstance(x, Value) and x not in known:
            raise ArgumentError(
                f"expected operands that were made earlier, got {x} in '{where}'. "
                "Move the instruction behind the one that makes it."
            )
