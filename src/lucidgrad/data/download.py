"""Fetch a published file: from the first mirror that answers, on from where it broke off, checked, then put in place.

What is fetched grows in ``<name>.part`` beside its place, and takes its name only after its SHA-256 was found right. A
process that was killed leaves the part, and the next asks the server for the rest alone (RFC 9110, section 14).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from lucidgrad.atomic import replace_durably
from lucidgrad.data.compressed import contents_sha256
from lucidgrad.errors import DataError, DownloadError, explain

if TYPE_CHECKING:
    from http.client import HTTPResponse

_READ_BYTES = 1 << 16
_ATTEMPTS = 4
"""How often one mirror is asked for one file, as long as each time brings some of it."""


@dataclass(frozen=True)
class RemoteFile:
    """A file that is published, plain or gzip, and how to know it: by the bytes inside."""

    name: str
    sha256: str
    size_bytes: int

    @property
    def max_download_bytes(self) -> int:
        """The most a mirror may send: gzip makes bytes that cannot be packed a little longer (5 in 16,383)."""
        return self.size_bytes + self.size_bytes // 1000 + 4096


class UnavailableError(DownloadError):
    """No mirror gave the file; ``reasons`` is what each of them said."""

    def __init__(self, message: str, reasons: str) -> None:
        super().__init__(message)
        self.reasons = reasons


class _MirrorError(Exception):
    """One mirror did not give the file; another may."""


class _BrokenOffError(_MirrorError):
    """The connection ended in the middle; the same mirror may give the rest."""


def download(remote: RemoteFile, mirrors: Sequence[str], folder: Path, *, timeout_seconds: float = 20.0) -> Path:
    """Fetch ``remote`` into ``folder``, from the first of ``mirrors`` that gives it whole and right.

    Several processes may do so at once: one goes on with the ``.part``, the others fetch into files of their own, and
    each puts the same bytes in place in one step. Progress is shown where stderr is a terminal.

    Parameters
    ----------
    remote
        Name, SHA-256 and size of what is wanted.
    mirrors
        Addresses of folders, ending in ``/``.
    folder
        Where to put it; made when it is not there.
    timeout_seconds
        How long to wait for a connection, and then for each next piece.

    Returns
    -------
    Path
        ``folder / remote.name``.

    Raises
    ------
    UnavailableError
        A DownloadError: when no mirror gives the file, with what each one said and where to put the file by hand.
    DownloadError
        When ``folder`` cannot be written to.
    OSError
        When the disk gives out on the way; the part stays.
    """
    target = folder / remote.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part = _open_part(target)
    except OSError as error:
        raise DownloadError(
            explain(
                f"{folder} expected to be a folder that {remote.name} can be downloaded to",
                str(error),
                "Make it so, or name another: folder=..., or LUCIDGRAD_DATA in the environment",
            )
        ) from error
    with part:
        reasons = []
        for mirror in mirrors:
            try:
                _fetch(part, mirror + remote.name, remote, timeout_seconds)
            except _MirrorError as error:
                reasons.append(f"{mirror}: {error}")
            else:
                part.install(target)
                return target
    said = "; ".join(reasons)
    message = explain(
        f"{remote.name} expected to be had from one of {len(mirrors)} mirrors",
        said,
        f"Try again with a network, or put the file into {folder} by hand",
    )
    raise UnavailableError(message, said)


class _Part:
    """A file that grows at its end; ``is_shared`` when the next process is to go on with it."""

    def __init__(self, path: Path, file: BinaryIO, is_shared: bool) -> None:
        self.path, self.file, self.is_shared = path, file, is_shared

    @property
    def size_bytes(self) -> int:
        return self.file.seek(0, os.SEEK_END)

    def __enter__(self) -> _Part:
        return self

    def __exit__(self, *exception: object) -> None:
        # On the way out of an error, and before the lock goes: after install() there is nothing at this path.
        try:
            if not self.file.closed and not (self.is_shared and self.size_bytes):
                self.path.unlink(missing_ok=True)
        finally:
            self.file.close()

    def install(self, target: Path) -> None:
        self.file.flush()
        os.fsync(self.file.fileno())
        if os.name == "nt":  # where an open file cannot be renamed, and the part is never shared
            self.file.close()
        replace_durably(self.path, target)


def _open_part(target: Path) -> _Part:
    """``<name>.part`` for whoever locks it first; a file of its own for everyone else."""
    shared = target.with_name(target.name + ".part")
    if (file := _open_locked(shared)) is not None:
        return _Part(shared, file, is_shared=True)
    private = target.with_name(f".{target.name}.{os.urandom(8).hex()}.part")
    return _Part(private, private.open("a+b"), is_shared=False)


def _open_locked(path: Path) -> BinaryIO | None:
    """Open and lock; the lock goes when the process does, however it ends. ``None`` where another holds it."""
    if sys.platform == "win32":
        return None
    import fcntl

    file = path.open("a+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Its last holder may have put it in place since: then it is no part any more, and not to be written to.
        if os.path.samestat(os.fstat(file.fileno()), path.stat()):
            return file
    except OSError:
        pass
    file.close()
    return None


def _fetch(part: _Part, url: str, remote: RemoteFile, timeout_seconds: float) -> None:
    """Fill ``part`` from ``url`` until what is inside is right."""
    for attempt in range(_ATTEMPTS):
        offset = part.size_bytes
        try:
            _receive(part, url, remote, timeout_seconds)
        except _BrokenOffError:
            if part.size_bytes <= offset or attempt == _ATTEMPTS - 1:
                raise
            continue
        problem = _problem(part, remote)
        if problem is None:
            return
        part.file.truncate(0)
        if offset == 0:
            raise _MirrorError(problem)
        # What was there belonged to another file, perhaps of another mirror: begin anew.
    raise _MirrorError(f"no whole file in {_ATTEMPTS} attempts")


def _receive(part: _Part, url: str, remote: RemoteFile, timeout_seconds: float) -> None:
    """Ask for what is missing from ``part`` and append it."""
    with _open_url(url, part.size_bytes, timeout_seconds) as response:
        if response is not None:  # otherwise there is no rest: the part may be whole already
            _append(part, response, remote)


@contextmanager
def _open_url(url: str, offset: int, timeout_seconds: float) -> Iterator[HTTPResponse | None]:
    """The answer of a server that is asked for ``url`` from ``offset`` on; ``None`` when it says there is no more."""
    import urllib.error
    import urllib.request
    from http.client import HTTPException

    headers = {"User-Agent": "lucidgrad", "Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    try:
        response = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=timeout_seconds)
    except urllib.error.HTTPError as error:
        with error:
            if error.code != 416 or not offset:
                raise _MirrorError(f"HTTP status {error.code} {error.reason}") from error
        response = None
    except (OSError, HTTPException) as error:
        raise _MirrorError(_in_words(error)) from error
    if response is None:
        yield None
        return
    with response:
        yield response


def _append(part: _Part, response: HTTPResponse, remote: RemoteFile) -> None:
    """Write what comes to the end of ``part``, no more than the file can have."""
    offset, limit = part.size_bytes, remote.max_download_bytes
    if offset and not _continues_at(response, offset):
        part.file.truncate(0)
        offset = 0
    total = None if response.length is None else offset + response.length
    with _progress(remote.name, total) as show:
        for chunk in _chunks(response, offset, total):
            offset += len(chunk)
            if max(offset, total or 0) > limit:
                part.file.truncate(0)
                raise _MirrorError(f"sends more than the {limit:,} bytes that the file can have")
            part.file.write(chunk)
            show(offset)


def _continues_at(response: HTTPResponse, offset: int) -> bool:
    """Whether the server took the Range: one that knows none sends the whole file with status 200."""
    return response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {offset}-")


def _chunks(response: HTTPResponse, offset: int, total: int | None) -> Iterator[bytes]:
    """What comes, as it comes; errors of the connection, and only those, become _BrokenOffError."""
    from http.client import HTTPException

    while total is None or offset < total:
        try:
            chunk = response.read1(_READ_BYTES)
        except (OSError, HTTPException) as error:
            raise _BrokenOffError(f"broke off after {offset:,} bytes ({_in_words(error)})") from error
        if not chunk:
            if total is not None:
                raise _BrokenOffError(f"broke off after {offset:,} of {total:,} bytes")
            return
        offset += len(chunk)
        yield chunk


def _in_words(error: Exception) -> str:
    """Some errors of connections have no text, and ``urllib`` puts others into a ``reason``."""
    return str(getattr(error, "reason", "")) or str(error) or type(error).__name__


def _problem(part: _Part, remote: RemoteFile) -> str | None:
    """What is wrong with the bytes inside of ``part``, or ``None``."""
    part.file.flush()
    try:
        sha256 = contents_sha256(part.path, remote.size_bytes)
    except DataError as error:
        return str(error)
    return None if sha256 == remote.sha256 else f"sends other bytes: SHA-256 {sha256}, expected {remote.sha256}"


@contextmanager
def _progress(name: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on stderr where that is a terminal; call it with the bytes that are there."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(name, total=total)
        yield lambda done: progress.update(task, completed=done)
