"""The bytes of a file of text as UTF-8, whatever it was packed with and written in, a block at a time."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from lucidgrad.errors import ArgumentError, DataError, explain

BLOCK_BYTES = 1 << 22
"""How much text is looked at in one go: enough for NumPy to be quick, little beside the memory of any machine."""
START_BYTES = 1 << 22
"""Of these the first are read: the names of the columns have to be among them."""

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
Opener = Callable[[BinaryIO], Any]


def _zstd(file: BinaryIO) -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd.ZstdFile(file)


COMPRESSIONS: dict[bytes, tuple[str, Opener]] = {
    b"\x1f\x8b": ("gzip", lambda file: gzip.GzipFile(fileobj=file, mode="rb")),
    b"BZh": ("bzip2", bz2.BZ2File),
    b"\xfd7zXZ\x00": ("xz", lzma.LZMAFile),
    b"\x28\xb5\x2f\xfd": ("zstd", _zstd),
}
"""What is unpacked on the way, by the first bytes of the file: names lie."""


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """Open a file for what is inside of it, unpacked.

    Raises
    ------
    DataError
        Where there is no such file, and, as they are found while reading, for a packed file that is damaged or cut off.
    """
    if not path.exists():
        raise DataError(explain(f"{path} expected a table", "nothing by that name", "Check the path"))
    if path.is_dir():
        raise DataError(explain(f"{path} expected a table", "a folder", "Name a file in it"))
    with path.open("rb") as file:
        start = file.peek(8)
        name, opener = next((found for magic, found in COMPRESSIONS.items() if start.startswith(magic)), ("", None))
        try:
            yield file if opener is None else cast("BinaryIO", opener(file))
        except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
            raise _damaged(path, name, error) from error
        except OSError as error:
            if error.errno is None and name == "bzip2":  # bz2 has no class of its own for "Invalid data stream"
                raise _damaged(path, name, error) from error
            raise
        except Exception as error:
            if type(error).__name__ == "ZstdError":
                raise _damaged(path, name, error) from error
            raise


def _damaged(path: Path, name: str, error: Exception) -> DataError:
    got = "one that breaks off" if isinstance(error, EOFError) else f"a damaged one ({error})"
    return DataError(explain(f"{path} expected a whole {name} file", got, "Copy it again"))


class Text:
    r"""What is inside of a file as UTF-8 without a mark in front, with lines that end in ``\n``.

    Parameters
    ----------
    path
        For messages.
    file
        From ``open_bytes``.
    encoding
        As Python names it; by default a mark at the beginning decides, and UTF-8 where there is none.
    """

    def __init__(self, path: Path, file: BinaryIO, encoding: str | None = None) -> None:
        start = file.read(START_BYTES)
        mark, marked = next(((mark, name) for mark, name in BOMS if start.startswith(mark)), (b"", "utf-8"))
        self.path, self._file = path, file
        self.encoding = marked if encoding is None else _known(encoding)
        self.encoding = {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}.get(self.encoding, self.encoding)
        self._is_utf8 = self.encoding in ("utf-8", "ascii")
        self._decoder = codecs.getincrementaldecoder(self.encoding)()
        self._lines = 1
        start = start[len(mark) :] if marked == self.encoding or encoding is None else start
        first = self._decoded(start, final=len(start) == 0)
        if b"\0" in first[:4096]:
            raise DataError(
                explain(
                    f"{path} expected text",
                    "bytes that are none (there are zeros in it)",
                    "Save it as CSV or Parquet, or name its encoding with --encoding (encoding=), such as utf-16-le",
                )
            )
        self._only_cr = b"\r" in first and b"\n" not in first
        self._first: bytes | None = self._plain(first)
        self._held = b""

    def read(self) -> bytes:
        """The next block, b"" behind the last one."""
        if self._first is not None:
            block, self._first = self._first, None
            if block:
                return block
        while raw := self._file.read(BLOCK_BYTES):
            if block := self._plain(self._decoded(raw, final=False)):
                return block
        rest = self._plain(self._decoded(b"", final=True))
        if self._ends_in_cr:
            self._ends_in_cr = False
            rest += b"\r"
        return rest

    def _plain(self, block: bytes) -> bytes:
        r"""The block with every line ending in ``\n``; a ``\r`` at its end waits for what comes."""
        if self._only_cr:
            return block.replace(b"\r", b"\n")
        if self._ends_in_cr and block:
            block, self._ends_in_cr = b"\r" + block, False
        if block.endswith(b"\r"):
            block, self._ends_in_cr = block[:-1], True
        return block.replace(b"\r\n", b"\n")

    _only_cr = False
    _ends_in_cr = False

    def _decoded(self, raw: bytes, final: bool) -> bytes:
        """The bytes as UTF-8; those that are UTF-8 already are checked later, where the column is known."""
        if self._is_utf8:
            return raw
        try:
            text = self._decoder.decode(raw, final)
        except UnicodeDecodeError as error:
            line = self._lines + error.object[: error.start].count("\n".encode(self.encoding))
            raise DataError(
                explain(
                    f"{self.path} line {line} expected text in {self.encoding}",
                    f"the byte 0x{error.object[error.start]:02X}",
                    "Name the encoding it was written in with --encoding (encoding=)",
                )
            ) from None
        self._lines += text.count("\n")
        return text.encode("utf-8", "surrogatepass")


def _known(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
        "".encode(name)  # not one of Python's codecs from bytes to bytes, such as hex
    except LookupError:
        raise ArgumentError(
            explain("encoding expected a name that Python knows", repr(encoding), "Try utf-8, cp1252 or latin-1")
        ) from None
    return "utf-8" if name in ("utf-8", "utf-8-sig") else name
