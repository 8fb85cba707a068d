"""Files as an enemy would write them: any header, with the right checksum."""

from __future__ import annotations

import hashlib
import json
from typing import Any

HEAD = b'{"__metadata__":{"sha256":"'
ZEROS = b"0" * 64


def header_of(fields: Any, metadata: Any = None) -> bytes:
    return json.dumps({"__metadata__": metadata if metadata is not None else {}, **fields}).encode()


def file_of(header: bytes, data: bytes = b"") -> bytes:
    return len(header).to_bytes(8, "little") + header + data


def entry(dtype: str, shape: Any, begin: Any, end: Any, **more: Any) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end], **more}


def signed(content: Any, fields: dict[str, Any] | None = None, data: bytes = b"", **changes: Any) -> bytes:
    """A model file with this content (a value, or JSON text as it is) and these arrays."""
    text = content if isinstance(content, str) else json.dumps(content)
    metadata = {"sha256": "0" * 64, "format": "lucidgrad model", "version": "1", "content": text, **changes}
    header = json.dumps({"__metadata__": metadata, **(fields or {})}, separators=(",", ":")).encode()
    return sign(file_of(header + b" " * (-len(header) % 8), data))


def sign(data: bytes) -> bytes:
    """The file with the checksum it should have, where there is a place for one."""
    at = slice(8 + len(HEAD), 8 + len(HEAD) + 64)
    if data[8 : at.start] != HEAD:
        return data
    blank = data[: at.start] + ZEROS + data[at.stop :]
    return data[: at.start] + hashlib.sha256(blank).hexdigest().encode() + data[at.stop :]
