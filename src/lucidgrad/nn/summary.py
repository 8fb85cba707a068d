"""The table of a model's layers: what each is, the shape that comes out of it, and how many numbers it learns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from lucidgrad.autograd import no_grad
from lucidgrad.errors import counted
from lucidgrad.nn.modes import in_evaluation_mode
from lucidgrad.random import Key, use_key
from lucidgrad.tensor import Tensor, tensor

BATCH = 2  # samples in the batch of zeros that the shapes are found with


def output_shapes(model: Any, input_shape: tuple[int, ...], input_dtype: DTypeLike) -> dict[str, str]:
    """What comes out of each layer that runs, by path, for samples of ``input_shape``."""
    shapes: dict[str, str] = {}
    zeros = tensor(np.zeros((BATCH, *input_shape)), dtype=input_dtype)
    with no_grad(), use_key(Key(0)), in_evaluation_mode(model), _recording(model, shapes):
        model(zeros)
    return shapes


def table(
    rows: Mapping[str, str], shapes: Mapping[str, str] | None, parameters: dict[str, Tensor], buffers: dict[str, Tensor]
) -> str:
    """Rows of path, layer, output shape and parameters as aligned text, with totals below."""
    counts = dict.fromkeys(rows, 0)
    for path, p in parameters.items():
        counts[_owner(path, rows)] += p.size
    cells = [["path", "layer", "output", "parameters"]]
    cells += [[path, rows[path], (shapes or {}).get(path, "not run"), f"{n:,}"] for path, n in counts.items()]
    if shapes is None:
        cells = [[path, layer, count] for path, layer, _, count in cells]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join([*map(str.ljust, row[:-1], widths), row[-1].rjust(widths[-1])]) for row in cells]
    rule = "-" * len(lines[0])
    n, m = (sum(t.size for t in tensors.values()) for tensors in (parameters, buffers))
    size = sum(t.raw.dtype.itemsize * t.size for t in (*parameters.values(), *buffers.values()))
    numbers = counted(m, "number in buffers", "numbers in buffers")
    total = f"{counted(n, 'parameter')}, {numbers}, {counted(size, 'byte')}"
    return "\n".join([lines[0], rule, *lines[1:], rule, total])


def _owner(path: str, rows: Mapping[str, str]) -> str:
    """The innermost layer that a tensor lies in."""
    while path and path not in rows:
        path = path.rpartition(".")[0]
    return path


@contextmanager
def _recording(model: Any, shapes: dict[str, str]) -> Iterator[None]:
    """Write down what comes out of each layer: methods of the objects stand in for those of their classes."""
    before = [(module, dict(vars(module))) for module in model.modules().values()]
    for path, module in model.modules().items():
        _record(module, path, shapes)
    try:
        yield
    finally:
        for module, attributes in before:
            for name in ("forward", "call_part"):
                vars(module).pop(name)
                if name in attributes:
                    vars(module)[name] = attributes[name]


def _record(module: Any, path: str, shapes: dict[str, str]) -> None:
    run, call_part = module.forward, module.call_part

    def forward(*inputs: Any, **options: Any) -> Any:
        y = run(*inputs, **options)
        shapes[path] = _text(y)
        return y

    def call(name: object, part: Any, x: Any) -> Any:
        y = call_part(name, part, x)
        shapes[f"{path}.{name}" if path else str(name)] = _text(y)
        return y

    module.forward, module.call_part = forward, call


def _text(y: Any) -> str:
    """(batch, 10) for a tensor; several outputs one after the other."""
    if isinstance(y, Tensor):
        sizes = ["batch" if i == 0 and n == BATCH else str(n) for i, n in enumerate(y.shape)]
        return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
    return ", ".join(map(_text, y)) if isinstance(y, tuple | list) else type(y).__name__
