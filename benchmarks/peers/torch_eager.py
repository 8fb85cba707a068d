"""PyTorch, eager: data in place, rows gathered by a shuffled index, fused optimisers, nothing read back in an epoch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.cases import Case, Data
from benchmarks.peers.peer import Array, Trainer


def prepare(case: Case, data: Data, threads: int, seed: int) -> Trainer:
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    return EagerTrainer(case, data)


def network(case: Case) -> list[Tensor]:
    """Weights and biases of ``torch.nn.Linear``, without the price of calling modules."""
    layers = [torch.nn.Linear(inputs, outputs) for inputs, outputs in case.layers]
    return [parameter for layer in layers for parameter in layer.parameters()]


def logits(parameters: list[Tensor], x: Tensor) -> Tensor:
    *hidden, last = zip(parameters[::2], parameters[1::2], strict=True)
    for weight, bias in hidden:
        x = F.relu(F.linear(x, weight, bias))
    return F.linear(x, *last)


class EagerTrainer(Trainer):
    def __init__(self, case: Case, data: Data) -> None:
        self.case = case
        self.x, self.y = torch.from_numpy(data.x), torch.from_numpy(data.y)
        self.parameters = network(case)
        kind = {"SGD": torch.optim.SGD, "Adam": torch.optim.Adam}[case.optimizer]
        self.optimizer = kind(self.parameters, lr=case.learning_rate, fused=True)

    def epoch(self) -> float:
        total = torch.zeros(())
        for index in torch.randperm(self.case.rows).split(self.case.batch):
            x, y = self.x.index_select(0, index), self.y.index_select(0, index)
            loss = F.cross_entropy(logits(self.parameters, x), y)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            total.add_(loss.detach(), alpha=len(index))
        return float(total) / self.case.rows

    def scores(self, x: Array) -> Array:
        with torch.inference_mode():
            return logits(self.parameters, torch.from_numpy(x)).numpy()
