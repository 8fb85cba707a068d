"""A whole ONNX file: inputs, what is computed from them, outputs; checked before it is written."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucidgrad.atomic import atomic_write
from lucidgrad.errors import OnnxError, explain
from lucidgrad.files.container import PathLike
from lucidgrad.nn import Module
from lucidgrad.onnx.builder import Batch, Builder, Ref
from lucidgrad.onnx.library import onnx_library
from lucidgrad.onnx.nodes import SAMPLES, network_nodes

OPSET = 18
"""The version of the operators that ``export`` writes: reductions take their axes as an input since 18."""

ML, ML_OPSET = "ai.onnx.ml", 3
"""The domain of the operators that map strings to integers and back, and their version."""

IR_VERSION = 10
LARGEST_BYTES = 2**31 - 1
"""What a file of Protocol Buffers may have."""

STRINGS = np.dtype(np.object_)
"""The dtype by which inputs, constants and outputs of strings are known."""


class Pipeline:
    """Collects what goes into a file: ``build`` adds single nodes, ``network`` all those of a network.

    Examples
    --------
    >>> import tempfile, lucidgrad as lg
    >>> import numpy as np
    >>> from lucidgrad.onnx import Pipeline
    >>> pipeline = Pipeline()
    >>> x = pipeline.input("x", (2,), np.dtype(np.float32))
    >>> y = pipeline.network(lg.nn.Linear(2, 3), x)
    >>> pipeline.output("probabilities", pipeline.build("Softmax", y, axis=-1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pipeline.save(f"{folder}/model.onnx")
    ...     lg.onnx.load(f"{folder}/model.onnx")([[1.0, 2.0]]).sum()
    Tensor(1.0)
    """

    def __init__(self) -> None:
        self._onnx = onnx_library()
        self.build = Builder()
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []

    def input(self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Ref:
        """Declare an input of any number of samples, each of a shape. Declare all before the first node is added.

        Parameters
        ----------
        name
            What the file calls it; where that is taken, with a line behind it.
        shape
            The shape of one sample: ``()`` for a single number.
        dtype
            Of its elements; that of Python objects stands for strings.

        Returns
        -------
        The array to compute with, of the shape (batch, ...) with the sizes of ``shape`` behind the batch.
        """
        name = self.build.reserve(name or "column")
        self._inputs.append(self._info(name, ("batch", *shape), dtype))
        ref = Ref(name, (SAMPLES[0], *shape), dtype)
        if self.build.samples is None:
            self.build.samples = ref
        return ref

    def network(self, model: Module, *inputs: Ref) -> Ref:
        """What a network makes of inputs. Its arrays are named as ``parameters()`` and ``buffers()`` name them.

        Parameters
        ----------
        model
            A Module whose ``forward`` can be traced.
        *inputs
            What it is given.
        """
        names = {id(t.raw): name for name, t in {**model.parameters(), **model.buffers()}.items()}
        return network_nodes(self.build, model, inputs, names)

    def output(self, name: str, ref: Ref) -> None:
        """Declare an output; where an input has its name already, it gets a line under it: ``label_``.

        Parameters
        ----------
        name
            What the file calls it.
        ref
            The array that it is.
        """
        name = self.build.reserve(name)
        node = self._onnx.helper.make_node("Identity", [ref.name], [name], name=name)
        self.build.nodes.append(node)
        sizes: tuple[int | Batch, ...] = (Batch(1), *ref.shape[1:]) if ref.sizes is None else ref.sizes
        shown = [n if isinstance(n, int) else "batch" if n.times == 1 else f"batch * {n.times}" for n in sizes]
        self._outputs.append(self._info(name, shown, ref.dtype))

    def model(self) -> Any:
        """The content of the file."""
        helper, b = self._onnx.helper, self.build
        used = {name for node in b.nodes for name in node.input}
        initializers = [self._tensor(array, name) for name, array in b.constants.items() if name in used]
        graph = helper.make_graph(b.nodes, "lucidgrad", self._inputs, self._outputs, initializers)
        domains = {node.domain for node in b.nodes}
        opsets = [helper.make_opsetid("", OPSET)]
        opsets += [helper.make_opsetid(domain, ML_OPSET) for domain in sorted(domains - {""})]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="lucidgrad")

    def save(self, path: PathLike) -> None:
        """Check it with the library's own checker, types and shapes too, and write it, whole or not at all.

        Parameters
        ----------
        path
            Where; its folder has to be there.

        Raises
        ------
        OnnxError
            When it is larger than the format allows, or is refused by the checker.
        OSError
            When the file cannot be written; what was there before is left as it was.
        """
        onnx, proto = self._onnx, self.model()
        if proto.ByteSize() > LARGEST_BYTES:
            raise OnnxError(
                explain("an ONNX file expected at most 2 GiB", f"{proto.ByteSize():,} bytes", "Export a smaller model")
            )
        try:
            onnx.checker.check_model(proto, full_check=True)
        except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
            raise OnnxError(
                explain("the exported network expected to be valid", str(error), "Export in float32")
            ) from None
        with atomic_write(path) as file:
            file.write(proto.SerializeToString(deterministic=True))

    def _info(self, name: str, shape: Any, dtype: np.dtype[Any]) -> Any:
        return self._onnx.helper.make_tensor_value_info(name, self.build.code(dtype), list(shape))

    def _tensor(self, array: np.ndarray[Any, np.dtype[Any]], name: str) -> Any:
        if array.dtype != STRINGS:
            return self._onnx.numpy_helper.from_array(array, name)
        values = [text.encode() for text in array.ravel()]
        return self._onnx.helper.make_tensor(name, self._onnx.TensorProto.STRING, array.shape, values)
