"""Gradients checked against finite differences, so that a rule written by hand is trusted because it was measured.

A gradient g of f at x is right when f(x + h d) - f(x - h d) is close to 2 h <g, d> for every direction d (central
differences: Griewank and Walther 2008, "Evaluating Derivatives", section 1.3). Small functions are tried in the
direction of each element and seen from each element of the output; large ones in random directions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lucidgrad.autograd import Node, enable_grad, reachable
from lucidgrad.errors import ArgumentError, DtypeError, GradientError, explain
from lucidgrad.functional import concatenate
from lucidgrad.random import Key
from lucidgrad.tensor import Tensor, grad, tensor

FULL_SIZE = 64  # up to this many elements every one of them is looked at
PROJECTIONS = 3  # random directions, and random cotangents, for more
DEFAULT_KEY = Key(0)

Function = Callable[..., Any]
Array = np.ndarray[Any, np.dtype[Any]]


def gradcheck(
    f: Function,
    *inputs: Any,
    order: int = 1,
    eps: float = 1e-5,
    rtol: float = 1e-6,
    atol: float = 1e-8,
    key: Key = DEFAULT_KEY,
) -> bool:
    """Check the gradient of ``f`` at the inputs against central differences, in float64.

    Parameters
    ----------
    f
        Takes as many Tensors as there are inputs and returns one Tensor of any shape. It must be deterministic and
        keep float64: give dropout and the like a fixed key, and cast what it closes over.
    inputs
        Numbers, arrays or Tensors of any shape. Floats are converted to float64 and varied; integers and booleans
        are handed on as they are. Choose points away from kinks (relu at 0, a tie of a maximum): there the
        differences see the mean of two slopes, and no rule agrees with them.
    order
        2 checks the gradient of the gradient as well, which shows that the rules can be differentiated.
    eps
        The step, in units of ``max(1, abs(x))`` of each element.
    rtol, atol
        How far the two may be apart, relative and absolute; what rounding alone explains is allowed on top.
    key
        Where the random directions come from, that functions of more than 64 elements are checked along.

    Returns
    -------
    True, so that it reads well behind ``assert``.

    Raises
    ------
    GradientError
        When they differ. Each op that ``f`` applied is then checked by itself at the values it had, so that the
        message names the op, its input and the element that is off.
    ArgumentError
        When ``order`` or ``eps`` is out of its range.

    Examples
    --------
    >>> from lucidgrad import gradcheck
    >>> gradcheck(lambda x, w: (x @ w).tanh(), [[1.0, 2.0]], [[0.5], [-0.3]], order=2)
    True

    A rule with a mistake in it is found, and named:

    >>> from lucidgrad.ops import Op, shapes
    >>> cube = Op("cube", lambda x: x * x * x, shapes.elementwise, (lambda g, y, x: 2 * g * x * x,))
    >>> gradcheck(lambda x: cube(x).sum(), [1.0, 2.0])
    Traceback (most recent call last):
        ...
    lucidgrad.errors.GradientError: cube, input 0, element (0,): expected 3 (finite differences), got 2. ...
    """
    if order not in (1, 2) or not eps > 0:
        raise ArgumentError(
            explain("gradcheck expected order 1 or 2 and eps > 0", f"order={order}, eps={eps}", "Leave them out")
        )
    leaves = [_leaf(x) for x in inputs]
    how = _How(eps, rtol, atol, key)
    with enable_grad():
        for k in range(1, order + 1):
            found = _first_mismatch(_derivative(f, k, how), leaves, how)
            if found is not None:
                raise GradientError(_locate(f, leaves, k, how) or _blame_function(found, k))
    return True


@dataclass(frozen=True)
class _How:
    """How closely is looked."""

    eps: float
    rtol: float
    atol: float
    key: Key

    def draw(self, shape: tuple[int, ...], number: int) -> Array:
        """Random numbers of length 1 as a vector; ``number`` tells draws apart."""
        drawn = self.key.fold_in(number).normal(shape, dtype=np.float64).numpy()
        return drawn / max(float(np.linalg.norm(drawn)), 1e-300)


class _Mismatch(NamedTuple):
    """One element of one input at which the gradient differs."""

    input: int
    element: tuple[int, ...]
    expected: float
    got: float

    def __str__(self) -> str:
        return (
            f"input {self.input}, element {self.element}: "
            f"expected {self.expected:.6g} (finite differences), got {self.got:.6g}"
        )


def _leaf(x: Any) -> Tensor:
    array = np.asarray(x)
    if array.dtype.kind != "f":
        return tensor(array)
    return tensor(array, dtype=np.float64, requires_grad=True)


def _derivative(f: Function, order: int, how: _How) -> Function:
    """``f`` itself, or its gradient (along a fixed random cotangent) as a function of the same inputs."""
    if order == 1:
        return f

    def gradient(*leaves: Tensor) -> Tensor:
        y = f(*leaves)
        grads = _gradients(y, leaves, how.draw(y.shape, 0), create_graph=True)
        return concatenate([g.flatten() for g in grads if g is not None])

    return gradient


def _gradients(y: Tensor, leaves: Sequence[Tensor], cotangent: Array, create_graph: bool) -> list[Tensor | None]:
    """The gradient for each input that has one; zeros where the history of ``y`` does not lead to it."""
    varied = [leaf for leaf in leaves if leaf.requires_grad]
    if y.requires_grad:
        found = iter(grad(y, varied, gradient=tensor(cotangent, dtype=np.float64), create_graph=create_graph))
    else:
        found = iter([tensor(np.zeros(leaf.shape), dtype=np.float64) for leaf in varied])
    return [next(found) if leaf.requires_grad else None for leaf in leaves]


def _first_mismatch(f: Function, leaves: Sequence[Tensor], how: _How) -> _Mismatch | None:
    y = _value(f, leaves)
    full = max(y.size, sum(leaf.size for leaf in leaves if leaf.requires_grad)) <= FULL_SIZE
    cotangents = list(_unit_arrays(y.shape)) if full else [how.draw(y.shape, 1 + i) for i in range(PROJECTIONS)]
    gradients = [_gradients(y, leaves, u, create_graph=False) for u in cotangents]
    for i, leaf in enumerate(leaves):
        if not leaf.requires_grad:
            continue
        sides = [_Side(f, leaves, i, u, _array(g[i]), how) for u, g in zip(cotangents, gradients, strict=True)]
        for d in _unit_arrays(leaf.shape) if full else (how.draw(leaf.shape, 100 + n) for n in range(PROJECTIONS)):
            change = _change(f, leaves, i, d, how)
            for side in sides:
                if not side.agrees(d, change):
                    return side.narrow_down(d)
    return None


def _value(f: Function, leaves: Sequence[Tensor]) -> Tensor:
    """``f`` at the inputs, once it is clear that finite differences of it mean something."""
    y, again = f(*leaves), f(*leaves)
    if not isinstance(y, Tensor) or y.dtype != np.float64:
        kind = f"a Tensor of {y.dtype}" if isinstance(y, Tensor) else type(y).__name__
        raise DtypeError(
            explain("gradcheck expected f to return a Tensor of float64", kind, "Use only tensors in f, and cast none")
        )
    if not np.isfinite(y.numpy()).all():
        raise ArgumentError(
            explain("gradcheck expected f to be finite at the inputs", "NaN or infinity", "Choose other inputs")
        )
    if not np.array_equal(y.numpy(), again.numpy()):
        raise ArgumentError(
            explain(
                "gradcheck expected f to return the same twice",
                "two different results",
                "Give whatever is random in it a fixed key",
            )
        )
    return y


def _array(g: Tensor | None) -> Array:
    return np.zeros(()) if g is None else g.numpy()


def _unit_arrays(shape: tuple[int, ...]) -> Iterator[Array]:
    """For each element an array that is 1 there and 0 elsewhere."""
    for index in np.ndindex(shape):
        unit = np.zeros(shape)
        unit[index] = 1.0
        yield unit


class _Change(NamedTuple):
    """How the output moves per step along a direction, and how much of that may be rounding."""

    direction: Array
    slope: Array
    noise: Array


def _change(f: Function, leaves: Sequence[Tensor], i: int, d: Array, how: _How) -> _Change:
    x = leaves[i].numpy()
    step = how.eps * d * np.maximum(1.0, np.abs(x))
    ends = []
    for moved in (x + step, x - step):
        varied = [tensor(moved, dtype=np.float64, requires_grad=True) if j == i else t for j, t in enumerate(leaves)]
        ends.append(f(*varied).numpy())
    noise = 4 * np.finfo(np.float64).eps * (np.abs(ends[0]) + np.abs(ends[1]))
    return _Change(((x + step) - (x - step)) / 2 / how.eps, (ends[0] - ends[1]) / 2 / how.eps, noise / 2 / how.eps)


class _Side(NamedTuple):
    """The gradient of <u, f> in input ``i``, to be compared with differences of f."""

    f: Function
    leaves: Sequence[Tensor]
    i: int
    u: Array
    g: Array
    how: _How

    def agrees(self, d: Array, change: _Change | None = None) -> bool:
        """Whether gradient and differences say the same along ``d``."""
        moved = change or _change(self.f, self.leaves, self.i, d, self.how)
        expected, got = float(np.vdot(self.u, moved.slope)), float(np.vdot(self.g, moved.direction))
        scale = max(abs(expected), float(np.vdot(np.abs(self.g), np.abs(moved.direction))))
        noise = float(np.vdot(np.abs(self.u), moved.noise))
        return bool(abs(expected - got) <= self.how.atol * np.linalg.norm(d) + self.how.rtol * scale + noise)

    def narrow_down(self, d: Array) -> _Mismatch:
        """Halve a direction along which they differ until a single element is left."""
        elements = np.flatnonzero(d)
        while len(elements) > 1:
            half = elements[: len(elements) // 2]
            rest = elements[len(elements) // 2 :]
            elements = rest if self.agrees(_only(d, half)) else half
        unit = np.zeros(d.shape)
        unit.flat[elements] = 1.0
        moved = _change(self.f, self.leaves, self.i, unit, self.how)
        at = np.unravel_index(int(elements[0]), d.shape) if d.shape else ()
        length = float(np.vdot(unit, moved.direction))
        return _Mismatch(
            self.i, tuple(map(int, at)), float(np.vdot(self.u, moved.slope)) / length, float(np.vdot(self.g, unit))
        )


def _only(d: Array, elements: Array) -> Array:
    kept = np.zeros(d.shape)
    kept.flat[elements] = d.flat[elements]
    return kept


def _locate(f: Function, leaves: Sequence[Tensor], order: int, how: _How) -> str | None:
    """Check every op that ``f`` applied by itself, at the values it had; the message about the first that is off."""
    y = f(*leaves)
    for node in reachable(y.node) if y.node is not None else []:
        varied = [i for i, parent in enumerate(node.parents) if parent is not None]
        values = [tensor(node.values[i], dtype=np.float64, requires_grad=True) for i in varied]
        found = _first_mismatch(_derivative(_alone(node, varied), order, how), values, how)
        if found is not None:
            found = found._replace(input=varied[found.input])
            what = "" if order == 1 else "the gradient of the gradient of "
            return (
                f"{what}{node.op.name}, {found}. "
                "Look at its vjp rule for that input; or choose inputs away from kinks, where there is no one slope."
            )
    return None


def _alone(node: Node, varied: list[int]) -> Function:
    """The op of a node as a function of the inputs that have gradients, with the others as they were."""

    def apply(*xs: Tensor) -> Any:
        inputs = [Tensor.wrap(v) if isinstance(v, np.ndarray) else v for v in node.values]
        for i, x in zip(varied, xs, strict=True):
            inputs[i] = x
        return node.op(*inputs, **node.attrs)

    return apply


def _blame_function(found: _Mismatch, order: int) -> str:
    what = "f" if order == 1 else "the gradient of the gradient of f"
    return (
        f"{what}, {found}. Each op it applies has the right rule by itself, so its history is cut somewhere: "
        "look for detach(), .data, .numpy(), no_grad, or a Tensor that f makes of another; or for a kink."
    )
