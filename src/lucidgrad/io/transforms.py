"""How what is done to arrays before a network is kept in a model file."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucidgrad.data.transforms import Standardize
from lucidgrad.errors import ModelFileError, explain
from lucidgrad.io.kinds import Kind, register
from lucidgrad.io.tree import Tree


def _to_tree(scaler: Standardize) -> Tree:
    return {"mean": scaler.mean, "scale": scaler.scale}


def _from_tree(tree: Tree) -> Standardize:
    mean, scale = (_float64(tree[name]) for name in ("mean", "scale"))
    if len(tree) != 2 or mean.shape != scale.shape or not (scale > 0).all():
        raise ModelFileError(
            explain(
                "the file of a standardize expected a mean and positive scales of one shape",
                f"{mean.shape} and {scale.shape}",
                "Get it again from where it was made",
            )
        )
    return Standardize(mean, scale)


def _float64(value: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    if not isinstance(value, np.ndarray) or value.dtype != np.float64:
        raise TypeError("an array of float64 has to be there")
    return value


register(Kind("standardize", Standardize, _to_tree, _from_tree))
