"""Ctrl-C while a command is still being loaded is a line and an exit code, as later on, and no traceback."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

INTERRUPTED = 130


def until_loaded() -> None:
    """Leave at once on Ctrl-C when the process was started as the command, until ``loaded`` is called.

    A program that imports lucidgrad keeps what it does on Ctrl-C, and a process that was told to ignore it ignores it.
    """
    at_rest = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if at_rest and threading.current_thread() is threading.main_thread() and is_command(sys.argv, sys.orig_argv):
        signal.signal(signal.SIGINT, _leave)


def loaded() -> bool:
    """From here on Ctrl-C is an exception again, so that whatever is open can be cleaned up; whether it was not."""
    was_left_at_once = signal.getsignal(signal.SIGINT) is _leave
    if was_left_at_once:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return was_left_at_once


def done() -> None:
    """From here on Ctrl-C is too late: all is written, and Python ends in a moment, with the exit code of the work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


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
        return any(pair == ("-m", "lucidgrad") for pair in itertools.pairwise(orig_argv))
    return Path(name).stem == "lucidgrad"


def _leave(number: int, frame: Any) -> NoReturn:
    os.write(2, b"lucidgrad: interrupted\n")
    os._exit(INTERRUPTED)  # an exception may be swallowed by a half-loaded library


until_loaded()
