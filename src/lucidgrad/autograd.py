"""The record of what was computed, and the walk backwards over it that gives gradients.

Every op on a Tensor that needs gradients leaves a Node: the op, what it was applied to, and what came out. Going
over the nodes from the last to the first, each node's vjp rules turn the cotangent of its output into cotangents of
its inputs (reverse accumulation: Griewank and Walther 2008, "Evaluating Derivatives", section 3.2).

This module does not know Tensor: it is given the function that makes one.
"""

from __future__ import annotations

import functools
import itertools
import os
import sys
import threading
import weakref
from collections.abc import Callable, Collection
from operator import attrgetter
from pathlib import Path
from typing import Any, ParamSpec, Self, TypeVar

import numpy as np

from lucidgrad.errors import AnomalyError, GradientError, ShapeError, explain
from lucidgrad.ops.op import Op

PACKAGE_FOLDER = str(Path(__file__).parent) + os.sep

P = ParamSpec("P")
R = TypeVar("R")


class Mode(threading.local):
    """How ops behave in this thread.

    Attributes
    ----------
    recording
        Whether ops leave Nodes. Off inside of ``no_grad``.
    anomaly
        Whether the first NaN or infinity is looked for. On inside of ``detect_anomaly``.
    quiet
        Whether NumPy's warnings are already off, so that they need not be switched for each op.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> with lg.no_grad():
    ...     lg.autograd.mode.recording
    False
    """

    recording: bool = True
    anomaly: bool = False
    quiet: bool = False


mode = Mode()


class _Switch:
    """Sets one field of the mode for a block (``with``) or a function (decorator), and puts it back."""

    field: str
    value: bool

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """function: what is to run → one that runs it in a block of its own, in whatever thread calls it."""

        @functools.wraps(function)
        def inside(*args: P.args, **kwargs: P.kwargs) -> R:
            with type(self)():
                return function(*args, **kwargs)

        return inside

    def __enter__(self) -> Self:
        self._before = [*getattr(self, "_before", []), getattr(mode, self.field)]
        setattr(mode, self.field, self.value)
        return self

    def __exit__(self, *_: object) -> None:
        setattr(mode, self.field, self._before.pop())


class no_grad(_Switch):  # noqa: N801 - reads as a statement
    """Compute without recording: inside, results have no history and take no memory for one.

    >>> import lucidgrad as lg
    >>> x = lg.Tensor(3.0)
    >>> with lg.no_grad():
    ...     y = x * x
    >>> y.requires_grad
    False
    """

    field, value = "recording", False


class enable_grad(_Switch):  # noqa: N801
    """Record again inside of ``no_grad``.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> with lg.no_grad(), lg.enable_grad():
    ...     (lg.Tensor(3.0) * 2.0).requires_grad
    True
    """

    field, value = "recording", True


class detect_anomaly(_Switch):  # noqa: N801
    """Stop at the first NaN or infinity that is made from finite numbers, forwards or backwards.

    The error names the op and the line of your program that applied it. Every op is checked, which costs time: use
    it to find the fault, not to train.

    >>> import lucidgrad as lg
    >>> with lg.detect_anomaly():
    ...     (lg.Tensor(0.0) - 1.0).log()
    Traceback (most recent call last):
        ...
    lucidgrad.errors.AnomalyError: log made NaN from finite numbers (in <module>, <doctest ...>, line 2). ...
    """

    field, value = "anomaly", True


_serials = itertools.count()


class Node:
    """One op that was applied: enough to differentiate it.

    Attributes
    ----------
    parents
        For each input what its cotangent goes to: the Node that made it, a leaf Tensor, or None for a constant.
    values, output
        The arrays that went in and came out, as they were then (arrays in tensors never change in place).
    serial
        Counts nodes, so that every node has a larger number than those it was made from.
    handle
        The Tensor of the output, while somebody holds it. Nodes do not keep it alive: no reference cycles, so
        memory is given back as soon as a graph is dropped.
    source
        The line of the program that applied the op; only known in anomaly mode.
    op, attrs
        The row of the op table, and its options.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> x = lg.Tensor(2.0)
    >>> y = x * x
    >>> y.node.op, y.node.parents == (x, x)
    (<op multiply>, True)
    """

    __slots__ = ("attrs", "handle", "op", "output", "parents", "serial", "source", "values")

    def __init__(
        self, op: Op, parents: tuple[Any, ...], values: tuple[Any, ...], attrs: dict[str, Any], output: Any
    ) -> None:
        self.op = op
        self.parents = parents
        self.values = values
        self.attrs = attrs
        self.output = output
        self.serial = next(_serials)
        self.handle: weakref.ref[Any] | None = None
        self.source: str | None = None

    def tensor(self) -> Any:
        """The Tensor of the output, or None when nobody holds it any more."""
        return None if self.handle is None else self.handle()

    def __repr__(self) -> str:
        return f"<node {self.op.name} #{self.serial}>"


def backpropagate(
    root: Any,
    cotangent: Any,
    wrap: Callable[[Any, Any], Any],
    targets: Collection[Any] | None = None,
    *,
    create_graph: bool = False,
) -> dict[Any, Any]:
    """Walk from ``root`` backwards and return the cotangent of every node and leaf that was reached.

    Parameters
    ----------
    root
        A Node or a leaf Tensor.
    cotangent
        The Tensor to start with, of the shape of the root's output.
    wrap
        ``wrap(value, parent)`` makes a Tensor of an array, with ``parent`` as its history (None: a constant).
    targets
        Nodes and leaves whose cotangents are wanted; paths that lead to none of them are not walked. None: all.
    create_graph
        Record the walk itself, so that its results can be differentiated again.

    Returns
    -------
    A dict from nodes and leaves to Tensors, each of the shape of what it is the cotangent of.

    Examples
    --------
    ``Tensor.backward`` and ``lucidgrad.grad`` are this:

    >>> import lucidgrad as lg
    >>> x = lg.Tensor(2.0)
    >>> lg.autograd.backpropagate((x * x).node, lg.tensor(1.0), lg.Tensor.wrap)[x]
    Tensor(4.)
    """
    found = {root: cotangent}
    if not isinstance(root, Node):
        return found
    before = mode.recording, mode.quiet, mode.anomaly
    # In anomaly mode what counts is the result of each rule, not the steps inside of it.
    mode.recording, mode.quiet, mode.anomaly = create_graph, True, False
    try:
        with np.errstate(all="ignore"):
            order = reachable(root)
            wanted = None if targets is None else _leading_to(order, targets)
            kept = None if targets is None else {id(t) for t in targets}
            for node in reversed(order):
                g = found.get(node)
                if g is None:
                    continue
                _pull_back(node, g, wrap, found, wanted, create_graph, before[2])
                if (node.tensor() is None) if kept is None else (id(node) not in kept):
                    del found[node]  # nobody can ask for it: give the memory back during the walk
    finally:
        mode.recording, mode.quiet, mode.anomaly = before
    return found


def reachable(root: Node) -> list[Node]:
    """All nodes that ``root`` was made from, first to last; with a list for a stack, however long the chain is.

    Parameters
    ----------
    root
        Where to start; it is the last of the result.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> [node.op.name for node in lg.autograd.reachable((lg.Tensor(2.0) * 3.0).exp().node)]
    ['multiply', 'exp']
    """
    seen = {root}
    stack = [root]
    while stack:
        for parent in stack.pop().parents:
            if type(parent) is Node and parent not in seen:
                seen.add(parent)
                stack.append(parent)
    return sorted(seen, key=attrgetter("serial"))


def _leading_to(order: list[Node], targets: Collection[Any]) -> set[int]:
    """The ids of the targets and of all nodes that were made from one."""
    wanted = {id(t) for t in targets}
    for node in order:
        if any(p is not None and id(p) in wanted for p in node.parents):
            wanted.add(id(node))
    return wanted


def _pull_back(
    node: Node,
    g: Any,
    wrap: Callable[[Any, Any], Any],
    found: dict[Any, Any],
    wanted: set[int] | None,
    create_graph: bool,
    anomaly: bool,
) -> None:
    """Apply the rules of one node, and add what comes out to the cotangents of its parents."""
    parents, values = node.parents, node.values
    if create_graph:
        y = wrap(node.output, node)
        inputs = [wrap(v, p) if hasattr(v, "dtype") else v for v, p in zip(values, parents, strict=True)]
    else:
        y = wrap(node.output, None)
        inputs = [wrap(v, None) if hasattr(v, "dtype") else v for v in values]
    for i, parent in enumerate(parents):
        if parent is None or (wanted is not None and id(parent) not in wanted):
            continue
        rule = node.op.rule(i)
        if rule is None:
            continue
        if type(parent) is not Node:
            parent.check_unchanged(values[i], node.op.name)
        dx = rule(g, y, *inputs, **node.attrs)
        value = values[i]
        if type(dx) is not type(g):
            raise _wrong_rule(node, i, f"{type(dx).__name__}", "a Tensor")
        if dx.shape != value.shape:
            try:
                dx = dx.sum_to(value.shape)  # broadcasting is undone here, once for all ops
            except ShapeError:
                raise _wrong_rule(node, i, f"{dx.shape}", f"the shape {value.shape} of the input") from None
        if dx.dtype is not value.dtype and dx.dtype != value.dtype:
            dx = dx.astype(value.dtype)
        if anomaly:
            _check_cotangent(node, i, g, dx)
        known = found.get(parent)
        found[parent] = dx if known is None else known + dx


def _wrong_rule(node: Node, i: int, got: str, expected: str) -> GradientError:
    return GradientError(
        explain(
            f"the vjp rule of {node.op.name} for its input {i} expected to return {expected}",
            got,
            "Write the rule in operators and methods of its arguments; see lucidgrad.ops.Op",
        )
    )


def _is_sound(value: Any) -> bool:
    return not isinstance(value, np.ndarray) or value.dtype.kind != "f" or bool(np.isfinite(value).all())


def check_output(op: Op, values: tuple[Any, ...], output: Any) -> str:
    """In anomaly mode: raise if finite inputs gave NaN or infinity; else return the line that applied the op.

    Parameters
    ----------
    op
        The row that was applied.
    values, output
        Arrays of any shape: what went in and came out.

    Raises
    ------
    AnomalyError
        When only the output is not finite.

    Examples
    --------
    >>> import numpy as np, lucidgrad as lg
    >>> lg.autograd.check_output(lg.ops.TABLE["log"], (np.ones(2),), np.zeros(2))
    'in <module>, <doctest ...>, line 1'
    """
    source = _calling_line()
    if not _is_sound(output) and all(map(_is_sound, values)):
        made = "NaN" if np.isnan(output).any() else "an infinity"
        raise AnomalyError(
            f"{op.name} made {made} from finite numbers ({source}). "
            "Look at the values that go in: a logarithm or division of 0, an overflow, or a learning rate too high."
        )
    return source


def _check_cotangent(node: Node, i: int, g: Any, dx: Any) -> None:
    if not _is_sound(dx.detach().raw) and _is_sound(g.detach().raw):
        raise AnomalyError(
            f"the gradient of {node.op.name} with respect to its input {i} is not finite "
            f"({node.source or 'recorded outside of detect_anomaly, so its line is not known'}). "
            "The op is at a point where its slope is infinite or undefined, such as sqrt or log at 0."
        )


def _calling_line() -> str:
    """The innermost line outside of this package: the user's."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE_FOLDER):
        frame = frame.f_back
    code = frame.f_code
    return f"in {code.co_name}, {code.co_filename}, line {frame.f_lineno}"


def no_history(what: str) -> GradientError:
    """The error for asking the gradient of something that depends on nothing differentiable.

    Parameters
    ----------
    what
        What has none, in words.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> type(lg.autograd.no_history("an output"))
    <class 'lucidgrad.errors.GradientError'>
    """
    return GradientError(
        f"expected a tensor computed from tensors that require gradients, got {what} without such a history. "
        "Make the inputs with Tensor(...) or requires_grad=True, do not detach them, and mind that comparisons, "
        "argmax and integers have no gradient."
    )
