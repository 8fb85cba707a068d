"""The bytes inside of a file that may or may not be gzip, never more of them than are asked for."""

from __future__ import annotations

import gzip
import hashlib
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from lucidgrad.errors import DataError, explain

CHUNK_BYTES = 1 << 20
"""How much is read at a time."""

MAX_RATIO = 1032
"""Deflate makes at most 1032 bytes out of one (258 bytes of a match from 2 bits; zlib technical details)."""


class Contents(NamedTuple):
    """An open file: read ``reader`` for what is inside, ``file_bytes`` is the size on disk."""

    reader: BinaryIO
    file_bytes: int
    is_gzip: bool


@contextmanager
def open_contents(path: Path) -> Iterator[Contents]:
    """Open ``path`` for what is inside; its first two bytes, not its name, tell whether it is gzip.

    Raises
    ------
    DataError
        Where there is no such file, and, as they are found while reading, for gzip that breaks off or is damaged.
    """
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(explain(f"{path} expected a data file", "nothing by that name", "Check the path")) from None
    if not stat.S_ISREG(status.st_mode):
        raise DataError(explain(f"{path} expected a data file", "something else, such as a folder", "Check the path"))
    with path.open("rb") as file:
        is_gzip = file.peek(2)[:2] == b"\x1f\x8b"
        reader = cast("BinaryIO", gzip.GzipFile(fileobj=file, mode="rb")) if is_gzip else file
        try:
            yield Contents(reader, os.fstat(file.fileno()).st_size, is_gzip)
        except EOFError as error:
            raise DataError(
                explain(f"{path} expected a whole gzip file", "one that breaks off (truncated)", "Fetch it again")
            ) from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise DataError(
                explain(f"{path} expected a sound gzip file", f"a damaged one ({error})", "Fetch it again")
            ) from error


def contents_sha256(path: Path, size_bytes: int) -> str:
    """The SHA-256, in hexadecimal, of the ``size_bytes`` bytes inside of ``path``.

    Raises
    ------
    DataError
        As ``open_contents``, and when there are more or fewer bytes inside; no more than one too many is read.
    """
    digest, count = hashlib.sha256(), 0
    with open_contents(path) as contents:
        while count <= size_bytes and (chunk := contents.reader.read(min(CHUNK_BYTES, size_bytes + 1 - count))):
            digest.update(chunk)
            count += len(chunk)
    if count != size_bytes:
        got = f"more than {size_bytes:,}" if count > size_bytes else f"{count:,}"
        raise DataError(explain(f"{path} expected {size_bytes:,} bytes inside", got, "Fetch it again"))
    return digest.hexdigest()
