"""A traced network as ONNX nodes: its graph is traced for two numbers of samples, and what differs is the batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lucidgrad.autograd import no_grad
from lucidgrad.compiler import trace
from lucidgrad.errors import OnnxError, explain
from lucidgrad.graph import Graph, Instruction, Value
from lucidgrad.nn import Module
from lucidgrad.nn.modes import in_evaluation_mode
from lucidgrad.onnx.builder import Batch, Builder, Ref
from lucidgrad.ops.promotion import common_dtype
from lucidgrad.tensor import tensor

SAMPLES = 7, 11
"""Numbers of samples that sizes in a network do not happen to have; what a Ref has as its shape is for the first."""


def network_nodes(build: Builder, model: Module, inputs: Sequence[Ref], names: dict[int, str]) -> Ref:
    """Add the nodes of a network, in evaluation mode, and say what they give.

    Parameters
    ----------
    build
        Where they are added.
    model
        Its ``forward`` takes a tensor for each of ``inputs`` and returns one.
    inputs
        With the number of samples along their first axis, which is ``SAMPLES[0]`` in their shapes.
    names
        Of arrays of the network, by ``id``.

    Raises
    ------
    OnnxError
        When a part of the network has no form in ONNX, or depends on the number of samples; it is named.
    """
    shapes = [(x.shape[1:], x.dtype) for x in inputs]
    return Nodes(build, names).add(traced(model, shapes), inputs)


def traced(model: Module, inputs: Sequence[tuple[tuple[int, ...], np.dtype[Any]]]) -> tuple[Graph, Graph]:
    """The graphs of a network for both of ``SAMPLES``, each input given by the shape of a sample and its dtype."""
    with in_evaluation_mode(model), no_grad():
        first, second = (
            trace(
                lambda *xs: model(*xs),
                *(tensor(np.broadcast_to(np.zeros((), dtype), (n, *shape)), dtype=dtype) for shape, dtype in inputs),
            )
            for n in SAMPLES
        )
    return first, second


class Nodes:
    """Turns a graph into nodes, with the same graph for another number of samples beside it."""

    def __init__(self, build: Builder, names: dict[int, str]) -> None:
        self._names = names
        self._build = build
        self._refs: dict[Value, Ref] = {}

    def add(self, graphs: tuple[Graph, Graph], inputs: Sequence[Ref]) -> Ref:
        """Add the nodes of the graphs; the single output."""
        first, second = graphs
        self._refs.update(zip(first.inputs, inputs, strict=True))
        if self._build.samples is None:
            self._build.samples = inputs[0]
        if [i.op for i in first.instructions] != [i.op for i in second.instructions]:
            raise _depends("the list of its ops")
        for mine, its in zip(first.instructions, second.instructions, strict=True):
            self._instruction(mine, its)
        if len(first.outputs) != 1 or not isinstance(first.outputs[0], Value):
            raise OnnxError(
                explain("an exported network expected one output that follows from its input",
                        f"{len(first.outputs)} outputs", "Return one tensor from forward")
            )  # fmt: skip
        made, other = first.outputs[0], second.outputs[0]
        assert isinstance(other, Value)  # the instructions are the same
        sizes = tuple(_size(a, b, "output") for a, b in zip(made.shape, other.shape, strict=True))
        return Ref(self._refs[made].name, made.shape, made.dtype, sizes)

    def _instruction(self, mine: Instruction, its: Instruction) -> None:
        op = mine.op
        if op.onnx is None:
            raise OnnxError(
                explain(
                    "an exported network expected ops that ONNX has",
                    op.name,
                    "Leave it out of forward in evaluation mode, or give the row of the op a rule: onnx=",
                )
            )
        inputs = [self._operand(a, b, mine) for a, b in zip(mine.inputs, its.inputs, strict=True)]
        attrs = {name: _attr(value, its.attrs[name], op.name) for name, value in mine.attrs.items()}
        if isinstance(op.onnx, str):
            result = self._build(op.onnx, *self._alike(mine, inputs), **attrs)
        else:
            result = op.onnx(self._build, *inputs, **attrs)
        self._refs[mine.output] = Ref(result.name, mine.output.shape, mine.output.dtype)

    def _alike(self, instruction: Instruction, inputs: list[Ref]) -> list[Ref]:
        """The inputs in the dtype that the op computes in."""
        start = instruction.op.same_dtype_from
        if start is None:
            return inputs
        dtype = common_dtype(list(instruction.inputs[start:]), instruction.op.needs_float)
        conditions = [self._build.truth(x) for x in inputs[:start]]
        return conditions + [x if dtype is None else self._build.cast(x, dtype) for x in inputs[start:]]

    def _operand(self, mine: Any, its: Any, instruction: Instruction) -> Ref:
        if isinstance(mine, Value):
            return self._refs[mine]
        if not hasattr(mine, "dtype"):
            if mine != its:
                raise _depends(f"a number of {instruction.op.name}")
            dtype = common_dtype(list(instruction.inputs), instruction.op.needs_float)
            return self._build.constant(np.array(mine, dtype))
        if mine is not its and (mine.shape != its.shape or mine.tobytes() != its.tobytes()):
            raise _depends(f"a constant of {instruction.op.name}")
        return self._build.constant(mine, self._names.get(id(mine)))


def _attr(mine: Any, its: Any, where: str) -> Any:
    """An attribute, with sizes that follow the number of samples as such."""
    if mine == its:
        return mine
    if not isinstance(mine, tuple) or len(mine) != len(its) or not all(type(n) is int for n in (*mine, *its)):
        raise _depends(f"an option of {where}")
    return tuple(_size(a, b, where) for a, b in zip(mine, its, strict=True))


def _size(a: int, b: int, where: str) -> int | Batch:
    if a == b:
        return a
    times, rest = divmod(a, SAMPLES[0])
    if rest or b != times * SAMPLES[1]:
        raise _depends(f"a size of {where}")
    return Batch(times)


def _depends(what: str) -> OnnxError:
    return OnnxError(
        explain(
            "an exported network expected to treat each sample alike, however many there are",
            f"{what} that depends on their number",
            "Leave out what is computed over the batch",
        )
    )
