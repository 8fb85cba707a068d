"""The weights of a module as a file, which the module itself writes and reads without knowing its layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lucidgrad.errors import ModelFileError, explain
from lucidgrad.files import container
from lucidgrad.files.container import PathLike
from lucidgrad.tensor import Tensor

Array = np.ndarray[Any, np.dtype[Any]]

KIND = "weights"
NETWORK = "network"
"""The kind of the files that hold the layers too."""

_PREFIXES = (f"/{NETWORK}/parameters/", f"/{NETWORK}/buffers/")


def write_weights(path: PathLike, parameters: Mapping[str, Tensor], buffers: Mapping[str, Tensor]) -> None:
    """Write tensors by their path in the module."""
    arrays = {
        prefix + _escaped(name): np.asarray(tensor.numpy(), order="C")
        for prefix, tensors in zip(_PREFIXES, (parameters, buffers), strict=True)
        for name, tensor in tensors.items()
    }
    container.write(path, KIND, None, arrays)


def read_weights(path: PathLike, *, strict_finite: bool = False) -> dict[str, Array]:
    """The arrays of a file of weights, or of a whole network, by their path in the module."""
    content = container.read(path, strict_finite=strict_finite)
    if content.kind not in (KIND, NETWORK):
        raise ModelFileError(
            explain(
                f"{path} expected to hold the weights of a module",
                f"a model of kind {content.kind!r}",
                "Read it with lucidgrad.load(path)",
            )
        )
    found = {_path(name): array for name, array in content.arrays.items() if name.startswith(_PREFIXES)}
    if len(found) != sum(name.startswith(_PREFIXES) for name in content.arrays):
        raise ModelFileError(explain(f"{path} expected each weight once", "one of them twice", "Get it again"))
    return found


def _path(name: str) -> str:
    return name.removeprefix(_PREFIXES[0]).removeprefix(_PREFIXES[1]).replace("~1", "/").replace("~0", "~")


def _escaped(path: str) -> str:
    """As in RFC 6901, so that a path is one step of the place in the file."""
    return path.replace("~", "~0").replace("/", "~1")
