"""A program as a list: what a function of tensors does, written down instead of done.

A Graph is in static single assignment form: each Instruction applies one op to Values and makes a new Value. It
can be printed, read back, verified, and run by the interpreter (``compiler/interpret.py``), which is what every
compiled form of it is tested against.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lucidgrad.errors import ArgumentError, LucidgradError
from lucidgrad.literals import Reader, outline_elements, write_bytes, write_elements, write_literal
from lucidgrad.ops import TABLE
from lucidgrad.ops.arrays import Array
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
        return self.text(_Constants())

    def text(self, constants: _Constants) -> str:
        """The instruction as a line of a graph that has these constants."""
        operands = [constants.operand(x) for x in self.inputs]
        operands += [f"{name}={write_literal(value)}" for name, value in self.attrs.items()]
        return f"{self.output}: {self.output.spec} = {self.op.name}({', '.join(operands)})"


@dataclass(eq=False, slots=True)
class Graph:
    """Inputs, instructions in the order they run, and outputs (Values or constant arrays).

    Printed, it is one line for each instruction; ``Graph.parse`` reads the lines back. Constants of many elements
    have a name, and their elements only in ``text(full=True)``.

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

    def record(self, op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any], spec: Spec | None = None) -> Value:
        """Write down one application of an op, and return the Value it will have.

        ``spec`` is its shape and dtype where they are known already, which saves the time to find them.
        """
        output = self._new(op.spec(inputs, attrs) if spec is None else spec)
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
            _check_known(known, instruction.inputs, instruction)
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
        return self.text()

    def text(self, *, full: bool = False) -> str:
        """The program as lines of text; with ``full``, all elements of large constants follow it in base64."""
        constants = _Constants()
        lines = [f"inputs {', '.join(f'{v}: {v.spec}' for v in self.inputs)}".rstrip()]
        lines += [instruction.text(constants) for instruction in self.instructions]
        lines += [f"outputs {', '.join(map(constants.operand, self.outputs))}".rstrip()]
        return "\n".join(lines + constants.table(full))

    @staticmethod
    def parse(text: str, ops: Iterable[Op] = ()) -> Graph:
        """The graph of a text, which is what ``str(graph)`` or ``graph.text(full=True)`` gives.

        Empty lines and lines that begin with # are passed over.

        Parameters
        ----------
        text
            The lines. Where constants have many elements, it has to be the full text.
        ops
            The rows of ops from outside of the package that it may use.

        Raises
        ------
        ArgumentError
            Where a line is not of a graph, or its shapes and dtypes are not those of its ops.

        Examples
        --------
        >>> lines = "inputs %0: float32[2, 3]", "%1: float32[2] = sum(%0, axis=1)", "outputs %1"
        >>> graph = Graph.parse(chr(10).join(lines))
        >>> print(graph.instructions[0].attrs, graph.outputs[0].shape)
        {'axis': 1} (2,)
        """
        return _Parser(text, ops).graph


class _Constants:
    """Names for the constants of one text that have too many elements to be written where they are used."""

    def __init__(self) -> None:
        self._names: dict[tuple[Spec, bytes], str] = {}
        self._arrays: dict[str, Array] = {}

    def operand(self, x: Any) -> str:
        """A value, constant array or number as it is written among the inputs of an op."""
        if isinstance(x, Value):
            return str(x)
        if not hasattr(x, "dtype"):
            return write_literal(x)
        array = np.asarray(x)
        elements = write_elements(array)
        return self._name(array) if elements is None else f"constant {Spec(array.shape, array.dtype)} {elements}"

    def _name(self, array: Array) -> str:
        name = self._names.setdefault((Spec(array.shape, array.dtype), array.tobytes()), f"@c{len(self._names)}")
        self._arrays.setdefault(name, array)
        return name

    def table(self, full: bool) -> list[str]:
        """A line for each name."""
        return [
            f"{name}: {Spec(x.shape, x.dtype)} {f'base64 {write_bytes(x)}' if full else outline_elements(x)}"
            for name, x in self._arrays.items()
        ]


class _Parser:
    """Reads a graph line by line."""

    def __init__(self, text: str, ops: Iterable[Op]) -> None:
        self._ops = TABLE | {op.name: op for op in ops}
        self._values: dict[str, Value] = {}
        self.graph = Graph()
        lines = [(n, line.strip()) for n, line in enumerate(text.splitlines(), 1)]
        lines = [(n, line) for n, line in lines if line and not line.startswith("#")]
        self._constants = dict(self._constant(Reader(line, n)) for n, line in lines if line.startswith("@"))
        first, *rest = [Reader(line, n) for n, line in lines if not line.startswith("@")] or [Reader("", 1)]
        *instructions, last = rest or [Reader("", 2)]
        first.mark("inputs")
        self.graph.inputs = first.rest(lambda: self._declared(first))
        for line in instructions:
            self.graph.instructions.append(self._instruction(line))
        last.mark("outputs")
        self.graph.outputs = last.rest(lambda: self._operand(last))
        self.graph._count = max((v.number + 1 for v in self._values.values()), default=0)

    def _constant(self, line: Reader) -> tuple[str, Array]:
        name = line.take("name", "the name of a constant")
        line.mark(":")
        spec = line.spec()
        if line.text != "base64":
            line.fail("all elements of a constant, as graph.text(full=True) gives them", "some")
        array = line.elements(spec)
        line.end()
        return name, array

    def _declared(self, line: Reader) -> Value:
        if line.text in self._values or not line.text[1:].isdecimal():
            line.fail("a new value such as %3")
        name = line.take("name", "a new value such as %3")
        line.mark(":")
        self._values[name] = Value(self.graph, int(name[1:]), line.spec())
        return self._values[name]

    def _instruction(self, line: Reader) -> Instruction:
        if line.text in self._values:
            line.fail("a new value such as %3")
        name = line.text
        output = self._declared(line)
        del self._values[name]  # known to the lines below, not to this one
        line.mark("=")
        op = self._ops.get(line.text)
        if op is None:
            line.fail("an op of the table, or of those given as ops=")
        line.take("name", "an op")
        line.mark("(")
        operands = line.items(")", lambda: self._argument(line))
        line.end()
        inputs = tuple(x for name, x in operands if name is None)
        attrs = {name: x for name, x in operands if name is not None}
        self._check(line, op, inputs, attrs, output.spec)
        self._values[name] = output
        return Instruction(op, inputs, attrs, output)

    def _argument(self, line: Reader) -> tuple[str | None, Any]:
        name = line.keyword()
        return name, self._operand(line) if name is None else line.literal()

    def _operand(self, line: Reader) -> Any:
        if line.found("constant"):
            return line.elements(line.spec())
        known: dict[str, Any] = self._constants if line.text.startswith("@") else self._values
        if line.kind == "name" and line.text[0] in "%@":
            if line.text not in known:
                line.fail("a value or constant that a line above has made" if known is self._values else "a constant")
            return known[line.take("name", "a value")]
        return line.literal()

    def _check(self, line: Reader, op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any], spec: Spec) -> None:
        try:
            found = op.spec(inputs, attrs)
        except (LucidgradError, TypeError, ValueError, AttributeError, IndexError) as error:
            line.fail(f"inputs and attrs that {op.name} can have", str(error))
        if found != spec:
            line.fail(f"{found}, which is what {op.name} gives", str(spec))


def _check_known(known: set[Value], operands: tuple[Any, ...], where: Any) -> None:
    for x in operands:
        if isinstance(x, Value) and x not in known:
            raise ArgumentError(
                f"expected operands that were made earlier, got {x} in '{where}'. "
                "Move the instruction behind the one that makes it."
            )
