"""Stands for a check that goes wrong at some seeds: finds, raises, crashes, or never ends."""

from __future__ import annotations

import os
import signal
import time


def check(seed: int) -> str:
    """What goes wrong depends on the seed alone."""
    if seed == 2:
        os.kill(os.getpid(), signal.SIGSEGV)
    if seed == 4:
        time.sleep(60)
    if seed == 6:
        raise RuntimeError("six")
    return "five is wrong" if seed == 5 else ""
