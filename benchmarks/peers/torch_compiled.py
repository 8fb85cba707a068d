"""torch.compile: forward, gradients and update in one compiled function, called for each minibatch."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.cases import Case, Data
from benchmarks.peers.peer import Array, Trainer
from benchmarks.peers.torch_eager import logits, network


def prepare(case: Case, data: Data, threads: int, seed: int) -> Trainer:
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    return CompiledTrainer(case, data)


class CompiledTrainer(Trainer):
    def __init__(self, case: Case, data: Data) -> None:
        self.case = case
        self.x, self.y = torch.from_numpy(data.x), torch.from_numpy(data.y)
        self.parameters = [p.detach().clone() for p in network(case)]
        self.moments = [[torch.zeros_like(p) for p in self.parameters] for _ in range(2)]
        self.steps, self.total = torch.zeros(()), torch.zeros(())
        rule = {"SGD": sgd, "Adam": adam}[case.optimizer]
        self.step = torch.compile(partial(step, rule, case.learning_rate), dynamic=False, fullgraph=True)
        self.predict = torch.compile(logits, dynamic=False, fullgraph=True)

    @torch.no_grad()
    def epoch(self) -> float:
        self.total.zero_()
        for index in torch.randperm(self.case.rows).split(self.case.batch):
            self.step(self.parameters, *self.moments, self.steps, self.total, self.x, self.y, index)
        return float(self.total) / self.case.rows

    def scores(self, x: Array) -> Array:
        with torch.no_grad():
            return self.predict(self.parameters, torch.from_numpy(x)).numpy()


def step(rule, rate, parameters, first, second, steps, total, x, y, index):  # type: ignore[no-untyped-def]
    def loss_of(parameters: list[Tensor]) -> Tensor:
        return F.cross_entropy(logits(parameters, x.index_select(0, index)), y.index_select(0, index))

    gradients, loss = torch.func.grad_and_value(loss_of)(parameters)
    total += loss * len(index)
    steps += 1
    rule(rate, parameters, gradients, first, second, steps)


def sgd(rate, parameters, gradients, first, second, steps):  # type: ignore[no-untyped-def]
    for p, g in zip(parameters, gradients, strict=True):
        p.sub_(g, alpha=rate)


def adam(rate, parameters, gradients, first, second, steps):  # type: ignore[no-untyped-def]
    scale1, scale2 = 1 / (1 - 0.9**steps), 1 / (1 - 0.999**steps)
    for p, g, m, v in zip(parameters, gradients, first, second, strict=True):
        m.lerp_(g, 0.1)
        v.mul_(0.999).addcmul_(g, g, value=0.001)
        p.sub_(rate * scale1 * m / ((scale2 * v).sqrt() + 1e-8))
