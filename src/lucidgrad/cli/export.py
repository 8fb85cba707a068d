"""``lucidgrad export``: a model file in the format of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lucidgrad.cli.values import check_output, integers, name
from lucidgrad.data import Standardize
from lucidgrad.errors import OnnxError, explain
from lucidgrad.io.model_file import read_model
from lucidgrad.nn import BatchNorm, LayerNorm, Linear, Module, Residual, Sequential

DTYPES = ("float32", "float64", "int64", "int32")


def export(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model file: model.lucidgrad.", show_default=False)],
    onnx: Annotated[Path, typer.Option("--onnx", metavar="FILE", help="The ONNX file to write.", show_default=False)],
    input_shape: Annotated[
        str | None,
        typer.Option(
            metavar="N,N,...",
            help="The shape of one sample.",
            show_default="what the first layer takes",
        ),
    ] = None,
    input_dtype: Annotated[
        str | None,
        typer.Option(metavar="DTYPE", help=f"One of {', '.join(DTYPES)}.", show_default="that of the weights"),
    ] = None,
) -> None:
    """Write a model to an ONNX file that takes any number of samples, with its preprocessing as a part of it."""
    import lucidgrad.onnx

    check_output(onnx, [model])
    found = read_model(model)
    if isinstance(found.model, lucidgrad.onnx.Exportable):
        if input_shape is not None or input_dtype is not None:
            raise typer.BadParameter("an estimator knows what it takes: leave it out", param_hint="--input-shape")
        lucidgrad.onnx.export(found.model, onnx)
        print(f"{onnx}: opset {lucidgrad.onnx.OPSET}, a {found.kind} whole, from its features to what it predicts")
        return
    if not isinstance(found.model, Module):
        raise OnnxError(explain("export expected a network", f"a model of kind {found.kind}", "Export its network"))
    if not isinstance(found.preprocessing, Standardize | None):
        raise OnnxError(
            explain(
                "export expected preprocessing that ONNX has: Standardize",
                type(found.preprocessing).__name__,
                "Export the network alone with lucidgrad.onnx.export",
            )
        )
    shape = _first_shape(found.model) if input_shape is None else integers("--input-shape", input_shape)
    if shape is None:
        raise typer.BadParameter("the first layer does not say what it takes: name it", param_hint="--input-shape")
    dtype: Any = None if input_dtype is None else name("--input-dtype", input_dtype, DTYPES)
    lucidgrad.onnx.export(found.model, onnx, input_shape=shape, input_dtype=dtype, preprocessing=found.preprocessing)
    scaled = ", standardised first" if found.preprocessing is not None else ""
    print(f"{onnx}: opset {lucidgrad.onnx.OPSET}, input (batch, {', '.join(map(str, shape))}){scaled}")


def _first_shape(part: Any) -> tuple[int, ...] | None:
    """What the first layer takes; functions in front of it keep shapes only where they are plain ones."""
    if isinstance(part, Sequential):
        return _first_shape(part[0]) if len(part) else None
    if isinstance(part, Residual):
        return _first_shape(part.inner)
    if isinstance(part, Linear):
        return (part.in_features,)
    return (part.num_features,) if isinstance(part, BatchNorm | LayerNorm) else None
