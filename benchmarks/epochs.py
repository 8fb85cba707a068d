"""Steady epochs of multi-layer perceptrons, shuffling and gathering included: lucidgrad against its peers.

Each framework trains the same network on the same float32 data, taking turns in one process. A peer that is not
installed is left out. ``python benchmarks/epochs.py --help``
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from timing import in_turn, machine, table

import lucidgrad as lg


@dataclass(frozen=True)
class Case:
    """A network by the sizes of its layers, with relu between them and softmax cross-entropy at the end."""

    sizes: tuple[int, ...]
    batch: int
    rows: int
    adam: bool

    def __str__(self) -> str:
        name = "-".join(map(str, self.sizes))
        return f"{name}, batch {self.batch}, {self.rows:,} rows, {'Adam' if self.adam else 'SGD'}"


CASES = [
    Case((2, 16, 16, 3), 16, 4_096, adam=False),
    Case((784, 10), 32, 60_000, adam=False),
    Case((784, 128, 10), 64, 60_000, adam=False),
    Case((784, 128, 10), 64, 60_000, adam=True),
    Case((784, 256, 128, 10), 64, 60_000, adam=False),
    Case((784, 256, 128, 10), 64, 60_000, adam=True),
    Case((54, 256, 256, 256, 7), 512, 131_072, adam=True),
    Case((784, 1024, 1024, 10), 256, 15_360, adam=True),
]
Epoch = Callable[[], object]


def ours(case: Case, x: Any, y: Any, engine: str, threads: int | None) -> Epoch:
    """An epoch of a run that goes on; what a run does once is done before."""
    from lucidgrad.data import batch_count
    from lucidgrad.losses import as_loss
    from lucidgrad.training.fit import _epoch
    from lucidgrad.training.native import native_training
    from lucidgrad.training.run import Run
    from lucidgrad.training.samples import Samples

    lg.seed(0)
    layers: list[Any] = []
    for inputs, outputs in zip(case.sizes[:-1], case.sizes[1:], strict=True):
        layers += [lg.nn.Linear(inputs, outputs), lg.functional.relu]
    model = lg.nn.Sequential(*layers[:-1])
    optimizer = lg.optim.Adam(1e-3) if case.adam else lg.optim.SGD(0.05)
    train = Samples.of(x, y, None, np.dtype(np.float32))
    run = Run(model, as_loss("cross_entropy"), optimizer, epochs=10**6, batch_size=case.batch)
    native = native_training(run, train, engine, threads)
    epoch = _epoch if native is None else native.epoch

    def step() -> None:
        epoch(run, train, [])
        assert run.batch == batch_count(case.rows, case.batch)
        run.epoch, run.batch = run.epoch + 1, 0

    return step


def pytorch(case: Case, x: Any, y: Any, threads: int) -> Epoch:
    """PyTorch eager: the data is a tensor, rows are taken by index, the optimiser is the fused one."""
    import torch

    torch.manual_seed(0)
    layers: list[Any] = []
    for inputs, outputs in zip(case.sizes[:-1], case.sizes[1:], strict=True):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    make = torch.optim.Adam if case.adam else torch.optim.SGD
    optimizer = make(model.parameters(), lr=1e-3 if case.adam else 0.05, fused=True)
    data, labels = torch.from_numpy(x), torch.from_numpy(y)

    def epoch() -> None:
        torch.set_num_threads(threads)
        order = torch.randperm(case.rows)
        for start in range(0, case.rows, case.batch):
            rows = order[start : start + case.batch]
            loss = torch.nn.functional.cross_entropy(model(data[rows]), labels[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()

    return epoch


def jax_scan(case: Case, x: Any, y: Any) -> Epoch:
    """JAX: the whole epoch under ``jit``, with ``lax.scan`` over the batches."""
    import jax
    import jax.numpy as jnp

    generator = np.random.default_rng(0)
    pairs = zip(case.sizes[:-1], case.sizes[1:], strict=True)
    params: Any = [
        (generator.standard_normal(p).astype(np.float32) / np.sqrt(p[0]), np.zeros(p[1], np.float32)) for p in pairs
    ]
    state = (params, jax.tree.map(jnp.zeros_like, params), jax.tree.map(jnp.zeros_like, params), jnp.zeros(()))

    def loss_of(params: Any, xb: Any, yb: Any) -> Any:
        for i, (w, b) in enumerate(params):
            xb = xb @ w + b
            xb = jax.nn.relu(xb) if i < len(params) - 1 else xb
        return -jnp.take_along_axis(jax.nn.log_softmax(xb), yb[:, None], axis=1).mean()

    def step(state: Any, rows: Any) -> Any:
        params, m, v, t = state
        loss, grads = jax.value_and_grad(loss_of)(params, data[rows], labels[rows])
        if not case.adam:
            return (jax.tree.map(lambda p, g: p - 0.05 * g, params, grads), m, v, t), loss
        t = t + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, grads)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, grads)
        scale, root = 1e-3 / (1 - 0.9**t), jnp.sqrt(1 - 0.999**t)
        params = jax.tree.map(lambda p, m, v: p - scale * root * m / (jnp.sqrt(v) + 1e-8 * root), params, m, v)
        return (params, m, v, t), loss

    @jax.jit
    def epoch_of(state: Any, key: Any) -> Any:
        whole = case.rows // case.batch
        order = jax.random.permutation(key, case.rows)
        state, losses = jax.lax.scan(step, state, order[: whole * case.batch].reshape(whole, case.batch))
        if case.rows % case.batch:
            state, _ = step(state, order[whole * case.batch :])
        return state, losses

    data, labels = jnp.asarray(x), jnp.asarray(y.astype(np.int32))
    held = [state, jax.random.key(0)]

    def epoch() -> None:
        held[1], key = jax.random.split(held[1])
        held[0], _ = jax.block_until_ready(epoch_of(held[0], key))

    return epoch


def scikit_learn(case: Case, x: Any, y: Any) -> Epoch:
    """scikit-learn: ``partial_fit`` is an epoch of minibatches."""
    from sklearn.neural_network import MLPClassifier

    solver = {"solver": "adam"} if case.adam else {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.05}
    model = MLPClassifier(case.sizes[1:-1], batch_size=case.batch, alpha=0.0, random_state=0, **solver)
    return lambda: model.partial_fit(x, y, classes=np.arange(case.sizes[-1]))


def main() -> None:
    """Measure and print a table for each case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, nargs="*", default=range(len(CASES)), help="numbers of cases, from 0")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each framework")
    arguments = parser.parse_args()
    print(f"{machine()}, {lg.compiler.machine.host().cpu}\n")
    for number in arguments.cases:
        case = CASES[number]
        generator = np.random.default_rng(0)
        x = generator.random((case.rows, case.sizes[0]), dtype=np.float32)
        y = generator.integers(0, case.sizes[-1], case.rows)
        ways = {
            "lucidgrad": ours(case, x, y, "native", None),
            "lucidgrad, 1 thread": ours(case, x, y, "native", 1),
            "lucidgrad, eager": ours(case, x, y, "eager", None),
            "scikit-learn": scikit_learn(case, x, y),
        }
        if find_spec("torch"):
            ways |= {f"PyTorch eager, {t} threads": pytorch(case, x, y, t) for t in (1, 2)}
        if find_spec("jax"):
            ways["JAX, jit of the epoch"] = jax_scan(case, x, y)
        print(table(str(case), in_turn(ways, arguments.rounds), "lucidgrad") + "\n", flush=True)


if __name__ == "__main__":
    main()
