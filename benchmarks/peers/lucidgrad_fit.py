"""lucidgrad: ``fit`` as a user calls it."""

from __future__ import annotations

import inspect
import queue
import threading
import time
from typing import Any

import lucidgrad as lg
from benchmarks.cases import Case, Data
from benchmarks.peers.peer import Array, Trainer


def prepare(case: Case, data: Data, threads: int, seed: int, engine: str) -> Trainer:
    lg.seed(seed)
    return FitTrainer(case, data, threads, seed, engine, network(case), optimizer(case))


def network(case: Case) -> lg.nn.Module:
    layers: list[Any] = []
    for inputs, outputs in case.layers:
        layers += [lg.nn.Linear(inputs, outputs), lg.functional.relu]
    return lg.nn.Sequential(*layers[:-1])


def optimizer(case: Case) -> lg.optim.Optimizer:
    return {"SGD": lg.optim.SGD, "Adam": lg.optim.Adam}[case.optimizer](case.learning_rate)


def engine_argument(engine: str) -> dict[str, str]:
    """``engine=`` where ``fit`` of this version has it."""
    return {"engine": engine} if "engine" in inspect.signature(lg.fit).parameters else {}


class FitTrainer(Trainer):
    """One call of ``fit`` in a thread of its own, held at the end of each epoch until the next is asked for."""

    def __init__(
        self,
        case: Case,
        data: Data,
        threads: int,
        seed: int,
        engine: str,
        model: lg.nn.Module,
        rule: lg.optim.Optimizer,
    ) -> None:
        self.model = model
        self.gate = Gate()
        self.options = {
            "loss": "cross_entropy",
            "optimizer": rule,
            "epochs": 10**9,
            "batch_size": case.batch,
            "seed": seed,
            "threads": threads if threads == 1 else None,  # more: fit decides what is worth sharing
            "callbacks": [self.gate],
            "progress": False,
            **engine_argument(engine),
        }
        self.predicting = {
            k: v for k, v in engine_argument(engine).items() if k in inspect.signature(lg.predict).parameters
        }
        self.thread = threading.Thread(target=self._fit, args=(data,), daemon=True)
        self.thread.start()

    def _fit(self, data: Data) -> None:
        try:
            lg.fit(self.model, data.x, data.y, **self.options)
        except BaseException as error:  # goes to the one who waits
            self.gate.answers.put(error)

    def epoch(self) -> float:
        self.gate.run(1)
        return self.gate.loss

    def timed(self, epochs: int) -> float:
        return self.gate.run(epochs)

    def scores(self, x: Array) -> Array:
        return lg.predict(self.model, x, **self.predicting)

    def close(self) -> None:
        self.gate.orders.put(0)
        self.thread.join()


class Gate(lg.training.Callback):
    """Lets a run do so many epochs and tells how long they took, by the run's own thread."""

    def __init__(self) -> None:
        self.orders: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.answers: queue.SimpleQueue[float | BaseException] = queue.SimpleQueue()
        self.left, self.started, self.loss = 0, 0.0, float("nan")

    def run(self, epochs: int) -> float:
        self.orders.put(epochs)
        answer = self.answers.get()
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def on_run_begin(self, run: lg.training.Run) -> None:
        self._wait(run)

    def on_epoch_end(self, run: lg.training.Run) -> None:
        self.left -= 1
        if not self.left:
            self.loss = run.history.rows[-1]["loss"]
            self.answers.put(time.perf_counter() - self.started)
            self._wait(run)

    def _wait(self, run: lg.training.Run) -> None:
        self.left = self.orders.get()
        self.started = time.perf_counter()
        if not self.left:
            run.stop("the measurement is over")
