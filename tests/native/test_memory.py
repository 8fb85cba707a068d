"""Compiling whole programs again and again does not grow memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("llvmlite")

from tests.native.children import ROOT

STATM = Path("/proc/self/statm")
PROGRAMS = 30  # compiled over and over: other ones, of other sizes, have LLVM ask for more at its peaks
WARM_UP = 2 * PROGRAMS

PROGRAM = """
import gc, json, os, sys
from lucidgrad.compiler import machine
from lucidgrad.compiler.program import Program
from tests.native.generate import program

machine.KEPT = 4  # so that each of them is compiled every time
graphs = [program(seed).graph() for seed in range({programs})]
resident = []
for i in range({count}):
    graph = graphs[i % len(graphs)]
    Program(graph)
    if i % 20 == 19:
        gc.collect()
        resident.append(int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
print(json.dumps(resident))
"""


@pytest.mark.skipif(not STATM.exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("count", [100, pytest.param(1_000, marks=pytest.mark.long)])
def test_compiling_whole_programs_does_not_grow_memory(count):
    code = PROGRAM.format(programs=PROGRAMS, count=WARM_UP + count)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    resident = json.loads(done.stdout)
    # Measured: 2 KB each; a program that stays is 100 KB and more.
    assert resident[-1] - resident[WARM_UP // 20 - 1] < 1_000_000 + count * 4_000
