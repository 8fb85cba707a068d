"""From a Run to its first native step, for each network of the benchmarks: each in a process of its own.

python -m benchmarks.compile_time [--rounds 5]

The processes have imported everything and have compiled nothing. What is measured is ``fit`` with a data set of one
batch: tracing, passes, kernels, LLVM, and the one step.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

from benchmarks.cases import CASES, case_named
from benchmarks.timing import machine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--case", choices=[c.key for c in CASES], help="measure this one, in this process")
    options = parser.parse_args()
    if options.case:
        print(first_step(options.case))
        return
    cases = [case for case in CASES if not case.dense]  # to compile, it is the same network
    seconds: dict[str, list[float]] = {case.key: [] for case in cases}
    for _ in range(options.rounds):
        for key, found in seconds.items():
            command = [sys.executable, "-m", "benchmarks.compile_time", "--case", key]
            found.append(float(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    print(machine())
    print("\n| network | to the first step, median, s | from – to |\n|---|---|---|")
    for case in cases:
        found = seconds[case.key]
        title = f"{case.network}, batch {case.batch}, {case.optimizer}"
        print(f"| {title} | {statistics.median(found):.3f} | {min(found):.3f} – {max(found):.3f} |")


def first_step(key: str) -> float:
    """Seconds of a ``fit`` of a single step, compiling included and importing not."""
    import numpy as np

    import lucidgrad as lg
    from benchmarks.peers.lucidgrad_fit import network, optimizer
    from lucidgrad.compiler import machine as _llvm

    assert _llvm.available()
    case = case_named(key)
    lg.seed(0)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((case.batch, case.sizes[0]), np.float32)
    y = rng.integers(0, case.sizes[-1], case.batch)
    _llvm.description()  # LLVM is loaded
    model, rule = network(case), optimizer(case)
    fit = lg.fit
    start = time.perf_counter()
    fit(
        model,
        x,
        y,
        loss="cross_entropy",
        optimizer=rule,
        epochs=1,
        batch_size=case.batch,
        engine="native",
        progress=False,
    )
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
