"""The ``.lucidgrad`` file: a safetensors file with a JSON text about its arrays, and a checksum over all of it.

The header begins with the SHA-256 of the file, at a fixed place, taken with 64 zeros in that place. It finds bytes
that storage or transport have changed; against forgery there are the checks of what is read.
"""

from __future__ import annotations

import hashlib
import os
import platform
import stat
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from lucidgrad.atomic import atomic_write
from lucidgrad.errors import ModelFileError, explain
from lucidgrad.files import safetensors
from lucidgrad.files.safetensors import Array
from lucidgrad.files.strict_json import parse, shown, wrong
from lucidgrad.files.strict_json import write as to_json

PathLike: TypeAlias = str | os.PathLike[str]

FORMAT = "lucidgrad model"
FORMAT_VERSION = 1

_HEAD = b'{"__metadata__":{"sha256":"'
_ZEROS = "0" * 64
_AT = slice(len(_HEAD), len(_HEAD) + len(_ZEROS))
_METADATA = ("sha256", "format", "version", "content")


@dataclass(frozen=True)
class Content:
    """What a file holds.

    Attributes
    ----------
    kind
        What it is a model of; see ``lucidgrad.io.kinds``.
    plain
        All that is no array, as JSON has it.
    arrays
        Arrays of any shape by name.
    written_with
        Versions of what wrote it.

    Examples
    --------
    >>> import numpy as np
    >>> from lucidgrad.files import Content
    >>> Content("network", {"layers": 2}, {"w": np.zeros((2, 3))}, {"lucidgrad": "0.1.0"}).arrays["w"].shape
    (2, 3)
    """

    kind: str
    plain: Any
    arrays: dict[str, Array]
    written_with: dict[str, str]


def write(path: PathLike, kind: str, plain: Any, arrays: Mapping[str, Array]) -> None:
    """Write a file. When this returns it is on the disk; when it raises, what was there before still is.

    Parameters
    ----------
    path
        Where; its folder has to be there.
    kind
        What it is a model of.
    plain
        What JSON can say.
    arrays
        Arrays of any shape by name; booleans, integers and floats of up to 64 bits, C-contiguous.

    Raises
    ------
    ModelFileError
        When the disk is full, failing, or closed to us; an OSError with its ``errno``.
    ArgumentError
        When there is something to write that the format does not have.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from lucidgrad.files import read, write
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(f"{folder}/model.lucidgrad", "network", {"layers": 2}, {"w": np.zeros((2, 3))})
    ...     read(f"{folder}/model.lucidgrad").plain
    {'layers': 2}
    """
    content = {"kind": kind, "written_with": versions(), "model": plain}
    metadata = {"sha256": _ZEROS, "format": FORMAT, "version": str(FORMAT_VERSION), "content": to_json(content)}
    head, ordered = safetensors.encode(arrays, metadata)
    digest = hashlib.sha256(head)
    for array in ordered:
        digest.update(safetensors.bytes_of(array))
    place = slice(8 + _AT.start, 8 + _AT.stop)
    try:
        with atomic_write(path) as file:
            file.write(head[: place.start] + digest.hexdigest().encode() + head[place.stop :])
            for array in ordered:
                file.write(safetensors.bytes_of(array))
    except OSError as error:
        raise _failed(path, f"saving to {path} expected a folder with space that can be written to", error) from error


def read(path: PathLike, *, strict_finite: bool = False) -> Content:
    """Read a file that may have been written by anyone.

    Parameters
    ----------
    path
        A regular file. It is read, not mapped: what happens to it afterwards does not matter.
    strict_finite
        Refuse arrays with NaN or infinity, instead of a warning that names them.

    Raises
    ------
    ModelFileError
        When the file cannot be read or is not, to the last byte, what it has to be.

    Examples
    --------
    >>> import tempfile
    >>> from lucidgrad.files import read
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read(folder)
    Traceback (most recent call last):
      ...
    lucidgrad.errors.ModelFileError: ... expected to be a file that can be read, got IsADirectoryError: ...
    """
    what = Path(path).name
    digest = _Digest()
    try:
        with open(path, "rb", opener=_without_waiting) as file:  # Path.open takes no opener
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise wrong(what, "to be a regular file", "a folder, pipe or device")
            metadata, arrays = safetensors.read(file, status.st_size, what, digest.add)
    except ModelFileError:
        raise
    except OSError as error:
        raise _failed(path, f"{path} expected to be a file that can be read", error) from error
    content = _content(metadata, digest, what)
    _check_finite(arrays, what, strict_finite)
    return Content(content["kind"], content["model"], arrays, content["written_with"])


def versions() -> dict[str, str]:
    """What a file is written with."""
    from importlib.metadata import version

    return {"lucidgrad": version("lucidgrad"), "numpy": np.__version__, "python": platform.python_version()}


# --- checks ---------------------------------------------------------------------------------------------------------


class _Digest:
    """The SHA-256 of a file as it passes, with zeros where it is written."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self._pieces = 0

    def add(self, piece: Any) -> None:
        if self._pieces == 1:  # the header
            piece = piece[: _AT.start] + _ZEROS.encode() + piece[_AT.stop :]
        self._sha256.update(piece)
        self._pieces += 1

    def hex(self) -> str:
        return self._sha256.hexdigest()


def _content(metadata: dict[str, str], digest: _Digest, what: str) -> dict[str, Any]:
    """The JSON text about the arrays, when format, version and checksum are right."""
    if metadata.get("format") != FORMAT:
        raise ModelFileError(
            explain(
                f"{what} expected to be a model file, with the format {FORMAT!r} in its header",
                shown(metadata.get("format")),
                "Weights from elsewhere are read with safetensors.numpy.load_file and given to model.load_state",
            )
        )
    if metadata.get("version") != str(FORMAT_VERSION):
        raise ModelFileError(
            explain(
                f"{what} expected the format version {FORMAT_VERSION}",
                shown(metadata.get("version")),
                "Read it with a newer lucidgrad: pip install --upgrade lucidgrad",
            )
        )
    if tuple(metadata) != _METADATA:
        raise wrong(what, f"{', '.join(_METADATA)} in its header, in this order", shown(list(metadata)))
    if metadata["sha256"] != digest.hex():
        raise wrong(what, f"the SHA-256 {shown(metadata['sha256'])} that it says it has", digest.hex())
    content = parse(metadata["content"], f"the content of {what}")
    if not isinstance(content, dict) or content.keys() != {"kind", "written_with", "model"}:
        raise wrong(what, "kind, written_with and model in its content", shown(content))
    if not isinstance(content["kind"], str):
        raise wrong(what, "kind to be a name", shown(content["kind"]))
    written_with = content["written_with"]
    if not isinstance(written_with, dict) or not all(isinstance(v, str) for v in written_with.values()):
        raise wrong(what, "written_with to be a map of strings", shown(written_with))
    return content


def _check_finite(arrays: dict[str, Array], what: str, strict: bool) -> None:
    bad = [name for name, x in arrays.items() if x.dtype.kind == "f" and not np.isfinite(x).all()]
    if not bad:
        return
    listed = f"{', '.join(map(shown, bad[:5]))}{' and others' if len(bad) > 5 else ''}"
    if strict:
        raise ModelFileError(
            explain(f"{what} expected finite numbers", f"NaN or infinity in {listed}", "Use an earlier file")
        )
    warnings.warn(f"{what} has NaN or infinity in {listed}; strict_finite=True refuses such a file.", RuntimeWarning, 5)


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; a pipe that nobody writes to is opened too, to be refused."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _failed(path: PathLike, expected: str, error: OSError) -> ModelFileError:
    got = f"{type(error).__name__}: {error.strerror or error}"
    raised = ModelFileError(explain(expected, got, f"Look at the folder {Path(path).absolute().parent}"))
    raised.errno = error.errno
    return raised
