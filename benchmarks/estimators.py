"""MLPClassifier against scikit-learn's: the time of fit and predict, and the test score over five seeds.

    python -m benchmarks.estimators [--data FOLDER] [--threads N] [--processor]

FOLDER holds the four MNIST files; without them the table of the digits that scikit-learn ships takes their place.
``--processor`` measures the processor's time in place of the clock's, on a machine that does other things beside: with
one thread alone. Behind MNIST stands what its arithmetic allows at most.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
from sklearn import datasets, neural_network
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

import lucidgrad as lg
from benchmarks.timing import in_turn, machine, table

SEEDS = 5
LIBRARIES = {"scikit-learn": neural_network.MLPClassifier, "lucidgrad": lg.MLPClassifier}
MNIST_EPOCHS = 5


class Comparison:
    """What both libraries need for one network."""

    def __init__(self, threads, clock):
        self.threads, self.clock = threads, clock

    def compare(self, title, data, rounds, **options):
        """Print the times and scores; the median seconds of a fit by the name of the library."""
        train, test, y_train, y_test = data
        fitted = {}

        def fit(name, seed=0):
            own = {"threads": self.threads} if name == "lucidgrad" and self.threads else {}
            fitted[name] = LIBRARIES[name](**options, **own, random_state=seed).fit(train, y_train)
            return fitted[name]

        title = f"{title}, {train.dtype.name}"
        measured = in_turn({name: lambda name=name: fit(name) for name in LIBRARIES}, rounds, clock=self.clock)
        print(f"\n{table(f'{title}, fit', measured, 'lucidgrad')}")
        asked = {name: lambda name=name: fitted[name].predict(test) for name in LIBRARIES}
        print(f"\n{table(f'{title}, predict', in_turn(asked, 5 * rounds, clock=self.clock), 'lucidgrad')}")
        for name in LIBRARIES:
            scores = [fit(name, seed).score(test, y_test) for seed in range(SEEDS)]
            print(
                f"{name}: test score {statistics.mean(scores):.4f} ± {statistics.stdev(scores):.4f} over {SEEDS} seeds"
            )
        return {name: statistics.median(seconds) for name, seconds in measured.items()}


def limit(units, rows, seconds, clock):
    """What an epoch's products take at least: at the rate of the best square product in float32 that NumPy makes."""
    sizes = [a * b for a, b in pairwise(units)]
    operations = rows * (6.0 * sum(sizes) - 2.0 * sizes[0])  # of the inputs no gradient is asked for
    rate = best_product(clock)
    theirs, ours, least = (*(seconds[name] / MNIST_EPOCHS for name in LIBRARIES), operations / rate)
    return (
        f"\nAn epoch has {operations / 1e9:.1f} GFLOP in products. At the {rate / 1e9:.0f} GFLOP/s of NumPy's best "
        f"square product they take {least * 1e3:.0f} ms; lucidgrad takes {ours * 1e3:.0f} ms and scikit-learn "
        f"{theirs * 1e3:.0f} ms with shuffling, gathering, losses and Adam. What does this arithmetic at that rate, "
        f"and nothing else at all, is {theirs / least:.1f} times as quick as scikit-learn."
    )


def best_product(clock):
    """Operations a second."""
    best = 0.0
    for size in (512, 1024, 2048):
        a, b = np.random.default_rng(0).standard_normal((2, size, size), np.float32)
        made = np.empty_like(a)
        for _ in range(2**33 // size**3):
            start = clock()
            np.matmul(a, b, out=made)
            best = max(best, 2.0 * size**3 / (clock() - start))
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with the MNIST files")
    parser.add_argument("--threads", type=int, help="of both; by default each chooses")
    parser.add_argument("--processor", action="store_true", help="measure the processor's time, with one thread")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    threads = 1 if arguments.processor else arguments.threads
    print(machine())
    with threadpool_limits(threads):
        everything(arguments.data, threads, time.process_time if arguments.processor else time.perf_counter)


def everything(folder, threads, clock):
    both = Comparison(threads, clock)
    for dtype in (np.float32, np.float64):
        x, y = datasets.load_iris(return_X_y=True)
        iris = train_test_split(x.astype(dtype), y, random_state=0)
        both.compare("iris, 4-8-3, batch 112", iris, 7, hidden_layer_sizes=(8,), learning_rate_init=0.01)
        both.compare("iris, 4-8-3, batch 32", iris, 7, hidden_layer_sizes=(8,), learning_rate_init=0.01, batch_size=32)
    if folder is None:
        x, y = datasets.load_digits(return_X_y=True)
        digits = train_test_split((x / 16).astype(np.float32), y, random_state=0)
        both.compare("digits, 64-100-10, batch 200", digits, 5, hidden_layer_sizes=(100,), max_iter=30)
        return
    data = lg.data.mnist(folder)
    for dtype in (np.float32, np.float64):
        flat = [np.asarray(x, dtype).reshape(len(x), -1) for x in (data.x_train, data.x_test)]
        split = (*flat, data.y_train, data.y_test)
        seconds = both.compare("MNIST, 784-100-10, batch 200", split, 3, max_iter=MNIST_EPOCHS)
        if dtype is np.float32:
            print(limit((784, 100, 10), len(flat[0]), seconds, clock))


if __name__ == "__main__":
    main()
