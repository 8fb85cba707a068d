"""Whole training steps of random models as graphs: forward, loss, backward and update of what ``models`` draws.

python -m tests.native.steps 17   # the step of this seed, and where its bits differ, if anywhere
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from lucidgrad.compiler import flatten
from lucidgrad.graph import Graph
from lucidgrad.random import Key
from lucidgrad.tensor import Tensor
from lucidgrad.training.step import trace_step
from tests.native.models import job
from tests.native.targets import different_bits


def step(seed: int) -> tuple[Graph, list[Any]]:
    """The first step of a run over all of its samples (a single one twice: norms need two), and its inputs."""
    described = job(seed)
    model = described.make()
    parameters = model.parameters()
    optimizer = described.settings["optimizer"]
    state = optimizer.init(parameters)
    weight = described.settings.get("sample_weight")
    copies = 2 if len(described.x) == 1 else 1
    batch = [Tensor.wrap(np.repeat(a, copies, axis=0)) for a in (described.x, described.y, weight) if a is not None]
    traced = trace_step(
        model,
        described.settings["loss"],
        optimizer,
        state,
        (batch[0], batch[1], batch[2] if weight is not None else None),
    )
    held = [*parameters.values(), *model.buffers().values(), *flatten(state)]
    rate = np.float64(optimizer.learning_rate_at(0))
    inputs = [*(t.numpy() for t in [*held, *batch]), Key(seed).words.numpy(), np.uint64(3), rate]
    return traced.graph, [np.asarray(x) for x in inputs]


def check(seed: int) -> str:
    """Where the bits of a seed's step depend on machine or threads; nothing where they do not."""
    found = different_bits(*step(seed))
    return f"{found}\n{job(seed).text}" if found else ""


if __name__ == "__main__":
    print(job(int(sys.argv[1])).text)
    found = check(int(sys.argv[1]))
    print(found or "the same bits")
    sys.exit(bool(found))
