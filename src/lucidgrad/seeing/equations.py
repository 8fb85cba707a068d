"""How an op, and the walk back through it, are written as equations of whole arrays."""

from __future__ import annotations

import re
from typing import Any

from lucidgrad.ops.shapes import kept
from lucidgrad.seeing.chart import Edge, Vertex
from lucidgrad.seeing.factors import is_elementwise
from lucidgrad.seeing.readable import number, shape_text
from lucidgrad.seeing.symbols import subscript

_INFIX = {
    "add": "+",
    "subtract": "−",
    "multiply": "⊙",
    "divide": "/",
    "matmul": "·",
    "power": "^",
    "less": "<",
    "less_equal": "≤",
    "greater": ">",
    "greater_equal": "≥",
    "equal": "=",
}
_REDUCED = ("sum", "max", "min", "prod", "logsumexp", "cross_entropy")


def definition(vertex: Vertex, names: dict[str, str], shape: tuple[int, ...] | None = None) -> str:
    """What a vertex is computed from: ``a₁ = tanh(z₁)``.

    Parameters
    ----------
    names
        What the inputs are called, by their place, and "y" for the vertex itself.
    shape
        Of what is computed. None: the vertex; ``()`` is one element of it.
    """
    inputs = [names[place] for place in sorted(names.keys() - {"y"}, key=int)]
    name, attrs = vertex.title, vertex.attrs
    is_array = bool(vertex.spec.shape if shape is None else shape)
    if name == "linear":
        x, w, b = inputs
        right = f"{x} · {w}ᵀ + {b}"
    elif name in _INFIX and len(inputs) == 2:
        right = f" {_INFIX[name] if is_array or name != 'multiply' else '·'} ".join(inputs)
    elif name == "negative":
        right = f"−{inputs[0]}"
    elif name == "cross_entropy":
        right = f"−log(softmax({inputs[0]})[{inputs[1]}])"
    elif name == "transpose" and _swaps(attrs["order"]):
        right = f"{inputs[0]}ᵀ"
    else:
        right = f"{name}({', '.join(inputs)})"
        if (axis := attrs.get("axis")) is not None and name != "concatenate":
            right = f"{name}{axes_text(axis)}({', '.join(inputs)})"
    return f"{names['y']} = {right}"


def settings_text(attrs: dict[str, Any]) -> str:
    """The static arguments of an op that its equation does not show: ``shape=4 × 2``.

    >>> settings_text({"axis": 0, "shape": (4, 2), "keepdims": True})
    'shape=4 × 2'
    """
    hidden = ("dtype", "axis", "order", "keepdims")
    return ", ".join(f"{k}={_plain(v)}" for k, v in attrs.items() if v not in (None, False) and k not in hidden)


def _plain(value: Any) -> str:
    if isinstance(value, tuple) and value and all(isinstance(v, int) for v in value):
        return shape_text(value)
    return number(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _swaps(order: tuple[int, ...]) -> bool:
    return order == (1, 0)


def axes_text(axis: Any) -> str:
    """Axes set low: sum₀."""
    axes = axis if isinstance(axis, tuple) else (axis,)
    return "".join("₋" * (a < 0) + subscript(abs(a)) for a in axes)


def pulled_back(edge: Edge, gradient: str = "∂L/∂") -> str:
    """The part of the gradient of an edge's source that comes back along it, in symbols: ``∂L/∂z₂ · W₂``.

    ``gradient`` stands before the name of an array for the gradient after it, ``"∇"`` for ``∇z₂ · W₂``; that of the
    loss itself is 1.

    ``⊙`` multiplies element by element and stretches smaller arrays, ``·`` is a product of matrices, ``Σ₀`` adds up
    over axis 0, and ``stretch`` repeats along the axes that were summed over.
    """
    target, shape = edge.target, edge.source.spec.shape
    op = target.source.op
    g = f"{gradient}{target.symbol}" if target.kind != "loss" else "1"
    if op.name == "linear":
        flat = len(target.spec.shape) == 2
        x = edge.factor if flat else f"rows({edge.factor})"
        if edge.place == 1:
            return f"{_transposed(g if flat else f'rows({g})')} · {x}"
        return f"{g} · {edge.factor}" if edge.place == 0 else _summed(g, target.spec.shape, shape)
    if op.name == "matmul":
        ndim = len(target.spec.shape)
        product = f"{g} · {edge.factor}" if edge.place == 0 else f"{edge.factor} · {g}"
        return _summed(product, (*target.spec.shape[: ndim - 2], *shape[-2:]), shape)
    if op.name in ("softmax", "log_softmax"):
        axes = axes_text(target.attrs["axis"])
        if op.name == "softmax":
            return f"{target.symbol} ⊙ ({g} − Σ{axes}({g} ⊙ {target.symbol}))"
        return f"{g} − {edge.factor.removeprefix('I − ')} ⊙ Σ{axes}({g})"
    if op.name in _REDUCED:
        axis = -1 if op.name == "cross_entropy" else target.attrs.get("axis")
        again = shape if target.spec.shape in (shape, kept(shape, axis)) else None
        spread = g if again and op.name != "sum" else f"stretch({g})"
        return _times(g if g == "1" and edge.factor != "1" else spread, edge.factor)
    if op.name == "broadcast_to":
        return _summed(g, target.spec.shape, shape)
    if op.name == "transpose" and _swaps(target.attrs["order"]):
        return _transposed(g)
    if op.name in ("reshape", "transpose", "pad", "getitem", "put", "concatenate"):
        return f"{edge.factor.replace(' ', '_')}({g})"
    if is_elementwise(op) and edge.factor:
        product = _times(g, edge.factor)
        return _summed(product if target.spec.shape else product.replace("⊙", "·"), target.spec.shape, shape)
    return f"{op.name}′({g})"


def _times(g: str, factor: str) -> str:
    """A gradient times a factor, without factors of one."""
    if factor == "1":
        return g
    if g == "1":
        return factor
    return f"−{g}" if factor == "−1" else f"{g} ⊙ {in_brackets(factor)}"


def in_brackets(factor: str) -> str:
    """A factor as it stands in a product: sums and signs in brackets."""
    outside = re.sub(r"\([^()]*\)|\[[^\[\]]*\]", "", re.sub(r"\([^()]*\)", "", factor))
    return f"({factor})" if re.search(r"[ −/]", outside) else factor


def _transposed(g: str) -> str:
    return g if g == "1" else f"({g})ᵀ" if "/" in g else f"{g}ᵀ"


def _summed(text: str, shape: tuple[int, ...], to: tuple[int, ...]) -> str:
    """Broadcasting undone."""
    ahead = len(shape) - len(to)
    axes = [*range(ahead), *(ahead + i for i, n in enumerate(to) if n == 1 != shape[ahead + i])]
    return f"Σ{''.join(map(subscript, axes))}({text})" if axes else text


def element_text(symbol: str, index: tuple[int, ...]) -> str:
    """One element of an array: ``W₁[1,0]``; a single number has no index."""
    return symbol + (f"[{','.join(map(str, index))}]" if index else "")


def number_in_product(value: Any, digits: int) -> str:
    """A number as it stands in a product: a negative one in brackets."""
    text = number(value, digits)
    return f"({text})" if text.startswith("−") else text
