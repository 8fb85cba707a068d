"""How what is done to arrays before a network is kept in a model file."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucidgrad.data.transforms import Standardize
from lucidgrad.io.kinds import Kind, register
from lucidgrad.io.tree import Tree


def _to_tree(scaler: Standardize) -> Tree:
    return {"mean": scaler.mean, "scale": scaler.scale}


def _from_tree(tree: Tree) -> Standardize:
    mean, scale = (_float64(tree[name]) for name in ("mean", "scale"))
    if len(tree) != 2:
        raise ValueError("it has to have a mean and a scale, and nothing else")
    return Standardize(mean, scale)


def _float64(value: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    if not isinstance(value, np.ndarray) or value.dtype != np.float64:
        raise TypeError("an array of float64 has to be there")
    return value


register(Kind("standardize", Standardize, _to_tree, _from_tree))
