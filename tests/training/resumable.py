"""A training run that can be cut and resumed, in this process or, run as a program, in a new one.

As a program: folder, optimizer, and any number of cases as JSON on the command line; prints the digest of each, with
the run of each case resumed from ``folder/<case>``.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import lucidgrad as lg
from lucidgrad import nn, optim
from lucidgrad.io import checkpoint, flatten
from lucidgrad.training import (
    Callback,
    Checkpoint,
    CSVLog,
    EarlyStopping,
    NaNGuard,
    ReduceOnPlateau,
    Run,
    WeightStatistics,
)

EPOCHS = 5
STEPS_IN_EPOCH = 7  # of 105 samples in batches of 16, the last of 9

# What trains in each case, and after which step it is cut, before or after the end of the epoch.
CASES: dict[str, dict[str, Any]] = {
    "mid-epoch": {"cut": 2.5},
    "epoch boundary": {"cut": 3.0, "after_validation": False},
    "after validation": {"cut": 3.0, "after_validation": True},
    "schedule": {"cut": 2.5, "schedule": True},
    "dropout and batch norm": {"cut": 2.5, "layers": True},
    "callbacks": {"cut": 2.5, "schedule": True, "layers": True, "callbacks": True},
    "callbacks, after validation": {"cut": 3.0, "after_validation": True, "layers": True, "callbacks": True},
}


class PowerCut(BaseException):
    """Ends the run at once."""


class Cut(Callback):
    """Ends the run, without any chance to save, after what the Checkpoint in front of it has saved there."""

    runs_last = True

    def __init__(self, steps: int, after_validation: bool) -> None:
        self.steps, self.after_validation = steps, after_validation

    def on_step_end(self, run: Run) -> None:
        if run.step == self.steps and not self.after_validation:
            raise PowerCut

    def on_epoch_end(self, run: Run) -> None:
        if run.step == self.steps:
            raise PowerCut


def optimizer_of(name: str, schedule: bool) -> optim.Optimizer:
    if name == "lbfgs":
        return optim.LBFGS(max_iterations=3)
    rate: Any = optim.cosine(0.1, steps=EPOCHS * STEPS_IN_EPOCH) if schedule else 0.05
    return optim.SGD(rate, momentum=0.9) if name == "sgd" else optim.Adam(rate)


def train(
    folder: Path,
    optimizer: str,
    cut: float | None = None,
    after_validation: bool = False,
    schedule: bool = False,
    layers: bool = False,
    callbacks: bool = False,
    resume: bool = False,
    epochs: int = EPOCHS,
) -> Run:
    """Train from the start, or go on; ``cut`` is in epochs."""
    lg.seed(3)
    full_batch = optimizer == "lbfgs"
    extra = [nn.BatchNorm(8), nn.Dropout(0.3)] if layers else []
    model = nn.Sequential(nn.Linear(2, 8), *extra, lg.functional.tanh, nn.Linear(8, 2))
    x, y = lg.data.xor(150, noise=0.3, seed=5)
    watching: list[Callback] = [
        Checkpoint(folder, every_steps=None if cut is None else 1, keep=2, monitor="validation_loss")
    ]
    if callbacks:
        watching += [EarlyStopping(patience=4), WeightStatistics(), CSVLog(folder.with_suffix(".csv")), NaNGuard()]
        if not schedule and not full_batch:
            watching += [ReduceOnPlateau("loss", optim.Plateau(patience=0, factor=0.5))]
    if cut is not None:
        watching += [Cut(int(cut * (1 if full_batch else STEPS_IN_EPOCH)), after_validation)]
    return lg.fit(
        model,
        x,
        y,
        loss="cross_entropy",
        optimizer=optimizer_of(optimizer, schedule),
        epochs=epochs,
        batch_size=None if full_batch else 16,
        validation=0.3,
        metrics=["accuracy", "f1"],
        callbacks=watching,
        seed=7,
        resume=resume,
        progress=False,
    )


def digest(run: Run) -> str:
    """SHA-256 of everything that the run holds, but the seconds it took."""
    state = run.state()
    state["history"] = [{k: v for k, v in row.items() if k != "seconds"} for row in state["history"]]
    del state["totals"]["seconds"]
    arrays, plain = flatten(state)
    found = hashlib.sha256(json.dumps(plain).encode())
    for path in sorted(arrays):
        found.update(path.encode() + arrays[path].tobytes())
    return found.hexdigest()


def results(run: Run, folder: Path) -> dict[str, Any]:
    """What has to be the same with and without an interruption."""
    best, _ = checkpoint.load(folder / "best.json")
    log = folder.with_suffix(".csv")
    lines = log.read_text().splitlines() if log.exists() else []
    place = lines[0].split(",").index("seconds") if lines else 0
    return {
        "run": digest(run),
        "epochs": run.epoch,
        "best": [float(best["progress"]["epoch"]), *(row["loss"] for row in best["history"])],
        "log": [[cell for i, cell in enumerate(line.split(",")) if i != place] for line in lines],
    }


if __name__ == "__main__":
    parent, kind = Path(sys.argv[1]), sys.argv[2]
    found = {}
    for case in json.loads(sys.argv[3]):
        options = {k: v for k, v in CASES[case].items() if k not in ("cut", "after_validation")}
        found[case] = results(train(parent / case, kind, resume=True, **options), parent / case)
    found["from the start"] = results(train(parent / "new", kind, callbacks=True, layers=True), parent / "new")
    print(json.dumps(found))
