"""Boxes for a chart without layers: runs of ops that belong together, each with at most one product of matrices."""

from __future__ import annotations

from lucidgrad.seeing.chart import Chart, Layer, Vertex

HEADS = ("matmul", "linear")
LONGEST = 12  # ops of a group
NAMED = 3  # ops that a title names


def grouped(chart: Chart) -> None:
    """Give a chart without layers groups of ops as layers.

    A group is a run in the order of computing, of at most 12 ops with at most one product of matrices. Runs cannot lie
    before and behind each other, so that each can be drawn as a box. Arrays that a single group uses are inside of it.
    """
    for run in _joined(chart, _runs(chart)):
        if len(run) > 1:
            _make(chart, run)
    for v in chart.vertices:
        users = {e.target.layer for e in chart.out_of(v)}
        if v.kind in ("data", "parameter") and len(users) == 1:
            v.layer = users.pop()


def _runs(chart: Chart) -> list[list[Vertex]]:
    """Ops, each of which uses what the one before has made; those of given arrays alone go with the one behind."""
    runs: list[list[Vertex]] = []
    waiting: list[Vertex] = []
    for v in chart.operations():
        if v.kind == "loss":
            continue
        waiting.append(v)
        made = {e.source for e in chart.into(v) if e.source.kind == "op"}
        if not made and v.title not in HEADS:
            continue
        if runs and made & set(runs[-1]) and _fits(runs[-1], waiting):
            runs[-1] += waiting
        else:
            runs.append(waiting)
        waiting = []
    return [*runs, waiting] if waiting else runs


def _fits(run: list[Vertex], more: list[Vertex]) -> bool:
    return len(run) + len(more) <= LONGEST and sum(v.title in HEADS for v in (*run, *more)) <= 1


def _joined(chart: Chart, runs: list[list[Vertex]]) -> list[list[Vertex]]:
    """Neighbours as one where the second uses the first, or both are used by the one behind them."""
    uses = {v: {e.source for e in chart.into(v)} for v in chart.vertices}
    at = 0
    while at + 1 < len(runs):
        first, second, behind = runs[at], runs[at + 1], runs[at + 2] if at + 2 < len(runs) else []
        used = set().union(*(uses[v] for v in behind))
        belong = any(uses[v] & set(first) for v in second) or (used & set(first) and used & set(second))
        if belong and _fits(first, second):
            runs[at : at + 2] = [first + second]
            at = max(0, at - 1)
        else:
            at += 1
    return runs


def _make(chart: Chart, run: list[Vertex]) -> None:
    titles = list(dict.fromkeys(v.title for v in run))
    more = f" +{len(titles) - NAMED}" if len(titles) > NAMED else ""
    chart.layers.append(Layer(f"{run[0].symbol}–{run[-1].symbol}", ", ".join(titles[:NAMED]) + more))
    for v in run:
        v.layer = len(chart.layers) - 1
