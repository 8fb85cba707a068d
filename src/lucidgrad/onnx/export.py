"""A network as an ONNX file: its graph is traced for two numbers of samples, and what differs is the batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from lucidgrad.atomic import atomic_write
from lucidgrad.autograd import no_grad
from lucidgrad.compiler import trace
from lucidgrad.data.transforms import Standardize
from lucidgrad.errors import OnnxError, explain
from lucidgrad.files.container import PathLike
from lucidgrad.graph import Graph, Instruction, Value
from lucidgrad.nn import Module
from lucidgrad.onnx.builder import Batch, Builder, Ref
from lucidgrad.onnx.library import onnx_library
from lucidgrad.ops.promotion import common_dtype
from lucidgrad.tensor import Tensor, tensor

OPSET = 18
"""The version of the operators that ``export`` writes: reductions take their axes as an input since 18."""

IR_VERSION = 10
LARGEST_BYTES = 2**31 - 1
"""What a file of Protocol Buffers may have."""

_SIZES = (7, 11)  # numbers of samples that sizes in a network do not happen to have


def export(
    model: Module,
    path: PathLike,
    *,
    input_shape: Sequence[int],
    input_dtype: DTypeLike | None = None,
    preprocessing: Standardize | None = None,
) -> None:
    """Write a network to an ONNX file that takes any number of samples, in evaluation mode.

    The input is called ``input`` and the output ``output``; weights are called as ``model.parameters()`` calls them.
    The operators are those of opset 18. The file is checked by ``onnx.checker`` with types and shapes before it is
    written, and appears whole or not at all.

    Parameters
    ----------
    model
        Any Module whose ``forward`` can be traced.
    path
        Where.
    input_shape
        The shape of one sample, without the batch: ``(784,)``.
    input_dtype
        What the model takes. None: the dtype of its parameters; ``np.int64`` for one that begins with Embedding.
    preprocessing
        What is done to inputs before; it becomes a part of the network.

    Raises
    ------
    OnnxError
        When a part of the model has no form in ONNX, or depends on the number of samples; it is named.
    DependencyError
        When the library onnx is not installed.

    Examples
    --------
    >>> import tempfile, lucidgrad as lg
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "model.onnx"
    ...     lg.onnx.export(lg.nn.Linear(2, 3), path, input_shape=(2,))
    ...     lg.onnx.load(path)([[1.0, 2.0]]).shape
    (1, 3)
    """
    onnx = onnx_library()
    if input_dtype is None:
        input_dtype = next((p.dtype for p in model.parameters().values()), np.dtype(np.float32))
    prefix = ""
    if preprocessing is not None:
        model, prefix = _Scaled(model, preprocessing), "network."
    graphs = _trace(model, tuple(input_shape), np.dtype(input_dtype))
    names = {id(t.raw): name.removeprefix(prefix) for name, t in {**model.parameters(), **model.buffers()}.items()}
    proto = _Writer(graphs, names).model()
    if proto.ByteSize() > LARGEST_BYTES:
        raise OnnxError(
            explain("an ONNX file expected at most 2 GiB", f"{proto.ByteSize():,} bytes", "Export a smaller model")
        )
    try:
        onnx.checker.check_model(proto, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise OnnxError(explain("the exported network expected to be valid", str(error), "Export in float32")) from None
    with atomic_write(path) as file:
        file.write(proto.SerializeToString(deterministic=True))


class _Scaled(Module):
    """A network with ``Standardize`` in front, which like it computes in float64."""

    def __init__(self, network: Module, scaler: Standardize) -> None:
        self.network = network
        self.mean, self.scale = tensor(scaler.mean, dtype=np.float64), tensor(scaler.scale, dtype=np.float64)

    def forward(self, x: Tensor) -> Any:
        """x: (batch, ...) → what the network makes of it."""
        return self.network(((x.astype(np.float64) - self.mean) / self.scale).astype(x.dtype))


def _trace(model: Module, shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[Graph, Graph]:
    with _evaluating(model), no_grad():
        first, second = (
            trace(lambda x: model(x), tensor(np.broadcast_to(np.zeros((), dtype), (n, *shape)), dtype=dtype))
            for n in _SIZES
        )
    return first, second


@contextmanager
def _evaluating(model: Module) -> Iterator[None]:
    before = [(module, module.training) for module in model.modules().values()]
    model.eval()
    try:
        yield
    finally:
        for module, training in before:
            module.training = training


class _Writer:
    """Turns a graph into nodes, with the same graph for another number of samples beside it."""

    def __init__(self, graphs: tuple[Graph, Graph], names: dict[int, str]) -> None:
        self._onnx = onnx_library()
        self._first, self._second = graphs
        self._names = names
        self._build = Builder()
        self._refs: dict[Value, Ref] = {}

    def model(self) -> Any:
        """The whole file."""
        helper, b = self._onnx.helper, self._build
        (given,), (other,) = self._first.inputs, self._second.inputs
        self._refs[given] = Ref("input", given.shape, given.dtype)
        infos = [self._info("input", given, other)]
        b.batch = b("Slice", b("Shape", self._refs[given]), b.integers([0]), b.integers([1]))
        if [i.op for i in self._first.instructions] != [i.op for i in self._second.instructions]:
            raise _depends("the list of its ops")
        for mine, its in zip(self._first.instructions, self._second.instructions, strict=True):
            self._instruction(mine, its)
        outputs = list(zip(self._first.outputs, self._second.outputs, strict=True))
        if len(outputs) != 1 or not isinstance(outputs[0][0], Value):
            raise OnnxError(
                explain("an exported network expected one output that follows from its input",
                        f"{len(outputs)} outputs", "Return one tensor from forward")
            )  # fmt: skip
        b.nodes.append(helper.make_node("Identity", [self._refs[outputs[0][0]].name], ["output"], name="output"))
        used = {name for node in b.nodes for name in node.input}
        b.nodes[:] = b.nodes if "shape_0" in used and "slice_1" in used else b.nodes[2:]
        used = {name for node in b.nodes for name in node.input}
        initializers = [
            self._onnx.numpy_helper.from_array(array, name) for name, array in b.constants.items() if name in used
        ]
        graph = helper.make_graph(b.nodes, "lucidgrad", infos, [self._info("output", *outputs[0])], initializers)
        opset = helper.make_opsetid("", OPSET)
        return helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION, producer_name="lucidgrad")

    def _info(self, name: str, mine: Value, its: Value) -> Any:
        sizes = [_size(a, b, name) for a, b in zip(mine.shape, its.shape, strict=True)]
        shown = [n if isinstance(n, int) else "batch" if n.times == 1 else f"batch * {n.times}" for n in sizes]
        code = self._onnx.helper.np_dtype_to_tensor_dtype(mine.dtype)
        return self._onnx.helper.make_tensor_value_info(name, code, shown)

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
    times, rest = divmod(a, _SIZES[0])
    if rest or b != times * _SIZES[1]:
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
