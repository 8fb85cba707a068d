"""How right the lab's default networks are on MNIST: mean and standard deviation over seeds, against the reference.

    python benchmarks/mnist_accuracy.py --data FOLDER --seeds 5

trains 784-10, 784-128-10 and 784-256-128-10 on the 60,000 training images with the settings that ``lucidgrad lab`` has
for MNIST, judges them on the 10,000 test images, and ends with exit code 1 where a mean is below its reference.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lucidgrad.lab import default_settings, load_task, run_lab
from lucidgrad.lab.figures import evidence
from lucidgrad.lab.progress import LabProgress

REFERENCE = {1: 0.92, 2: 0.980, 3: 0.982}
"""The least mean test accuracy by the number of layers."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the folder of the MNIST files (default: the usual places)")
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds, from 0 on (default: 5)")
    options = parser.parse_args()

    task = load_task("mnist", options.data)
    settings = default_settings(task, activations=("relu",), seeds=options.seeds, depths=(), descent_epochs=0)
    experiment = run_lab(task, settings, LabProgress() if LabProgress.is_wanted() else None)
    if experiment.interrupted:
        return 130
    print(
        f"MNIST, {settings.seeds} seeds, {settings.epochs} epochs, {settings.optimizer}, {settings.schedule} up to "
        f"{settings.learning_rate}, minibatches of {settings.batch_size}, dropout {settings.dropout}, weight decay "
        f"{settings.weight_decay}\n"
    )
    print("| network | test accuracy | reference | each seed | train accuracy | seconds |")
    print("|---|---|---|---|---|---|")
    failed = False
    for network in evidence(experiment).networks:
        reference = REFERENCE[network.layers]
        failed |= network.accuracy < reference
        each = ", ".join(f"{100 * result.test_accuracy:.2f}" for result in network.results)
        test = f"{100 * network.accuracy:.2f} ± {100 * network.deviation:.2f} %"
        train = f"{100 * network.mean('train_accuracy'):.2f} %"
        seconds = f"{network.mean('seconds'):.1f}"
        print(f"| {network.name} | {test} | {100 * reference:.1f} % | {each} | {train} | {seconds} |")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
