"""How near training comes to the arithmetic of the machine: its products' GFLOP/s against the best sgemm there is.

python -m benchmarks.arithmetic [--threads 2] [--rounds 5]

Square products of NumPy, PyTorch and JAX, as installed, take turns with epochs of lucidgrad; the best of all rounds of
all libraries and sizes is what the epochs are held against. Of an epoch only the multiplications and additions of its
products count: two for each weight and row forward, two for the gradient of the weights, two for that of the inputs.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.cases import CASES
from benchmarks.child import THREADS, Child
from benchmarks.timing import in_turn, machine

SIZES = 512, 1024, 2048
PRODUCTS = {"NumPy": "numpy", "PyTorch": "torch", "JAX": "jax"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cases", nargs="+", default=["deep-sgd", "deep-adam", "table", "wide"])
    options = parser.parse_args()
    os.environ |= dict.fromkeys(THREADS, str(options.threads))  # JAX looks when it is loaded
    ways: dict[str, Callable[[], object]] = {}
    work: dict[str, float] = {}
    for library, module in PRODUCTS.items():
        for size in SIZES if find_spec(module) is not None else ():
            name = f"{library} {size}"
            ways[name], work[name] = product(library, size, options.threads), 2.0 * size**3
    trainers = []  # in processes of their own: fit holds BLAS of its process to the threads that its products are worth
    for case in (c for c in CASES if c.key in options.cases):
        trainers.append(Child("native", case.key, options.threads))
        name = f"{case.network}, batch {case.batch}, {case.optimizer}"
        ways[name], work[name] = partial(epoch, trainers[-1]), float(case.arithmetic)
    with threadpool_limits(options.threads):  # NumPy's
        measured = in_turn(ways, options.rounds)
    for each in trainers:
        each.close()
    print(report(measured, work, options.threads))


def product(library: str, size: int, threads: int) -> Callable[[], object]:
    """A square product in float32, with its result in memory that is there already where the library can do that."""
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((size, size), np.float32) for _ in range(2))
    if library == "NumPy":
        made = np.empty_like(a)
        return lambda: np.matmul(a, b, out=made)
    if library == "PyTorch":
        import torch

        torch.set_num_threads(threads)
        x, y, z = torch.from_numpy(a), torch.from_numpy(b), torch.empty(size, size)
        return lambda: torch.mm(x, y, out=z)
    import jax

    p, q = jax.device_put(a), jax.device_put(b)
    multiply = jax.jit(lambda p, q: p @ q)
    return lambda: multiply(p, q).block_until_ready()


def epoch(trainer: Child) -> None:
    """Let lucidgrad go over its case once."""
    if "error" in (answer := trainer.ask(1)):
        raise RuntimeError(answer["error"])


def report(measured: dict[str, list[float]], work: dict[str, float], threads: int) -> str:
    """The best product of each library, and each network's share of the best of all."""
    best = {name: work[name] / min(seconds) / 1e9 for name, seconds in measured.items()}
    middle = {name: work[name] / float(np.median(seconds)) / 1e9 for name, seconds in measured.items()}
    products = [name for name in best if name.rpartition(" ")[2].isdigit() and name.split()[0] in PRODUCTS]
    ceiling = max(products, key=best.__getitem__)
    lines = [f"{machine()}, {threads} threads; best sgemm: {ceiling}, {best[ceiling]:.0f} GFLOP/s", ""]
    lines += ["| what | GFLOP/s, median | best | of the best sgemm, median | best |", "|---|---|---|---|---|"]
    lines += [
        f"| {name} | {middle[name]:.0f} | {best[name]:.0f} | {middle[name] / best[ceiling]:.0%} | "
        f"{best[name] / best[ceiling]:.0%} |"
        for name in measured
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
