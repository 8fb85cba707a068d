"""Take a nested state apart into arrays and plain JSON, and put it together again, bit for bit.

JSON knows no tuples, no NaN, no NumPy numbers and no arrays. Each of them becomes an object with a single key that
begins with ``$`` and says what it is: ``{"$tuple": [...]}``. A dict of the state that has such a key itself is
written as ``{"$dict": [[key, value], ...]}``, so nothing in a state can be mistaken for a mark.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from lucidgrad.errors import ArgumentError, CheckpointError, explain

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Tree: TypeAlias = Any
"""Nested dicts with str keys, lists and tuples of arrays, numbers, NumPy numbers, strings, booleans and None."""

Plain: TypeAlias = Any
"""What JSON can say exactly: dicts, lists, strings, finite floats, integers below 2^63, booleans and None."""

LONGEST_MESSAGE = 300

_LARGEST_INT = 2**63
_DTYPE = re.compile(r"[<>|](b1|[iu][1248]|f[248])")


def flatten(tree: Tree) -> tuple[dict[str, Array], Plain]:
    """Take a tree apart.

    Parameters
    ----------
    tree
        Nested dicts with str keys, lists and tuples. Leaves: arrays of any shape (booleans, integers, floats of 2, 4
        or 8 bytes, any byte order and memory layout), NumPy numbers of these kinds, Python numbers (any integer;
        NaN and infinities), strings, booleans, None.

    Returns
    -------
    arrays
        The arrays by their path in the tree, ``"/model/0.weight"``, each C-contiguous and little-endian. An array that
        is so already is not copied.
    plain
        All else, for ``json.dumps(plain, allow_nan=False)``.

    Raises
    ------
    ArgumentError
        For anything else in the tree, naming its path.

    Examples
    --------
    >>> import numpy as np
    >>> from lucidgrad.io import flatten, unflatten
    >>> arrays, plain = flatten({"w": np.zeros(2), "steps": (1, float("inf"))})
    >>> plain
    {'w': {'$array': '/w'}, 'steps': {'$tuple': [1, {'$float': '7ff0000000000000'}]}}
    >>> unflatten(arrays, plain)
    {'w': array([0., 0.]), 'steps': (1, inf)}
    """
    arrays: dict[str, Array] = {}
    try:
        return arrays, _encode(tree, "", arrays)
    except RecursionError:
        raise ArgumentError("a state expected nested dicts and lists, got one that is nested endlessly.") from None


def unflatten(arrays: dict[str, Array], plain: Plain) -> Tree:
    """Put together what ``flatten`` has taken apart.

    Parameters
    ----------
    arrays
        The arrays, of any shape, by their path in the tree.
    plain
        All else, as ``json.loads`` gives it.

    Returns
    -------
    The tree: equal types, dtypes, byte orders and bits. Arrays are C-contiguous; whether they can be written to
    follows from ``arrays``.

    Raises
    ------
    CheckpointError
        When the two parts do not belong together.

    Examples
    --------
    >>> import numpy as np
    >>> from lucidgrad.io import unflatten
    >>> unflatten({"/w": np.zeros(2)}, {"w": {"$array": "/w"}, "steps": {"$tuple": [1, 2]}})
    {'w': array([0., 0.]), 'steps': (1, 2)}
    """
    rest = dict(arrays)
    try:
        tree = _decode(plain, rest)
    except CheckpointError:
        raise
    except (KeyError, TypeError, ValueError, RecursionError, struct.error) as error:
        raise _wrong(f"{type(error).__name__}: {error}") from None
    if rest:
        raise _wrong(f"the array {next(iter(rest))!r} that nothing refers to")
    return tree


# --- taking apart ---------------------------------------------------------------------------------------------------


def _encode(tree: Tree, path: str, arrays: dict[str, Array]) -> Plain:
    kind = type(tree)
    if kind is dict:
        return _encode_dict(tree, path, arrays)
    if kind is list or kind is tuple:
        items = [_encode(item, _step_down(path, str(i)), arrays) for i, item in enumerate(tree)]
        return items if kind is list else {"$tuple": items}
    if kind is np.ndarray or kind is np.memmap:
        return _encode_array(tree, path, arrays)
    if isinstance(tree, np.generic):
        return {"$scalar": _checked_dtype(tree.dtype, path), "hex": tree.tobytes().hex()}
    if kind is float:
        return tree if math.isfinite(tree) else {"$float": struct.pack(">d", tree).hex()}
    if kind is int:
        return tree if -_LARGEST_INT <= tree < _LARGEST_INT else {"$int": hex(tree)}
    if kind is str or kind is bool or tree is None:
        return tree
    raise _cannot(path, f"{kind.__module__}.{kind.__qualname__}")


def _encode_dict(tree: dict[Any, Tree], path: str, arrays: dict[str, Array]) -> Plain:
    for key in tree:
        if type(key) is not str or not _is_text(key):
            raise _cannot(path, f"a dict with the key {key!r}")
    items = {key: _encode(value, _step_down(path, key), arrays) for key, value in tree.items()}
    marked = any(key.startswith("$") for key in items)
    return {"$dict": [[key, value] for key, value in items.items()]} if marked else items


def _is_text(key: str) -> bool:
    try:
        return key.encode() is not None
    except UnicodeEncodeError:  # half of a surrogate pair
        return False


def _encode_array(array: Array, path: str, arrays: dict[str, Array]) -> Plain:
    dtype = _checked_dtype(array.dtype, path)
    little = array.dtype.newbyteorder("<")
    arrays[path] = np.asarray(array, dtype=little, order="C").view(np.ndarray)
    return {"$array": path} if array.dtype == little else {"$array": path, "dtype": dtype}


def _checked_dtype(dtype: np.dtype[Any], path: str) -> str:
    if not _DTYPE.fullmatch(dtype.str):
        raise _cannot(path, f"an array of dtype {dtype}")
    return dtype.str


def _step_down(path: str, key: str) -> str:
    """One more step of a path. As in RFC 6901, "~" and "/" inside of a key are "~0" and "~1": paths stay distinct."""
    return f"{path}/{key.replace('~', '~0').replace('/', '~1')}"


def _cannot(path: str, what: str) -> ArgumentError:
    return ArgumentError(
        explain(
            "a state expected arrays of numbers, numbers, strings, booleans and None in nested dicts, lists and tuples",
            f"{what} at {path or 'its top'!r}",
            "Turn it into these, for example a Tensor into tensor.numpy()",
        )
    )


# --- putting together -----------------------------------------------------------------------------------------------


def _decode(plain: Plain, arrays: dict[str, Array]) -> Tree:
    if isinstance(plain, list):
        return [_decode(item, arrays) for item in plain]
    if not isinstance(plain, dict):
        return plain
    mark = next(iter(plain), "")
    if mark.startswith("$"):
        if mark not in _MARKS:
            raise _wrong(f"the mark {mark!r}")
        return _MARKS[mark](plain, arrays)
    return {key: _decode(value, arrays) for key, value in plain.items()}


def _decode_array(plain: Plain, arrays: dict[str, Array]) -> Array:
    array = arrays.pop(plain["$array"])  # once: a file cannot ask for more memory than it has
    if "dtype" not in plain:
        return array
    dtype = _dtype_of(plain["dtype"])
    if dtype.newbyteorder("<") != array.dtype:
        raise _wrong(f"the dtype {dtype.str!r} for an array of {array.dtype}")
    return array.astype(dtype)


def _decode_scalar(plain: Plain, _: dict[str, Array]) -> Any:
    dtype = _dtype_of(plain["$scalar"])
    (scalar,) = np.frombuffer(bytes.fromhex(plain["hex"]), dtype)
    return scalar


def _dtype_of(text: str) -> np.dtype[Any]:
    if not _DTYPE.fullmatch(text):
        raise _wrong(f"the dtype {text!r}")
    return np.dtype(text)


_MARKS: dict[str, Callable[[Plain, dict[str, Array]], Tree]] = {
    "$tuple": lambda plain, arrays: tuple(_decode(item, arrays) for item in plain["$tuple"]),
    "$dict": lambda plain, arrays: {key: _decode(value, arrays) for key, value in plain["$dict"]},
    "$float": lambda plain, _: struct.unpack(">d", bytes.fromhex(plain["$float"]))[0],
    "$int": lambda plain, _: int(plain["$int"], 16),
    "$array": _decode_array,
    "$scalar": _decode_scalar,
}


def _wrong(what: str) -> CheckpointError:
    short = what if len(what) <= LONGEST_MESSAGE else f"{what[:LONGEST_MESSAGE]} ..."  # names may be a megabyte long
    return CheckpointError(
        explain("the parts of a saved state expected to fit together", short, "Use an earlier checkpoint")
    )
