"""From which share of zeros on leaving them out pays: steady epochs of 784-128-10 on inputs with more and more zeros.

python -m benchmarks.zeros [--threads 1 2] [--rounds 5]

With zeros left out and with all of them multiplied, in turn, in one process; MNIST too, where it is there. The zeros of
the made-up inputs are anywhere, or lie in runs of eight neighbours, as dark pixels do.
"""

from __future__ import annotations

import argparse
import statistics
from unittest import mock

import numpy as np

from benchmarks.cases import Data, case_named, load
from benchmarks.peers.lucidgrad_fit import FitTrainer, network, optimizer
from benchmarks.timing import in_turn, machine
from lucidgrad.training import native

SHARES = (0.0, 0.25, 0.5, 0.75, 0.9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=20_000)
    options = parser.parse_args()
    print(machine())
    for threads in options.threads:
        words = f"inputs, {threads} thread" + "s" * (threads > 1)
        print(f"\n| {words} | all multiplied, ms | zeros left out, ms | ratio |\n|---|---|---|---|")
        for title, data in inputs(options.rows):
            print(f"| {title} | {compared(data, threads, options.rounds)} |", flush=True)


def inputs(rows: int) -> list[tuple[str, Data]]:
    """Data sets of so many rows, each with its title."""
    case = case_named("mlp-sgd")
    mnist = load(case)
    made = [(mnist.source, Data(mnist.x[:rows], mnist.y[:rows], mnist.x_test, mnist.y_test, ""))]
    rng = np.random.default_rng(0)
    for run in (1, 8):
        for share in SHARES:
            kept = np.repeat(rng.random((rows, 784 // run)) >= share, run, axis=1)
            x = rng.random((rows, 784), np.float32) * kept
            made.append((f"{share:.0%} zeros, in runs of {run}", Data(x, rng.integers(0, 10, rows), x, mnist.y, "")))
    return made


def compared(data: Data, threads: int, rounds: int) -> str:
    """Milliseconds of an epoch both ways, and the ratio, for a row of the table."""
    case = case_named("mlp-sgd")
    trainers = {}
    for left_out in (False, True):
        with mock.patch.object(native, "mostly_zeros", lambda _, left_out=left_out: left_out):
            trainers[left_out] = FitTrainer(case, data, threads, 0, "native", network(case), optimizer(case))
            trainers[left_out].epoch()  # compiles
    measured = in_turn({str(way): each.epoch for way, each in trainers.items()}, rounds)
    for each in trainers.values():
        each.close()
    before, after = (statistics.median(seconds) for seconds in measured.values())
    ratio = statistics.median(b / a for a, b in zip(*measured.values(), strict=True))
    return f"{1e3 * before:.3g} | {1e3 * after:.3g} | {ratio:.2f}"


if __name__ == "__main__":
    main()
