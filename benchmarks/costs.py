"""What dropout, norms, weight decay, clipping and schedules cost in machine code: steady epochs of 784-128-10, Adam.

python -m benchmarks.costs [--threads 1 2] [--rounds 5]

The ways take turns in one process. Whatever would train eagerly ends the measurement with an error.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import lucidgrad as lg
from benchmarks.cases import case_named, load
from benchmarks.peers.lucidgrad_fit import FitTrainer
from benchmarks.timing import in_turn, machine, table
from lucidgrad import nn, optim

Optimizers = Callable[[], optim.Optimizer]


@dataclass(frozen=True)
class Way:
    """What is put behind the hidden layer, and what updates the weights."""

    behind: tuple[Callable[[], Any], ...] = ()
    optimizer: Optimizers = field(default=lambda: optim.Adam(1e-3))


WAYS = {
    "plain": Way(),
    "dropout 0.2": Way((lambda: nn.Dropout(0.2),)),
    "batch norm": Way((lambda: nn.BatchNorm(128),)),
    "layer norm": Way((lambda: nn.LayerNorm(128),)),
    "weight decay": Way(optimizer=lambda: optim.AdamW(1e-3, weight_decay=1e-2)),
    "L2": Way(optimizer=lambda: optim.regularized(optim.Adam(1e-3), l2=1e-4)),
    "clipping by the norm": Way(optimizer=lambda: optim.clipped(optim.Adam(1e-3), max_norm=1.0)),
    "schedule": Way(optimizer=lambda: optim.Adam(optim.cosine(1e-3, steps=10**7))),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=60_000)
    options = parser.parse_args()
    case = case_named("mlp-adam")
    data = load(case)
    data = type(data)(data.x[: options.rows], data.y[: options.rows], data.x_test, data.y_test, data.source)
    print(machine())
    for threads in options.threads:
        trainers = {name: trainer(case, data, threads, way) for name, way in WAYS.items()}
        measured = in_turn({name: t.epoch for name, t in trainers.items()}, options.rounds)
        for each in trainers.values():
            each.close()
        title = f"an epoch of 784-128-10, batch 64, {threads} thread{'s' if threads > 1 else ''}"
        print(f"\n{table(title, measured, 'plain')}")


def trainer(case: Any, data: Any, threads: int, way: Way) -> FitTrainer:
    """A network of the sizes of the case, trained in a way, compiled."""
    lg.seed(0)
    hidden = [nn.Linear(*case.layers[0]), *(make() for make in way.behind), lg.functional.relu]
    model = nn.Sequential(*hidden, nn.Linear(*case.layers[1]))
    made = FitTrainer(case, data, threads, 0, "native", model, way.optimizer())
    made.epoch()  # compiles
    return made


if __name__ == "__main__":
    warnings.simplefilter("error", RuntimeWarning)  # "fit trains eagerly: ..."
    main()
