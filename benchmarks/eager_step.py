"""An eager training step, and an epoch of them, of 784-128-10 at batch 64: lucidgrad against PyTorch eager.

    python -m benchmarks.eager_step

Run it in the environment that ``make bench`` makes. Same data, same initial weights. PyTorch runs with one thread
and with two; lucidgrad with the one that ``fit`` chooses for a network of this size.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

import lucidgrad as lg
from benchmarks.timing import in_turn, machine, table
from lucidgrad.autograd import mode
from lucidgrad.training.step import assign, training_step
from lucidgrad.training.threads import blas_threads

FEATURES, HIDDEN, CLASSES, BATCH, ROWS = 784, 128, 10, 64, 6400
THREADS = (1, 2)


def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.random((ROWS, FEATURES), dtype=np.float32), rng.integers(0, CLASSES, ROWS)


def our_model() -> lg.nn.Module:
    lg.seed(0)
    return lg.nn.Sequential(lg.nn.Linear(FEATURES, HIDDEN), lg.functional.relu, lg.nn.Linear(HIDDEN, CLASSES))


def torch_model() -> torch.nn.Module:
    net = torch.nn.Sequential(torch.nn.Linear(FEATURES, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, CLASSES))
    ours = our_model().state()
    net.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in ours.items()})
    return net


def our_step(optimizer: lg.optim.Optimizer) -> Callable[[], None]:
    x, y = data()
    model, loss, key = our_model(), lg.losses.CrossEntropy(), lg.Key(0)
    parameters = model.parameters()
    state = optimizer.init(parameters)
    batch = (lg.Tensor.wrap(x[:BATCH]), lg.Tensor.wrap(y[:BATCH]), None)

    def step() -> None:
        nonlocal state
        mode.quiet = True  # as fit does
        result = training_step(model, loss, optimizer, parameters, state, batch, key, optimizer.learning_rate_at(0))
        assign(parameters, result.parameters)
        state = result.optimizer_state

    return step


def torch_step(make_optimizer: Callable[..., torch.optim.Optimizer], threads: int) -> Callable[[], None]:
    x, y = (torch.from_numpy(a) for a in data())
    net, loss = torch_model(), torch.nn.CrossEntropyLoss()
    optimizer = make_optimizer(net.parameters())
    x, y = x[:BATCH], y[:BATCH]

    def step() -> None:
        torch.set_num_threads(threads)
        optimizer.zero_grad()
        loss(net(x), y).backward()
        optimizer.step()

    return step


def our_epoch(optimizer: lg.optim.Optimizer) -> Callable[[], None]:
    x, y = data()
    model = our_model()
    return lambda: lg.fit(
        model,
        x,
        y,
        loss="cross_entropy",
        optimizer=optimizer,
        epochs=1,
        batch_size=BATCH,
        engine="eager",
        progress=False,
    )


def torch_epoch(make_optimizer: Callable[..., torch.optim.Optimizer], threads: int) -> Callable[[], None]:
    """The quickest way to write it: rows gathered by a shuffled index, no DataLoader; loss read once an epoch."""
    x, y = (torch.from_numpy(a) for a in data())
    net, loss = torch_model(), torch.nn.CrossEntropyLoss()
    optimizer = make_optimizer(net.parameters())

    def epoch() -> None:
        torch.set_num_threads(threads)
        total = torch.zeros(())
        for index in torch.randperm(ROWS).split(BATCH):
            optimizer.zero_grad()
            value = loss(net(x[index]), y[index])
            value.backward()
            optimizer.step()
            total += value.detach()
        total.item()

    return epoch


def main() -> None:
    print(f"{machine()}, NumPy {np.__version__}, PyTorch {torch.__version__}, float32\n")
    pairs = {
        "SGD": (lg.optim.SGD(0.1), lambda p: torch.optim.SGD(p, lr=0.1)),
        "Adam": (lg.optim.Adam(1e-3), lambda p: torch.optim.Adam(p, lr=1e-3)),
    }
    for name, (ours, theirs) in pairs.items():
        step = {"lucidgrad": our_step(ours)} | {label(n): torch_step(theirs, n) for n in THREADS}
        with blas_threads(1):
            print(table(f"784-128-10, batch 64, one {name} step", in_turn(step, 15, 100), label(1)), end="\n\n")
        epoch = {"lucidgrad fit": our_epoch(ours)} | {label(n): torch_epoch(theirs, n) for n in THREADS}
        print(table(f"the same, an epoch of {ROWS} rows", in_turn(epoch, 9), label(1)), end="\n\n")


def label(threads: int) -> str:
    return f"PyTorch eager, {threads} thread{'s' * (threads > 1)}"


if __name__ == "__main__":
    main()
