"""Tensor: an array, or a value of a graph, that remembers how it was made.

Tensors are values: their elements never change in place, so a gradient can never be computed from the wrong ones.
What looks like a change makes a new Tensor, or gives a leaf a new array (``p.data = p.data - 0.1 * p.grad``).
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from lucidgrad import autograd
from lucidgrad.autograd import Node, mode
from lucidgrad.elements import Elements
from lucidgrad.errors import DtypeError, GradientError, ShapeError, explain
from lucidgrad.graph import Value
from lucidgrad.ops import indexing, linalg
from lucidgrad.ops.arrays import frozen, own_array, regular
from lucidgrad.ops.compute import compute
from lucidgrad.ops.op import Op
from lucidgrad.ops.promotion import FLOAT64, common_dtype

_NUMBERS = (float, int, bool)


class Tensor(Elements):
    """An array that remembers how it was made, so that it can be differentiated.

    Parameters
    ----------
    data
        Numbers, nested lists, or an array of any shape (copied). Floats become float32 unless ``dtype`` says
        otherwise; integers and booleans stay what they are.
    dtype
        ``np.float32`` or ``np.float64`` for values, integers for labels and indices.
    requires_grad
        Whether ``backward`` fills ``grad``. By default true for floats: ``Tensor(2.0)`` is a variable, while
        ``tensor(...)`` makes data, which is constant.

    Attributes
    ----------
    grad : Tensor or None
        The gradient of what ``backward`` was called on, summed over calls, of the shape of the tensor.
    node : Node or None
        How the tensor was made; None for a leaf.

    Raises
    ------
    DtypeError
        When gradients are asked for of integers or booleans, or ``dtype`` is of no kind that tensors hold.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> x = lg.Tensor(2.0)
    >>> y = x**2 + 3 * x
    >>> y.backward()
    >>> x.grad
    Tensor(7.)
    """

    __slots__ = ("__weakref__", "_data", "grad", "node", "requires_grad")

    def __init__(
        self, data: ArrayLike | Tensor, *, dtype: DTypeLike | None = None, requires_grad: bool | None = None
    ) -> None:
        array = own_array(data.numpy() if isinstance(data, Tensor) else data, dtype)
        is_float = array.dtype.kind == "f"
        if requires_grad and not is_float:
            raise DtypeError(
                explain(
                    "requires_grad=True expected floats",
                    f"dtype {array.dtype}",
                    "Only real numbers have gradients; convert with dtype=np.float32",
                )
            )
        self._data: Any = array
        self.node: Node | None = None
        self.requires_grad: bool = is_float if requires_grad is None else requires_grad
        self.grad: Tensor | None = None

    # --- what it is -------------------------------------------------------------------------------------------

    @property
    def raw(self) -> Any:
        """What the tensor holds: a read-only NumPy array, or a Value while a function is traced."""
        return self._data

    @property
    def data(self) -> Any:
        """The elements as a read-only NumPy array (a NumPy number for a scalar), without history.

        A leaf can be given new ones: ``p.data = p.data - 0.1 * p.grad``.
        """
        return self.numpy()[()]

    @data.setter
    def data(self, value: ArrayLike | Tensor) -> None:
        if self.node is not None:
            raise GradientError(
                explain(
                    "new data expected a leaf (a tensor that was not computed)",
                    f"the output of {self.node.op.name}",
                    "Its elements follow from its inputs: compute a new tensor instead",
                )
            )
        new = value.raw if isinstance(value, Tensor) else own_array(value, self.dtype)
        if new.shape != self.shape:
            raise ShapeError(explain(f"new data expected shape {self.shape}", f"{new.shape}", "Reshape it first"))
        if new.dtype != self.dtype:
            new = Tensor.wrap(new).astype(self.dtype).raw
        self._data = new

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the axes."""
        return self._data.shape  # type: ignore[no-any-return]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The kind of number."""
        return self._data.dtype  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._data.ndim  # type: ignore[no-any-return]

    def __reduce__(self) -> tuple[Callable[..., Tensor], tuple[Any, ...]]:
        return _rebuild, (np.array(self.numpy()), self.requires_grad)

    # --- history ----------------------------------------------------------------------------------------------

    @staticmethod
    def wrap(value: Any, parent: Any = None) -> Tensor:
        """A Tensor in the shape of an array or Value that nobody will change, not copied.

        Parameters
        ----------
        value
            The array or Value.
        parent
            Its history: the Node that made it, or the leaf that it is the array of. None: a constant.
        """
        if parent is not None and type(parent) is not Node:
            parent.check_unchanged(value, "an op")
            return parent  # type: ignore[no-any-return]
        result = object.__new__(Tensor)
        result._data = value
        result.node = parent
        result.requires_grad = parent is not None
        result.grad = None
        return result

    def apply(self, op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any]) -> Tensor:
        """Apply a row of the op table to Tensors, arrays and numbers, eagerly or traced, and remember it.

        This is the hot path of the eager framework.
        """
        dtype = graph = None
        tracked = False
        values: Any = []
        alone = len(inputs) if op.same_dtype_from is None else op.same_dtype_from
        for x in inputs:
            if type(x) is Tensor:
                v = x._data
                if alone <= 0 and v.dtype is not dtype:
                    if dtype is None and v.dtype.kind == "f":
                        dtype = v.dtype
                    elif v.dtype != dtype:
                        break
                if type(v) is Value:
                    graph = v.graph
                if x.requires_grad:
                    tracked = True
                values.append(v)
            elif type(x) in _NUMBERS:
                values.append(x)
            else:
                break
            alone -= 1
        if len(values) != len(inputs):  # not simply tensors of one float dtype, where they have to be, and numbers
            inputs = _prepare(op, inputs)
            values = [x._data if type(x) is Tensor else x for x in inputs]
            graph = next((v.graph for v in values if type(v) is Value), None)
            tracked = any(type(x) is Tensor and x.requires_grad for x in inputs)
        values = tuple(values)
        if graph is not None:
            output: Any = graph.record(op, values, attrs)
        else:
            output = compute(op, values, attrs, mode.quiet)
        source = autograd.check_output(op, values, output) if mode.anomaly else None
        result = object.__new__(Tensor)
        result._data = output
        result.grad = None
        if tracked and mode.recording and op.vjp is not None and output.dtype.kind == "f":
            parents = tuple([(x.node or x) if type(x) is Tensor and x.requires_grad else None for x in inputs])
            result.node = node = Node(op, parents, values, attrs, output)
            result.requires_grad = True
            node.handle = weakref.ref(result)
            node.source = source
        else:
            result.node = None
            result.requires_grad = False
        return result

    def backward(self, gradient: ArrayLike | Tensor | None = None) -> None:
        """Add to ``grad`` of every tensor this one was computed from: leaves, and results you still hold.

        Parameters
        ----------
        gradient
            The cotangent to start with, of the shape of this tensor. May be left out for a single element: 1.

        Raises
        ------
        GradientError
            When the tensor has no history, is not a single element (without ``gradient``), or a leaf was given
            other data since it was used.
        """
        if not self.requires_grad:
            raise autograd.no_history("a tensor")
        root = self.node or self
        for key, g in autograd.backpropagate(root, self._start(gradient), Tensor.wrap).items():
            tensor = key.tensor() if isinstance(key, Node) else key
            if tensor is not None:
                # A Tensor of its own: one cotangent may have gone to several.
                tensor.grad = (g if tensor.grad is None else tensor.grad + g).detach()

    def _start(self, gradient: ArrayLike | Tensor | None) -> Tensor:
        if gradient is None:
            if self.size != 1:
                raise GradientError(
                    explain(
                        "a gradient expected a single number to differentiate",
                        f"shape {self.shape}",
                        "Reduce it first, x.sum() or x.mean(), or pass gradient= of that shape",
                    )
                )
            return Tensor.wrap(frozen(np.ones(self.shape, self.dtype)))
        start = gradient if isinstance(gradient, Tensor) else tensor(gradient, dtype=self.dtype)
        if start.shape != self.shape:
            raise ShapeError(explain(f"gradient expected shape {self.shape}", f"{start.shape}", "Reshape it first"))
        return start

    def detach(self) -> Tensor:
        """The same elements, of the same shape, without history: a constant."""
        return Tensor.wrap(self._data)

    def check_unchanged(self, value: Any, op_name: str) -> None:
        """Raise when this leaf has been given other data since it was used.

        Parameters
        ----------
        value
            The array that was used.
        op_name
            By which op.

        Raises
        ------
        GradientError
            When it is no longer the array of this leaf.
        """
        if self._data is not value:
            raise GradientError(
                f"expected the leaf of shape {self.shape} that went into {op_name} to be as it was, got one whose "
                "data was replaced since. Compute the loss again after changing parameters, then differentiate it."
            )

    def matmul(self, a: Any, b: Any) -> Tensor:
        """The matrix product ``a @ b`` of two operands, vectors included."""
        return _matmul(a, b)

    def split_index(self, index: Any) -> tuple[indexing.Key, Sequence[Any]]:
        """An index as a static key and the arrays in it."""
        return indexing.split_index(index, self.shape, tensor)


def tensor(data: ArrayLike | Tensor, *, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Make a Tensor of data, in its shape: constant unless ``requires_grad`` says otherwise.

    Parameters
    ----------
    data
        Numbers, nested lists, or an array of any shape. Copied, so that later changes do not matter.
    dtype, requires_grad
        As in ``Tensor``.

    Examples
    --------
    >>> import numpy as np
    >>> from lucidgrad import tensor
    >>> tensor(np.arange(3.0))
    Tensor([0., 1., 2.])
    >>> tensor([0.5], dtype=np.float64)
    Tensor([0.5], dtype=float64)
    """
    return Tensor(data, dtype=dtype, requires_grad=requires_grad)


def grad(
    output: Tensor,
    wrt: Tensor | Sequence[Tensor],
    *,
    gradient: ArrayLike | Tensor | None = None,
    create_graph: bool = True,
) -> Any:
    """The gradient of ``output`` with respect to one tensor or several, as tensors that can be differentiated again.

    Parameters
    ----------
    output
        A single number, or any tensor together with ``gradient`` of its shape.
    wrt
        Leaves or intermediate results, of any shape. A tensor that ``output`` does not depend on gets zeros.
    create_graph
        Record the computation of the gradient, so that it can itself be differentiated. False saves time and memory.
    gradient
        The cotangent to start with, of the shape of ``output``. May be left out for a single element: 1.

    Returns
    -------
    A Tensor for a Tensor, a list for a sequence; each of the shape of its tensor. ``.grad`` is left alone.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> x = lg.Tensor(2.0)
    >>> (dx,) = lg.grad(x**3, [x])
    >>> dx, lg.grad(dx, x)
    (Tensor(12.), Tensor(12.))
    """
    targets = [wrt] if isinstance(wrt, Tensor) else list(wrt)
    for target in targets:
        if not target.requires_grad:
            raise autograd.no_history(f"a tensor of shape {target.shape}")
    if not output.requires_grad:
        raise autograd.no_history("an output")
    keys = [t.node or t for t in targets]
    start = output._start(gradient)
    found = autograd.backpropagate(output.node or output, start, Tensor.wrap, keys, create_graph=create_graph)
    grads = [found.get(key) for key in keys]
    results = [
        Tensor.wrap(frozen(np.zeros(t.shape, t.dtype))) if g is None else g for t, g in zip(targets, grads, strict=True)
    ]
    return results[0] if isinstance(wrt, Tensor) else results


def _rebuild(array: np.ndarray[Any, np.dtype[Any]], requires_grad: bool) -> Tensor:
    return Tensor(array, dtype=array.dtype, requires_grad=requires_grad)


def _prepare(op: Op, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Turn lists and foreign arrays into Tensors, and promote the inputs that have to agree to one dtype."""
    operands = [_operand(x) for x in inputs]
    first = op.same_dtype_from
    if first is None:
        return tuple(operands)
    # Arrays that are not Tensors follow the Tensors: float64 data beside a float32 parameter does not widen it.
    float_tensors = [x for x in inputs[first:] if type(x) is Tensor and x.dtype.kind == "f"]
    dtype = common_dtype(float_tensors or operands[first:], op.needs_float)
    if dtype is None:
        return tuple(operands)
    promoted = [x.astype(dtype) if type(x) is Tensor else x for x in operands[first:]]
    return (*operands[:first], *promoted)


def _operand(x: Any) -> Any:
    if type(x) is Tensor or type(x) in _NUMBERS:
        return x
    if isinstance(x, np.bool_ | np.integer | np.floating):
        return x.item()
    array = np.asarray(regular(x))
    return tensor(array, dtype=FLOAT64 if array.dtype.newbyteorder("=") == FLOAT64 else None)


def _matmul(a: Any, b: Any) -> Tensor:
    """``@`` with NumPy's rule for vectors: a vector on the left is a row, on the right a column, and goes again."""
    if type(a) is Tensor and type(b) is Tensor and a.ndim > 1 and b.ndim > 1:
        return a.apply(linalg.matmul, (a, b), {})
    a, b = _operand(a), _operand(b)
    if not (isinstance(a, Tensor) and isinstance(b, Tensor) and a.ndim and b.ndim):
        raise ShapeError(explain("matmul expected arrays with axes", "a scalar", "Use * to multiply by a number"))
    rows = () if a.ndim == 1 else (a.shape[-2],)
    columns = () if b.ndim == 1 else (b.shape[-1],)
    y = _matmul(a if rows else a.reshape(1, -1), b if columns else b.reshape(-1, 1))
    return y.reshape((*y.shape[:-2], *rows, *columns))
