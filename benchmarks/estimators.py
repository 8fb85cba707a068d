"""MLPClassifier against scikit-learn's: the time of fit and predict, and the test score over five seeds.

    python -m benchmarks.estimators [--data FOLDER]

FOLDER holds the four MNIST files; without them the table of the digits that scikit-learn ships takes their place.
"""

from __future__ import annotations

import argparse
import statistics
import warnings
from pathlib import Path

import numpy as np
from sklearn import datasets, neural_network
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

import lucidgrad as lg
from benchmarks.timing import in_turn, machine, table

SEEDS = 5
LIBRARIES = {"scikit-learn": neural_network.MLPClassifier, "lucidgrad": lg.MLPClassifier}


def compare(title, data, rounds, **options):
    train, test, y_train, y_test = data
    fitted = {}

    def fit(name, seed=0):
        fitted[name] = LIBRARIES[name](**options, random_state=seed).fit(train, y_train)
        return fitted[name].score(test, y_test)

    measured = in_turn({name: lambda name=name: fit(name) for name in LIBRARIES}, rounds)
    print(f"\n{table(f'{title}, fit', measured, 'lucidgrad')}")
    asked = in_turn({name: lambda name=name: fitted[name].predict(test) for name in LIBRARIES}, 5 * rounds)
    print(f"\n{table(f'{title}, predict', asked, 'lucidgrad')}")
    for name in LIBRARIES:
        scores = [fit(name, seed) for seed in range(SEEDS)]
        print(f"{name}: test score {statistics.mean(scores):.4f} ± {statistics.stdev(scores):.4f} over {SEEDS} seeds")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with the MNIST files")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    print(machine())
    iris = train_test_split(*datasets.load_iris(return_X_y=True), random_state=0)
    compare("iris, 4-8-3, batch 112", iris, 7, hidden_layer_sizes=(8,), learning_rate_init=0.01)
    compare("iris, 4-8-3, batch 32", iris, 7, hidden_layer_sizes=(8,), learning_rate_init=0.01, batch_size=32)
    if arguments.data is None:
        x, y = datasets.load_digits(return_X_y=True)
        digits = train_test_split((x / 16).astype(np.float32), y, random_state=0)
        compare("digits, 64-100-10, batch 200", digits, 5, hidden_layer_sizes=(100,), max_iter=30)
        return
    data = lg.data.mnist(arguments.data)
    flat = [np.asarray(x, np.float32).reshape(len(x), -1) for x in (data.x_train, data.x_test)]
    compare("MNIST, 784-100-10, batch 200", (*flat, data.y_train, data.y_test), 3, max_iter=5)


if __name__ == "__main__":
    main()
