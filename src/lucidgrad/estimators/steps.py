"""A training step of scikit-learn's perceptrons as machine code: its losses, its L2 term, its rules of SGD and Adam.

Numbers that a search tries one after the other (alpha, learning rate, momentum ...) are inputs of the program, so that
one piece of code serves for all of them; programs that nobody uses are kept for the next fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from lucidgrad.compiler import trace
from lucidgrad.compiler.buffers import ARRAY, GATHERED, STREAM, Buffer
from lucidgrad.compiler.layout import Place
from lucidgrad.compiler.program import Program
from lucidgrad.estimators.idle import Idle
from lucidgrad.functional import log_softmax, relu, where
from lucidgrad.graph import Graph
from lucidgrad.tensor import Tensor, grad
from lucidgrad.training.memory import StateMemory

Array = np.ndarray[Any, np.dtype[Any]]

KEPT = 32  # idle programs
SETTINGS = {"adam": ("beta_1", "beta_2", "epsilon"), "sgd": ("momentum",)}
SLOTS = {"adam": 2, "sgd": 1}  # arrays beside each parameter: moments, or velocities
_ACTIVATIONS = {"identity": lambda z: z, "logistic": lambda z: z.sigmoid(), "tanh": lambda z: z.tanh(), "relu": relu}


@dataclass(frozen=True)
class Architecture:
    """All that a step's code depends on.

    ``rows`` of a batch; ``layer_units`` from the inputs to the outputs; ``zeros``: whether most inputs are zero.
    """

    rows: int
    layer_units: tuple[int, ...]
    activation: str
    out_activation: str
    loss: str
    solver: str
    nesterov: bool
    weighted: bool
    dtype: str
    x_dtype: str
    y_dtype: str
    zeros: bool
    threads: int

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Of the coefficients, and then of the intercepts."""
        pairs = list(pairwise(self.layer_units))
        return [*pairs, *((n,) for _, n in pairs)]


class Step:
    """The program of a step: it works on state that is loaded into it, until it is read back."""

    def __init__(self, architecture: Architecture) -> None:
        self.architecture = architecture
        shapes = architecture.shapes
        self._count = len(shapes) * (1 + SLOTS[architecture.solver])
        settings = len(SETTINGS[architecture.solver]) + 1
        places = [Place(ARRAY, panels=True)] * self._count + [Place(ARRAY)] * settings + [Place(STREAM)]
        places += [Place(GATHERED, zeros=architecture.zeros)]
        places += [Place(GATHERED)] * (2 if architecture.weighted else 1)
        outputs = [Place(STREAM), *(Place(ARRAY, state=i) for i in range(self._count))]
        self.program = Program(_graph(architecture), places, outputs, threads=architecture.threads, adapts=True)
        plan = self.program.plan
        self.memory = StateMemory(self.program, self._count)
        self._settings = np.zeros(settings, architecture.dtype)
        self.share(self)
        self._rate, *self._sources = plan.inputs[self._count + settings :]
        self._loss = plan.outputs[0]

    def _aim(self, buffer: Buffer, array: Array) -> None:
        self.program.table[buffer.slot] = array.ctypes.data

    def share(self, other: Step) -> None:
        """Work on the other step's state and settings: the one for a shorter last batch does."""
        plan = self.program.plan
        for buffer, array in zip(plan.inputs, other.memory.arrays, strict=False):
            self._aim(buffer, array)
        for value, buffer in plan.mirrors.items():
            self._aim(buffer, other.memory.mirrors[self.program.graph.inputs.index(value)])
        for i, buffer in enumerate(plan.inputs[self._count : self._count + len(self._settings)]):
            self._aim(buffer, other._settings[i:])

    def load(self, state: Sequence[Array]) -> None:
        """Take over parameters and what the solver keeps beside them."""
        self.memory.seen = [None] * self._count
        self.memory.load([Tensor.wrap(array) for array in state])

    def read(self) -> list[Array]:
        """What has become of them."""
        return [tensor.numpy() for tensor in self.memory.read()]

    def set(self, alpha: float, settings: Sequence[float]) -> None:
        """The strength of the L2 term, and the numbers named in SETTINGS."""
        self._settings[:] = [alpha, *settings]

    def watch(self, sources: Sequence[Array], order: Array, most: int) -> None:
        """Say where the samples and their order are; at most so many steps will be run at a time."""
        self.rates, self.losses = np.empty(most), np.empty(most)
        self._seen = [*sources, order]  # they stay while the program knows their addresses
        assert self._loss is not None  # a loss depends on the inputs
        for buffer, array in zip(
            (*self._sources, self._rate, self._loss), (*sources, self.rates, self.losses), strict=True
        ):
            self._aim(buffer, array)
        self.program.table[self.program.plan.order_slot] = order.ctypes.data

    def run(self, start: int, count: int) -> Array:
        """Run steps with the learning rates in ``rates``, from place ``start`` of the order on; their losses."""
        self.program.run(count, self.architecture.rows, start)
        return self.losses[:count]


_idle: Idle[Architecture, Step] = Idle(KEPT)


def borrowed(architecture: Architecture) -> AbstractContextManager[Step]:
    """A step of this kind for the length of the block: an idle one, or a new one."""
    return _idle.borrowed(architecture, lambda: Step(architecture))


def _graph(a: Architecture) -> Graph:
    """Forward, loss, backward and update, as scikit-learn defines them."""
    layers = len(a.layer_units) - 1
    n, slots = 2 * layers, SLOTS[a.solver]

    def step(*inputs: Tensor) -> list[Any]:
        parameters, kept = list(inputs[:n]), [inputs[n * (k + 1) : n * (k + 2)] for k in range(slots)]
        alpha, *settings, rate = inputs[n * (1 + slots) : n * (1 + slots) + len(SETTINGS[a.solver]) + 2]
        x, y, *weights = inputs[n * (1 + slots) + len(SETTINGS[a.solver]) + 2 :]
        dtype = np.dtype(a.dtype)
        x, y = x.astype(dtype), y.astype(dtype)
        weight = weights[0].astype(dtype).reshape(a.rows, 1) if weights else None
        z = x
        for i in range(layers):
            z = z @ parameters[i] + parameters[layers + i]
            z = z if i == layers - 1 else _ACTIVATIONS[a.activation](z)
        total = float(a.rows) if weight is None else weight.sum()
        loss, driving = _losses(a, z, y)
        loss, driving = ((v if weight is None else v * weight).sum() / total for v in (loss, driving))
        squares = sum((w * w).sum() for w in parameters[:layers])
        penalty = 0.5 * alpha * squares / total
        gradients = grad(driving + penalty, parameters, create_graph=False)
        update = _adam if a.solver == "adam" else _sgd
        new = [
            update(p, g, [k[i] for k in kept], rate.astype(dtype), settings, a.nesterov)
            for i, (p, g) in enumerate(zip(parameters, gradients, strict=True))
        ]
        state = [row[k] for k in range(1 + slots) for row in new]
        return [(loss + penalty).astype(np.float64), *state]

    def example(shape: tuple[int, ...], dtype: Any) -> Tensor:
        return Tensor.wrap(np.broadcast_to(np.zeros((), dtype), shape))

    variables = [Tensor(np.zeros(s), dtype=a.dtype, requires_grad=True) for s in a.shapes]
    state = [example(s, a.dtype) for _ in range(slots) for s in a.shapes]
    settings = [example((), a.dtype) for _ in range(len(SETTINGS[a.solver]) + 1)]
    sources = [example((a.rows, a.layer_units[0]), a.x_dtype), example((a.rows, a.layer_units[-1]), a.y_dtype)]
    sources += [example((a.rows,), a.dtype)] if a.weighted else []
    return trace(step, *variables, *state, *settings, example((), np.float64), *sources)


def _losses(a: Architecture, z: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Of each sample and output: the loss as it is reported, and the one whose gradient scikit-learn follows.

    They differ in constants, and for several regression targets: reported is their mean, followed is their sum.
    """
    if a.loss == "squared_error":
        square = 0.5 * (z - y) ** 2
        return square / a.layer_units[-1], square
    if a.loss == "poisson":
        driving = z.exp() - y * z
        return driving + y * where(y > 0, y, 1.0).log() - y, driving
    # Of independent classes: log(1 + e^z) - y z.
    entropy = -(y * log_softmax(z, axis=1)) if a.out_activation == "softmax" else z.softplus() - y * z
    return entropy, entropy


def _adam(
    p: Tensor, g: Tensor, kept: list[Tensor], rate: Tensor, settings: Sequence[Tensor], _: bool
) -> tuple[Tensor, ...]:
    """Kingma and Ba (2015), with the learning rate corrected for both moments outside (end of their section 2)."""
    (m, v), (beta_1, beta_2, epsilon) = kept, settings
    m = beta_1 * m + (1 - beta_1) * g
    v = beta_2 * v + (1 - beta_2) * g * g
    return p.detach() - rate * m / (v.sqrt() + epsilon), m, v


def _sgd(
    p: Tensor, g: Tensor, kept: list[Tensor], rate: Tensor, settings: Sequence[Tensor], nesterov: bool
) -> tuple[Tensor, ...]:
    """Momentum; Nesterov's looks a step ahead (Sutskever et al. 2013)."""
    (velocity,), (momentum,) = kept, settings
    velocity = momentum * velocity - rate * g
    return p.detach() + (momentum * velocity - rate * g if nesterov else velocity), velocity
