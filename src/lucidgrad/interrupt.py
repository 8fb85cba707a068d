"""Ctrl-C while a command is still being loaded is a line and an exit code, as later on, and no traceback.

While Python itself starts, before this file is reached, Ctrl-C ends it with words and exit codes of Python's (1 or the
signal). So this file comes first, and imports as little as can be.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

INTERRUPTED = 130

_came = False


def until_loaded() -> None:
    """Leave at once on Ctrl-C when the process was started as the command, until ``loaded`` is called.

    A program that imports lucidgrad keeps what it does on Ctrl-C, and a process that was told to ignore it ignores it.
    """
    at_rest = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if at_rest and is_command(sys.argv, sys.orig_argv):
        try:
            signal.signal(signal.SIGINT, _leave)
        except ValueError:  # not the main thread, which alone gets signals
            return


def loaded() -> bool:
    """From here on Ctrl-C is an exception again, so that whatever is open can be cleaned up; whether it was not."""
    global _came
    _came = False
    was_left_at_once = signal.getsignal(signal.SIGINT) is _leave
    if was_left_at_once:
        signal.signal(signal.SIGINT, _raise)
    return was_left_at_once


def note() -> None:
    """Ctrl-C came, says who has seen to it himself."""
    global _came
    _came = True


def came() -> bool:
    """Whether Ctrl-C came since the command was loaded; what fails then may fail because of it.

    The exception of Ctrl-C does not always arrive: an extension module that is being loaded makes an ImportError of it,
    and a library that is not written in Python may panic.
    """
    return _came


def done() -> None:
    """From here on Ctrl-C is too late: all is written, and Python ends in a moment, with the exit code of the work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A Ctrl-C that passed through an exec of text (a dataclass is made by one) counts as one that nobody has caught,
    # for which python -m ends by the signal in the place of the exit code, until the next exec of text begins.
    exec("")


def is_command(argv: list[str], orig_argv: list[str]) -> bool:
    """Whether these are the arguments of ``lucidgrad ...`` or ``python -m lucidgrad ...``.

    >>> is_command(["/usr/bin/lucidgrad", "lab"], ["python", "/usr/bin/lucidgrad", "lab"])
    True
    >>> is_command(["-m", "lab"], ["python", "-W", "error", "-m", "lucidgrad", "lab"])
    True
    >>> is_command(["train.py"], ["python", "train.py", "-m", "lucidgrad"])
    False
    """
    name = argv[0] if argv else ""
    if name == "-m":
        return ("-m", "lucidgrad") in itertools.pairwise(orig_argv)
    return os.path.splitext(os.path.basename(name))[0] == "lucidgrad"  # noqa: PTH119, PTH122 - pathlib takes its time


def _raise(number: int, frame: Any) -> NoReturn:
    note()
    raise KeyboardInterrupt


def _leave(number: int, frame: Any) -> NoReturn:
    os.write(2, b"lucidgrad: interrupted\n")
    os._exit(INTERRUPTED)  # an exception may be swallowed by a half-loaded library


until_loaded()
