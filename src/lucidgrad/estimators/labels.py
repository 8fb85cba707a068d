"""Labels of classes as they are kept in files, and as they come out of an ONNX file."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.io.tree import Tree
from lucidgrad.onnx.builder import Ref
from lucidgrad.onnx.pipeline import STRINGS, Pipeline

Array = np.ndarray[Any, np.dtype[Any]]

LETTERS = 100_000  # which an array of labels may always have


def to_tree(labels: Array) -> Tree:
    """Numbers and booleans stay an array; strings become a list.

    Raises
    ------
    ArgumentError
        For labels of other kinds.
    """
    if labels.dtype.kind in "biuf":
        return labels
    if labels.dtype.kind not in "UTO" or not all(isinstance(label, str) for label in labels):
        odd = next((label for label in labels if not isinstance(label, str)), labels.dtype)
        raise ArgumentError(
            explain("labels in a file expected strings, numbers or booleans", repr(odd), "Name the classes: str(label)")
        )
    return {"strings": [str(label) for label in labels], "objects": labels.dtype.kind == "O"}


def from_tree(tree: Tree) -> Array:
    """The labels again; TypeError or ValueError for what ``to_tree`` has not made."""
    if isinstance(tree, np.ndarray):
        if tree.ndim != 1 or tree.dtype.kind not in "biuf":
            raise ValueError("labels have to be a list")
        return tree
    strings, objects = tree["strings"], tree["objects"]
    if len(tree) != 2 or type(objects) is not bool or type(strings) is not list:
        raise TypeError("labels have to be strings")
    if not all(type(label) is str for label in strings):
        raise TypeError("labels have to be strings")
    # An array of text has as many places for each label as the longest has characters: a long one among many short
    # ones would be a bomb.
    letters = max(map(len, strings), default=0) * len(strings)
    wide = letters > 30 * sum(map(len, strings)) + LETTERS
    return np.array(strings, dtype=object if objects or wide else None)


def labels_of(pipeline: Pipeline, classes: Array, index: Ref) -> Ref:
    """The labels of classes that are known by their place: int64, booleans, floats or strings of the shape of index."""
    if classes.dtype.kind in "UTO":
        names = pipeline.build.constant(np.array([str(c) for c in classes], dtype=object), "classes")
    else:
        wider = np.int64 if classes.dtype.kind in "iu" else classes.dtype
        names = pipeline.build.constant(classes.astype(wider), "classes")
    found = pipeline.build("Gather", names, index, axis=0)
    return Ref(found.name, index.shape, STRINGS if names.dtype == STRINGS else names.dtype)
