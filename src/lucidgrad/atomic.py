"""A file is either the old one or the whole new one: how everything that lucidgrad writes reaches the disk.

Write beside the target, ``fsync`` the bytes, rename over the target, ``fsync`` the folder. The order is the point:
a rename that reaches the disk before its bytes leaves an empty file after a power cut (Pillai et al., "All File
Systems Are Not Created Equal", OSDI 2014).
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a new binary file that takes the place of ``path`` when the block ends without an exception.

    The bytes go to a temporary file in the same folder, named ``.<name>.<random>.tmp``. When the block raises, or any
    step of the way fails, the temporary is removed and ``path`` is what it was before, byte for byte.

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
    target = Path(os.path.realpath(path))
    temporary, file = _create_beside(target)
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        replace_durably(temporary, target)
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise


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


def _create_beside(target: Path) -> tuple[Path, BinaryIO]:
    """Create a new file in the folder of ``target``, with the permissions ``target`` has or, being new, would get."""
    # 32 characters of at most 4 bytes: the name stays under the 255 bytes that file systems allow.
    temporary = target.with_name(f".{target.name[:32]}.{secrets.token_hex(8)}.tmp")
    # 0o666 less the user's umask is what open() gives a new file; tempfile's 0o600 would lock the group out.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with suppress(FileNotFoundError):
            temporary.chmod(stat.S_IMODE(target.stat().st_mode))
        return temporary, os.fdopen(descriptor, "wb")
    except BaseException:
        os.close(descriptor)
        temporary.unlink()
        raise
