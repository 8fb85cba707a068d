"""tinygrad: a step, with its gathering and its update, is one TinyJit, called for each minibatch.

Written as tinygrad's own example for MNIST is. It compiles with clang, which has to be on the machine.
"""

from __future__ import annotations

import numpy as np
from tinygrad import Context, Tensor, TinyJit, dtypes
from tinygrad.nn.optim import SGD, Adam, Optimizer

from benchmarks.cases import Case, Data
from benchmarks.peers.peer import Array, Trainer


def prepare(case: Case, data: Data, threads: int, seed: int) -> Trainer:
    """The number of threads was set in the environment, before tinygrad was loaded."""
    Tensor.manual_seed(seed)
    return JitTrainer(case, data, seed)


class JitTrainer(Trainer):
    def __init__(self, case: Case, data: Data, seed: int) -> None:
        self.case, self.rng = case, np.random.default_rng(seed)
        self.x, self.y = Tensor(data.x).realize(), Tensor(data.y.astype(np.int32)).realize()
        self.parameters = [uniform(i, *shape) for i, o in case.layers for shape in ((o, i), (o,))]
        rule = {"SGD": SGD, "Adam": Adam}[case.optimizer]
        self.optimizer: Optimizer = rule(self.parameters, lr=case.learning_rate)
        self.step = TinyJit(self._step)
        self.rest = TinyJit(self._step)  # a program is for one size of batch

    def _step(self, index: Tensor) -> Tensor:
        self.optimizer.zero_grad()
        loss = self.logits(self.x[index]).sparse_categorical_crossentropy(self.y[index])
        loss.backward()
        return loss.realize(*self.optimizer.schedule_step())

    def epoch(self) -> float:
        """The loss of the last batch: a program writes all its losses into one place."""
        rows, batch = self.case.rows, self.case.batch
        order = Tensor(self.rng.permutation(rows).astype(np.int32), dtype=dtypes.int32).realize()
        loss = order
        with Context(TRAINING=1):
            for start in range(0, rows, batch):
                index = order[start : start + batch].contiguous().realize()
                loss = (self.step if len(index) == batch else self.rest)(index)
        return float(loss.item())  # waits

    def logits(self, x: Tensor) -> Tensor:
        pairs = list(zip(self.parameters[::2], self.parameters[1::2], strict=True))
        for weight, bias in pairs[:-1]:
            x = x.linear(weight.T, bias).relu()
        weight, bias = pairs[-1]
        return x.linear(weight.T, bias)

    def scores(self, x: Array) -> Array:
        return self.logits(Tensor(x)).numpy()


def uniform(inputs: int, *shape: int) -> Tensor:
    bound = inputs**-0.5
    return Tensor.uniform(*shape, low=-bound, high=bound).contiguous().realize()
