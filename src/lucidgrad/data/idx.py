"""IDX, the format of the MNIST files: read with every claim checked before memory is given out, and written.

A file is four bytes (0, 0, a code for the kind of number, the rank), then each dimension as a big-endian uint32, then
the numbers in big-endian order, last index fastest (LeCun, Cortes and Burges, "The MNIST database", 1998).
"""

from __future__ import annotations

import gzip
import hashlib
import os
import struct
import sys
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias

import numpy as np

from lucidgrad.atomic import atomic_write
from lucidgrad.data.compressed import CHUNK_BYTES, MAX_RATIO, Contents, open_contents
from lucidgrad.errors import ArgumentError, DataError, DtypeError, explain

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

_DTYPE_OF_CODE = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_CODE_OF_DTYPE = {np.dtype(name).newbyteorder("="): code for code, name in _DTYPE_OF_CODE.items()}
_RANK_OF_KIND = {"images": 3, "labels": 1}
_MAX_RANK = 32


def read_idx(
    path: str | os.PathLike[str],
    *,
    kind: Literal["images", "labels"] | None = None,
    max_bytes: int = 1 << 32,
) -> Array:
    """Read an IDX file, plain or gzip.

    Parameters
    ----------
    path
        The file. Whether it is compressed is seen from its first bytes, whatever its name.
    kind
        ``"images"`` asks for bytes (n, height, width), ``"labels"`` for bytes (n,), ``None`` takes any.
    max_bytes
        The largest array that a compressed file may unfold to, in bytes. A plain file cannot hold more than its size.

    Returns
    -------
    ndarray
        Of the shape and the kind of number in the file, in the byte order of this machine.

    Raises
    ------
    DataError
        When there is no such file; when its first bytes are not those of IDX; when it is of another kind than asked
        for; when it holds fewer or more bytes than its dimensions say; when the gzip around it is damaged.
    ArgumentError
        When ``kind`` is none of those.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from lucidgrad.data import read_idx, write_idx
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_idx(Path(folder) / "labels.gz", np.array([7, 2, 1], np.uint8))
    ...     read_idx(Path(folder) / "labels.gz", kind="labels")
    array([7, 2, 1], dtype=uint8)
    """
    if kind not in (None, "images", "labels"):
        raise ArgumentError(
            explain("read_idx(kind) expected 'images', 'labels' or None", repr(kind), "Use one of them")
        )
    path = Path(path)
    with open_contents(path) as contents:
        dtype, shape = _read_header(path, contents.reader, kind)
        header_bytes = 4 + 4 * len(shape)
        size_bytes = _declared_bytes(path, dtype, shape)
        if contents.is_gzip:
            _check_compressed_size(path, contents, header_bytes + size_bytes, max_bytes)
        elif contents.file_bytes != header_bytes + size_bytes:
            raise _wrong_size(path, shape, size_bytes, f"{contents.file_bytes - header_bytes:,}")
        data = _read_exactly(path, contents.reader, shape, size_bytes)
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def write_idx(path: str | os.PathLike[str], array: Array) -> None:
    """Write an IDX file, whole or not at all; gzip when the name ends in ``.gz``. The same array gives the same bytes.

    Parameters
    ----------
    path
        The file to write.
    array
        uint8, int8, int16, int32, float32 or float64, of any shape with 1 to 32 axes.

    Raises
    ------
    DtypeError
        For another kind of number: IDX has no code for it.
    DataError
        For rank 0 or above 32, or a dimension of 2^32 or more.
    OSError
        When the file cannot be written; what was there before is left as it was.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from lucidgrad.data import write_idx
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_idx(Path(folder) / "labels", np.array([7, 2, 1], np.uint8))
    ...     (Path(folder) / "labels").read_bytes().hex(" ")
    '00 00 08 01 00 00 00 03 07 02 01'
    """
    header, body = _header(array), _body(array)
    with atomic_write(path) as file:
        if Path(path).name.endswith(".gz"):
            with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
                packed.write(header)
                packed.write(body)
        else:
            file.write(header)
            file.write(body)


def idx_sha256(array: Array) -> str:
    """SHA-256, in hexadecimal, of the uncompressed IDX file of ``array``: the file is a function of its array.

    >>> import numpy as np
    >>> from lucidgrad.data.idx import idx_sha256
    >>> idx_sha256(np.array([7], np.uint8))[:8]
    'c564aa0a'
    """
    digest = hashlib.sha256(_header(array))
    digest.update(_body(array))
    return digest.hexdigest()


def _read_header(path: Path, reader: BinaryIO, kind: str | None) -> tuple[np.dtype[Any], tuple[int, ...]]:
    magic = reader.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0":
        got = magic.hex(" ") if magic else "an empty file"
        raise DataError(explain(f"{path} expected an IDX file, which begins with 00 00", got, "Choose an IDX file"))
    code, rank = magic[2], magic[3]
    if code not in _DTYPE_OF_CODE:
        known = ", ".join(f"0x{known:02x}" for known in _DTYPE_OF_CODE)
        raise DataError(explain(f"{path} expected a type code out of {known}", f"0x{code:02x}", "Fetch it again"))
    if not 1 <= rank <= _MAX_RANK:
        raise DataError(explain(f"{path} expected a rank from 1 to {_MAX_RANK}", str(rank), "Fetch it again"))
    if kind is not None and (code, rank) != (0x08, _RANK_OF_KIND[kind]):
        raise DataError(
            explain(
                f"{path} expected {kind}, bytes of rank {_RANK_OF_KIND[kind]}",
                f"{np.dtype(_DTYPE_OF_CODE[code]).name} of rank {rank}",
                "Look whether images and labels were swapped",
            )
        )
    sizes = reader.read(4 * rank)
    if len(sizes) < 4 * rank:
        raise DataError(
            explain(
                f"{path} expected {rank} dimensions in {4 * rank} bytes", f"{len(sizes)} (truncated)", "Fetch it again"
            )
        )
    return np.dtype(_DTYPE_OF_CODE[code]), struct.unpack(f">{rank}I", sizes)


def _declared_bytes(path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> int:
    # An array with a dimension of 0 is empty, but numpy still multiplies the others.
    size = nonzero_size = dtype.itemsize
    for dimension in shape:
        size *= dimension
        nonzero_size *= max(dimension, 1)
    if nonzero_size > sys.maxsize:
        raise DataError(explain(f"{path} expected dimensions that fit into memory", str(shape), "Fetch it again"))
    return size


def _check_compressed_size(path: Path, contents: Contents, declared: int, max_bytes: int) -> None:
    if declared > contents.file_bytes * MAX_RATIO:
        raise DataError(
            explain(
                f"{path} expected {declared:,} bytes inside, as its dimensions say",
                f"a file of {contents.file_bytes:,} bytes, which cannot unfold to that many (truncated)",
                "Fetch it again",
            )
        )
    if declared > max_bytes:
        raise DataError(
            explain(
                f"{path} expected at most {max_bytes:,} bytes inside",
                f"{declared:,}",
                "If the file can be trusted, raise max_bytes",
            )
        )


def _read_exactly(path: Path, reader: BinaryIO, shape: tuple[int, ...], size_bytes: int) -> bytearray:
    """Read piece by piece, so that memory grows with the bytes that are there, not with those that were promised."""
    data = bytearray()
    while len(data) < size_bytes:
        chunk = reader.read(min(CHUNK_BYTES, size_bytes - len(data)))
        if not chunk:
            raise _wrong_size(path, shape, size_bytes, f"{len(data):,}")
        data += chunk
    if reader.read(1):  # of gzip, this also checks the sum at its end
        raise _wrong_size(path, shape, size_bytes, f"more than {size_bytes:,}")
    return data


def _wrong_size(path: Path, shape: tuple[int, ...], size_bytes: int, got: str) -> DataError:
    return DataError(
        explain(
            f"{path} expected {size_bytes:,} bytes after its header, as its dimensions {shape} say",
            got,
            "The file is truncated, or has bytes that do not belong to it: fetch it again",
        )
    )


def _header(array: Array) -> bytes:
    code = _CODE_OF_DTYPE.get(array.dtype.newbyteorder("="))
    if code is None:
        raise DtypeError(
            explain(
                "write_idx expected uint8, int8, int16, int32, float32 or float64",
                str(array.dtype),
                "Convert it, such as array.astype(np.uint8)",
            )
        )
    if not 1 <= array.ndim <= _MAX_RANK or max(array.shape) >= 1 << 32:
        raise DataError(
            explain(
                f"write_idx expected rank 1 to {_MAX_RANK} and dimensions below 2**32",
                f"shape {array.shape}",
                "Reshape or cut the array",
            )
        )
    return struct.pack(f">2xBB{array.ndim}I", code, array.ndim, *array.shape)


def _body(array: Array) -> memoryview:
    """The numbers as they stand in the file, as one row of bytes; without a copy where they are stored so already."""
    return np.ascontiguousarray(array, array.dtype.newbyteorder(">")).reshape(-1).view(np.uint8).data
