"""Asking fitted perceptrons: predict and predict_proba of lucidgrad's estimators against scikit-learn's, in turn.

    python -m benchmarks.estimators_predict [--rounds 15]

Both have weights of the same sizes. In each cell stand the microseconds of the processor that lucidgrad takes, with one
thread, and how many times as many scikit-learn takes, the median of pairs: above 1, lucidgrad is quicker. What
scikit-learn does not have (gelu, norms) is held against its relu network.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import neural_network
from threadpoolctl import threadpool_limits

import lucidgrad as lg
from benchmarks.timing import machine

ROWS = 1, 10, 100, 10_000
SIZES = (4, 8, 3), (784, 100, 10)
THEIRS = "identity", "logistic", "tanh", "relu"
OURS = {
    "gelu": {"activation": "gelu"},
    "silu": {"activation": "silu"},
    "relu, batch norm": {"normalization": "batch"},
    "relu, layer norm": {"normalization": "layer"},
}
LIBRARIES = {
    "MLPClassifier": (neural_network.MLPClassifier, lg.MLPClassifier, ("predict", "predict_proba")),
    "MLPRegressor": (neural_network.MLPRegressor, lg.MLPRegressor, ("predict",)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    columns = " | ".join(f"{n:,} row{'s' * (n > 1)}" for n in ROWS)
    print(f"{machine()}\n\n| network | method | {columns} |\n|---|---|{'---|' * len(ROWS)}")
    with threadpool_limits(1):
        for sizes in SIZES:
            for dtype in (np.float32, np.float64):
                for name in (*THEIRS, *OURS):
                    compare(sizes, np.dtype(dtype), name, options.rounds)


def compare(sizes: tuple[int, ...], dtype: np.dtype[Any], name: str, rounds: int) -> None:
    """Print the rows of a network."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(max(ROWS), sizes[0])).astype(dtype)
    y = rng.integers(0, sizes[-1], len(x))
    given: dict[str, Any] = {"hidden_layer_sizes": sizes[1:-1], "max_iter": 2, "random_state": 0}
    for kind, (their_class, our_class, methods) in LIBRARIES.items():
        theirs = their_class(**given, activation=name if name in THEIRS else "relu").fit(x[:300], y[:300])
        ours = our_class(**given, **OURS.get(name, {"activation": name})).fit(x[:300], y[:300])
        for method in methods:
            cells = [ratio(getattr(theirs, method), getattr(ours, method), x[:n], rounds) for n in ROWS]
            network = f"{'-'.join(map(str, sizes))}, {dtype.name}, {name}"
            print(f"| {network} | {kind}.{method} | {' | '.join(cells)} |", flush=True)


def ratio(theirs: Callable[[Any], Any], ours: Callable[[Any], Any], x: Any, rounds: int) -> str:
    """The processor's time for ours, and how many times that theirs takes."""
    repeats = max(1, 4000 // (20 + len(x)))
    found = []
    for turn in range(rounds + 1):
        seconds = []
        for way in (theirs, ours):
            start = time.process_time()
            for _ in range(repeats):
                way(x)
            seconds.append((time.process_time() - start) / repeats)
        if turn:
            found.append(seconds)
    times = statistics.median(their / our for their, our in found)
    return f"{statistics.median(our for _, our in found) * 1e6:,.0f} µs, {times:.2f}x"


if __name__ == "__main__":
    main()
