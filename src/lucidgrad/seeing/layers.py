"""Which layer of a model an op belongs to: seen while the model runs, or found from the parameters it uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from lucidgrad.autograd import Node
from lucidgrad.losses import Loss
from lucidgrad.losses.choose import OfFunction
from lucidgrad.nn import Module
from lucidgrad.ops.arithmetic import add
from lucidgrad.seeing.chart import Layer
from lucidgrad.tensor import Tensor


@dataclass(frozen=True)
class Span:
    """One call of a layer: the serial numbers that nodes made in it have lie between the two."""

    layer: Layer
    first: int
    last: int


def _moment() -> int:
    """The number that the next node would have."""
    return Node(add, (), (), {}, None).serial


@contextmanager
def watched(model: Module) -> Iterator[list[Span]]:
    """Write down the calls of all layers inside of the block, functions in containers included."""
    spans: list[Span] = []
    with ExitStack() as ends:
        for path, module in model.modules().items():
            layer = Layer(path, type(module).__name__)
            _replace(module, "forward", _watching(module.forward, layer, spans), ends)
            _replace(module, "call_part", _watching_parts(module, path, spans), ends)
        yield spans


def _replace(module: Module, name: str, function: Callable[..., Any], ends: ExitStack) -> None:
    """Let an attribute of this one object be another until the block ends."""
    own = vars(module)
    if name in own:
        ends.callback(own.__setitem__, name, own[name])
    else:
        ends.callback(own.pop, name)
    own[name] = function


def _watching(function: Callable[..., Any], layer: Layer, spans: list[Span]) -> Callable[..., Any]:
    def call(*inputs: Any, **options: Any) -> Any:
        first = _moment()
        result = function(*inputs, **options)
        spans.append(Span(layer, first, _moment()))
        return result

    return call


def _watching_parts(module: Module, path: str, spans: list[Span]) -> Callable[..., Any]:
    """``call_part`` of a container, which also sees functions: only their container knows their place."""
    plain = module.call_part

    def call_part(name: object, part: Callable[..., Any], x: Any) -> Any:
        if isinstance(part, Module):
            return plain(name, part, x)
        title = getattr(part, "__name__", None) or type(part).__name__
        layer = Layer(f"{path}.{name}" if path else str(name), title)
        return _watching(lambda x: plain(name, part, x), layer, spans)(x)

    return call_part


def span_of_loss(spans: list[Span], loss: Loss) -> Span:
    """All that was computed since the last call of a layer: by a loss, whose name the span has."""
    name = getattr(loss.function, "__name__", "") if isinstance(loss, OfFunction) else type(loss).__name__
    return Span(
        Layer("", name if name.isidentifier() else "loss", is_loss=True), max(span.last for span in spans), _moment()
    )


def layers_of_calls(nodes: list[Node], spans: list[Span]) -> dict[Node, Span]:
    """The innermost call that each node was made in; those of the model as a whole belong to none."""
    found: dict[Node, Span] = {}
    for node in nodes:
        around = [s for s in spans if s.first < node.serial < s.last and (s.layer.path or s.layer.is_loss)]
        if around:
            found[node] = min(around, key=lambda s: s.last - s.first)
    return found


def layers_of_parameters(nodes: list[Node], model: Module) -> dict[Node, Span]:
    """The layer whose parameters a node uses: as they are, or after ops on parameters alone, such as a transpose."""
    owner = _owners(model)
    spans = {layer: Span(layer, 0, 0) for layer in owner.values()}
    found: dict[Node, Span] = {}
    prepared: dict[Node, Layer] = {}
    for node in nodes:
        known = [owner.get(id(p)) if isinstance(p, Tensor) else prepared.get(p) for p in node.parents if p is not None]
        layers = [layer for layer in known if layer is not None]
        if layers:
            found[node] = spans[layers[-1]]
            if len(layers) == len(known):
                prepared[node] = layers[-1]
    return found


def _owners(model: Module) -> dict[int, Layer]:
    """The layer that holds each parameter, by the identity of the parameter."""
    modules = model.modules()
    found: dict[int, Layer] = {}
    for path, parameter in model.parameters().items():
        at = path.rpartition(".")[0]
        while at not in modules:
            at = at.rpartition(".")[0]
        found[id(parameter)] = Layer(at, type(modules[at]).__name__)
    return found
