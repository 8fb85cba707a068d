"""ONNX files, read without trust: what they refer to outside of themselves, or is not known, is refused by name."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from lucidgrad.errors import OnnxError, counted, explain
from lucidgrad.files.container import PathLike
from lucidgrad.files.strict_json import shown
from lucidgrad.onnx.library import onnx_library
from lucidgrad.onnx.network import Node, OnnxNetwork
from lucidgrad.onnx.operators import OPERATORS, refusal
from lucidgrad.ops.promotion import SUPPORTED
from lucidgrad.tensor import Tensor

OPSETS = range(7, 29)
"""The versions of the operators that ``load`` understands: before 7, shapes did not broadcast."""

_SINCE = {"Softmax": 13, "LogSoftmax": 13, "Slice": 10, "Clip": 11, "Pad": 11}  # they meant something else before

LARGEST_BYTES = 2**31 - 1
_OWN = ("", "ai.onnx")


def load(path: PathLike) -> OnnxNetwork:
    """Import a feed-forward network, to run it and to train it further.

    Parameters
    ----------
    path
        It may come from anyone: nothing is read but this file, and no code is taken from it.

    Returns
    -------
    A Module in evaluation mode whose parameters are the arrays of floats in the file.

    Raises
    ------
    OnnxError
        When the file is no ONNX file; keeps data in other files; has operators, versions or kinds of numbers that
        lucidgrad has not, all of which are named; or is not valid.
    DependencyError
        When the library onnx is not installed.

    Examples
    --------
    >>> import tempfile, lucidgrad as lg
    >>> from lucidgrad.functional import tanh
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     network = lg.nn.Sequential(lg.nn.Linear(2, 8), tanh, lg.nn.Linear(8, 3))
    ...     lg.onnx.export(network, f"{folder}/model.onnx", input_shape=(2,))
    ...     again = lg.onnx.load(f"{folder}/model.onnx")
    >>> again.input_names, again([[1.0, 2.0], [3.0, 4.0]]).shape
    (('input',), (2, 3))
    """
    onnx = onnx_library()
    what = Path(path).name
    model = parse(onnx, _bytes(path), what)
    return network_of(onnx, model, what)


def parse(onnx: Any, data: bytes, what: str) -> Any:
    """A checked model of bytes."""
    from google.protobuf.message import DecodeError

    try:
        model = onnx.ModelProto.FromString(data)
    except (DecodeError, ValueError, RuntimeError) as error:
        raise _refused(what, "to be an ONNX file", str(error)) from None
    _check_external(model, what)
    _check_operators(model, what)
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError, ValueError, RuntimeError) as error:
        raise _refused(what, "to be valid", str(error).strip()[:500]) from None
    return model


def network_of(onnx: Any, model: Any, what: str) -> OnnxNetwork:
    """The Module of a checked model."""
    arrays = {tensor.name: _array(onnx, tensor, what) for tensor in model.graph.initializer}
    constants: dict[str, Any] = {}
    nodes = []
    for proto in model.graph.node:
        attributes = {a.name: _attribute(onnx, a, what) for a in proto.attribute}
        if proto.op_type == "Constant":
            constants[proto.output[0]] = _constant(attributes, what)
            continue
        problem = refusal(proto.op_type, [], attributes)
        if problem:
            raise _refused(what, "operators that lucidgrad computes", problem)
        nodes.append(Node(proto.op_type, tuple(proto.input), tuple(proto.output), attributes))
    statistics = {name for node in nodes if node.operator == "BatchNormalization" for name in node.inputs[3:5]}
    weights = {}
    for name, array in {**arrays, **constants}.items():
        learned = name in arrays and array.ndim > 0 and array.dtype.kind == "f" and name not in statistics
        weights[name] = Tensor(array, dtype=array.dtype, requires_grad=learned)
    inputs = [value.name for value in model.graph.input if value.name not in arrays]
    return OnnxNetwork(nodes, weights, inputs, [value.name for value in model.graph.output]).eval()


# --- checks ---------------------------------------------------------------------------------------------------------


def _bytes(path: PathLike) -> bytes:
    try:
        status = Path(path).stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST_BYTES:
            raise _refused(Path(path).name, "to be a regular file of at most 2 GiB", f"{status.st_size} bytes")
        return Path(path).read_bytes()
    except OSError as error:
        raise _refused(str(path), "to be a file that can be read", str(error)) from None


def _check_external(model: Any, what: str) -> None:
    """Data in other files would let a network read any file of whoever opens it."""
    for tensor in _tensors(model):
        if tensor.data_location == 1 or tensor.external_data:
            raise _refused(what, "to have its data inside", f"the tensor {shown(tensor.name)} in another file")
    if model.graph.sparse_initializer:
        raise _refused(what, "dense tensors", counted(len(model.graph.sparse_initializer), "sparse one"))


def _tensors(message: Any) -> Iterator[Any]:
    """All tensors anywhere in a message."""
    if message.DESCRIPTOR.name == "TensorProto":
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for inner in value if not hasattr(value, "ListFields") else [value]:
                if hasattr(inner, "ListFields"):
                    yield from _tensors(inner)


def _check_operators(model: Any, what: str) -> None:
    versions = [opset.version for opset in model.opset_import if opset.domain in _OWN]
    if len(versions) != 1 or versions[0] not in OPSETS:
        raise _refused(
            what, f"operators of opset {OPSETS[0]} to {OPSETS[-1]}", f"opset {', '.join(map(str, versions)) or 'none'}"
        )
    older = [n.op_type for n in model.graph.node if versions[0] < _SINCE.get(n.op_type, 0)]
    if older:
        raise _refused(what, f"{older[0]} of opset {_SINCE[older[0]]} at least", f"opset {versions[0]}")
    if model.functions:
        raise _refused(what, "no functions of its own", ", ".join(shown(fun.name) for fun in model.functions[:5]))
    known = {"Constant", *OPERATORS}
    unknown = {f"{n.domain}.{n.op_type}" if n.domain not in _OWN else n.op_type for n in model.graph.node} - known
    if unknown:
        raise _refused(what, "operators that lucidgrad computes", ", ".join(sorted(map(shown, unknown))[:20]))


def _array(onnx: Any, tensor: Any, what: str) -> np.ndarray[Any, np.dtype[Any]]:
    """The elements of a tensor, when as many are there as its shape says, before memory is taken."""
    sizes = tuple(tensor.dims)
    try:
        dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type))
    except (KeyError, TypeError, ValueError):
        dtype = np.dtype(object)
    if dtype not in SUPPORTED:
        kind = onnx.TensorProto.DataType.Name(tensor.data_type) if tensor.data_type in range(1, 40) else "unknown"
        raise _refused(what, f"the tensor {shown(tensor.name)} to have numbers that lucidgrad has", kind)
    typed = max(len(tensor.float_data), len(tensor.int32_data), len(tensor.int64_data), len(tensor.double_data),
                len(tensor.uint64_data))  # fmt: skip
    given = len(tensor.raw_data) // dtype.itemsize if tensor.HasField("raw_data") else typed
    if any(n < 0 for n in sizes) or prod(sizes) != given or len(sizes) > 64:
        raise _refused(
            what, f"the tensor {shown(tensor.name)} to have the shape {shown(sizes)}", counted(given, "number")
        )
    array: np.ndarray[Any, np.dtype[Any]] = np.array(onnx.numpy_helper.to_array(tensor))
    return array


def _attribute(onnx: Any, attribute: Any, what: str) -> Any:
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, onnx.TensorProto):
        return _array(onnx, value, what)
    if attribute.name == "to":
        try:
            dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(value))
        except (KeyError, TypeError, ValueError):
            dtype = np.dtype(object)
        if dtype not in SUPPORTED:
            raise _refused(what, "casts to numbers that lucidgrad has", shown(str(value)))
        return dtype
    return list(value) if not isinstance(value, int | float) else value


def _constant(attributes: dict[str, Any], what: str) -> np.ndarray[Any, np.dtype[Any]]:
    ((name, value),) = attributes.items()
    dtypes = {"value_float": "f4", "value_floats": "f4", "value_int": "i8", "value_ints": "i8"}
    if name == "value":
        return value  # type: ignore[no-any-return]
    if name not in dtypes:
        raise _refused(what, "constants of numbers", name)
    return np.array(value, dtypes[name])


def _refused(what: str, expected: str, got: str) -> OnnxError:
    return OnnxError(
        explain(
            f"{what} expected {expected}", got, "Export it as one feed-forward network in float32, of known operators"
        )
    )
