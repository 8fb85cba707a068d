"""Steady epochs of lucidgrad and of every peer that is installed, taking turns: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
from pathlib import Path

from benchmarks.cases import CASES, Case
from benchmarks.child import Child
from benchmarks.peers import PEERS

ROUND_SECONDS = 0.3
"""Short epochs are repeated until a turn takes about this long."""


def main() -> None:
    options = arguments()
    names = [p for p in options.peers if PEERS[p].available() and PEERS[p].trains]
    lines = [
        "# Benchmarks",
        "",
        f"Seconds of a steady epoch, with shuffling and gathering, float32: median of {options.rounds} rounds in turn. "
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; "
        + ", ".join(f"{PEERS[p].name} {PEERS[p].version()}" for p in names)
        + ".",
        "",
    ]
    missing = [PEERS[p].name for p in options.peers if not PEERS[p].available()]
    if missing:
        lines += [f"Not installed here: {', '.join(missing)}.", ""]
    for case in CASES:
        if case.key in options.cases:
            lines += measure(case, names, options.threads, options.rounds)
            print("\n".join(lines[-len(names) * len(options.threads) - 6 :]), flush=True)
    if options.output:
        options.output.write_text("\n".join(lines), encoding="utf-8")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    keys = [case.key for case in CASES]
    parser.add_argument("--cases", nargs="+", choices=keys, default=keys)
    parser.add_argument("--peers", nargs="+", choices=list(PEERS), default=list(PEERS))
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one round")
    parser.add_argument("--output", type=Path, help="a Markdown file to write")
    options = parser.parse_args()
    options.rounds = 1 if options.quick else options.rounds
    return options


def measure(case: Case, peers: list[str], threads: list[int], rounds: int) -> list[str]:
    """The table of a case: each process sets up once, then they take turns."""
    children = {(peer, n): Child(peer, case.key, n) for peer in peers for n in threads}
    first, seconds, errors, source = {}, {way: [] for way in children}, {}, ""
    try:
        for way, child in children.items():
            answer = child.ask(1)
            if "error" in answer:
                errors[way] = answer["error"]
            else:
                first[way], source = answer["seconds"], answer["source"]
        epochs = {way: max(1, int(ROUND_SECONDS / children[way].ask(1)["seconds"])) for way in first}
        for _ in range(rounds):
            for way in epochs:
                seconds[way].append(children[way].ask(epochs[way])["seconds"] / epochs[way])
    finally:
        for child in children.values():
            child.close()
    medians = {way: statistics.median(seconds[way]) for way in epochs}
    fastest = min(medians.values(), default=1.0)
    lines = [f"## {case.title} ({source})", "", "| peer | threads | first epoch, s | epoch, s | to the fastest |"]
    lines.append("|---|---|---|---|---|")
    for (peer, n), median in medians.items():
        ratio = median / fastest
        lines.append(f"| {PEERS[peer].name} | {n} | {first[peer, n]:.2f} | {median:.4g} | {ratio:.2f} |")
    lines += [f"| {PEERS[peer].name} | {n} | failed | {message[:80]} | |" for (peer, n), message in errors.items()]
    return [*lines, ""]


if __name__ == "__main__":
    main()
