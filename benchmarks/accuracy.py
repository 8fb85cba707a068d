"""The same network trained by every peer, over several seeds: test accuracy after the same number of epochs.

python -m benchmarks.accuracy [--seeds 5] [--epochs 3] [--peers native jax]

784-128-10 with Adam on MNIST: fast and wrong would be no use. Each peer draws its own start and its own order.
"""

from __future__ import annotations

import argparse
import statistics

from benchmarks.cases import case_named, load
from benchmarks.peers import PEERS
from benchmarks.timing import machine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--peers", nargs="+", choices=list(PEERS), default=["native", "torch", "jax", "sklearn"])
    options = parser.parse_args()
    case = case_named("mlp-adam")
    data = load(case)
    print(f"{machine()}; {data.source}; {options.seeds} seeds, {options.epochs} epochs")
    print("\n| peer | test accuracy | worst and best seed |\n|---|---|---|")
    for peer in (p for p in options.peers if PEERS[p].available()):
        found = []
        for seed in range(options.seeds):
            trainer = PEERS[peer].prepare(case, data, 2, seed)
            for _ in range(options.epochs):
                trainer.epoch()
            found.append(100 * trainer.accuracy(data.x_test, data.y_test))
            trainer.close()
        spread = statistics.stdev(found) if len(found) > 1 else 0.0
        print(
            f"| {PEERS[peer].name} | {statistics.mean(found):.2f} ± {spread:.2f} % | "
            f"{min(found):.2f} %, {max(found):.2f} % |",
            flush=True,
        )


if __name__ == "__main__":
    main()
