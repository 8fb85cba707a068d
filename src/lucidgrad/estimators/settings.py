"""The arguments of an estimator as plain data, for files: a closed table of what they may be.

Numbers, names, booleans, None and lists of them stay what they are. Dicts become ``{"pairs": [[key, value], ...]}``;
lucidgrad's functions, losses, optimizers and schedules ``{"object": name, "options": ...}``.
"""

from __future__ import annotations

import dataclasses
import numbers
from typing import Any

import numpy as np

from lucidgrad import optim
from lucidgrad.errors import ArgumentError, explain
from lucidgrad.io import functions
from lucidgrad.io.tree import Tree
from lucidgrad.losses import LOSSES

_CLASSES = (*LOSSES.values(), *optim.OPTIMIZERS.values(), *optim.SCHEDULES.values(), optim.Plateau)
OBJECTS: dict[str, type] = {cls.__name__: cls for cls in _CLASSES}
"""What a setting may be besides plain values and functions."""

DROPPED = ("callbacks",)
"""Settings that say what happens while training; a loaded estimator has their defaults."""


def to_tree(estimator: Any) -> Tree:
    """The constructor's arguments of an estimator; a generator of random numbers and callbacks are left out.

    Raises
    ------
    ArgumentError
        For an argument that is code, naming it.
    """
    plain = {}
    for name, value in estimator.get_params(deep=False).items():
        if name not in DROPPED:
            is_generator = name == "random_state" and not isinstance(value, numbers.Integral)
            plain[name] = None if is_generator else _plain(value, f"{type(estimator).__name__}({name}=...)")
    return plain


def from_tree(cls: type, tree: Tree) -> dict[str, Any]:
    """The arguments again; a setting that was not there yet when the file was written has its default.

    Raises
    ------
    TypeError, ValueError, KeyError
        For what ``to_tree`` has not made.
    """
    known = cls().get_params(deep=False)
    if not tree.keys() <= known.keys():
        raise ValueError(f"its settings have to be of {', '.join(known)}")
    return {name: _value(value) for name, value in tree.items()}


def _plain(value: Any, what: str) -> Tree:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return type(value)(_plain(item, what) for item in value)
    if isinstance(value, dict):
        return {"pairs": [[_plain(k, what), _plain(v, what)] for k, v in value.items()]}
    name = type(value).__name__
    if OBJECTS.get(name) is type(value):
        fields = dataclasses.fields(value) if dataclasses.is_dataclass(value) else None
        options = vars(value) if fields is None else {f.name: getattr(value, f.name) for f in fields if f.init}
        return {"object": name, "options": {k: _plain(v, what) for k, v in options.items()}}
    if isinstance(value, type) and OBJECTS.get(value.__name__) is value:
        return {"object": value.__name__}
    if (function := functions.to_tree(value)) is not None:
        return function
    raise ArgumentError(
        explain(
            f"{what} expected what a file can hold: numbers, names, lists, lucidgrad's own functions and losses",
            f"a {name}",
            "Use a name instead, or save the network alone: lucidgrad.save(estimator.model_, path)",
        )
    )


def _value(tree: Tree) -> Any:
    if tree is None or type(tree) in (bool, int, float, str):
        return tree
    if type(tree) in (list, tuple):
        return type(tree)(_value(item) for item in tree)
    if tree.keys() == {"pairs"}:
        return {_value(key): _value(value) for key, value in tree["pairs"]}
    if "function" in tree:
        return functions.from_tree(tree)
    cls = OBJECTS[tree["object"]]
    if tree.keys() == {"object"}:
        return cls
    if tree.keys() != {"object", "options"}:
        raise ValueError("an object has a name and options")
    return cls(**{name: _value(value) for name, value in tree["options"].items()})
