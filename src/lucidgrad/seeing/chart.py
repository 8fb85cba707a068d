"""What a picture of a computation is made of: vertices with values and gradients, and edges with factors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from lucidgrad.ops.op import Spec

Kind = Literal["data", "parameter", "op", "loss", "layer"]


@dataclass(eq=False)
class Vertex:
    """An array: one that was given, or what an op has made.

    Attributes
    ----------
    kind
        Given data, a parameter, what an op made, the loss, or a whole layer drawn as one.
    title
        The op, or the path of a parameter.
    symbol
        What formulas call it: ``W₁``.
    value, gradient
        Arrays, or None where they are not known.
    layer
        The layer it belongs to: its place in ``Chart.layers``, or None.
    attrs, numbers
        The static arguments of the op, and those of its inputs that are plain numbers, by place.
    source
        The node, tensor or value it stands for.
    """

    number: int
    kind: Kind
    title: str
    spec: Spec
    symbol: str = ""
    value: Any = None
    gradient: Any = None
    layer: int | None = None
    attrs: dict[str, Any] = field(default_factory=dict)
    numbers: dict[int, Any] = field(default_factory=dict)
    parameters: int = 0
    source: Any = None


@dataclass(eq=False)
class Edge:
    """An input of an op: forwards the array goes from ``source`` to ``target``, backwards the gradient returns.

    Attributes
    ----------
    place
        Which input of the op it is.
    backward
        Whether a gradient goes back along it.
    factor
        The factor of the chain rule in symbols, ``1 − a₁²``; empty where there is none to show.
    numbers
        The factor of this step, an array, or None.
    is_shown_elsewhere
        The factor is another vertex, as x is for W in x W: its numbers stand there.
    """

    source: Vertex
    target: Vertex
    place: int
    backward: bool = False
    factor: str = ""
    numbers: Any = None
    is_shown_elsewhere: bool = False

    @property
    def derivative(self) -> str:
        """The name of the factor: ``∂z₂/∂a₁``."""
        return f"∂{self.target.symbol}/∂{self.source.symbol}"


@dataclass(frozen=True)
class Layer:
    """A part of a model that is drawn as a box: its path, and what it is. The loss is one too, without a path."""

    path: str
    name: str
    is_loss: bool = False

    @property
    def title(self) -> str:
        """Both in one line."""
        return f"{self.path} · {self.name}" if self.path else self.name


@dataclass(eq=False)
class Chart:
    """Vertices in the order they were computed, and edges."""

    vertices: list[Vertex] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)

    def add(self, kind: Kind, title: str, spec: Spec, **rest: Any) -> Vertex:
        """A new vertex."""
        vertex = Vertex(len(self.vertices), kind, title, spec, **rest)
        self.vertices.append(vertex)
        return vertex

    def into(self, vertex: Vertex) -> list[Edge]:
        """The inputs of a vertex that are vertices, by place."""
        return [e for e in self.edges if e.target is vertex]

    def out_of(self, vertex: Vertex) -> list[Edge]:
        """Where a vertex goes to."""
        return [e for e in self.edges if e.source is vertex]

    def operations(self) -> Iterator[Vertex]:
        """The vertices that were computed, in that order."""
        return (v for v in self.vertices if v.kind in ("op", "loss", "layer"))
