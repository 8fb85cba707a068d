"""Ask a model in machine code: its outputs for any number of rows, with the parameters that it has at the moment."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lucidgrad.compiler import trace
from lucidgrad.compiler.buffers import ARRAY, ROWS
from lucidgrad.compiler.fuse import UnsupportedOpError
from lucidgrad.compiler.layout import Place
from lucidgrad.compiler.machine import NativeError, available
from lucidgrad.compiler.program import Program, aligned
from lucidgrad.errors import ShapeError, explain
from lucidgrad.graph import Graph
from lucidgrad.nn import Module
from lucidgrad.tensor import Tensor
from lucidgrad.training.engine import native_threads
from lucidgrad.training.evaluating import evaluating
from lucidgrad.training.memory import StateMemory
from lucidgrad.training.samples import Array, Samples, mostly_zeros
from lucidgrad.training.step import bound, model_dtype
from lucidgrad.training.threads import check_threads

# Rows that go through all layers together: enough for full tiles, few enough to stay in a core's cache. Fewer rows are
# filled up to a multiple of PART instead; as many as SINGLY are asked one after the other.
BLOCK, PART, SINGLY = 256, 32, 8
# Arithmetic operations between two looks at Ctrl-C: some hundredths of a second.
SLAB_WORK = 2**32


class Predictor:
    """A model's way forward in evaluation mode, compiled: for asking often, or one row at a time.

    It follows the parameters: what ``fit`` or ``load_state`` put into the model is seen by the next call. The
    layers are those that the model has when the predictor is made. Several Python threads may call it; one waits for
    the other.

    Parameters
    ----------
    model
        What is asked.
    row_shape
        The shape of the inputs of one row, such as ``(784,)``.
    dtype
        Of the inputs; None: the model's. Other numbers are converted, a block of rows at a time.
    threads
        For many rows; None: chosen by their arithmetic. The results have the same bits for any number.

    Raises
    ------
    UnsupportedOpError, TracingError
        When the model cannot be compiled, naming the op.
    NativeError
        Where llvmlite is not installed.

    Examples
    --------
    >>> import numpy as np, lucidgrad as lg
    >>> model = lg.nn.Sequential(lg.nn.Linear(2, 8), lg.functional.tanh, lg.nn.Linear(8, 3))
    >>> ask = lg.Predictor(model, (2,))
    >>> ask(np.zeros(2)).shape  # one row
    (3,)
    >>> ask(np.zeros((1000, 2))).shape
    (1000, 3)
    """

    def __init__(
        self, model: Module, row_shape: tuple[int, ...], *, dtype: Any = None, threads: int | None = None
    ) -> None:
        if not available():
            raise NativeError("Predictor expected llvmlite, which is not installed. Use lucidgrad.predict instead.")
        self.row_shape = tuple(int(n) for n in row_shape)
        self.dtype = np.dtype(model_dtype(model) if dtype is None else dtype)
        self._tensors = held(model)
        self._lock = threading.Lock()
        rows_between = SLAB_WORK // (2 * max(1, sum(t.size for t in self._tensors)))
        self._slab = BLOCK * min(64, max(1, rows_between // BLOCK))  # rows
        self._graphs = {rows: forward_graph(model, (rows, *self.row_shape), self.dtype) for rows in (1, PART, BLOCK)}
        asked = check_threads(threads)
        self._threads = {1: 1, PART: 1, BLOCK: native_threads(model, BLOCK) if asked is None else asked}
        self._blocks: dict[tuple[int, bool], Block] = {}
        self._ask = self._block(1, zeros=True).asked_for_one(self.row_shape, self._tensors, self._lock)

    def __call__(self, x: ArrayLike) -> Array:
        """The outputs for one row, (...), or for each row of x, (n, ...).

        Parameters
        ----------
        x
            One row, of ``row_shape``, or rows below each other, (n, ...).

        Raises
        ------
        ShapeError
            When it is neither.
        """
        made = self._ask(x)
        return self._rows(np.asarray(x)) if made is None else made

    def _rows(self, array: Array) -> Array:
        """The outputs for what is no single row."""
        if array.shape == self.row_shape:  # in a list
            return self._one(array)
        if array.shape[1:] != self.row_shape or array.ndim == 0:
            raise ShapeError(
                explain(
                    f"the predictor expected rows of shape {self.row_shape}",
                    f"an array of shape {array.shape}",
                    "Pass one row, or rows below each other",
                )
            )
        made = [part for _, part in self.parts(array)]
        return np.concatenate(made) if len(made) != 1 else made[0]

    def _one(self, row: Array) -> Array:
        made = self._ask(row)
        assert made is not None  # it has the shape of a row
        return made

    def parts(self, x: Array, rows: Array | None = None) -> Iterator[tuple[slice, Array]]:
        """The outputs (..., outputs) for the rows of x, some thousands at a time, with the places of these rows.

        Parameters
        ----------
        x
            (n, ...).
        rows
            (k,): the numbers of the rows that are wanted. None: all.
        """
        n = len(x) if rows is None else len(rows)
        if not n:
            block = self._block(1, zeros=True)
            yield slice(0, 0), np.empty((0, *block.output_shape), block.output_dtype)
        for start in range(0, n, self._slab):
            part = slice(start, min(start + self._slab, n))
            some = x[part] if rows is None else x.take(rows[part], axis=0)
            if len(some) == 1:
                made = self._one(np.asarray(some[0, ...]))[np.newaxis]
            else:
                with self._lock:
                    block = self._block_for(some)
                    made = block.many(np.ascontiguousarray(some, self.dtype), self._tensors)
            yield part, made

    def _block_for(self, x: Array) -> Block:
        """What asks for these rows, more than one."""
        if len(x) <= SINGLY:
            return self._block(1, zeros=True)
        return self._block(BLOCK if len(x) * self._threads[BLOCK] >= BLOCK else PART, mostly_zeros(x))

    def _block(self, rows: int, zeros: bool) -> Block:
        if (rows, zeros) not in self._blocks:
            graph, threads = self._graphs[rows], self._threads[rows]
            self._blocks[rows, zeros] = Block(graph, len(self._tensors), rows, threads, zeros)
        return self._blocks[rows, zeros]


class Block:
    """A model's way forward for so many rows at a time.

    Parameters
    ----------
    graph
        From so many pieces of ``state`` and ``rows`` rows of inputs to their outputs, as ``forward_graph`` makes it.
    state
        How many parameters and buffers there are.
    rows, threads
        That go through all layers together, and that share the work.
    zeros
        Whether those of the inputs are left out.
    """

    def __init__(self, graph: Graph, state: int, rows: int, threads: int, zeros: bool) -> None:
        inputs = [Place(ARRAY, panels=True, checked=True)] * state + [Place(ROWS, zeros=zeros)]
        self._program = program = Program(graph, inputs, [Place(ROWS)], threads=threads)
        output = program.plan.outputs[0]
        if output is None:
            raise UnsupportedOpError(
                "expected a model that computes something from its inputs, got one that gives an input or a constant. "
                "Ask it eagerly."
            )
        self.output_shape, self.output_dtype = output.shape[1:], output.dtype
        self._memory = StateMemory(program, state)
        self._loaded: list[tuple[Tensor, Any]] = []  # tensors, and the arrays that were taken over from them
        for array, buffer in zip(self._memory.arrays, program.plan.inputs, strict=False):
            program.table[buffer.slot] = array.ctypes.data
        for buffers, arrays in (
            (program.plan.mirrors, self._memory.mirrors),
            (program.plan.checks, self._memory.checks),
        ):
            for value, buffer in buffers.items():
                program.table[buffer.slot] = arrays[program.graph.inputs.index(value)].ctypes.data
        self._rows = rows
        self._slots = program.plan.inputs[state].slot, output.slot
        source = program.plan.inputs[state]
        self._padded = aligned(source.size_bytes).view(source.dtype)[: prod(source.shape)].reshape(source.shape)
        self._made = np.empty((rows, *self.output_shape), self.output_dtype)
        self._aim(self._padded, self._made)

    def asked_for_one(
        self, shape: tuple[int, ...], tensors: list[Tensor], lock: threading.Lock
    ) -> Callable[[Any], Array | None]:
        """What gives the outputs for an array that is one row, and None for anything else.

        A small network takes as long as a few calls of Python, so everything is at hand in one function.
        """
        program = self._program
        first, outputs = self._padded[0, ...], self._made[0, ...]  # views, of a single number too
        once, table = program.once
        array_type = np.ndarray
        self._loaded = [(t, None) for t in tensors]

        def ask(row: Any) -> Array | None:
            if type(row) is not array_type or row.shape != shape:
                return None
            with lock:
                for tensor, seen in self._loaded:
                    if tensor._data is not seen:  # as Tensor.raw, without a call
                        self._load(tensors)
                        break
                first[...] = row
                if once(table):
                    program.complain()
                made: Array = outputs.copy()
            return made

        return ask

    def many(self, x: Array, tensors: list[Tensor]) -> Array:
        """The outputs for rows that lie below each other."""
        self._load(tensors)
        made = np.empty((len(x), *self.output_shape), self.output_dtype)
        whole, rest = divmod(len(x), self._rows)
        if whole:
            try:
                self._aim(x, made)
                self._program.run(whole, self._rows)
            finally:  # what asks for one row finds its own again, after Ctrl-C too
                self._aim(self._padded, self._made)
        if rest:
            self._padded[:rest] = x[len(x) - rest :]
            if self._padded.dtype.kind != "f":  # an index from before that points outside would be complained about
                self._padded[rest:] = self._padded[0]
            self._program.run(1, self._rows)
            made[len(x) - rest :] = self._made[:rest]
        return made

    def _load(self, tensors: list[Tensor]) -> None:
        """Take over the parameters that have changed; all are looked at again when Ctrl-C comes meanwhile."""
        self._loaded = [(t, None) for t in tensors]
        self._memory.load(tensors)
        self._loaded = list(zip(tensors, self._memory.seen, strict=True))

    def _aim(self, source: Array, target: Array) -> None:
        """Say where the program finds its rows, and where it writes."""
        for slot, array in zip(self._slots, (source, target), strict=True):
            self._program.table[slot] = array.ctypes.data


def held(model: Module) -> list[Tensor]:
    """What a model computes with: its parameters and buffers."""
    return [*model.parameters().values(), *model.buffers().values()]


def forward_graph(model: Module, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Graph:
    """The model in evaluation mode as a Graph: from its parameters, buffers and inputs of a shape to its outputs."""
    tensors = {**model.parameters(), **model.buffers()}
    wanted = model_dtype(model)

    def forward(*inputs: Tensor) -> Tensor:
        *values, x = inputs
        with bound(tensors, dict(zip(tensors, values, strict=True))):
            result: Tensor = model(x.astype(wanted) if dtype.kind == "f" and dtype != wanted else x)
        return result

    with evaluating(model):
        return trace(forward, *tensors.values(), Tensor.wrap(np.broadcast_to(np.zeros((), dtype), shape)))


_kept: weakref.WeakKeyDictionary[Module, tuple[str, Predictor]] = weakref.WeakKeyDictionary()


def predictor_for(model: Module, samples: Samples, threads: int | None) -> Predictor:
    """A predictor for these inputs: the one that the model was asked by last, where nothing about it has changed."""
    shape, dtype = samples.x.shape[1:], samples.x.dtype
    dtype = samples.dtype if dtype.kind == "f" else dtype
    now = f"{forward_graph(model, (1, *shape), dtype).text(full=True)} {[id(t) for t in held(model)]} {threads}"
    before, predictor = _kept.get(model, ("", None))
    if predictor is None or before != now:
        predictor = Predictor(model, shape, dtype=dtype, threads=threads)
        _kept[model] = now, predictor
    return predictor
