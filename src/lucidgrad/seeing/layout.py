"""Where the boxes of a picture go: ranks and their order by Sugiyama's method, then places that fit the boxes' sizes.

fast-sugiyama ranks the vertices and orders them so that few edges cross (Sugiyama, Tagawa and Toda 1981). It takes all
boxes to be equally wide, so the places in a rank are computed here from the true widths.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

Point = tuple[float, float]
Link = tuple[Any, Any]

SWEEPS = 60
BEND_WIDTH = 14.0


@dataclass(frozen=True)
class Layout:
    """Centres of the boxes, the points through which long edges go, and the size of the whole."""

    centres: dict[Any, Point]
    routes: dict[Link, list[Point]]
    width: float
    height: float


def arrange(
    sizes: Mapping[Any, Point],
    links: Sequence[Link],
    gaps: Point = (24.0, 20.0),
    ends: Mapping[Any, float] | None = None,
) -> Layout:
    """Place boxes so that none overlap and links go downwards.

    Parameters
    ----------
    sizes
        Width and height of each box.
    links
        Pairs of boxes. No cycles.
    gaps
        Free space between boxes side by side, and one above the other.
    ends
        Where links enter boxes, by link: the distance from the centre to the right, when not in the middle.

    Returns
    -------
    Layout
        With the upper left corner at (0, 0).
    """
    names = list(sizes)
    ranks, chains = _ranked(names, links)
    width = {key: sizes[key][0] if key in sizes else BEND_WIDTH for rank in ranks for key in rank}
    x = _columns(ranks, width, _neighbours(chains), gaps[0], ends or {})
    heights = [max((sizes[key][1] for key in rank if key in sizes), default=0.0) for rank in ranks]
    tops = np.concatenate([[0.0], np.cumsum(np.array(heights) + gaps[1])])
    y = {key: tops[i] + heights[i] / 2 for i, rank in enumerate(ranks) for key in rank}
    left = min(x[key] - width[key] / 2 for key in x)
    right = max(x[key] + width[key] / 2 for key in x)
    points = {key: (float(x[key] - left), float(y[key])) for key in x}
    routes = {link: [points[key] for key in chain[1:-1]] for link, chain in chains.items()}
    total = float(tops[-1] - gaps[1])
    return Layout({key: points[key] for key in names}, routes, float(right - left), total)


def _ranked(names: list[Any], links: Sequence[Link]) -> tuple[list[list[Hashable]], dict[Link, list[Hashable]]]:
    """The boxes and bends of each rank in order, and for each link the chain of bends it goes through."""
    from fast_sugiyama import from_edges

    number = {name: i for i, name in enumerate(names)}
    pairs = list(dict.fromkeys((number[a], number[b]) for a, b in links))
    sources = {a for a, _ in pairs}
    sink = len(names)  # all that goes nowhere goes there: the graph is connected, and one picture
    numbered = [*pairs, *((i, sink) for i in range(sink) if i not in sources)]
    found: Any = from_edges(
        numbered, dummy_vertices=True, vertex_spacing=1, minimum_length=1, ranking_type="minimize", check_layout=False
    )
    ((positions, _, _, segments),) = found
    following = {a: b for a, b in segments if a > sink}
    chains: dict[Link, list[Hashable]] = {}
    for a, b in segments:
        if a <= sink:
            chain = [a, b]
            while chain[-1] > sink:
                chain.append(following[chain[-1]])
            if chain[-1] != sink:
                key = (names[a], names[chain[-1]])
                chains[key] = [names[i] if i < sink else ("bend", i) for i in chain]
    used = {i for chain in chains.values() for i in chain} | set(names)
    levels: dict[float, list[tuple[float, Hashable]]] = {}
    for i, (px, py) in positions:
        key = names[i] if i < sink else ("bend", i)
        if key in used:
            levels.setdefault(-round(py, 3), []).append((px, key))
    return [[key for _, key in sorted(levels[level], key=lambda p: p[0])] for level in sorted(levels)], chains


def _neighbours(chains: dict[Link, list[Hashable]]) -> dict[Hashable, list[tuple[Hashable, Link]]]:
    found: dict[Hashable, list[tuple[Hashable, Link]]] = {}
    for link, chain in chains.items():
        for a, b in pairwise(chain):
            found.setdefault(a, []).append((b, link))
            found.setdefault(b, []).append((a, link))
    return found


def _columns(
    ranks: list[list[Hashable]],
    width: dict[Hashable, float],
    neighbours: dict[Hashable, list[tuple[Hashable, Link]]],
    gap: float,
    ends: Mapping[Any, float],
) -> dict[Hashable, float]:
    """Horizontal places: each box near the middle of what it is linked with, in its order, without overlaps."""
    x: dict[Hashable, float] = {}
    for rank in ranks:
        at = np.cumsum([width[key] + gap for key in rank]) - np.array([width[key] for key in rank]) / 2
        x |= {key: float(p - at.mean()) for key, p in zip(rank, at, strict=True)}

    def wanted(key: Hashable) -> float:
        found = [
            x[other] + ends.get((other, link), 0.0) - ends.get((key, link), 0.0)
            for other, link in neighbours.get(key, [])
        ]
        return sum(found) / len(found) if found else x[key]

    for sweep in range(SWEEPS):
        for rank in ranks if sweep % 2 == 0 else reversed(ranks):
            x |= _spread(rank, [wanted(key) for key in rank], width, gap)
    return x


def _spread(
    rank: list[Hashable], wanted: list[float], width: dict[Hashable, float], gap: float
) -> dict[Hashable, float]:
    """The places closest to those that are wanted (least squares) with boxes in their order and apart.

    With the widths before each taken off, boxes have to be in order only: isotonic regression.
    """
    from scipy.optimize import isotonic_regression

    sizes = np.array([width[key] + gap for key in rank])
    offsets = np.cumsum(sizes) - sizes / 2
    fitted = isotonic_regression(np.array(wanted) - offsets).x + offsets
    return dict(zip(rank, map(float, fitted), strict=True))
