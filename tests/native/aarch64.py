"""Runs programs on an AArch64 that QEMU plays: the same assembly, made into objects and linked with a small runner.

    python -m tests.native.aarch64 3   # some programs and steps, and where their bits differ, if anywhere

What it needs besides llvmlite: ``qemu-aarch64`` or ``qemu-aarch64-static`` (Debian: qemu-user-static) and
``aarch64-linux-gnu-gcc`` with its C library (Debian: gcc-aarch64-linux-gnu, libc6-dev-arm64-cross), which only links.
"""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lucidgrad.compiler.machine import BASELINE, Target
from lucidgrad.compiler.program import Program
from lucidgrad.graph import Value
from tests.native.generate import program
from tests.native.steps import step
from tests.native.targets import run, same_bits

TRIPLE = "aarch64-unknown-linux-gnu"
LINKER = "aarch64-linux-gnu-gcc"
PROGRAMS, STEPS = 40, 10  # random programs, and training steps, in one binary
OWN, ARENA = 1, 2  # where a slot of a program's table points: memory of its own, or a place in the arena

# Reads for each program the size of its arena and its slots; runs it; writes its error and the slots of its results.
RUNNER = """
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void (*Run)(uint64_t *, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t);
%(declarations)s
static Run programs[] = {%(names)s};

static int64_t number(void) {
    int64_t n;
    if (fread(&n, sizeof n, 1, stdin) != 1) exit(3);
    return n;
}

static char *memory(int64_t size) {
    char *p = aligned_alloc(128, (size + 255) / 128 * 128);
    if (!p) exit(4);
    memset(p, 0, (size + 255) / 128 * 128);
    return p;
}

int main(void) {
    for (int k = 0; k < %(count)d; k++) {
        char *arena = memory(number());
        int64_t slots = number();
        uint64_t *table = (uint64_t *)memory(8 * slots);
        int64_t *size = (int64_t *)memory(8 * slots);
        for (int64_t i = 0; i < slots; i++) {
            int64_t kind = number(), n = number();
            size[i] = n;
            if (kind == 2) table[i] = (uint64_t)(arena + n);
            if (kind != 1) continue;
            table[i] = (uint64_t)memory(n);
            if (n && fread((char *)table[i], 1, n, stdin) != (size_t)n) exit(5);
        }
        programs[k](table, 0, 1, 0, 1, 0, 0);
        for (int64_t results = number(); results > 0; results--) {
            int64_t slot = number();
            fwrite((char *)table[slot], 1, size[slot], stdout);
        }
    }
    return 0;
}
"""


@cache
def emulator() -> str:
    """QEMU's name, where it is installed."""
    return next((name for name in ("qemu-aarch64", "qemu-aarch64-static") if shutil.which(name)), "")


def missing() -> str:
    """Why it cannot be run here; nothing where it can."""
    if not emulator():
        return "qemu-aarch64 is not installed (Debian: qemu-user-static)"
    if not shutil.which(LINKER):
        return f"{LINKER} is not installed (Debian: gcc-aarch64-linux-gnu and libc6-dev-arm64-cross)"
    import llvmlite.binding as llvm

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    try:
        llvm.Target.from_triple(TRIPLE)
    except RuntimeError:
        return "this llvmlite makes no code for AArch64"
    return ""


def check(number: int) -> str:
    """Where bits of some programs and training steps differ from those of this machine; nothing where they agree."""
    seeds = range(number * PROGRAMS, (number + 1) * PROGRAMS)
    drawn = [(f"the program of seed {s}", p.graph(), p.tensors()) for s in seeds for p in [program(s)]]
    graphs = [(name, graph, [t.numpy() for t in tensors]) for name, graph, tensors in drawn]
    graphs += [(f"the step of seed {s}", *step(s)) for s in range(number * STEPS, (number + 1) * STEPS)]
    expected = [run(Program(graph), inputs) for _, graph, inputs in graphs]
    # The tiles of products are those of a machine with as few registers as the baseline.
    made = [(Program(graph, target=Target(BASELINE)), inputs) for _, graph, inputs in graphs]
    with tempfile.TemporaryDirectory() as folder:
        got = run_all(made, Path(folder))
    for (name, graph, _), here, there in zip(graphs, expected, got, strict=True):
        for k, (a, b) in enumerate(zip(here, there, strict=True)):
            if not same_bits(a, b):
                return f"result {k} of {name} has other bits on AArch64\n{graph}"
    return ""


def run_all(programs: list[tuple[Program, list[Any]]], folder: Path) -> list[list[Any]]:
    """The outputs of each program that are computed, as ``targets.run`` gives them, from an AArch64."""
    paths = []
    for k, (made, _) in enumerate(programs):
        paths.append(folder / f"program{k}.o")
        paths[-1].write_bytes(code(_renamed(made.text, k)))
    names = [f"run_{k}" for k in range(len(programs))]
    runner = folder / "runner.c"
    runner.write_text(
        RUNNER
        % {
            "declarations": "\n".join(
                f"void {n}(uint64_t *, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t);" for n in names
            ),
            "names": ", ".join(names),
            "count": len(names),
        }
    )
    binary = folder / "runner"
    subprocess.run([LINKER, "-static", "-O1", "-o", str(binary), str(runner), *map(str, paths), "-lm"], check=True)
    given = b"".join(_image(made, inputs) for made, inputs in programs)
    done = subprocess.run([emulator(), str(binary)], input=given, capture_output=True, check=True)
    return _results([made for made, _ in programs], done.stdout)


def _renamed(text: str, number: int) -> str:
    """The module with a number behind the names that others see, so that it can be linked with its like."""
    for name in re.findall(r"^define (?!internal)[^@]*@(\w+)\(", text, re.MULTILINE):
        text = text.replace(f"@{name}(", f"@{name}_{number}(")
    return text


def code(text: str) -> bytes:
    """The object of a module in LLVM's assembly language."""
    import llvmlite.binding as llvm

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple(TRIPLE).create_target_machine(opt=1, reloc="static")
    module = llvm.parse_assembly(text)
    module.triple = TRIPLE
    module.verify()
    made: bytes = machine.emit_object(module)
    return made


def _results_of(made: Program) -> dict[Value, Any]:
    """The buffers of the outputs that are computed."""
    return {v: b for v, b in zip(made.graph.outputs, made.plan.outputs, strict=True) if b is not None}


def _image(made: Program, inputs: list[Any]) -> bytes:
    """What the runner reads for a program."""
    slots: list[bytes] = [struct.pack("<qq", 0, 0)] * made.plan.slots
    plan = made.plan
    for slot in (plan.error_slot, plan.barrier_slot):
        slots[slot] = _own(np.zeros(64, np.int64))
    for buffer in plan.buffers:
        if buffer.place is not None:
            slots[buffer.slot] = struct.pack("<qq", ARENA, buffer.place)
    for buffer, array in [*plan.constants, *zip(plan.inputs, inputs, strict=True)]:
        slots[buffer.slot] = _own(array)
    for buffer in _results_of(made).values():
        slots[buffer.slot] = _own(np.zeros(buffer.shape, buffer.dtype))
    wanted = [b.slot for b in _results_of(made).values()]
    head = struct.pack("<qq", plan.arena_bytes, plan.slots)
    return head + b"".join(slots) + struct.pack(f"<{1 + len(wanted)}q", len(wanted), *wanted)


def _own(array: Any) -> bytes:
    raw = np.ascontiguousarray(array).tobytes()
    return struct.pack("<qq", OWN, len(raw)) + raw


def _results(programs: list[Program], raw: bytes) -> list[list[Any]]:
    made, start = [], 0
    for p in programs:
        arrays = []
        for buffer in _results_of(p).values():
            size = int(np.prod(buffer.shape, dtype=int)) * buffer.dtype.itemsize
            arrays.append(np.frombuffer(raw[start : start + size], buffer.dtype).reshape(buffer.shape))
            start += size
        made.append(arrays)
    assert start == len(raw), "the runner wrote what the programs have"
    return made


if __name__ == "__main__":
    found = missing() or check(int(sys.argv[1]))
    print(found or "the same bits")
    sys.exit(bool(found))
