"""What formulas call the arrays: W₁ and b₁ for parameters, z for a weighted sum and a for its activation."""

from __future__ import annotations

from collections import Counter

from lucidgrad.ops.op import Op
from lucidgrad.seeing.chart import Chart, Vertex

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_LETTERS = {"weight": "W", "bias": "b", "embedding": "E", "gain": "γ", "scale": "γ", "shift": "β"}
_ACTIVATIONS = {"tanh", "relu", "sigmoid", "softplus", "exp", "erf", "sin", "cos", "clip", "absolute"}


def name_vertices(chart: Chart, names: dict[int, str] | None = None) -> None:
    """Give each vertex its symbol.

    Parameters
    ----------
    names
        Symbols that were chosen, by the number of the vertex.
    """
    used: Counter[str] = Counter()
    chosen = names or {}
    places = _places(chart)
    for vertex in chart.vertices:
        if vertex.number in chosen:
            vertex.symbol = chosen[vertex.number]
        elif vertex.kind == "loss":
            vertex.symbol = "L"
        else:
            letter = _letter(vertex, chart)
            used[letter] += 1
            number = places.get(vertex.number, used[letter])
            vertex.symbol = f"{letter}{subscript(number)}"
    _drop_lonely_numbers(chart, chosen)


def subscript(n: int) -> str:
    """A number set low: 12 is ₁₂."""
    return str(n).translate(_SUBSCRIPTS)


def _letter(vertex: Vertex, chart: Chart) -> str:
    if vertex.kind == "data":
        return "x" if vertex.spec.dtype.kind == "f" else "y"
    if vertex.kind == "parameter":
        return _LETTERS.get(vertex.title.rpartition(".")[2], "θ")
    if vertex.kind == "layer":
        return "h"
    op = vertex.source.op if vertex.source is not None else None
    if op is None:
        return "v"
    if op.name == "linear" or _is_weighted_sum(op, vertex, chart):
        return "z"
    if op.name in _ACTIVATIONS:
        return "a"
    return {"softmax": "p", "cross_entropy": "ℓ"}.get(op.name, "v")


def _is_weighted_sum(op: Op, vertex: Vertex, chart: Chart) -> bool:
    return op.name == "add" and any(e.source.title == "matmul" for e in chart.into(vertex))


def _places(chart: Chart) -> dict[int, int]:
    """Weights and biases are counted by layer, so that W₂ and b₂ go together."""
    layers: dict[str, int] = {}
    found: dict[int, int] = {}
    for vertex in chart.vertices:
        path, _, name = vertex.title.rpartition(".")
        if vertex.kind == "parameter" and name in _LETTERS:
            found[vertex.number] = layers.setdefault(path, len(layers) + 1)
    return found


def _drop_lonely_numbers(chart: Chart, chosen: dict[int, str]) -> None:
    """A letter that stands for one array needs no number."""
    stems = Counter(_stem(v.symbol) for v in chart.vertices)
    for vertex in chart.vertices:
        if vertex.number not in chosen and stems[_stem(vertex.symbol)] == 1:
            vertex.symbol = _stem(vertex.symbol)


def _stem(symbol: str) -> str:
    return symbol.rstrip("₀₁₂₃₄₅₆₇₈₉")
