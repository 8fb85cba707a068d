"""explain: the chain rule for one parameter written out along every path from the loss, in symbols and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, SupportsIndex

import numpy as np

from lucidgrad.errors import ArgumentError
from lucidgrad.errors import explain as message
from lucidgrad.nn import Module
from lucidgrad.seeing.chart import Chart, Edge, Vertex
from lucidgrad.seeing.collect import operand_names
from lucidgrad.seeing.equations import definition, element_text, pulled_back
from lucidgrad.seeing.explanation import Equation, Explanation, Factor, Path
from lucidgrad.seeing.given import chart_of
from lucidgrad.seeing.paths import array_paths, element_paths, leading_to, pulled_along
from lucidgrad.seeing.words import words_of
from lucidgrad.tensor import Tensor

Index = int | tuple[int, ...]


def explain(
    what: Tensor | Module,
    x: Any = None,
    y: Any = None,
    *,
    wrt: str | Tensor | tuple[str | Tensor, Index],
    loss: Any = None,
    model: Module | None = None,
    names: Mapping[str, Tensor] | None = None,
    most: int = 12,
    digits: int = 4,
    language: str = "en",
) -> Explanation:
    """Write out the chain rule for one parameter, or for one element of it, with the numbers of this step.

    For a whole parameter every gradient on the way back is an equation of matrices, as textbooks have it,
    ``∂L/∂W₁ = (∂L/∂z₁)ᵀ · x``. For a single element, ``wrt=("0.weight", (1, 0))``, it is a sum over all paths from
    the loss to this number, each a product of numbers.

    Parameters
    ----------
    what
        A loss, which is a number, or a model together with ``x``, ``y`` and ``loss``.
    x, y, loss
        For a model: its inputs (rows, ...), a target for each row, and a loss or its name.
    wrt
        The parameter: its path in the model, its name in ``names``, its symbol in the explanation, or the tensor
        itself, of any shape; or a pair of that and the index of an element. Also a tensor on the way, of which it is
        the gradient that backward passes on.
    model
        For a loss: the model whose parameters are to be named.
    names
        Symbols for tensors of your own: ``{"w": w, "x": x}``.
    most
        How many paths are written out at most: the largest, if there are more, and the sum of the others.
    digits
        Significant digits of numbers.
    language
        ``"en"`` or ``"ko"``.

    Returns
    -------
    Explanation
        Text when it is printed, formulas in notebooks, LaTeX as ``.latex``; the factors as data in ``.paths``.

    Raises
    ------
    ArgumentError
        For something that is no loss, a parameter it does not depend on, an index outside of it, or more than 200,000
        partial derivatives between the loss and one element.
    GradientError
        For a tensor that was not computed from others, or whose parameters were changed since.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> w, x = lg.Tensor(0.5), lg.tensor(2.0)
    >>> print(lg.explain((w * x).tanh(), wrt=w, names={"w": w, "x": x}))
    ∂L/∂w = 0.84: the gradient of the loss L after w, by the chain rule
    <BLANKLINE>
    Forward
      v = w · x = 1
      L = tanh(v) = 0.7616
    <BLANKLINE>
    The factors
      ∂L/∂v = 1 − L²
      ∂v/∂w = x
    <BLANKLINE>
    Along the only path
      ∂L/∂v · ∂v/∂w
        = 0.42 · 2 = 0.84
    """
    words = words_of(language)
    _check_count("most", most)
    _check_count("digits", digits)
    chart = chart_of(what, x, y, loss, model, names, "explain")
    end = chart.vertices[-1]
    if end.kind != "loss" or end.gradient is None:
        raise ArgumentError(
            message(
                "explain expected a loss, a single number made from floats",
                f"{end.title} of {end.spec}",
                "Give a model its targets and a loss, explain(model, x, y, loss='cross_entropy', wrt=...), "
                "or reduce the tensor first: loss.mean()",
            )
        )
    name, index = wrt if isinstance(wrt, tuple) else (wrt, None)
    vertex = _vertex(chart, name, names or {})
    edges = leading_to(chart, vertex)
    if vertex.gradient is None or (not edges and vertex is not end):
        raise _no_way(vertex)
    element = _element(vertex, index)
    paths, count, total = _array_paths(edges, end, vertex, most)
    if element is not None:
        paths, count, total = _element_paths(edges, end, vertex, element, most)
    return Explanation(
        symbol=vertex.symbol,
        title=vertex.title if vertex.kind == "parameter" and vertex.title != "parameter" else vertex.symbol,
        index=element,
        gradient=np.asarray(vertex.gradient[element] if element is not None else vertex.gradient),
        forward=_forward(chart, edges),
        backward=_backward(chart, edges, vertex),
        factors=_factors(edges),
        paths=paths,
        count=count,
        total=total,
        digits=digits,
        words=words,
    )


def _check_count(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ArgumentError(message(f"explain expected {name} of 1 or more", repr(value), f"{name}=4 is usual"))


def _vertex(chart: Chart, name: Any, names: Mapping[str, Tensor]) -> Vertex:
    """The vertex that a user means."""
    if isinstance(name, Tensor):
        found = [v for v in chart.vertices if v.source is name or (name.node is not None and v.source is name.node)]
        given = f"a tensor of shape {name.shape} that is not among them"
    else:
        found = [v for v in chart.vertices if v.kind == "parameter" and v.title == name]
        found = found or [v for v in chart.vertices if v.symbol == name]
        given = repr(name)
        if not found and name in names:
            return _vertex(chart, names[name], {})
    if found:
        return found[0]
    known = [v.title if v.title != "parameter" else v.symbol for v in chart.vertices if v.kind == "parameter"]
    raise ArgumentError(
        message(
            f"wrt expected a parameter that the loss was computed from, one of {known}",
            given,
            "Name a path of model.parameters(), a symbol, or give the tensor that was used",
        )
    )


def _no_way(vertex: Vertex) -> ArgumentError:
    return ArgumentError(
        message(
            "wrt expected a tensor that gradients come back to",
            f"{vertex.symbol} ({vertex.title})",
            "Data has none unless it is made with requires_grad=True, and nothing comes back through comparisons, "
            "argmax, or integers",
        )
    )


def _element(vertex: Vertex, index: Index | None) -> tuple[int, ...] | None:
    """The index of one element, counted from 0; None for a whole array."""
    shape = vertex.spec.shape
    if index is None:
        return () if shape == () else None
    parts = index if isinstance(index, tuple) else (index,)
    whole = all(type(i) is not bool and isinstance(i, SupportsIndex) for i in parts)
    if not whole or len(parts) != len(shape) or any(not -n <= i < n for i, n in zip(parts, shape, strict=True)):
        example = tuple(n - 1 for n in shape)
        raise ArgumentError(
            message(
                f"wrt expected an index into the shape {shape} of {vertex.title}",
                repr(index),
                f"Its last element is {example}",
            )
        )
    return tuple(int(i) % n for i, n in zip(parts, shape, strict=True))


def _forward(chart: Chart, edges: list[Edge]) -> tuple[Equation, ...]:
    """What is computed on the way from the parameter to the loss."""
    on_the_way = list(dict.fromkeys(e.target for e in edges))
    return tuple(Equation(definition(v, operand_names(chart, v)), np.asarray(v.value)) for v in on_the_way)


def _backward(chart: Chart, edges: list[Edge], vertex: Vertex) -> tuple[Equation, ...]:
    """The gradient of each array on the way back: the sum of what comes from all that it went into."""
    parts: dict[Vertex, list[str]] = {}
    for e in edges:
        parts.setdefault(e.source, []).append(pulled_back(e))
    order = [v for v in reversed(chart.vertices) if v in parts and v is not vertex]
    return tuple(
        Equation(f"∂L/∂{v.symbol} = {' + '.join(parts[v])}", np.asarray(v.gradient))
        for v in [*order, *([vertex] if vertex in parts else [])]
    )


def _factors(edges: list[Edge]) -> tuple[Factor, ...]:
    """Each factor once, as a formula, from the loss on."""
    return tuple(Factor(e.derivative, e.factor, e.numbers) for e in reversed(edges))


def _array_paths(edges: list[Edge], end: Vertex, vertex: Vertex, most: int) -> tuple[tuple[Path, ...], int, Any]:
    found, count = array_paths(edges, end, vertex, most)
    paths = tuple(
        Path(
            tuple(Factor(e.derivative, e.factor, e.numbers) for e in path), pulled_along(path) if path else np.ones(())
        )
        for path in found
    )
    return paths, count, np.asarray(vertex.gradient)


def _element_paths(
    edges: list[Edge], end: Vertex, vertex: Vertex, element: tuple[int, ...], most: int
) -> tuple[tuple[Path, ...], int, float]:
    flat = int(np.ravel_multi_index(element, vertex.spec.shape)) if element else 0
    found = element_paths(edges, end, vertex, flat, most)
    paths = []
    for links in found.paths:
        factors = tuple(
            Factor(f"∂{_name(e.target, k)}/∂{_name(e.source, j)}", e.factor, value) for e, k, j, value in links
        )
        paths.append(Path(factors, float(np.prod([f.value for f in factors]))))
    return tuple(paths), found.count, found.total


def _name(vertex: Vertex, flat: int) -> str:
    """An element by its place in the array."""
    shape = vertex.spec.shape
    return element_text(vertex.symbol, tuple(map(int, np.unravel_index(flat, shape))) if shape else ())
