"""A training step op by op: run once more eagerly, with every value, gradient and update kept."""

from __future__ import annotations

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
    chart
        The ops of the way forward with values and gradients.
    pulls
        The way back: for each op, the last first, what goes back along its edges.
    wrapped, optimizer
        The wrappers around the optimiser from the outside in, and the optimiser inside of them.
    gradients
        As the optimiser inside of all wrappers gets them, by path.
    state_before, state_after, parameters_before, parameters_after
        What the update started with and what it made.
    buffers_before, buffers_after
        Running statistics, which the way forward changes.
    loss, loss_after
        Of the minibatch before the update and after it, with the same randomness.
    """

    replayed: Replayed
    chart: Chart
    pulls: list[tuple[Vertex, list[Pull]]] = field(default_factory=list)
    wrapped: list[Wrapped] = field(default_factory=list)
    optimizer: Optimizer | None = None
    gradients: Tensors = field(default_factory=dict)
    state_before: dict[str, Any] = field(default_factory=dict)
    state_after: dict[str, Any] = field(default_factory=dict)
    parameters_before: Tensors = field(default_factory=dict)
    parameters_after: Tensors = field(default_factory=dict)
    buffers_before: Tensors = field(default_factory=dict)
    buffers_after: Tensors = field(default_factory=dict)
    loss: float = float("nan")
    loss_after: float = float("nan")

    @property
    def largest_difference(self) -> float:
        """Between the parameters as they are here and as the run had them after the step: 0 where it ran eagerly."""
        differences = [
            np.abs(p.numpy().astype(np.float64) - self.replayed.after.tensors[path].numpy())
            for path, p in self.parameters_after.items()
        ]
        return max((float(np.max(d, initial=0.0, where=np.isfinite(d))) for d in differences), default=0.0)


def slow_motion(replayed: Replayed) -> SlowStep:
    """Do a step that was replayed op by op; the model stays as it is."""
    model, before = replayed.run.model, replayed.before
    parameters, buffers = model.parameters(), model.buffers()
    with working(model):
        assign({**parameters, **buffers}, before.tensors)
        model.train()
        forward, chart = _forward(replayed)
        step = SlowStep(replayed, chart, loss=float(forward.loss))
        step.buffers_before = {path: before.tensors[path] for path in buffers}
        step.buffers_after = {path: t.detach() for path, t in buffers.items()}
        step.pulls = _pulls(chart)
        _update(step, parameters)
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


def _update(step: SlowStep, parameters: Tensors) -> None:
    """The update, wrapper after wrapper."""
    before, optimizer = step.replayed.before, step.replayed.run.optimizer
    step.parameters_before = {path: before.tensors[path] for path in parameters}
    step.state_before = before.optimizer_state
    if optimizer.full_batch:  # it has gone forward and backward many times: what it made of it is what the run has
        step.optimizer, step.gradients = optimizer, _gradients(step)
        step.parameters_after = {path: step.replayed.after.tensors[path] for path in parameters}
        step.state_after = step.replayed.after.optimizer_state
        return
    gradients = _gradients(step)
    outermost, given = optimizer, gradients
    while isinstance(optimizer, Transformed):
        changed = {path: g.detach() for path, g in optimizer.transform(step.parameters_before, gradients).items()}
        step.wrapped.append(Wrapped(optimizer, gradients, changed))
        optimizer, gradients = optimizer.optimizer, changed
    step.optimizer, step.gradients = optimizer, gradients
    rate = step.replayed.learning_rate
    after, step.state_after = outermost.update(step.parameters_before, given, step.state_before, rate)
    step.parameters_after = {path: p.detach() for path, p in after.items()}


def _gradients(step: SlowStep) -> Tensors:
    """Of the loss after each parameter; zeros for one that the loss does not depend on."""
    known = {v.title: v.gradient for v in step.chart.vertices if v.kind == "parameter" and v.gradient is not None}
    return {
        path: Tensor.wrap(known[path] if path in known else np.zeros(p.shape, p.dtype))
        for path, p in step.parameters_before.items()
    }
