"""Random checks in child processes: a crash or an endless loop is one failure with its seed, and the others go on."""

from __future__ import annotations

import json
import os
import pickle
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.native.generate import program
from tests.native.programs import Program
from tests.native.shrink import shrunk

ROOT = Path(__file__).parents[2]
SECONDS = 120.0  # for one seed
MOST_FAILURES = 5


@dataclass
class Outcome:
    """What became of some seeds: how many were checked, and what was found wrong."""

    checked: int = 0
    failures: list[str] = field(default_factory=list)


def checked(module: str, first: int, last: int, *, mutant: str = "", seconds: float = SECONDS) -> Outcome:
    """Check the seeds from ``first`` to ``last - 1`` by the function ``check(seed) -> str`` of a module.

    A child that dies or hangs is followed by another one, from the next seed on.
    """
    outcome = Outcome()
    while first < last and len(outcome.failures) < MOST_FAILURES:
        seed = first
        for line in _lines(module, first, last, mutant, seconds):
            seed = line["seed"]
            if "died" in line:
                outcome.failures.append(_report(module, seed, line["died"] + _smaller(module, seed, mutant)))
            elif "found" in line:
                outcome.checked += 1
                if line["found"]:
                    outcome.failures.append(_report(module, seed, line["found"]))
                    if mutant:
                        return outcome
        first = seed + 1
    return outcome


def _report(module: str, seed: int, found: str) -> str:
    return f"seed {seed}; to see it again: PYTHONPATH=src python -m {module} {seed}\n{found}"


def _lines(module: str, first: int, last: int, mutant: str, seconds: float) -> Iterator[dict[str, Any]]:
    """What a child writes; where it does not come to its end, a last line says how it died."""
    command = [sys.executable, "-W", "error", "-m", "tests.native.worker", module, str(first), str(last)]
    seed, ended = first, False
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            [*command, *([mutant] if mutant else [])],
            stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT, env=_environment(),
        ) as child,
    ):  # fmt: skip
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=_read, args=(child.stdout, lines), daemon=True).start()
        try:
            while text := lines.get(timeout=seconds):
                line = json.loads(text)
                seed = line["seed"]
                yield line
            ended = True
        except queue.Empty:
            yield {"seed": seed, "died": f"nothing came for {seconds:g} seconds"}
            return
        finally:
            if not ended:
                child.kill()
        code = child.wait()
        if code:
            errors.seek(0)
            yield {"seed": seed, "died": f"the child ended with {_name(code)}\n{errors.read()[-3000:]}"}


def _read(stream: Any, lines: queue.Queue[str]) -> None:
    for line in stream:
        lines.put(line)
    lines.put("")


def _name(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _environment() -> dict[str, str]:
    """One thread for NumPy's products: two children run at a time."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def _smaller(module: str, seed: int, mutant: str) -> str:
    """The smallest program that crashes a child like this one."""
    if module != "tests.native.compare" or mutant:
        return ""
    return f"\nMade smaller:\n{shrunk(program(seed), crashes, most_trials=40)}"


def crashes(p: Program) -> bool:
    """Whether a child that runs the program dies of a signal."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program.pickle"
        path.write_bytes(pickle.dumps(p))
        command = [sys.executable, "-m", "tests.native.compare", str(path)]
        try:
            done = subprocess.run(
                command, cwd=ROOT, env=_environment(), capture_output=True, check=False, timeout=SECONDS
            )
        except subprocess.TimeoutExpired:
            return True
        return done.returncode < 0
