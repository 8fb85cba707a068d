"""From what a user has, a loss, a model with inputs, or a graph, to the chart of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lucidgrad.compiler.jitted import Jitted
from lucidgrad.compiler.report import Report
from lucidgrad.errors import ArgumentError, explain
from lucidgrad.graph import Graph
from lucidgrad.losses import as_loss
from lucidgrad.nn import Module
from lucidgrad.seeing.chart import Chart
from lucidgrad.seeing.collect import chart_of_graph, chart_of_tensor
from lucidgrad.seeing.layers import span_of_loss, watched
from lucidgrad.tensor import Tensor


def chart_of(
    what: Any, x: Any, y: Any, loss: Any, model: Module | None, names: Mapping[str, Tensor] | None, caller: str = "draw"
) -> Chart:
    """The chart of a tensor, of a model with its inputs, or of a Graph.

    Parameters
    ----------
    what, x, y, loss, model, names
        As in ``draw``.
    caller
        The function that errors speak of.
    """
    for symbol, tensor in (names or {}).items():
        if not isinstance(tensor, Tensor):
            raise ArgumentError(
                explain(
                    f"{caller} expected tensors by their symbols as names",
                    f"a {type(tensor).__name__} as {symbol!r}",
                    "Name the tensors that the loss was computed from: names={'w': w}",
                )
            )
    if isinstance(what, Module):
        return _chart_of_model(what, x, y, loss, names, caller)
    if isinstance(what, Tensor):
        return chart_of_tensor(what, model, names)
    program = what.program if isinstance(what, Report) else what
    if isinstance(what, Jitted):
        program = what.program(*(a for a in (x, y) if a is not None))
    graph = program if isinstance(program, Graph) else getattr(program, "graph", None)
    if isinstance(graph, Graph):
        return chart_of_graph(graph)
    raise ArgumentError(
        explain(
            f"{caller} expected a tensor, a model with its inputs, or a Graph",
            type(what).__name__,
            f"Call {caller}(loss), or {caller}(model, x, y, loss='cross_entropy')",
        )
    )


def _chart_of_model(model: Module, x: Any, y: Any, loss: Any, names: Mapping[str, Tensor] | None, caller: str) -> Chart:
    if x is None or (loss is None) != (y is None):
        raise ArgumentError(
            explain(
                f"{caller} expected a model with inputs, and targets together with a loss",
                f"x={'none' if x is None else 'given'}, y={'none' if y is None else 'given'}, loss={loss!r}",
                f"Call {caller}(model, x), or {caller}(model, x, y, loss='cross_entropy')",
            )
        )
    with watched(model) as spans:
        output = model(x)
    if loss is not None:
        compared = as_loss(loss)
        output = compared(output, y)
        spans.append(span_of_loss(spans, compared))
    return chart_of_tensor(output, model, names, spans)
