"""All paths from a loss to an array, and to one element of it: the gradient is the sum of their products."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import nlargest
from typing import Any

import numpy as np

from lucidgrad.seeing.chart import Chart, Edge, Vertex
from lucidgrad.seeing.factors import pulled
from lucidgrad.seeing.partials import Array, Partials, check_count, partials, summed

Link = tuple[Edge, int, int, float]  # an edge, the element after it, the element before it, the derivative between
Chain = tuple[Any, ...]  # (the rest of the chain towards the loss, link), or () at the loss


@dataclass(frozen=True)
class Found:
    """Paths to one element: those asked for, the count of all, and the sum of all products."""

    paths: list[list[Link]]
    count: int
    total: float


def leading_to(chart: Chart, vertex: Vertex) -> list[Edge]:
    """The edges along which a gradient comes back to a vertex, in the order they were computed."""
    reached, found = {vertex}, []
    incoming: dict[Vertex, list[Edge]] = {}
    for e in chart.edges:
        incoming.setdefault(e.target, []).append(e)
    for v in chart.vertices:
        for e in incoming.get(v, []):
            if e.backward and e.source in reached:
                reached.add(v)
                found.append(e)
    return found


def array_paths(edges: list[Edge], loss: Vertex, vertex: Vertex, most: int) -> tuple[list[list[Edge]], int]:
    """Paths of whole arrays from the loss to a vertex: the first few, and how many there are."""
    ways: dict[Vertex, int] = {loss: 1}
    for e in reversed(edges):
        ways[e.source] = ways.get(e.source, 0) + ways.get(e.target, 0)
    incoming: dict[Vertex, list[Edge]] = {}
    for e in edges:
        incoming.setdefault(e.target, []).append(e)

    def walk() -> Iterator[list[Edge]]:
        stack: list[tuple[Vertex, list[Edge]]] = [(loss, [])]
        while stack:
            at, path = stack.pop()
            if at is vertex:
                yield path
            stack += [(e.source, [*path, e]) for e in reversed(incoming.get(at, []))]

    return [path for _, path in zip(range(most), walk(), strict=False)], ways.get(vertex, 0)


def pulled_along(path: list[Edge]) -> Array:
    """The part of a gradient that comes along one path."""
    node = path[0].target.source
    g: Array = np.ones(node.output.shape, node.output.dtype)
    for e in path:
        node = e.target.source
        back = pulled(node.op, e.place, node.values, node.output, node.attrs, g)
        g = summed(back, e.source.spec.shape).astype(e.source.spec.dtype)
    return g


def element_paths(edges: list[Edge], loss: Vertex, vertex: Vertex, element: int, most: int) -> Found:
    """Paths of numbers from the loss to one element, counted row by row.

    Where there are more than ``most``, those with the largest products are chosen: the largest paths are continued
    from the largest paths, so that keeping ``most`` at each number on the way misses none.
    """
    web = _web(edges, vertex, element)
    count: dict[tuple[Vertex, int], int] = {(loss, 0): 1}
    total: dict[tuple[Vertex, int], float] = {(loss, 0): 1.0}
    best: dict[tuple[Vertex, int], list[tuple[float, Chain]]] = {(loss, 0): [(1.0, ())]}
    for e, found in reversed(web):
        for k, j, value in zip(found.outputs.tolist(), found.inputs.tolist(), found.values.tolist(), strict=True):
            after, before = (e.target, k), (e.source, j)
            if after not in count:
                continue  # an element that the loss does not use
            count[before] = count.get(before, 0) + count[after]
            total[before] = total.get(before, 0.0) + total[after] * value
            step: Link = (e, k, j, value)
            known = best.setdefault(before, [])
            known += [(size * abs(value), (chain, step)) for size, chain in best[after]]
            if len(known) > most:
                best[before] = nlargest(most, known, key=lambda c: c[0])
    end = (vertex, element)
    chosen = [_links(chain) for _, chain in best.get(end, [])]
    if count.get(end, 0) <= most:
        chosen.sort(key=lambda path: [(e.source.number, j) for e, _, j, _ in path])
    else:
        chosen.sort(key=lambda path: -abs(float(np.prod([value for *_, value in path]))))
    return Found(chosen, count.get(end, 0), total.get(end, 0.0))


def _web(edges: list[Edge], vertex: Vertex, element: int) -> list[tuple[Edge, Partials]]:
    """The derivatives between all numbers that the element goes into, from the element on."""
    reached: dict[Vertex, Array] = {vertex: np.array([element])}
    web = []
    amount = 0
    for e in edges:
        found = partials(e.target.source, e.place, reached[e.source])
        amount += len(found.values)
        check_count(amount)
        web.append((e, found))
        reached[e.target] = np.union1d(reached.get(e.target, found.outputs[:0]), found.outputs)
    return web


def _links(chain: Chain) -> list[Link]:
    """A chain from the loss on."""
    links = []
    while chain:
        chain, link = chain
        links.append(link)
    return links[::-1]
