"""A training step op by op: run once more eagerly, with every value, gradient and update kept.

What the run itself has of a step, on whichever engine, is the state before it, the state after it, and the loss: these
stay the run's own. What lies between them comes from the eager replay, and so does what can be compared.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lucidgrad.optim import Optimizer
from lucidgrad.optim.transformed import Transformed
from lucidgrad.seeing.chart import Chart, Edge, Vertex
from lucidgrad.seeing.collect import chart_of_tensor
from lucidgrad.seeing.factors import pulled
from lucidgrad.seeing.layers import span_of_loss, watched
from lucidgrad.tensor import Tensor
from lucidgrad.training.replay import Replayed
from lucidgrad.training.step import Forward, assign, forward_pass
from lucidgrad.training.working import working

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Pull:
    """What goes back along one edge: a part of the gradient of its source.

    Attributes
    ----------
    part
        What this edge brings, in the shape of the source.
    before, after
        The gradient of the source without and with it; ``before`` is None where this is the first part.
    summed
        Whether the part was added up over axes along which the source was stretched.
    """

    edge: Edge
    part: Any
    before: Any
    after: Any
    summed: bool


@dataclass(frozen=True)
class Wrapped:
    """What a wrapper around the optimiser, such as clipping, has made of the gradients."""

    optimizer: Transformed
    before: Tensors
    after: Tensors


@dataclass(eq=False)
class SlowStep:
    """A step with all that happened in it.

    Attributes
    ----------
    replayed
        The step as the run did it.
    loss
        Of the minibatch before the update: the run's own.
    state_before, state_after, parameters_before, parameters_after
        What the update started with and what it made: the run's own.
    buffers_before, buffers_after
        Running statistics, which the way forward changes: the run's own.
    chart
        The ops of the way forward with values and gradients, of the eager replay from the same state; all below is.
    pulls
        The way back: for each op, the last first, what goes back along its edges.
    wrapped, optimizer
        The wrappers around the optimiser from the outside in, and the optimiser inside of them.
    gradients
        As the optimiser inside of all wrappers gets them, by path.
    eager_loss, eager_parameters_after
        What the replay has for the run's ``loss`` and ``parameters_after``.
    loss_after
        Of the minibatch with the run's parameters after the update and the same randomness.
    """

    replayed: Replayed
    chart: Chart
    eager_loss: float
    loss_after: float = float("nan")
    pulls: list[tuple[Vertex, list[Pull]]] = field(default_factory=list)
    wrapped: list[Wrapped] = field(default_factory=list)
    optimizer: Optimizer | None = None
    gradients: Tensors = field(default_factory=dict)
    eager_parameters_after: Tensors = field(default_factory=dict)

    @property
    def loss(self) -> float:
        """Before the update, as the run had it."""
        return self.replayed.loss

    @property
    def is_left_out(self) -> bool:
        """Whether the run did not do the update, because the loss was no finite number."""
        return not math.isfinite(self.loss)

    @property
    def state_before(self) -> dict[str, Any]:
        """The optimiser's state that the update began with."""
        return self.replayed.before.optimizer_state

    @property
    def state_after(self) -> dict[str, Any]:
        """The optimiser's state after the update."""
        return self.replayed.after.optimizer_state

    @property
    def parameters_before(self) -> Tensors:
        """As the run had them before the step."""
        return _chosen(self.replayed.before.tensors, self.replayed.run.model.parameters())

    @property
    def parameters_after(self) -> Tensors:
        """As the run had them after the step."""
        return _chosen(self.replayed.after.tensors, self.replayed.run.model.parameters())

    @property
    def buffers_before(self) -> Tensors:
        """Running statistics before the step."""
        return _chosen(self.replayed.before.tensors, self.replayed.run.model.buffers())

    @property
    def buffers_after(self) -> Tensors:
        """Running statistics after the step."""
        return _chosen(self.replayed.after.tensors, self.replayed.run.model.buffers())

    @property
    def largest_difference(self) -> float:
        """Between the run's parameters after the step and those of the replay: 0 where the run went eagerly."""
        after = self.parameters_after
        differences = [
            np.abs(p.numpy().astype(np.float64) - after[path].numpy())
            for path, p in self.eager_parameters_after.items()
        ]
        return max((float(np.max(d, initial=0.0, where=np.isfinite(d))) for d in differences), default=0.0)

    @property
    def loss_difference(self) -> float:
        """Between the run's loss and that of the replay: 0 where the run went eagerly."""
        return 0.0 if self.is_left_out else abs(self.loss - self.eager_loss)


def _chosen(held: Tensors, paths: Iterable[str]) -> Tensors:
    return {path: held[path] for path in paths}


def slow_motion(replayed: Replayed) -> SlowStep:
    """Do a step that was replayed op by op; the model stays as it is."""
    model, before = replayed.run.model, replayed.before
    parameters, buffers = model.parameters(), model.buffers()
    with working(model):
        assign({**parameters, **buffers}, before.tensors)
        model.train()
        forward, chart = _forward(replayed)
        step = SlowStep(replayed, chart, float(forward.loss))
        step.pulls = _pulls(chart)
        _update(step)
        assign({**parameters, **buffers}, step.parameters_after | step.buffers_before)
        step.loss_after = float(forward_pass(model, replayed.run.loss, replayed.data, replayed.key).loss)
    return step


def _forward(replayed: Replayed) -> tuple[Forward, Chart]:
    run = replayed.run
    names = dict(zip(("x", "y", "ω"), replayed.data, strict=False))
    with watched(run.model) as spans:
        forward = forward_pass(run.model, run.loss, replayed.data, replayed.key)
    spans.append(span_of_loss(spans, run.loss))
    named = {name: t for name, t in names.items() if t is not None}
    return forward, chart_of_tensor(forward.loss, run.model, named, spans)


def _pulls(chart: Chart) -> list[tuple[Vertex, list[Pull]]]:
    """The walk backwards, with the gradients as they grow."""
    gathered: dict[Vertex, Any] = {}
    found = []
    for vertex in reversed(list(chart.operations())):
        edges = [e for e in chart.into(vertex) if e.backward]
        if vertex.gradient is None or not edges:
            continue
        node, pulls = vertex.source, []
        for edge in edges:
            brought = pulled(node.op, edge.place, node.values, node.output, node.attrs, vertex.gradient)
            part = Tensor.wrap(brought).sum_to(edge.source.spec.shape).numpy()
            before = gathered.get(edge.source)
            gathered[edge.source] = part if before is None else before + part
            pulls.append(Pull(edge, part, before, gathered[edge.source], part.size < brought.size))
        found.append((vertex, pulls))
    return found


def _update(step: SlowStep) -> None:
    """The update, wrapper after wrapper."""
    optimizer, gradients = step.replayed.run.optimizer, _gradients(step)
    if optimizer.full_batch or step.is_left_out:
        # a minimiser has gone forward and backward many times: what it made of it is what the run has
        step.optimizer, step.gradients, step.eager_parameters_after = optimizer, gradients, step.parameters_after
        return
    outermost, given = optimizer, gradients
    while isinstance(optimizer, Transformed):
        changed = {path: g.detach() for path, g in optimizer.transform(step.parameters_before, gradients).items()}
        step.wrapped.append(Wrapped(optimizer, gradients, changed))
        optimizer, gradients = optimizer.optimizer, changed
    step.optimizer, step.gradients = optimizer, gradients
    rate = step.replayed.learning_rate
    after, _ = outermost.update(step.parameters_before, given, step.state_before, rate)
    step.eager_parameters_after = {path: p.detach() for path, p in after.items()}


def _gradients(step: SlowStep) -> Tensors:
    """Of the loss after each parameter; zeros for one that the loss does not depend on."""
    known = {v.title: v.gradient for v in step.chart.vertices if v.kind == "parameter" and v.gradient is not None}
    return {
        path: Tensor.wrap(known[path] if path in known else np.zeros(p.shape, p.dtype))
        for path, p in step.parameters_before.items()
    }
