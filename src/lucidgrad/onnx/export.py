"""A network as an ONNX file, and whatever else can say what it is in ONNX."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import DTypeLike

from lucidgrad.data.transforms import Standardize
from lucidgrad.errors import ArgumentError, explain
from lucidgrad.files.container import PathLike
from lucidgrad.nn import Module
from lucidgrad.onnx.pipeline import Pipeline


@runtime_checkable
class Exportable(Protocol):
    """What can be exported besides networks: it says itself what it is in ONNX.

    Examples
    --------
    >>> import tempfile, lucidgrad as lg
    >>> import numpy as np
    >>> class Percent:
    ...     def write_onnx(self, pipeline):
    ...         x = pipeline.input("share", (), np.dtype(np.float32))
    ...         pipeline.output("percent", pipeline.build("Mul", x, pipeline.build.like(x, 100)))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     lg.onnx.export(Percent(), f"{folder}/percent.onnx")
    ...     lg.onnx.load(f"{folder}/percent.onnx")([0.25, 0.5])
    Tensor([25., 50.])
    """

    def write_onnx(self, pipeline: Pipeline) -> None:
        """Declare inputs, add what is computed, declare outputs.

        Parameters
        ----------
        pipeline
            What becomes the file.
        """


def export(
    model: Module | Exportable,
    path: PathLike,
    *,
    input_shape: Sequence[int] | None = None,
    input_dtype: DTypeLike | None = None,
    preprocessing: Standardize | None = None,
) -> None:
    """Write a network or a fitted estimator to an ONNX file that takes any number of samples, in evaluation mode.

    The input of a network is called ``input`` and its output ``output``; weights are called as ``model.parameters()``
    calls them. An estimator is exported whole, from what ``predict`` takes to labels and probabilities: its inputs and
    outputs are told where its ``write_onnx`` is documented. The operators are
    those of opset 18. The file is checked by ``onnx.checker`` with types and shapes before it is written, and appears
    whole or not at all.

    Parameters
    ----------
    model
        Any Module whose ``forward`` can be traced, or a fitted estimator.
    path
        Where.
    input_shape
        The shape of one sample of a network, without the batch: ``(784,)``.
    input_dtype
        What the model takes. None: the dtype of its parameters; ``np.int64`` for one that begins with Embedding.
    preprocessing
        What is done to inputs before; it becomes a part of the network.

    Raises
    ------
    ArgumentError
        When it is neither, or for an option that does not go with it.
    OnnxError
        When a part of the model has no form in ONNX, or depends on the number of samples; it is named.
    OSError
        When the file cannot be written; what was there before is left as it was.
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
    pipeline = Pipeline()
    if not isinstance(model, Module):
        _check_exportable(model, input_shape, input_dtype, preprocessing)
        model.write_onnx(pipeline)
        pipeline.save(path)
        return
    if input_shape is None:
        raise ArgumentError(
            explain(
                "exporting a network expected input_shape", "none", "Give the shape of a sample: input_shape=(784,)"
            )
        )
    sizes = _sizes(input_shape)
    _check_preprocessing(preprocessing, sizes)
    if input_dtype is None:
        input_dtype = next((p.dtype for p in model.parameters().values()), np.dtype(np.float32))
    x = given = pipeline.input("input", sizes, _dtype(input_dtype))
    if preprocessing is not None:
        x = pipeline.build.standardize(x, preprocessing.mean, preprocessing.scale)
        x = pipeline.build.cast(x, given.dtype)
    pipeline.output("output", pipeline.network(model, x))
    pipeline.save(path)


def _sizes(input_shape: Any) -> tuple[int, ...]:
    try:
        sizes = tuple(operator.index(n) for n in input_shape)
    except TypeError:
        sizes = (-1,)
    if min(sizes, default=0) < 0:
        raise ArgumentError(
            explain(
                "input_shape expected the sizes of one sample",
                repr(input_shape),
                "Leave the batch out: input_shape=(784,)",
            )
        )
    return sizes


def _dtype(given: Any) -> np.dtype[Any]:
    try:
        made: np.dtype[Any] = np.dtype(given)
    except TypeError:
        raise ArgumentError(
            explain("input_dtype expected a dtype of NumPy", repr(given), "Use np.float32, say")
        ) from None
    return made


def _check_preprocessing(preprocessing: Any, sizes: tuple[int, ...]) -> None:
    if preprocessing is not None and not isinstance(preprocessing, Standardize):
        raise ArgumentError(
            explain(
                "preprocessing expected a Standardize",
                f"a {type(preprocessing).__name__}",
                "Make what it does a part of the model",
            )
        )
    if preprocessing is not None and preprocessing.mean.shape != sizes:
        raise ArgumentError(
            explain(
                f"preprocessing expected samples of shape {preprocessing.mean.shape}",
                f"input_shape={sizes}",
                "Export with what was fitted on the samples of this network",
            )
        )


def _check_exportable(model: Any, *options: Any) -> None:
    if not isinstance(model, Exportable):
        raise ArgumentError(
            explain("onnx.export expected a network or an estimator", f"a {type(model).__name__}", "Export its network")
        )
    if any(option is not None for option in options):
        raise ArgumentError(
            explain(
                f"a {type(model).__name__} expected no input_shape, input_dtype or preprocessing: it knows its own",
                "one of them",
                "Leave it out",
            )
        )
