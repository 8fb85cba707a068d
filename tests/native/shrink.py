"""Makes a failing random program smaller, as long as it fails: what is left says where to look."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np

from tests.native.programs import Input, Program, Step, pruned

MOST_TRIALS = 200


def shrunk(program: Program, fails: Callable[[Program], bool], most_trials: int = MOST_TRIALS) -> Program:
    """The smallest program found that still fails."""
    trials = 0
    smaller = True
    while smaller and trials < most_trials:
        smaller = False
        for candidate in _candidates(program):
            trials += 1
            if fails(candidate):
                program, smaller = candidate, True
                break
            if trials >= most_trials:
                break
    return program


def _candidates(program: Program) -> Iterator[Program]:
    """Programs with one thing less: outputs, gradients, a step (its value becomes an input), a layout."""
    if len(program.outputs) > 1:
        half = len(program.outputs) // 2
        for outputs in (program.outputs[:half], program.outputs[half:]):
            yield pruned(dataclasses.replace(program, outputs=outputs))
        for i in range(len(program.outputs)):
            yield pruned(dataclasses.replace(program, outputs=program.outputs[:i] + program.outputs[i + 1 :]))
    for order in range(program.order):
        yield dataclasses.replace(program, order=order)
    values = program.values(*program.tensors())
    for i, node in enumerate(program.nodes):
        given = Input(np.array(values[i].numpy()))
        if isinstance(node, Step) or node.layout != "plain":
            nodes = (*program.nodes[:i], given, *program.nodes[i + 1 :])
            yield pruned(dataclasses.replace(program, nodes=nodes))
