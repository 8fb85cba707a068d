"""The way forward of a fitted network in machine code: a block of rows stays in the cache from layer to layer.

What was compiled belongs to the shape of the network and to nobody: the next network of that shape is asked with it.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils._openmp_helpers import _openmp_effective_n_threads

from lucidgrad.compiler import threads as native_threads
from lucidgrad.compiler.kernels.zeros import LEAST
from lucidgrad.compiler.machine import available
from lucidgrad.estimators.idle import Idle
from lucidgrad.functional import ACTIVATIONS
from lucidgrad.nn import BatchNorm, Dropout, LayerNorm, Linear, Sequential
from lucidgrad.nn.init import zeros as start_at_zero
from lucidgrad.random import Key
from lucidgrad.tensor import Tensor
from lucidgrad.training.engine import available_cores
from lucidgrad.training.predictor import Block, forward_graph, held
from lucidgrad.training.samples import mostly_zeros
from lucidgrad.training.threads import WORTH_SHARING

Array = np.ndarray[Any, np.dtype[Any]]

ROWS = 64  # of a block
# Numbers that the layers put out from which on a network is compiled, which takes some hundredths of a second. Only the
# rows and the network decide, not what was asked before: the same question gets the same bits.
WORTH_COMPILING = 2**15
KEPT = 32  # idle programs


@dataclass(frozen=True)
class Kind:
    """All that a program depends on.

    ``layers``: the class of each with its sizes, or a function; ``zeros``: whether most inputs are zero.
    """

    layers: tuple[tuple[Any, ...], ...]
    dtype: np.dtype[Any]
    zeros: bool

    def program(self) -> Block:
        """A new one, from a network of its own: while a network is traced, other threads cannot ask it."""
        network = Sequential(*(self._layer(*layer) for layer in self.layers))
        graph = forward_graph(network, (ROWS, self.layers[0][1]), self.dtype)
        return Block(graph, len(held(network)), ROWS, 1, self.zeros)

    def _layer(self, make: Any, *sizes: Any) -> Any:
        if make is Linear:
            columns, units, bias = sizes
            return Linear(columns, units, bias=bias, init=start_at_zero, dtype=self.dtype, key=Key(0))
        return make(sizes[0], eps=sizes[1], dtype=self.dtype) if sizes else make


_idle: Idle[Kind, Block] = Idle(KEPT)


def pays(network: Sequential, rows: int) -> bool:
    """Whether that many rows are so much to compute that the network is compiled, and whether it can be."""
    if rows < ROWS or not available():
        return False
    layers, _ = _parts(network)
    return bool(layers) and rows * sum(x[2] for x in layers if x[0] is Linear) >= WORTH_COMPILING


def forward(network: Sequential, x: Array, threads: int | None) -> Array:
    """What the network puts out for the rows of x (n, features), which are of its dtype: (n, outputs)."""
    layers, tensors = _parts(network)
    # Of fewer columns no product leaves zeros out; to look at some rows is quicker than at all that training looks at.
    zeros = x.shape[1] >= LEAST and mostly_zeros(x[:: 1 + len(x) // ROWS])
    kind = Kind(layers, x.dtype, zeros)
    if threads is None:
        work = 2 * len(x) * sum(x[1] * x[2] for x in layers if x[0] is Linear)
        # No more than threadpoolctl's limits and pools of processes allow.
        threads = min(available_cores(), _openmp_effective_n_threads()) if work >= WORTH_SHARING else 1
    x = np.ascontiguousarray(x)
    if threads == 1:
        with _idle.borrowed(kind, kind.program) as block:
            return block.many(x, tensors)
    each = -(-len(x) // (threads * ROWS)) * ROWS
    parts = [x[start : start + each] for start in range(0, len(x), each)]
    made: list[Any] = [None] * len(parts)
    with ExitStack() as stack:
        blocks = [stack.enter_context(_idle.borrowed(kind, kind.program)) for _ in parts]

        def ask(i: int) -> None:
            made[i] = blocks[i].many(parts[i], tensors)

        stack.enter_context(native_threads.borrowed(len(parts))).run(ask, [(i,) for i in range(len(parts))])
    return np.concatenate(made)


def _parts(network: Sequential) -> tuple[tuple[tuple[Any, ...], ...], list[Tensor]]:
    """What the code of the network depends on, and what it computes with, in the order of ``held``.

    Nothing where a function of the user's own may look at all rows at once.
    """
    layers: list[tuple[Any, ...]] = []
    parameters: list[Tensor] = []
    buffers: list[Tensor] = []
    for layer in network:
        if isinstance(layer, Linear):
            layers.append((Linear, layer.in_features, layer.out_features, layer.bias is not None))
            parameters += [layer.weight] if layer.bias is None else [layer.weight, layer.bias]
        elif isinstance(layer, BatchNorm | LayerNorm):
            layers.append((type(layer), layer.num_features, layer.eps))
            parameters += [layer.weight, layer.bias]
            if isinstance(layer, BatchNorm):
                buffers += [layer.running_mean, layer.running_var]
        elif any(layer is known for known in ACTIVATIONS.values()):
            layers.append((layer,))
        elif not isinstance(layer, Dropout):
            return (), []
    return tuple(layers), parameters + buffers
