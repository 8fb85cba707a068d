"""The functions that may stand between layers in a model file: a closed table, with options as plain values."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from lucidgrad import functional, ops
from lucidgrad.errors import ModelFileError, explain
from lucidgrad.files.strict_json import shown
from lucidgrad.io.tree import Tree
from lucidgrad.ops.promotion import SUPPORTED
from lucidgrad.tensor import Tensor

Function = Callable[..., Any]

FUNCTIONS: dict[str, Function] = functional.ACTIVATIONS | {
    f.__name__: f
    for f in (
        # of lucidgrad.functional, with options: partial(one_hot, classes=10)
        functional.one_hot, functional.is_class, functional.take, functional.maximum, functional.minimum,
        # methods of tensors: Tensor.sin, partial(Tensor.mean, axis=1)
        Tensor.exp, Tensor.expm1, Tensor.log, Tensor.log1p, Tensor.sqrt, Tensor.sin, Tensor.cos, Tensor.erf, Tensor.abs,
        Tensor.sign, Tensor.clip, Tensor.sum, Tensor.mean, Tensor.var, Tensor.max, Tensor.min, Tensor.prod,
        Tensor.logsumexp, Tensor.argmax, Tensor.argmin, Tensor.flatten,
    )
}  # fmt: skip

# The same function under another roof: Tensor.tanh, and the row of the op table.
_ROWS = {row: row.name for row in ops.TABLE.values() if row.name in FUNCTIONS and row.shape is ops.shapes.elementwise}
_METHODS = {method: name for name in FUNCTIONS if (method := getattr(Tensor, name, None)) is not None}
_NAMES: dict[Any, str] = {**_ROWS, **_METHODS, **{f: name for name, f in FUNCTIONS.items()}}


def to_tree(function: Any) -> Tree | None:
    """A function of the table, or a ``partial`` of one, as plain values; None when it is another."""
    is_partial = type(function) is partial
    inner = function.func if is_partial else function
    if not callable(inner) or getattr(inner, "__hash__", None) is None or inner not in _NAMES:
        return None
    tree: dict[str, Any] = {"function": _NAMES[inner]}
    if is_partial:
        try:
            tree |= {
                "arguments": [_plain(value) for value in function.args],
                "options": {name: _plain(_named(name, value)) for name, value in function.keywords.items()},
            }
        except TypeError:
            return None
    return tree


def from_tree(tree: Any) -> Function:
    """The function again."""
    if not isinstance(tree, dict) or tree.get("function") not in FUNCTIONS or not tree.keys() <= _KEYS:
        raise ModelFileError(
            explain(
                "a layer in a model file expected one of lucidgrad's functions",
                shown(tree),
                "Read it with the version of lucidgrad that wrote it",
            )
        )
    function = FUNCTIONS[tree["function"]]
    if len(tree) == 1:
        return function
    arguments = [_plain(value) for value in tree["arguments"]]
    options = {name: _of_name(name, _plain(value)) for name, value in tree["options"].items()}
    inspect.signature(function).bind(*arguments, None, **options)  # TypeError when they do not fit
    return partial(function, *arguments, **options)


def keeps_shape(function: Any) -> bool:
    """Whether a function of the table gives a number for each that it takes, as an activation does."""
    if type(function) is not partial:
        return _NAMES.get(function) in _ACTIVATIONS
    scalars = all(type(value) not in (list, tuple) for value in (*function.args, *function.keywords.values()))
    return scalars and _NAMES.get(function.func) in _ACTIVATIONS


_ACTIVATIONS = {
    *functional.ACTIVATIONS, "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "erf", "abs", "sign", "clip",
    "maximum", "minimum",
}  # fmt: skip
_KEYS = {"function", "arguments", "options"}


def _plain(value: Any) -> Any:
    """Numbers, None and lists or tuples of them: what an option may be."""
    if isinstance(value, np.integer | np.floating):
        value = value.item()
    if type(value) is int and not -(2**63) <= value < 2**63:
        raise TypeError("an option has to be a number of at most 64 bits")
    if value is None or type(value) in (bool, int, float) or (type(value) is str and value in _DTYPES):
        return value
    if type(value) in (list, tuple):
        return type(value)(_plain(item) for item in value)
    raise TypeError(f"an option has to be a number or a list of numbers, not {shown(value)}")


_DTYPES = {dtype.name: dtype for dtype in SUPPORTED}


def _named(name: str, value: DTypeLike) -> Any:
    return np.dtype(value).name if name == "dtype" else value


def _of_name(name: str, value: Any) -> Any:
    return _DTYPES[value] if name == "dtype" else value
