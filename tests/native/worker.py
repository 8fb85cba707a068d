"""The child of ``children``: checks one seed after the other, and writes a line before and behind each.

    python -m tests.native.worker tests.native.compare 0 100

With a fourth argument, the compiler is made wrong in the way ``mutants`` knows by that name.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import sys
from typing import Any


def work(module: str, first: int, last: int, mutant: str = "") -> None:
    """Check the seeds from first to last - 1 with the module's function ``check``."""
    check: Any = importlib.import_module(module).check
    if mutant:
        check = importlib.import_module("tests.native.mutants").checked_when_wrong(mutant)
    for seed in range(first, last):
        print(json.dumps({"seed": seed}), flush=True)
        found = check(seed)
        print(json.dumps({"seed": seed, "found": found}), flush=True)
        if found and mutant:
            return


if __name__ == "__main__":
    faulthandler.enable()
    work(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
