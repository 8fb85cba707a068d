"""The safetensors format, read strictly: sizes are computed and compared before memory is taken, nothing is mapped.

A file is a length N (8 bytes, little-endian), a JSON object of N bytes, and the elements of all arrays, one array
after the other without a gap. The object names each array's dtype, shape and place, and holds a map of strings,
``__metadata__``. Format: https://github.com/huggingface/safetensors, "Format". This reader refuses all that the
format forbids and some of what it leaves open: see ``docs/files.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any, BinaryIO, NamedTuple, TypeAlias

import numpy as np

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.files.strict_json import parse, shown, write, wrong

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

LARGEST_HEADER_BYTES = 2**25
"""The reference allows 100,000,000; JSON takes up to 30 times its size in memory."""

LARGEST_RANK = 64
LONGEST_NAME = 1024

DTYPES: dict[str, np.dtype[Any]] = {
    "BOOL": np.dtype("?"), "U8": np.dtype("u1"), "I8": np.dtype("i1"), "U16": np.dtype("<u2"), "I16": np.dtype("<i2"),
    "U32": np.dtype("<u4"), "I32": np.dtype("<i4"), "U64": np.dtype("<u8"), "I64": np.dtype("<i8"),
    "F16": np.dtype("<f2"), "F32": np.dtype("<f4"), "F64": np.dtype("<f8"),
}  # fmt: skip
_NAMES = {dtype: name for name, dtype in DTYPES.items()}
_LARGEST = 2**63


class Entry(NamedTuple):
    """Where one array is: its first and one past its last byte, counted from the end of the header."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    begin: int
    end: int


def read(
    file: BinaryIO, size: int, what: str, seen: Callable[[Any], None] = lambda _: None
) -> tuple[dict[str, str], dict[str, Array]]:
    """Metadata and arrays of a file.

    Parameters
    ----------
    file
        At its beginning.
    size
        How many bytes it has.
    what
        What it is called in errors.
    seen
        Is shown all bytes in order, in three or more pieces: the length, the header, each array.

    Returns
    -------
    Metadata, and new arrays in the order they have in the file.

    Raises
    ------
    ModelFileError
        When anything about the file is not as it has to be.
    """
    if size < 8:
        raise wrong(what, "at least 8 bytes", f"{size}")
    length = _exactly(file, 8, what)
    header_bytes = int.from_bytes(length, "little")
    if header_bytes > LARGEST_HEADER_BYTES or 8 + header_bytes > size:
        raise wrong(
            what, f"a header of at most {min(LARGEST_HEADER_BYTES, size - 8)} bytes", f"one of {header_bytes} bytes"
        )
    header = _exactly(file, header_bytes, what)
    metadata, entries = parse_header(header, size - 8 - header_bytes, what)
    seen(length)
    seen(header)
    return metadata, {entry.name: _read_array(file, entry, what, seen) for entry in entries}


def parse_header(header: bytes, data_bytes: int, what: str) -> tuple[dict[str, str], list[Entry]]:
    """Metadata and entries of a header, the entries in the order of their places in the ``data_bytes`` behind it."""
    if not header.startswith(b"{"):
        raise wrong(what, "a header that begins with {", shown(header[:1]))
    if header.rstrip(b" ")[-1:] != b"}":
        raise wrong(what, "nothing but spaces behind its header", shown(header.rstrip(b" ")[-1:]))
    try:
        text = header.decode("utf-8")
    except UnicodeDecodeError as error:
        raise wrong(what, "a header in UTF-8", str(error.reason)) from None
    fields = parse(text, f"the header of {what}")
    metadata = fields.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise wrong(what, "__metadata__ to be a map of strings", shown(metadata))
    entries = sorted((_entry(name, field, what) for name, field in fields.items()), key=lambda e: (e.begin, e.end))
    _check_places(entries, data_bytes, what)
    return metadata, entries


def encode(arrays: Mapping[str, Array], metadata: Mapping[str, str]) -> tuple[bytes, list[Array]]:
    """The first bytes of a file (length and header), and the arrays whose bytes follow it, in this order.

    Large elements come first, so that each array begins at a multiple of the size of its elements.
    """
    ordered = sorted(arrays.items(), key=lambda item: -item[1].dtype.itemsize)
    fields: dict[str, Any] = {"__metadata__": dict(metadata)}
    begin = 0
    for name, array in ordered:
        _check_writable(name, array)
        end = begin + array.nbytes
        fields[name] = {"dtype": _NAMES[array.dtype], "shape": list(array.shape), "data_offsets": [begin, end]}
        begin = end
    header = write(fields).encode()
    header += b" " * (-len(header) % 8)
    if len(header) > LARGEST_HEADER_BYTES:
        raise ArgumentError(
            explain(
                f"a model file expected a header of at most {LARGEST_HEADER_BYTES:,} bytes",
                f"{len(header):,}",
                "Keep what is long, such as lists of words, in arrays",
            )
        )
    return len(header).to_bytes(8, "little") + header, [array for _, array in ordered]


def bytes_of(array: Array) -> memoryview:
    """The bytes of a C-contiguous array, not copied."""
    return memoryview(array.reshape(-1).view(np.uint8))  # type: ignore[arg-type] # NumPy types the buffer in 3.12


# --- checks ---------------------------------------------------------------------------------------------------------


def _entry(name: str, field: Any, what: str) -> Entry:
    if not is_name(name):
        raise wrong(what, f"names of at most {LONGEST_NAME} printable characters", shown(name))
    what = f"array {shown(name)} of {what}"
    if not isinstance(field, dict) or field.keys() != {"dtype", "shape", "data_offsets"}:
        raise wrong(what, "exactly dtype, shape and data_offsets", shown(field))
    if not isinstance(field["dtype"], str) or field["dtype"] not in DTYPES:
        raise wrong(what, f"a dtype of {', '.join(DTYPES)}", shown(field["dtype"]))
    dtype = DTYPES[field["dtype"]]
    shape = _sizes(field["shape"], "shape", what)
    if len(shape) > LARGEST_RANK:
        raise wrong(what, f"at most {LARGEST_RANK} axes", f"{len(shape)}")
    if prod(n for n in shape if n) * dtype.itemsize >= _LARGEST:  # NumPy counts the bytes as if no axis were 0
        raise wrong(what, "a shape that can be", shown(shape))
    offsets = _sizes(field["data_offsets"], "data_offsets", what)
    if len(offsets) != 2 or offsets[1] - offsets[0] != prod(shape) * dtype.itemsize:
        raise wrong(what, f"two offsets {prod(shape) * dtype.itemsize} bytes apart", shown(offsets))
    return Entry(name, dtype, shape, *offsets)


def is_name(name: str) -> bool:
    """Whether an array may be called so."""
    return 0 < len(name) <= LONGEST_NAME and all(c.isprintable() for c in name) and name != "__metadata__"


def _sizes(value: Any, name: str, what: str) -> tuple[int, ...]:
    # type(...) is int: True and 1.0 are no sizes.
    if not isinstance(value, list) or not all(type(n) is int and 0 <= n < _LARGEST for n in value):
        raise wrong(what, f"{name} to be a list of integers from 0 to 2^63 - 1", shown(value))
    return tuple(value)


def _check_places(entries: list[Entry], data_bytes: int, what: str) -> None:
    """Each array begins where the one before it ends: nothing is hidden between them, and nothing is read twice."""
    end = 0
    for entry in entries:
        if entry.begin != end:
            raise wrong(what, f"array {shown(entry.name)} at byte {end}, behind the one before it", f"{entry.begin}")
        end = entry.end
    if end != data_bytes:
        raise wrong(what, f"{end} bytes of elements", f"{data_bytes}")


def _check_writable(name: str, array: Array) -> None:
    if not is_name(name):
        raise ArgumentError(
            explain(
                f"an array in a model file expected a name of at most {LONGEST_NAME} printable characters, not "
                "__metadata__",
                shown(name),
                "Rename it",
            )
        )
    if array.dtype not in _NAMES or not array.flags.c_contiguous:
        raise ArgumentError(
            explain(
                f"array {shown(name)} expected booleans, integers or floats of up to 64 bits, C-contiguous and "
                "little-endian",
                f"dtype {array.dtype.str}",
                "Convert it, for example with np.ascontiguousarray(x, np.float32)",
            )
        )


# --- bytes ----------------------------------------------------------------------------------------------------------


def _read_array(file: BinaryIO, entry: Entry, what: str, seen: Callable[[Any], None]) -> Array:
    """A new array; its size is known to be there, as all places have been checked against the size of the file."""
    array: Array = np.empty(entry.shape, entry.dtype)
    into = bytes_of(array)
    done = 0
    while done < len(into):
        count = file.readinto(into[done:])  # type: ignore[attr-defined]
        if not count:
            raise wrong(what, f"{len(into)} bytes of array {shown(entry.name)}", f"{done}")
        done += count
    seen(into)
    if entry.dtype.kind == "b" and (most := array.view(np.uint8).max(initial=0)) > 1:
        raise wrong(f"array {shown(entry.name)} of {what}", "booleans of 0 and 1", f"{most}")
    return array


def _exactly(file: BinaryIO, count: int, what: str) -> bytes:
    data = file.read(count)
    if len(data) != count:
        raise wrong(what, f"{count} more bytes", f"{len(data)}")
    return data
