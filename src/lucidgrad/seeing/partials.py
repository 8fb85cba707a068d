"""The derivative of every element that an op makes after every element it takes, where it is not zero by its nature."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from lucidgrad.autograd import Node
from lucidgrad.errors import ArgumentError
from lucidgrad.ops import TABLE
from lucidgrad.ops.shapes import kept
from lucidgrad.seeing.factors import is_elementwise, pulled

Array = np.ndarray[Any, np.dtype[Any]]

MOST_PARTIALS = 200_000  # of a whole explanation: more are neither read by a person nor gone through in a second
_REDUCED = ("sum", "max", "min", "prod", "logsumexp")


@dataclass(frozen=True)
class Partials:
    """Numbers ∂out[k]/∂in[j]: three arrays of one length, elements counted row by row."""

    outputs: Array
    inputs: Array
    values: Array


def partials(node: Node, place: int, columns: Array) -> Partials:
    """The partial derivatives of an op after some elements of one of its inputs.

    Parameters
    ----------
    node
        The op as it was applied.
    place
        Which input.
    columns
        Which elements of the input, counted row by row.

    Raises
    ------
    ArgumentError
        For more than 200,000 numbers.
    """
    op, shape = node.op, node.output.shape
    if TABLE.get(op.name) is op:  # of an op from outside nobody knows which elements belong together
        if op.name == "linear":
            return _linear(node, place, columns)
        if op.name == "matmul":
            return _matmul(node, place, columns)
        if (moved := _moved(node, place)) is not None:
            return _chosen(*moved, np.ones(len(moved[0])), columns)
        if is_elementwise(op):
            slopes = pulled(op, place, node.values, node.output, node.attrs, np.ones(shape, node.output.dtype))
            if op.name in _REDUCED or op.name == "cross_entropy":
                return _chosen(_reduced_to(node), np.arange(slopes.size), slopes.ravel(), columns)
            if slopes.shape == shape:
                return _chosen(np.arange(prod(shape)), _stretched(node.values[place], shape), slopes.ravel(), columns)
    return _by_rows(node, place, columns)


def _chosen(outputs: Array, inputs: Array, values: Array, columns: Array) -> Partials:
    """The partial derivatives after some elements alone."""
    size = int(inputs.max(initial=-1)) + 1
    wanted = np.zeros(max(size, int(columns.max(initial=-1)) + 1), bool)
    wanted[columns] = True
    here = (inputs >= 0) & wanted[inputs]
    return Partials(outputs[here], inputs[here], values[here])


def _stretched(value: Any, shape: tuple[int, ...]) -> Array:
    """For each element of a broadcast result, which element of the input it came from."""
    own = np.shape(value)
    return np.broadcast_to(np.arange(prod(own)).reshape(own), shape).ravel()


def _reduced_to(node: Node) -> Array:
    """For each element of what is reduced, which element of the result it goes into."""
    shape = node.values[0].shape
    axis = -1 if node.op.name == "cross_entropy" else node.attrs.get("axis")
    return np.broadcast_to(np.arange(node.output.size).reshape(kept(shape, axis)), shape).ravel()


def _moved(node: Node, place: int) -> tuple[Array, Array] | None:
    """Which element goes where, for ops that only move them: outputs and inputs, −1 for what is filled in."""
    name, values, attrs = node.op.name, node.values, node.attrs
    outputs = np.arange(node.output.size)
    if name in ("reshape", "transpose", "broadcast_to", "getitem"):
        numbers = np.arange(values[0].size).reshape(values[0].shape)
        return outputs, np.asarray(node.op.forward(numbers, *values[1:], **attrs)).ravel()
    if name == "pad":
        numbers = np.arange(values[0].size).reshape(values[0].shape)
        return outputs, node.op.forward(numbers, padding=attrs["padding"], value=-1).ravel()
    if name == "concatenate":
        parts = [np.full(v.shape, -1) for v in values]
        parts[place] = np.arange(values[place].size).reshape(values[place].shape)
        return outputs, node.op.forward(*parts, **attrs).ravel()
    if name == "put":
        numbers = outputs.reshape(node.output.shape)
        places = TABLE["getitem"].forward(numbers, *values[1:], key=attrs["key"])
        return np.asarray(places).ravel(), np.arange(values[0].size)
    return None


def _linear(node: Node, place: int, columns: Array) -> Partials:
    """Of x wᵀ + b, x: (rows, in), w: (out, in)."""
    x, w, _ = node.values
    rows, (out, features) = x.reshape(-1, x.shape[-1]), w.shape
    count = len(rows)
    check_count(len(columns) * (out if place == 0 else count))
    if place == 0:
        row, feature = np.divmod(columns, features)
        outputs = row[:, None] * out + np.arange(out)
        values = w[:, feature].T
    else:
        unit, feature = np.divmod(columns, features) if place == 1 else (columns, columns)
        outputs = np.arange(count) * out + unit[:, None]
        values = rows[:, feature].T if place == 1 else np.ones(outputs.shape, x.dtype)
    return Partials(outputs.ravel(), np.repeat(columns, outputs.shape[1]), values.ravel())


def _matmul(node: Node, place: int, columns: Array) -> Partials:
    """Of a b, a: (..., n, k), b: (..., k, m); leading axes broadcast."""
    a, b = node.values
    batch, (n, m) = node.output.shape[:-2], node.output.shape[-2:]
    check_count(len(columns) * (m if place == 0 else n))
    mine, other = (a, b) if place == 0 else (b, a)
    places = _stretched(np.empty(mine.shape[:-2]), batch)
    others = np.broadcast_to(other, (*batch, *other.shape[-2:])).reshape(-1, *other.shape[-2:])
    found = []
    part, row, column = np.unravel_index(columns, (max(1, prod(mine.shape[:-2])), *mine.shape[-2:]))
    for t, p in enumerate(places):
        here = part == p
        if place == 0:
            outputs = t * n * m + row[here, None] * m + np.arange(m)
            values = others[t][column[here], :]
        else:
            outputs = t * n * m + np.arange(n) * m + column[here, None]
            values = others[t][:, row[here]].T
        found.append((outputs.ravel(), np.repeat(columns[here], outputs.shape[1]), values.ravel()))
    return Partials(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _by_rows(node: Node, place: int, columns: Array) -> Partials:
    """From the op's vjp rule, one element of the output after the other; what is 0 there is left out."""
    y, x = node.output, node.values[place]
    check_count(y.size * x.size // 8)
    found = []
    for k in range(y.size):
        g = np.zeros(y.size, y.dtype)
        g[k] = 1
        pull = pulled(node.op, place, node.values, y, node.attrs, g.reshape(y.shape))
        row = summed(pull, x.shape).ravel()[columns]
        (here,) = np.nonzero(row)
        found.append((np.full(len(here), k), columns[here], row[here]))
    if not found:
        return Partials(columns[:0], columns[:0], np.zeros(0))
    return Partials(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def summed(g: Array, shape: tuple[int, ...]) -> Array:
    """A cotangent with broadcasting undone."""
    ahead = g.ndim - len(shape)
    stretched = tuple(range(ahead)) + tuple(ahead + i for i, n in enumerate(shape) if n == 1 != g.shape[ahead + i])
    return np.asarray(g.sum(axis=stretched).reshape(shape)) if stretched else g.reshape(shape)


def check_count(count: int) -> None:
    """Refuse to write out what nobody can read."""
    if count > MOST_PARTIALS:
        raise ArgumentError(
            f"explain expected at most {MOST_PARTIALS:,} partial derivatives between the loss and one element, got "
            f"{count:,} or more. Explain a step with fewer rows, explain(model, x[:8], y[:8], ...), or the whole "
            "parameter: its gradient is written with matrices."
        )
