"""Everything measured, one after the other, and written down: ``python -m benchmarks.page [--data FOLDER] [--quick]``.

Writes docs/benchmarks.md between its marks, and the chart beside it.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

from benchmarks.peers import PEERS

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
CHART = ROOT / "docs" / "images" / "benchmarks.png"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def measured(module: str, *arguments: str) -> str:
    """What a benchmark prints."""
    command = [sys.executable, "-m", f"benchmarks.{module}" if module else "benchmarks", *arguments]
    print("$", " ".join(["python", *command[1:]]), flush=True)
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        return f"Failed: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else done.returncode}\n"
    print(done.stdout, flush=True)
    return done.stdout.strip() + "\n"


def epochs_of(text: str) -> dict[str, dict[str, float]]:
    """From the tables of steady epochs: of each case the best time of each peer, in seconds."""
    found: dict[str, dict[str, float]] = {}
    for title, rows in re.findall(r"^## (.*?) \(.*?\)\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE):
        best = found.setdefault(title, {})
        for peer, seconds in re.findall(r"^\| (.+?) \| \d+ \| [\d.]+ \| ([\d.e-]+) \|", rows, re.MULTILINE):
            best[peer] = min(best.get(peer, float("inf")), float(seconds))
    return found


def draw(found: dict[str, dict[str, float]]) -> None:
    """How many times as long as lucidgrad each peer takes; a logarithmic axis, a mark for each peer."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    peers = list(dict.fromkeys(p for best in found.values() for p in best if not p.startswith("lucidgrad")))
    figure, axes = plt.subplots(figsize=(9, 0.55 * len(found) + 1.4), layout="constrained")
    colours = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00")  # Okabe and Ito (2008): told apart by everybody
    for peer, colour, mark in zip(peers, colours, "os^Dv", strict=False):
        points = [(best[peer] / best["lucidgrad"], y) for y, best in enumerate(found.values()) if peer in best]
        axes.plot(*zip(*points, strict=True), mark, color=colour, markersize=8, label=peer)
    axes.axvline(1, color="0.3", linewidth=1)
    axes.set(
        xscale="log", yticks=range(len(found)), yticklabels=list(found), xlabel="times as long as lucidgrad (epoch)"
    )
    axes.invert_yaxis()
    axes.grid(axis="x", which="both", alpha=0.3)
    figure.legend(loc="outside upper center", ncols=len(peers), frameon=False)
    figure.savefig(CHART, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("LUCIDGRAD_DATA"), help="folder with the MNIST files")
    parser.add_argument("--quick", action="store_true", help="one round of the smallest case, printed and not written")
    options = parser.parse_args()
    if options.quick:
        text = measured("", "--quick", "--cases", "tiny", "--peers", "native", "sklearn", "--threads", "1")
        assert epochs_of(text), text
        return
    data = [] if options.data is None else ["--data", options.data]
    peers = [key for key in PEERS if key != "tinygrad"]
    epochs = measured("", "--rounds", "3", "--peers", *peers)
    draw(epochs_of(epochs))
    # tinygrad takes minutes where the others take a second: two networks and a round say enough.
    slow = "--cases", "tiny", "mlp-adam", "--peers", "native", "tinygrad", "--threads", "2", "--rounds", "1"
    parts = [
        "![How many times as long as lucidgrad the others take](images/benchmarks.png)\n",
        epochs,
        "## tinygrad\n",
        measured("", *slow),
        "## The arithmetic limit\n",
        measured("arithmetic"),
        "## Leaving out zeros\n",
        measured("zeros"),
        "## From a run to its first step\n",
        measured("compile_time"),
        "## What layers and rules cost\n",
        measured("costs"),
        "## As right as the others\n",
        measured("accuracy"),
        "## Asking a model\n",
        measured("predict"),
    ]
    if data:
        parts += ["## A cold process, to 97.5 % on MNIST\n", measured("cold", *data)]
    parts += ["## scikit-learn's estimators\n", measured("estimators", *data), measured("estimators_predict")]
    parts += ["## Footprint\n", measured("footprint")]
    page = PAGE.read_text(encoding="utf-8")
    before, after = page[: page.index(BEGIN) + len(BEGIN)], page[page.index(END) :]
    PAGE.write_text(f"{before}\n\n" + "\n".join(parts) + f"\n{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
