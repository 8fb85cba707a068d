"""The names of the columns that an estimator was fitted on, as files hold them."""

from __future__ import annotations

from typing import Any

import numpy as np


def to_tree(estimator: Any) -> list[str] | None:
    """Their list; None where the columns had no names."""
    names = getattr(estimator, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]


def set_names(estimator: Any, names: Any) -> None:
    """Give them to an estimator that has its ``n_features_in_``; ValueError for what ``to_tree`` has not made."""
    if names is None:
        return
    if type(names) is not list or len(names) != estimator.n_features_in_ or not all(type(n) is str for n in names):
        raise ValueError("its features have to have a name each")
    estimator.feature_names_in_ = np.array(names, dtype=object)
