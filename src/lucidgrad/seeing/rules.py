"""An optimiser's update rule, in symbols and with the numbers of one element: read off its trace.

No rule is written down a second time: the optimiser's own code is run on values without elements, and what it recorded
is printed. So the rule of an optimiser from outside of the package is shown too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lucidgrad.compiler import interpret, trace
from lucidgrad.graph import Graph, Value
from lucidgrad.optim import Elementwise
from lucidgrad.seeing.readable import number
from lucidgrad.tensor import Tensor

SHORT = {"velocity": "v", "square": "s", "sum": "G"}
_SCALARS = ("αₜ", "εₜ", "κₜ", "λₜ", "μₜ", "νₜ")
_SUM, _PRODUCT, _MINUS, _POWER, _ATOM = range(5)
_INFIX = {
    "add": (" + ", _SUM),
    "subtract": (" − ", _SUM),
    "multiply": (" · ", _PRODUCT),
    "divide": (" / ", _PRODUCT),
    "power": ("^", _POWER),
}
DIGITS = 5


@dataclass(frozen=True)
class Rule:
    """A rule and one example of it.

    Attributes
    ----------
    numbers
        Those that are the same for all elements, in symbols and with their values: ``αₜ = η · √(1 − 0.999^t) = 0.01``.
    symbols
        A line for each thing that is computed: ``W₁′ = W₁ − η · ∇W₁``.
    example
        The same lines with the numbers of one element, and what comes out.
    """

    numbers: tuple[str, ...]
    symbols: tuple[str, ...]
    example: tuple[str, ...]


def rule_of(
    optimizer: Elementwise,
    symbol: str,
    theta: Tensor,
    g: Tensor,
    slots: Mapping[str, Tensor],
    step: float,
    rate: float,
    at: tuple[int, ...],
) -> Rule:
    """The rule of an optimiser for one parameter.

    Parameters
    ----------
    symbol
        What the parameter is called.
    theta, g, slots
        The parameter, its gradient, and the optimiser's running quantities by name.
    step
        The number of the step, counted from 1.
    rate
        The learning rate.
    at
        The element of the example.
    """
    t, eta = Tensor(step, dtype=np.float64), Tensor(rate, dtype=np.float64)
    prepared = trace(lambda t, eta: list(map(_tensor, optimizer.scalars(t, eta))), t, eta)
    values = [np.asarray(v) for v in interpret(prepared, t.numpy(), eta.numpy())]
    names = _scalar_names(prepared)
    lines = [f"η = {number(rate, DIGITS)}"] if len(names) < 2 else [f"η = {number(rate, DIGITS)}, t = {number(step)}"]
    for name, out, value in zip(names, prepared.outputs, values, strict=True):
        if name != "η":
            text = _text(prepared, out, dict(zip(prepared.inputs, ("t", "η"), strict=True)))
            lines.append(f"{name} = {text} = {number(value[()], DIGITS)}")
    given = [theta, g, *slots.values()]
    scalars = [Tensor.wrap(v.astype(theta.dtype)) for v in values]

    def rule(*inputs: Tensor) -> list[Tensor]:
        count = 2 + len(slots)
        return list(optimizer.rule(inputs[0], inputs[1], inputs[2:count], inputs[count:]))

    graph = trace(rule, *given, *scalars)
    own = [symbol, f"∇{symbol}", *(SHORT.get(s, s) for s in slots)]
    made = [f"{symbol}′", *(f"{SHORT.get(s, s)}′" for s in slots)]
    elements = [t.numpy()[at] for t in given] + [v.astype(theta.dtype)[()] for v in values]
    result = dict(zip(made, (a[at] for a in interpret(graph, *(t.numpy() for t in [*given, *scalars]))), strict=True))
    symbols = _lines(graph, made, dict(zip(graph.inputs, [*own, *names], strict=True)), {})
    shown = {v: _signed(number(e, DIGITS)) for v, e in zip(graph.inputs, elements, strict=True)}
    example = _lines(graph, made, shown, {name: _signed(number(x, DIGITS)) for name, x in result.items()})
    place = f"[{', '.join(map(str, at))}]" if at else ""
    ends = [number(result[line.partition(" = ")[0]], DIGITS) for line in example]
    example = [
        f"{name}{place} = {rest} = {end}"
        for (name, _, rest), end in zip((line.partition(" = ") for line in example), ends, strict=True)
    ]
    return Rule(tuple(lines), tuple(symbols), tuple(example))


def _tensor(x: Any) -> Tensor:
    return x if isinstance(x, Tensor) else Tensor(float(x), dtype=np.float64)


def _scalar_names(graph: Graph) -> list[str]:
    """The learning rate keeps its letter; what was made of it and of the step gets one."""
    free = iter(_SCALARS)
    return ["η" if out is graph.inputs[1] else next(free) for out in graph.outputs]


def _lines(graph: Graph, made: Sequence[str], names: dict[Value, str], numbers: dict[str, str]) -> list[str]:
    """A line for each output, the running quantities first: the parameter is made of them."""
    names = dict(names)
    found = []
    for name, out in [*zip(made[1:], graph.outputs[1:], strict=True), (made[0], graph.outputs[0])]:
        found.append(f"{name} = {_text(graph, out, names)}")
        if isinstance(out, Value):
            names[out] = numbers.get(name, name)
    return found


def _text(graph: Graph, x: Any, names: dict[Value, str]) -> str:
    return _written(x, names, {i.output: i for i in graph.instructions})[0]


def _written(x: Any, names: dict[Value, str], made: dict[Value, Any]) -> tuple[str, int]:
    """A value in symbols, and how strongly its last operator binds."""
    if not isinstance(x, Value):
        return _signed(number(np.asarray(x)[()], DIGITS)), _ATOM
    if x in names:
        return names[x], _ATOM
    instruction = made[x]
    name, inputs = instruction.op.name, [_written(i, names, made) for i in instruction.inputs]
    if name == "cast":
        return inputs[0]
    if name in _INFIX:
        sign, level = _INFIX[name]
        (left, a), (right, b) = inputs
        strict = name in ("subtract", "divide", "power")
        left = f"({left})" if a < level or (name == "power" and a == level) else left
        return left + sign + (f"({right})" if b < level or (strict and b == level) else right), level
    if name == "negative":
        text, level = inputs[0]
        return "−" + (text if level > _MINUS else f"({text})"), _MINUS
    if name == "sqrt":
        text, level = inputs[0]
        return "√" + (text if level == _ATOM else f"({text})"), _ATOM
    return f"{name}({', '.join(text for text, _ in inputs)})", _ATOM


def _signed(text: str) -> str:
    """A negative number among others stands in brackets."""
    return f"({text})" if text.startswith("−") else text
