"""A file is either the old one or the whole new one: how everything that lucidgrad writes reaches the disk.

Write beside the target, ``fsync`` the bytes, rename over the target, ``fsync`` the folder. The order is the point:
a rename that reaches the disk before its bytes leaves an empty file after a power cut (Pillai et al., "All File
Systems Are Not Created Equal", OSDI 2014).

A process that is killed leaves its temporary file behind. The next writer of the same target removes it, if it is
sure that nobody writes it any more: whoever does holds a lock on it, which the system lets go of with the process.
Locks may not reach from one machine to another, so temporaries are named by the machine too, and those of another one
are left alone. Windows has no such locks, but removes no file that is open.
"""

from __future__ import annotations

import errno
import hashlib
import os
import platform
import re
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO

if sys.platform != "win32":
    import fcntl

HAS_LOCKS = sys.platform != "win32"
QUIET_SECONDS = 60
"""Without locks: so long nobody has written to a temporary that is removed, as it is closed before it is renamed."""

_ours: set[Path] = set()  # where locks are those of the process (NFS), it would get its own once more


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a new binary file that takes the place of ``path`` when the block ends without an exception.

    The bytes go to a temporary file in the same folder, named ``.<name>.<16 digits>.tmp``. When the block raises, or
    any step of the way fails, the temporary is removed and ``path`` is what it was before, byte for byte. Temporaries
    of ``path`` that killed processes of this machine have left are removed first.

    Parameters
    ----------
    path
        The file to write. Its folder must exist. A link is followed: the file it points to is replaced, the link stays.
        A file that is replaced hands its permissions on to the new one.

    Yields
    ------
    BinaryIO
        A file open for writing at its beginning.

    Raises
    ------
    OSError
        As the operating system gives it (no space, no permission, no such folder): never swallowed.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from lucidgrad.atomic import atomic_write
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = Path(folder) / "weights.bin"
    ...     with atomic_write(target) as file:
    ...         _ = file.write(b"all of it")
    ...     print(target.read_bytes(), len(list(Path(folder).iterdir())))
    b'all of it' 1
    """
    with _written_beside(path) as (_, file):
        yield file


@contextmanager
def atomic_write_of_parts(path: str | os.PathLike[str]) -> Iterator[tuple[BinaryIO, Path]]:
    """``atomic_write``, with a folder for what the file is put together from; it lives no longer than the temporary."""
    with _written_beside(path) as (temporary, file):
        folder = _parts(temporary)
        folder.mkdir()
        try:
            yield file, folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _written_beside(path: str | os.PathLike[str]) -> Iterator[tuple[Path, BinaryIO]]:
    """The temporary of a file that is written, and what it is written with."""
    target = Path(os.path.realpath(path))
    remove_left_behind(target)
    temporary, file = _create_beside(target)
    try:
        with file:
            yield temporary, file
            file.flush()
            os.fsync(file.fileno())
            if HAS_LOCKS:  # held until nothing is left to be taken for a dead man's
                replace_durably(temporary, target)
        if not HAS_LOCKS:  # Windows renames no open file
            replace_durably(temporary, target)
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise
    finally:
        _ours.discard(temporary)


def replace_durably(temporary: Path, target: Path) -> None:
    """Rename ``temporary``, whose bytes are on the disk already, to ``target``, and put the rename on the disk too."""
    os.replace(temporary, target)  # noqa: PTH105 - named as the system call that the order is about
    fsync_folder(target.parent)


def fsync_folder(folder: Path) -> None:
    """Put the names in ``folder`` on the disk. Where a system has no such act (Windows, some network drives), pass."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


# --- the temporary ----------------------------------------------------------------------------------------------------


def _create_beside(target: Path) -> tuple[Path, BinaryIO]:
    """Create a new file in the folder of ``target``, with the permissions ``target`` has or, being new, would get."""
    while True:
        temporary = target.with_name(f"{_beginning(target)}{os.urandom(4).hex()}.tmp")
        _ours.add(temporary)
        try:
            # 0o666 less the user's umask is what open() gives a new file; tempfile's 0o600 would lock the group out.
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        except BaseException as error:
            _ours.discard(temporary)
            if isinstance(error, FileExistsError):
                continue
            raise
        try:
            _lock(descriptor)
            if HAS_LOCKS and not os.fstat(descriptor).st_nlink:  # somebody was quicker, and took it for left behind
                os.close(descriptor)
                _ours.discard(temporary)
                continue
            with suppress(FileNotFoundError):
                temporary.chmod(stat.S_IMODE(target.stat().st_mode))
            return temporary, os.fdopen(descriptor, "wb")
        except BaseException:
            with suppress(OSError):  # an interrupt right behind fdopen: the file that was given up has closed it
                os.close(descriptor)
            temporary.unlink(missing_ok=True)
            _ours.discard(temporary)
            raise


def _beginning(target: Path) -> str:
    """How temporaries of a file begin that this machine writes."""
    # 32 characters of at most 4 bytes: the name stays under the 255 bytes that file systems allow.
    return f".{target.name[:32]}.{_machine()}"


@cache
def _machine() -> str:
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]


def _parts(temporary: Path) -> Path:
    return temporary.with_name(f"{temporary.name}.parts")


def _lock(descriptor: int) -> None:
    """Say that somebody writes here, until the file is closed; wait for who looks whether it is so."""
    if HAS_LOCKS:
        with suppress(OSError):  # where there are no locks nobody gets one, and nothing is removed
            fcntl.flock(descriptor, fcntl.LOCK_EX)


# --- left behind ------------------------------------------------------------------------------------------------------


def remove_left_behind(target: Path) -> None:
    """Remove the temporaries of ``target`` that nobody of this machine writes any more. What cannot be is left."""
    pattern = re.compile(re.escape(_beginning(target)) + r"[0-9a-f]{8}\.tmp")
    try:
        with os.scandir(target.parent) as entries:
            found = [target.with_name(e.name) for e in entries if pattern.fullmatch(e.name)]
    except OSError:
        return
    for temporary in found:
        if temporary not in _ours:
            with suppress(OSError):
                _remove_if_free(temporary)


def _remove_if_free(temporary: Path) -> None:
    if not HAS_LOCKS:
        if time.time() - temporary.lstat().st_mtime > QUIET_SECONDS:
            temporary.unlink()  # refused while it is open
            shutil.rmtree(_parts(temporary), ignore_errors=True)
        return
    descriptor = _opened(temporary)
    try:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # an error while somebody holds it
            shutil.rmtree(_parts(temporary), ignore_errors=True)
            temporary.unlink()
    finally:
        os.close(descriptor)


def _opened(temporary: Path) -> int:
    """Neither through a link nor waiting for a pipe; for writing, which a lock on a network drive asks for."""
    careful = os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        return os.open(temporary, os.O_RDWR | careful)
    except PermissionError:
        return os.open(temporary, os.O_RDONLY | careful)
