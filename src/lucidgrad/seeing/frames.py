"""A step in slow motion as a list of frames: what each shows, says, and points to in the graph."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from lucidgrad.ops.op import Op
from lucidgrad.optim import Elementwise
from lucidgrad.optim.clip import ClippedByNorm, ClippedByValue, global_norm
from lucidgrad.optim.regularize import Regularized
from lucidgrad.seeing.chart import Vertex
from lucidgrad.seeing.collect import operand_names
from lucidgrad.seeing.equations import definition, pulled_back, settings_text
from lucidgrad.seeing.factors import is_elementwise, is_pointwise
from lucidgrad.seeing.phrases import LANGUAGES, joined, phrase, same
from lucidgrad.seeing.readable import number
from lucidgrad.seeing.rules import SHORT, rule_of
from lucidgrad.seeing.slow import Pull, SlowStep, Wrapped
from lucidgrad.seeing.tables import Tables, cell_of, place_of_largest
from lucidgrad.seeing.words import words_of

Text = dict[str, str]
MOST_TERMS = 4  # of a sum that is written out
MOST_SAMPLES = 12  # whose numbers are listed


@dataclass
class Frame:
    """One view of the step.

    Attributes
    ----------
    phase
        data, forward, backward, update or result.
    title, text
        In both languages.
    formulas, example
        Lines: in symbols, and with the numbers of one element.
    tables
        Arrays with their names and roles; ``mark`` is the cell of the example.
    vertices, edges
        What it points to: numbers of vertices, and places in ``Chart.edges``.
    layer
        The layer it is in, or "".
    summary
        Rows of a table of texts, the head first.
    arrays
        Whose kernels can be shown: what is computed here.
    kernel
        The number of the kernel, once it has been looked up.
    """

    phase: str
    title: Text
    text: Text
    formulas: list[str] = field(default_factory=list)
    example: list[str] = field(default_factory=list)
    tables: list[dict[str, Any]] = field(default_factory=list)
    vertices: list[int] = field(default_factory=list)
    edges: list[int] = field(default_factory=list)
    layer: str = ""
    summary: list[list[Text]] = field(default_factory=list)
    arrays: list[Any] = field(default_factory=list, repr=False)
    kernel: int | None = None

    def plain(self) -> dict[str, Any]:
        """As data for the page."""
        return {name: value for name, value in asdict(self).items() if name != "arrays"}


def frames_of(step: SlowStep, tables: Tables) -> list[Frame]:
    """All frames of a step; the arrays they show are added to the tables."""
    return list(_Frames(step, tables).all())


class _Frames:
    def __init__(self, step: SlowStep, tables: Tables) -> None:
        self.step, self.chart, self.tables = step, step.chart, tables
        self.place = {edge: i for i, edge in enumerate(self.chart.edges)}
        self.symbols = {v.title: v.symbol for v in self.chart.vertices if v.kind == "parameter"}
        self.numbers = {v.title: v.number for v in self.chart.vertices if v.kind == "parameter"}

    def all(self) -> Iterator[Frame]:
        """From the minibatch to the result."""
        yield self._data()
        for vertex in self.chart.operations():
            yield self._forward(vertex)
        if self.chart.vertices[-1].gradient is not None:
            yield self._seed()
        for vertex, pulls in self.step.pulls:
            yield self._backward(vertex, pulls)
        for wrapped in self.step.wrapped:
            yield self._wrapped(wrapped)
        if not self.step.is_left_out:
            for path in self.step.parameters_before:
                yield self._update(path)
        if self.step.buffers_before:
            yield self._buffers()
        yield self._result()

    def _table(self, name: str, role: str, array: Any, place: tuple[int, ...] | None = None) -> dict[str, Any]:
        shown = np.asarray(array)
        mark = None if place is None or len(place) != shown.ndim else cell_of(shown, place)
        return {"name": name, "role": phrase(role), "kind": role, "array": self.tables.add(array), "mark": mark}

    def _natively(self, *names: str, **values: str) -> list[Text]:
        """Phrases for runs in machine code alone."""
        return [phrase(name, **values) for name in names] if self.step.replayed.engine == "native" else []

    def _own_loss(self) -> dict[str, Any]:
        loss = self.chart.vertices[-1]
        return self._table(loss.symbol, "run_loss", np.asarray(self.step.loss, loss.spec.dtype))

    def _layer(self, vertex: Vertex) -> str:
        return "" if vertex.layer is None else self.chart.layers[vertex.layer].title

    # --- the minibatch ----------------------------------------------------------------------------------------------

    def _data(self) -> Frame:
        done = self.step.replayed
        rows = ", ".join(map(str, done.rows[:MOST_SAMPLES])) + (", …" if len(done.rows) > MOST_SAMPLES else "")
        text = phrase("data_text", epoch=done.epoch, batch=done.batch, count=len(done.rows))
        shown = zip(("x", "y", "ω"), ("inputs", "targets", "weights"), done.data, strict=False)
        tables = [self._table(name, role, t.numpy()) for name, role, t in shown if t is not None]
        before = self.step.parameters_before
        tables += [self._table(self.symbols.get(path, path), "parameter", p.numpy()) for path, p in before.items()]
        given = [v.number for v in self.chart.vertices if v.kind in ("data", "parameter")]
        text = joined(text, phrase("samples", rows=rows), *self._natively("native_run_text", "own_text", "replay_text"))
        return Frame("data", phrase("data_title"), text, tables=tables, vertices=given)

    # --- forward ----------------------------------------------------------------------------------------------------

    def _forward(self, vertex: Vertex) -> Frame:
        node, names = vertex.source, operand_names(self.chart, vertex)
        place = place_of_largest(node.output)
        inputs = self.chart.into(vertex)
        tables = [self._table(e.source.symbol, "input", e.source.value) for e in _once(inputs)]
        tables.append(self._table(vertex.symbol, "output", node.output, place))
        used = ", ".join(e.source.symbol for e in _once(inputs)) or "·"
        text = phrase("forward_text", op=node.op.name, y=vertex.symbol, inputs=used)
        if vertex.kind == "loss":
            eager, own = number(self.step.eager_loss, 9), number(self.step.loss, 9)
            text = joined(phrase("loss_text"), *self._natively("loss_native_text", eager=eager, own=own))
            tables += [self._own_loss()] if self.step.replayed.engine == "native" else []
        return Frame(
            "forward",
            same(f"{vertex.symbol} = {node.op.name}"),
            text,
            [definition(vertex, names) + (f"   ({told})" if (told := settings_text(node.attrs)) else "")],
            _forward_example(vertex, place),
            tables,
            [vertex.number],
            [self.place[e] for e in inputs],
            self._layer(vertex),
            arrays=[node.output],
        )

    # --- backward ---------------------------------------------------------------------------------------------------

    def _seed(self) -> Frame:
        loss = self.chart.vertices[-1]
        tables = [self._table(f"∇{loss.symbol}", "gradient", loss.gradient)]
        return Frame("backward", same("∂L/∂L"), phrase("seed_text"), ["∇L = ∂L/∂L = 1"], [], tables, [loss.number])

    def _backward(self, vertex: Vertex, pulls: list[Pull]) -> Frame:
        node = vertex.source
        formulas = [
            f"{_gradient(p.edge.source)} = {pulled_back(p.edge, '∇')}"
            + (f"   + {_gradient(p.edge.source)}" if p.before is not None else "")
            for p in pulls
        ]
        tables = [self._table(_gradient(vertex), "gradient", vertex.gradient)]
        example: list[str] = []
        for p in pulls:
            place = place_of_largest(p.after)
            example += _backward_example(node.op, p, vertex, place)
            factor = p.edge.numbers
            if factor is not None and np.any(factor != factor.flat[0]):
                tables.append(self._table(p.edge.derivative, "factor", factor))
            if p.before is not None:
                tables.append(self._table(_gradient(p.edge.source), "part", p.before))
            tables.append(self._table(_gradient(p.edge.source), "output", p.after, place))
        text = joined(phrase("backward_text", op=node.op.name, y=vertex.symbol), *_notes("".join(formulas)))
        added = ", ".join(dict.fromkeys(p.edge.source.symbol for p in pulls if p.before is not None))
        title = ", ".join(dict.fromkeys(_gradient(p.edge.source) for p in pulls))
        return Frame(
            "backward",
            same(f"{title} ← {_gradient(vertex)}"),
            joined(text, phrase("adds_text", names=added)) if added else text,
            formulas,
            example,
            tables,
            [vertex.number, *(p.edge.source.number for p in pulls)],
            [self.place[p.edge] for p in pulls],
            self._layer(vertex),
            arrays=[p.after for p in pulls],
        )

    # --- update -----------------------------------------------------------------------------------------------------

    def _wrapped(self, wrapped: Wrapped) -> Frame:
        formulas, text = _wrapper(wrapped)
        tables = []
        for path, before in wrapped.before.items():
            name = f"∇{self.symbols.get(path, path)}"
            tables += [
                self._table(name, "before", before.numpy()),
                self._table(name, "after", wrapped.after[path].numpy()),
            ]
        numbers = list(self.numbers.values())
        return Frame("update", phrase("wrapped_title"), text, formulas, [], tables, numbers)

    def _update(self, path: str) -> Frame:
        step, optimizer = self.step, self.step.optimizer
        before, after = step.parameters_before[path], step.parameters_after[path]
        symbol = self.symbols.get(path, path)
        change = after.numpy() - before.numpy()
        place = place_of_largest(change)
        tables = [
            self._table(symbol, "before", before.numpy(), place),
            self._table(f"∇{symbol}", "gradient", step.gradients[path].numpy(), place),
        ]
        formulas, example = [f"{symbol}′ = {type(optimizer).__name__}({symbol}, ∇{symbol})"], []
        if isinstance(optimizer, Elementwise):
            slots = {name: step.state_before[name][path] for name in optimizer.slots}
            number_of_step = float(step.state_before["step"]) + 1.0
            rate = step.replayed.learning_rate
            rule = rule_of(optimizer, symbol, before, step.gradients[path], slots, number_of_step, rate, place)
            formulas, example = [*rule.numbers, *rule.symbols], list(rule.example)
            for name in optimizer.slots:
                for when, state in (("before", step.state_before), ("after", step.state_after)):
                    title = SHORT.get(name, name) + "′" * (when == "after")
                    tables.append(self._table(title, when, state[name][path].numpy(), place))
        tables += [
            self._table(f"{symbol}′ − {symbol}", "change", change, place),
            self._table(f"{symbol}′", "after", after.numpy(), place),
        ]
        text = phrase("update_text", symbol=symbol, changed=int(np.count_nonzero(change)), count=change.size)
        text = joined(text, *self._natively("update_native_text"))
        if optimizer is not None and optimizer.full_batch:
            text = phrase("minimiser_text", optimizer=type(optimizer).__name__)
        vertices = [self.numbers[path]] if path in self.numbers else []
        layer = next((self._layer(v) for v in self.chart.vertices if v.number in vertices), "")
        return Frame(
            "update",
            phrase("update_title", path=path),
            text,
            formulas,
            example,
            tables,
            vertices,
            [],
            layer,
            arrays=[after.numpy()],
        )

    def _buffers(self) -> Frame:
        tables = []
        for path, before in self.step.buffers_before.items():
            tables += [
                self._table(path, "before", before.numpy()),
                self._table(path, "after", self.step.buffers_after[path].numpy()),
            ]
        return Frame("update", phrase("buffers_title"), phrase("buffers_text"), tables=tables)

    # --- the result -------------------------------------------------------------------------------------------------

    def _result(self) -> Frame:
        step, done = self.step, self.step.replayed
        text = phrase("result_text", before=number(step.loss, 5), after=number(step.loss_after, 5))
        if step.is_left_out:
            text = phrase("stopped_text", loss=number(step.loss))
        ran = [phrase("same_text")]
        if done.engine == "native":
            differences = {"parameters": step.largest_difference, "loss": step.loss_difference}
            told = {name: number(d, 2) for name, d in differences.items()}
            ran = [phrase("own_text"), phrase("differs_text" if any(differences.values()) else "equal_text", **told)]
        checks = [phrase("checked_text", count=done.checked_epochs)] if done.checked_epochs else []
        head = [phrase(n) for n in ("parameter", "norm_before", "norm_gradient", "norm_change", "norm_after")]
        rows = [head]
        for path, before in step.parameters_before.items():
            old, new = (np.asarray(t.numpy(), np.float64) for t in (before, step.parameters_after[path]))
            gradient = step.gradients[path].numpy().astype(np.float64)
            norms = [number(np.linalg.norm(a), 4) for a in (old, gradient, new - old, new)]
            rows.append([same(f"{self.symbols.get(path, '')}  {path}".strip()), *map(same, norms)])
        fall = f"L: {number(step.loss, 5)} → {number(step.loss_after, 5)}   (Δ = {number(step.loss_after - step.loss)})"
        if step.is_left_out:
            fall = f"L: {number(step.loss)}"
        own, last = [self._own_loss()], self.chart.vertices[-1].number
        all_text = joined(text, *ran, *checks)
        return Frame("result", phrase("result_title"), all_text, [fall], tables=own, vertices=[last], summary=rows)


def _once(edges: list[Any]) -> list[Any]:
    """One edge for each source: x in x · x is shown once."""
    return list({e.source: e for e in edges}.values())


def _notes(formulas: str) -> list[Text]:
    """What the signs in formulas mean."""
    found = {language: words_of(language).notes(formulas) for language in LANGUAGES}
    return [{language: f"({'; '.join(notes)})" for language, notes in found.items()}] if all(found.values()) else []


def _gradient(vertex: Vertex) -> str:
    return f"∇{vertex.symbol}"


def _index(name: str, place: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(map(str, place))}]" if place else name


def _forward_example(vertex: Vertex, place: tuple[int, ...]) -> list[str]:
    """One element of what came out, from the elements it was made of."""
    node = vertex.source
    name, made = _index(vertex.symbol, place), number(node.output[place] if place else node.output[()], 5)
    op: Op = node.op
    if op.name in ("linear", "matmul") and all(np.ndim(v) == 2 for v in node.values[:2]):
        left = node.values[0][place[0]]
        right = node.values[1][place[1]] if op.name == "linear" else node.values[1][:, place[1]]
        terms = _terms(list(zip(left, right, strict=True)))
        terms += [_operand(node.values[2][place[1]])] if op.name == "linear" else []
        return [f"{name} = {' + '.join(terms)} = {made}"]
    if is_pointwise(op):
        parts = [np.broadcast_to(np.asarray(v), node.output.shape)[place] for v in node.values]
        names = {str(i): _operand(v) for i, v in enumerate(parts)} | {"y": name}
        written = definition(vertex, names, ())
        once = re.sub(r"[(]([(][^()]*[)])[)]", r"\1", written)  # tanh(−1), not tanh((−1))
        return [f"{once} = {made}"]
    return []


def _backward_example(op: Op, pull: Pull, vertex: Vertex, place: tuple[int, ...]) -> list[str]:
    """One element of the gradient, where it is a product of two numbers or a sum of such products."""
    name, source = _index(_gradient(pull.edge.source), place), pull.edge.source.spec.shape
    g, values = np.asarray(vertex.gradient), vertex.source.values
    terms: list[str] = []
    if op.name == "linear" and all(np.ndim(v) == 2 for v in values[:2]):
        pairs = _products(g, values, pull.edge.place, place)
        terms = _terms(pairs)
    elif is_elementwise(op) and pull.edge.numbers is not None and not pull.summed and g.shape in (source, ()):
        factor = np.broadcast_to(pull.edge.numbers, source)[place]
        terms = [f"{_operand(np.broadcast_to(g, source)[place])} · {_operand(factor)}"]
    if not terms:
        return []
    terms += [_operand(pull.before[place])] if pull.before is not None else []
    return [f"{name} = {' + '.join(terms)} = {number(np.asarray(pull.after)[place], 5)}"]


def _products(g: Any, values: Any, which: int, place: tuple[int, ...]) -> list[tuple[Any, Any]]:
    """The pairs whose products add up to an element of what ``linear`` gives back; b has nothing but a sum."""
    if which == 0:
        return list(zip(g[place[0]], values[1][:, place[1]], strict=True))
    if which == 1:
        return list(zip(g[:, place[0]], values[0][:, place[1]], strict=True))
    return [(x, None) for x in g[:, place[0]]]


def _terms(pairs: list[tuple[Any, Any]]) -> list[str]:
    """A sum of products written out; of a long one the largest terms, in their order."""
    sizes = [abs(float(a if b is None else a * b)) for a, b in pairs]
    largest = sorted(np.argsort(sizes, kind="stable")[-MOST_TERMS:].tolist())
    texts = [_operand(a) if b is None else f"{_operand(a)} · {_operand(b)}" for a, b in (pairs[i] for i in largest)]
    return texts + ["…"] * (len(pairs) > MOST_TERMS)


def _operand(x: Any) -> str:
    text = number(np.asarray(x)[()], 4)
    return f"({text})" if text.startswith("−") else text


def _wrapper(wrapped: Wrapped) -> tuple[list[str], Text]:
    """What a wrapper does to the gradients, in symbols and words."""
    optimizer = wrapped.optimizer
    if isinstance(optimizer, ClippedByNorm):
        norm, limit = float(global_norm(wrapped.before)), optimizer.max_norm
        factor = min(1.0, limit / (norm + 1e-6))
        formula = f"∇ ← ∇ · min(1, {number(limit)} / (‖∇‖ + 1e−6)) = ∇ · {number(factor, 4)}"
        name = "norm_text" if factor < 1 else "norm_fine_text"
        text = phrase(name, norm=number(norm, 5), limit=number(limit), factor=number(factor, 4))
        return [f"‖∇‖ = {number(norm, 5)}", formula], text
    text = phrase("wrapped_text", wrapper=type(optimizer).__name__)
    if isinstance(optimizer, ClippedByValue):
        return [f"∇ ← min(max(∇, −{number(optimizer.max_value)}), {number(optimizer.max_value)})"], text
    if isinstance(optimizer, Regularized):
        parts = [f" + {number(optimizer.l1)} · sign θ"] if optimizer.l1 else []
        parts += [f" + {number(optimizer.l2)} · θ"] if optimizer.l2 else []
        excluded = f"   (θ ∉ {{{', '.join(optimizer.exclude)}}})" if optimizer.exclude else ""
        return [f"∇θ ← ∇θ{''.join(parts)}{excluded}"], text
    return [], text
