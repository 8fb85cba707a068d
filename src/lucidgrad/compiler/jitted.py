"""jit: a function of tensors, compiled for the shapes it is called with."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from functools import update_wrapper
from typing import Any

import numpy as np

from lucidgrad.compiler.fuse import UnsupportedOpError
from lucidgrad.compiler.machine import available
from lucidgrad.compiler.program import Program
from lucidgrad.compiler.trace import trace
from lucidgrad.errors import ArgumentError, TracingError, explain
from lucidgrad.graph import Value
from lucidgrad.tensor import Tensor

# Programs kept for one function: a function that is called with ever other shapes does not fill the memory.
MOST_PROGRAMS = 64


def jit(function: Callable[..., Any]) -> Jitted:
    """Make a function of tensors run as machine code.

    It is traced and compiled at the first call, and again for each new combination of shapes and dtypes. Gradients
    that the function takes (``lucidgrad.grad`` inside of it) are compiled with it. Its results have no history.

    Parameters
    ----------
    function
        Takes tensors, arrays, or numbers, also in (nested) tuples, lists and dicts, and returns tensors in such.
        Numbers are constants of the program. What it does besides computing, such as printing, happens only while it
        is traced.

    Returns
    -------
    Jitted
        Called as the function is. Where the function cannot be compiled it says so once, naming the op, and runs
        eagerly.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> slope = lg.jit(lambda x: lg.grad((x * x).sum(), x))
    >>> slope(lg.Tensor([1.0, 2.0]))
    Tensor([2., 4.])
    """
    return Jitted(function)


class Jitted:
    """What ``jit`` makes: a function with the programs that were compiled for it."""

    def __init__(self, function: Callable[..., Any]) -> None:
        update_wrapper(self, function)
        self.function = function
        self._programs: dict[Any, _Compiled | None] = {}
        self._making = threading.RLock()  # a function may call itself
        self._warned = False

    def __call__(self, *arguments: Any) -> Any:
        """The function's result."""
        leaves: list[Any] = []
        shape = _outline(arguments, leaves)
        key = (shape, tuple((x.shape, x.dtype.str, x.requires_grad) for x in leaves))
        try:
            compiled = self._programs[key]
        except KeyError:
            compiled = self._made(key, arguments, leaves)
        return self.function(*arguments) if compiled is None else compiled(leaves)

    def program(self, *arguments: Any) -> Program:
        """The program for arguments like these."""
        leaves: list[Any] = []
        _outline(arguments, leaves)
        return _Compiled(self.function, arguments, leaves).program

    def _made(self, key: Any, arguments: Any, leaves: list[Tensor]) -> _Compiled | None:
        """Compile once, whichever threads ask for it; another one may have done so meanwhile."""
        with self._making:
            if key not in self._programs:
                compiled = self._compile(arguments, leaves)
                if len(self._programs) >= MOST_PROGRAMS:
                    self._programs.pop(next(iter(self._programs)))
                self._programs[key] = compiled
            return self._programs[key]

    def _compile(self, arguments: Any, leaves: list[Tensor]) -> _Compiled | None:
        if not available():
            self._warn("llvmlite is not installed")
            return None
        try:
            return _Compiled(self.function, arguments, leaves)
        except (UnsupportedOpError, TracingError) as error:
            self._warn(str(error))
            return None

    def _warn(self, reason: str) -> None:
        if not self._warned:
            name = getattr(self.function, "__name__", "a function")
            warnings.warn(f"jit runs {name} eagerly: {reason}", RuntimeWarning, stacklevel=5)
            self._warned = True


class _Compiled:
    """A program, and how the function's arguments and results map to its inputs and outputs."""

    def __init__(self, function: Callable[..., Any], arguments: Any, leaves: list[Tensor]) -> None:
        self._results: list[Tensor] = []

        def flat(*tensors: Tensor) -> list[Tensor]:
            rest = iter(tensors)
            result = function(*_rebuild(arguments, rest))
            self._results.clear()
            _outline((result,), self._results)
            self._template: Any = _strip(result)
            return self._results

        graph = trace(flat, *leaves)
        self.program = Program(graph)
        self._results = []
        self._lock = threading.Lock()

    def __call__(self, leaves: list[Tensor]) -> Any:
        program = self.program
        plan = program.plan
        arrays = [np.ascontiguousarray(x.numpy()).reshape(x.shape) for x in leaves]
        outputs: dict[int, np.ndarray[Any, Any]] = {}
        with self._lock:
            for buffer, array in zip(plan.inputs, arrays, strict=True):
                program.table[buffer.slot] = array.ctypes.data
            for out in plan.outputs:
                if out is not None and out.slot not in outputs:
                    outputs[out.slot] = made = np.empty(out.shape, out.dtype)
                    program.table[out.slot] = made.ctypes.data
            program.run()
        inputs = dict(zip(program.graph.inputs, arrays, strict=True))
        results = []
        for value, out in zip(program.graph.outputs, plan.outputs, strict=True):
            array = outputs[out.slot] if out is not None else inputs[value] if isinstance(value, Value) else value
            results.append(Tensor.wrap(_frozen(array)))
        (result,) = _rebuild((self._template,), iter(results))
        return result


def _frozen(array: Any) -> Any:
    array = np.asarray(array).view()
    array.setflags(write=False)
    return array


class _Leaf:
    """Stands for a tensor in the outline of a result."""


def _strip(tree: Any) -> Any:
    """The structure of a result without its tensors."""
    if isinstance(tree, dict):
        return {k: _strip(v) for k, v in tree.items()}
    if isinstance(tree, tuple | list):
        return _sequence(tree, [_strip(v) for v in tree])
    return _Leaf() if isinstance(tree, Tensor) else tree


def _sequence(like: Any, items: list[Any]) -> Any:
    """A list, a tuple or a named tuple of items."""
    return type(like)(*items) if hasattr(like, "_fields") else type(like)(items)


def _outline(tree: Any, leaves: list[Any]) -> Any:
    """The structure of nested arguments, for looking up; the tensors and arrays in it are added to ``leaves``."""
    if isinstance(tree, dict):
        return ("dict", tuple((k, _outline(v, leaves)) for k, v in tree.items()))
    if isinstance(tree, tuple | list):
        return (type(tree).__name__, tuple(_outline(v, leaves) for v in tree))
    if isinstance(tree, Tensor | np.ndarray):
        leaves.append(tree if isinstance(tree, Tensor) else Tensor(tree, dtype=tree.dtype, requires_grad=False))
        return "tensor"
    if tree is None or isinstance(tree, int | float | str):
        return (type(tree).__name__, tree)
    raise ArgumentError(
        explain(
            "jit expected tensors, arrays and numbers, also in tuples, lists and dicts",
            f"a {type(tree).__name__}",
            "Bind other objects outside: jit(lambda x: f(x, other))",
        )
    )


def _rebuild(tree: Any, tensors: Any) -> Any:
    """The structure with other tensors in the places of its own."""
    if isinstance(tree, dict):
        return {k: _rebuild(v, tensors) for k, v in tree.items()}
    if isinstance(tree, tuple | list):
        return _sequence(tree, [_rebuild(v, tensors) for v in tree])
    return next(tensors) if isinstance(tree, Tensor | np.ndarray | _Leaf) else tree
