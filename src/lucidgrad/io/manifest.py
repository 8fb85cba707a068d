"""The manifest of a checkpoint: JSON behind its own SHA-256, so that a byte that changed is seen before it counts."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

from lucidgrad.errors import CheckpointError, explain

FORMAT_VERSION = 1
LARGEST_MANIFEST_BYTES = 2**28

_HASH = r"[0-9a-f]{64}"
_HEAD = re.compile(rb'\{"sha256": "(%s)", "content": ' % _HASH.encode())


def manifest_of(content: dict[str, Any]) -> bytes:
    """The bytes of a manifest: its hash, and behind it format, version and this content."""
    content = {"format": "lucidgrad checkpoint", "version": FORMAT_VERSION, **content}
    rest = json.dumps(content, allow_nan=False).encode() + b"}\n"
    return b'{"sha256": "%s", "content": ' % hashlib.sha256(rest).hexdigest().encode() + rest


def content_of(path: Path) -> dict[str, Any]:
    """The content of a manifest, after its own hash, its version and the kinds of its fields have been checked."""
    data = bytes_of(path)
    head = _HEAD.match(data)
    if not head or hashlib.sha256(data[head.end() :]).hexdigest().encode() != head[1]:
        raise damaged(
            path, "no manifest, or one that has changed since" if not head else "bytes that have changed since"
        )
    try:
        content = json.loads(data)["content"]
        version, declared = content["version"], content["tensors"]
        is_sound = type(declared["bytes"]) is int and re.fullmatch(_HASH, declared["sha256"]) and "tree" in content
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise damaged(path, f"{type(error).__name__}: {error}") from None
    if version != FORMAT_VERSION or not is_sound:
        raise CheckpointError(
            explain(
                f"{path} expected format version {FORMAT_VERSION}",
                f"{version!r}, written with {content.get('written_with')}",
                "Read it with the version of lucidgrad that wrote it",
            )
        )
    return content  # type: ignore[no-any-return]


def bytes_of(path: Path, expected: int | None = None) -> bytes:
    """The whole file, if it is as large as expected; decided before memory is taken."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if expected is not None and size != expected:
                raise damaged(path, f"{size} bytes instead of {expected}")
            if expected is None and size > LARGEST_MANIFEST_BYTES:
                raise damaged(path, f"{size} bytes, more than a manifest has")
            return file.read()
    except CheckpointError:
        raise
    except OSError as error:
        raise CheckpointError(explain(f"{path.name} expected to be readable", str(error), "Use another one")) from error


def damaged(path: Path, got: str) -> CheckpointError:
    """The error of a file that is not what was written."""
    return CheckpointError(
        explain(
            f"{path.name} expected to be the file of a checkpoint, as it was written", got, "Use another checkpoint"
        )
    )
