"""A cold process: import, load MNIST, compile, train 784-128-10 to 97.5 % on the test images, evaluate.

python -m benchmarks.cold --data FOLDER [--rounds 5]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

GOAL = 0.975


def once(folder: str) -> dict[str, float]:
    """In a process of its own: seconds until each of the stages is over."""
    began = time.perf_counter()
    import lucidgrad as lg

    imported = time.perf_counter()
    data = lg.data.mnist(folder, download=False)
    loaded = time.perf_counter()
    with lg.use_key(lg.Key(0)):
        model = lg.nn.Sequential(lg.nn.Flatten(), lg.nn.Linear(784, 128), lg.functional.relu, lg.nn.Linear(128, 10))
    accuracy, epochs = 0.0, 0
    stop = GoalReached(data)
    run = lg.fit(
        model, data.x_train, data.y_train, loss="cross_entropy", optimizer=lg.optim.Adam(2e-3), epochs=20,
        batch_size=128, callbacks=[stop], progress=False,
    )  # fmt: skip
    accuracy, epochs = stop.accuracy, len(run.history)
    ended = time.perf_counter()
    steps = {"import": imported - began, "load": loaded - imported, "train and evaluate": ended - loaded}
    return {**steps, "accuracy": accuracy, "epochs": epochs, "first epoch": run.history["seconds"][0]}


def GoalReached(data):  # noqa: N802 - a class that is made where lucidgrad is imported, which is timed
    import lucidgrad as lg

    class _GoalReached(lg.training.Callback):
        accuracy = 0.0

        def on_epoch_end(self, run):
            self.accuracy = lg.evaluate(run.model, data.x_test, data.y_test, metrics=["accuracy"])["accuracy"]
            if self.accuracy >= GOAL:
                run.stop("as accurate as asked")

    return _GoalReached()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder with the MNIST files")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(once(options.data)))
        return
    totals, parts = [], []
    for _ in range(options.rounds):
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.cold", "--data", options.data, "--child"],
            capture_output=True, text=True, check=True, cwd=Path(__file__).parent.parent,
        )  # fmt: skip
        totals.append(time.perf_counter() - began)
        parts.append(json.loads(done.stdout))
    print("| stage | median, s | from – to |\n|---|---|---|")
    columns = {"whole process": totals} | {name: [p[name] for p in parts] for name in parts[0]}
    for name, values in columns.items():
        print(f"| {name} | {statistics.median(values):.4g} | {min(values):.4g} – {max(values):.4g} |")


if __name__ == "__main__":
    main()
