"""Module: a part of a network that has weights, and finds them, saves them and shows itself without being told how."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from reprlib import recursive_repr
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from lucidgrad.autograd import mode
from lucidgrad.errors import ArgumentError, LucidgradError, explain
from lucidgrad.files.container import PathLike
from lucidgrad.nn.summary import output_shapes, table
from lucidgrad.nn.weights_file import read_weights, write_weights
from lucidgrad.ops.arrays import regular
from lucidgrad.ops.promotion import FLOAT32, FLOAT64, SUPPORTED
from lucidgrad.tensor import Tensor, tensor


def _without_forward(self: Module, *_: Any, **__: Any) -> Any:
    """What the module computes: each module defines its own.

    Raises
    ------
    ArgumentError, ShapeError, DtypeError
        When an input is not what the layer takes.
    """
    raise ArgumentError(
        explain(
            f"{type(self).__name__} expected a method forward(self, x)",
            "none",
            "Define what the module computes: def forward(self, x): return self.layer(x)",
        )
    )


class Module:
    """A part of a network. Write ``__init__`` and ``forward``; the rest follows from the attributes.

    Tensors and modules are found by walking the attributes, also through lists, tuples and dicts (not through sets,
    closures and foreign objects). A Tensor that requires gradients is a parameter, one that does not is a buffer.
    Each is known by its path, such as ``"encoder.0.weight"``; one that is reached twice has the path found first.
    To look at a result later, let ``forward`` keep its array, ``h.numpy()``: a tensor made under ``no_grad`` and kept
    is taken for a buffer.

    Attributes
    ----------
    training : bool
        Whether the module learns (Dropout drops, BatchNorm uses the statistics of the batch). Set by ``train()``
        and ``eval()``, for this module and all inside of it.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> from lucidgrad.nn import Linear, Module
    >>> class Perceptron(Module):
    ...     def __init__(self):
    ...         self.hidden, self.output = Linear(2, 8), Linear(8, 1)
    ...     def forward(self, x):
    ...         return self.output(self.hidden(x).tanh())
    >>> model = Perceptron()
    >>> {path: p.shape for path, p in model.parameters().items()}
    {'hidden.weight': (8, 2), 'hidden.bias': (8,), 'output.weight': (1, 8), 'output.bias': (1,)}
    >>> model([[0.0, 1.0], [1.0, 1.0]]).shape
    (2, 1)
    """

    training: bool = True
    forward: Callable[..., Any] = _without_forward

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        """Run ``forward``. Arrays and lists become constant Tensors: floats of the dtype of the parameters.

        Parameters
        ----------
        inputs, options
            What ``forward`` takes; the first is as a rule (batch, ...).
        """
        for x in inputs:
            if type(x) is not Tensor:
                return self.forward(*[_as_input(self, x) for x in inputs], **options)
        return self.forward(*inputs, **options)

    # --- what is inside ---------------------------------------------------------------------------------------

    def parts(self) -> Iterator[tuple[str, Any]]:
        """The attributes by name; a container names its layers instead."""
        return iter(vars(self).items())

    def parameters(self) -> dict[str, Tensor]:
        """The leaves that require gradients, by path, in order of definition."""
        return _by_path(self, requires_grad=True)

    def buffers(self) -> dict[str, Tensor]:
        """The tensors that training does not learn, by path: running statistics, frozen weights."""
        return _by_path(self, requires_grad=False)

    def modules(self) -> dict[str, Module]:
        """The module itself (path ``""``) and all inside of it, by path."""
        return {path: part for path, part in _walk(self, "", set()) if isinstance(part, Module)}

    # --- training and evaluation ------------------------------------------------------------------------------

    def train(self, mode: bool = True) -> Self:
        """Set ``training`` here and in all modules inside; returns the module.

        Parameters
        ----------
        mode
            False is what ``eval()`` does.
        """
        for module in self.modules().values():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Set ``training`` to False here and in all modules inside; returns the module."""
        return self.train(False)

    # --- state ------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, np.ndarray[Any, np.dtype[Any]]]:
        """Parameters and buffers as read-only arrays, by path: what has to be saved."""
        return {path: t.numpy() for path, t in {**self.parameters(), **self.buffers()}.items()}

    def load_state(self, state: Mapping[str, ArrayLike]) -> None:
        """Take over the arrays of a ``state()``: all of them, or none when one does not fit.

        Parameters
        ----------
        state
            Arrays of the shapes and dtypes of the parameters and buffers, by path.

        Raises
        ------
        ArgumentError
            Lists every name that is missing or too many, and every array of another shape or dtype.
        """
        targets = {**self.parameters(), **self.buffers()}
        arrays = {path: np.asarray(array) for path, array in state.items()}
        mismatches = _mismatches(targets, arrays)
        if mismatches:
            raise ArgumentError(
                f"expected the state of this {type(self).__name__}, got {len(mismatches)} mismatches:\n  "
                + "\n  ".join(mismatches)
                + "\nNothing was loaded. Build the model with the options it was saved with."
            )
        for path, target in targets.items():
            target.data = arrays[path]

    def save(self, path: PathLike) -> None:
        """Write parameters and buffers to a file: whole, or not at all.

        The file holds no layers and no code. A model made of lucidgrad's layers alone is better saved with
        ``lucidgrad.save``, which keeps them too.

        Parameters
        ----------
        path
            The file.

        Raises
        ------
        ModelFileError
            When the file cannot be written; what was there before still is.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from lucidgrad.nn import Linear
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     layer, path = Linear(2, 1), Path(folder) / "weights.lucidgrad"
        ...     layer.save(path)
        ...     Linear(2, 1).load(path)
        """
        write_weights(path, self.parameters(), self.buffers())

    def load(self, path: PathLike, *, strict_finite: bool = False) -> None:
        """Take over the weights of a file, written by ``save`` or by ``lucidgrad.save``: all of them or none.

        Parameters
        ----------
        path
            It may come from anyone: it is checked before anything of it is used.
        strict_finite
            Refuse NaN and infinities, instead of a warning.

        Raises
        ------
        ModelFileError
            When the file cannot be read, or is not to the last byte what it has to be.
        ArgumentError
            When it is the file of another model: lists every name, shape and dtype that differs.
        """
        self.load_state(read_weights(path, strict_finite=strict_finite))

    # --- for containers ---------------------------------------------------------------------------------------

    def call_part(self, name: object, part: Callable[..., Any], x: Any) -> Any:
        """Apply a layer or function inside of this module, and name it in the error when that fails.

        Parameters
        ----------
        name
            What the error calls it.
        part
            The layer or function.
        x
            What it is applied to, of any shape it takes.
        """
        try:
            return part(x)
        except LucidgradError as error:
            _name_layer(error, str(name))
            raise

    # --- how it looks -----------------------------------------------------------------------------------------

    def summary(self, input_shape: tuple[int, ...] | None = None, input_dtype: DTypeLike = np.float32) -> str:
        """A table of the layers with their output shapes and numbers of parameters.

        Parameters
        ----------
        input_shape
            The shape of one sample, without the batch: ``(784,)``. The shapes are found by running the module in
            evaluation mode on a batch of zeros. None: no shapes.
        input_dtype
            The kind of numbers the model takes; ``np.int64`` for one that begins with Embedding.

        Examples
        --------
        >>> from lucidgrad.nn import Linear, Sequential
        >>> print(Sequential(Linear(784, 128), Linear(128, 10)).summary((784,)))
        path  layer                                      output        parameters
        -------------------------------------------------------------------------
              Sequential                                 (batch, 10)            0
        0     Linear(in_features=784, out_features=128)  (batch, 128)     100,480
        1     Linear(in_features=128, out_features=10)   (batch, 10)        1,290
        -------------------------------------------------------------------------
        101,770 parameters, 0 numbers in buffers, 407,080 bytes
        """
        rows = {path: _head(part) for path, part in _rows(self, "")}
        shapes = None if input_shape is None else output_shapes(self, input_shape, input_dtype)
        return table(rows, shapes, self.parameters(), self.buffers())

    @recursive_repr("...")
    def __repr__(self) -> str:
        """The module as a tree: its options in parentheses, the parts below."""
        head = _head(self)
        body = "".join(f"\n({name}): {_tree(part)}" for name, part in _layers(self)).replace("\n", "\n  ")
        if not body:
            return head if head.endswith(")") else f"{head}()"
        return f"{head[:-1] if head.endswith(')') else head + '('}{body}\n)"


def _name_layer(error: LucidgradError, name: str) -> None:
    """Put the path of a layer in front of the message of an error; a layer inside has put its part of it already."""
    message, head = str(error), "in layer "
    inner = f".{message.removeprefix(head)}" if message.startswith(head) else f": {message}"
    error.args = (f"{head}{name}{inner}",)


def _as_input(module: Module, x: Any) -> Any:
    """Arrays and lists as constant Tensors; keys, numbers and whatever else as they are."""
    if isinstance(x, list | tuple):
        if any(isinstance(item, Tensor) for item in x):
            return x  # several inputs in one list, with their history
    elif isinstance(x, Tensor) or not hasattr(x, "__array__"):
        return x
    array = np.asarray(regular(x))
    dtype = array.dtype
    if dtype.kind == "f":
        default = FLOAT64 if dtype == FLOAT64 and not isinstance(x, list | tuple) else FLOAT32
        dtype = next((t.dtype for _, t in _tensors(module) if t.dtype.kind == "f"), default)
    if mode.recording or array.dtype != dtype or dtype not in SUPPORTED:
        return tensor(array, dtype=dtype)  # a copy: what is recorded must not change before the gradient is taken
    view = array.view()
    view.setflags(write=False)
    return Tensor.wrap(view)


def _by_path(module: Module, requires_grad: bool) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for path, t in _tensors(module):
        if found.setdefault(path, t) is not t:
            raise ArgumentError(
                explain(
                    f"{type(module).__name__} expected one tensor for each path",
                    f"two at {path}",
                    "Rename the keys of the dict they are in",
                )
            )
    return {path: t for path, t in found.items() if t.requires_grad == requires_grad}


def _tensors(module: Module) -> Iterator[tuple[str, Tensor]]:
    """The leaf tensors inside, each once, by path. A result that forward has kept is no leaf."""
    for path, part in _walk(module, "", set()):
        if isinstance(part, Tensor) and part.node is None:
            yield path, part


def _walk(part: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """All modules and tensors at and below ``part``, each object once, by path."""
    if not isinstance(part, Module | Tensor | list | tuple | dict) or id(part) in seen:
        return
    seen.add(id(part))
    if isinstance(part, Module | Tensor):
        yield path, part
    for name, child in _children(part):
        yield from _walk(child, f"{path}.{name}" if path else name, seen)


def _children(part: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(part, Module):
        yield from part.parts()
    elif isinstance(part, dict):
        yield from ((str(key), child) for key, child in part.items())
    elif isinstance(part, list | tuple):
        yield from ((str(i), child) for i, child in enumerate(part))


def _mismatches(targets: dict[str, Tensor], arrays: dict[str, Any]) -> list[str]:
    """One line for each name, shape or dtype that differs."""
    lines = [f"{path} is missing" for path in targets if path not in arrays]
    lines += [f"{path} is not in the model" for path in arrays if path not in targets]
    for path, target in targets.items():
        array = arrays.get(path)
        if array is not None and (array.shape, array.dtype) != (target.shape, target.dtype):
            lines.append(f"{path} is {target.dtype}{target.shape} in the model and {array.dtype}{array.shape} here")
    return lines


def _layers(module: Any) -> Iterator[tuple[str, Any]]:
    """The modules directly inside, and the functions that are layers too: those in containers, lists and dicts."""
    for name, part in _children(module):
        if isinstance(part, Module):
            yield name, part
        elif isinstance(part, list | tuple | dict):
            yield from ((f"{name}.{inner}", layer) for inner, layer in _layers(part))
        elif callable(part) and not (isinstance(module, Module) and name in vars(module)):
            yield name, part


def _rows(part: Any, path: str, above: tuple[Any, ...] = ()) -> Iterator[tuple[str, Any]]:
    """The module and all layers and functions inside, by path; one that holds a module above it ends there."""
    yield path, part
    if isinstance(part, Module):
        for name, layer in _layers(part):
            if all(layer is not outer for outer in (*above, part)):
                yield from _rows(layer, f"{path}.{name}" if path else name, (*above, part))


def _head(part: Any) -> str:
    """A layer in one line: its class and what it was made with, or the name of a function."""
    if isinstance(part, partial):
        options = [*map(repr, part.args), *(f"{name}={value!r}" for name, value in part.keywords.items())]
        return f"{_head(part.func)}({', '.join(options)})"
    if not isinstance(part, Module):
        return getattr(part, "__name__", None) or type(part).__name__
    shown = [
        f"{name}={_head(value) if callable(value) else repr(value)}"
        for name, value in vars(part).items()
        if not name.startswith("_") and name != "training" and _is_option(value)
    ]
    return f"{type(part).__name__}({', '.join(shown)})" if shown else type(part).__name__


def _tree(part: Any) -> str:
    return repr(part) if isinstance(part, Module) else _head(part)


def _is_option(value: Any) -> bool:
    if isinstance(value, Module | Tensor):
        return False
    if isinstance(value, tuple):
        return bool(value) and all(isinstance(v, int | float | str) for v in value)
    return value is None or isinstance(value, int | float | str) or callable(value)
