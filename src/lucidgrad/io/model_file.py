"""Models in files: saved whole or not at all, loaded without trust, with all that has to go with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lucidgrad.errors import ArgumentError, CheckpointError, ModelFileError, explain
from lucidgrad.files import container
from lucidgrad.files.container import PathLike
from lucidgrad.files.strict_json import shown, wrong
from lucidgrad.io import measured_on as measuring
from lucidgrad.io.kinds import from_tree, kind_named, kind_of
from lucidgrad.io.tree import Tree, flatten, unflatten

_EXTRAS = {"labels", "metrics", "preprocessing"}
_LATER = {"measured_on"}
"""What a file may have too: those that were written before there was such a thing are read as before."""


@dataclass(frozen=True)
class ModelFile:
    """What a model file holds.

    Attributes
    ----------
    kind
        What it is a model of: ``"network"`` for modules.
    model
        The model, in evaluation mode.
    labels
        The names of the classes, in the order of the outputs.
    metrics
        How good it was, by name.
    preprocessing
        What has to be done to inputs before, such as a ``Standardize``.
    written_with
        Versions of what wrote it.
    measured_on
        How many rows of which part ``metrics`` are of, ``{"test": 1200}``; None where the file does not tell.

    Examples
    --------
    >>> from lucidgrad.nn import Linear
    >>> from lucidgrad.io import ModelFile
    >>> file = ModelFile("network", Linear(2, 3), ["red", "green", "blue"], {}, None, {"lucidgrad": "0.1.0"})
    >>> file.model
    Linear(in_features=2, out_features=3)
    """

    kind: str
    model: Any
    labels: list[Any] | None
    metrics: dict[str, float]
    preprocessing: Any
    written_with: dict[str, str]
    measured_on: dict[str, int] | None = None


def save(
    model: Any,
    path: PathLike,
    *,
    labels: Sequence[Any] | None = None,
    metrics: Mapping[str, float] | None = None,
    preprocessing: Any = None,
    measured_on: Mapping[str, int] | None = None,
) -> None:
    """Write a model to a file that ``load`` gives back. When this raises, what was there before still is.

    Parameters
    ----------
    model
        A network of lucidgrad's layers and functions, or another model of ``lucidgrad.io.kinds``. The weights of a
        Module of your own are saved with ``model.save(path)``.
    path
        Where; ``model.lucidgrad`` is the usual ending.
    labels
        Names of the classes in the order of the outputs: strings, numbers, booleans.
    metrics
        Numbers by name: how good it is.
    preprocessing
        What has to be done to inputs first: a ``lucidgrad.data.Standardize``.
    measured_on
        How many rows the metrics are of, by part: ``"test"`` (seen neither by training nor by stopping),
        ``"validation"`` (they said when to stop) or ``"training"``. ``lucidgrad inspect`` tells it.

    Raises
    ------
    ArgumentError
        When a part of it has no place in the format; the path of the part is named.
    ModelFileError
        When the file cannot be written.

    Examples
    --------
    >>> import tempfile, lucidgrad as lg
    >>> from pathlib import Path
    >>> from lucidgrad.functional import tanh
    >>> from lucidgrad.nn import Linear, Sequential
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "model.lucidgrad"
    ...     lg.save(Sequential(Linear(2, 8), tanh, Linear(8, 3)), path, labels=["red", "green", "blue"])
    ...     lg.load(path)
    Sequential(
      (0): Linear(in_features=2, out_features=8)
      (1): tanh
      (2): Linear(in_features=8, out_features=3)
    )
    """
    kind = kind_of(model)
    tree = {kind.name: kind.to_tree(model), "labels": None, "metrics": {}, "preprocessing": None}
    if labels is not None:
        tree["labels"] = _labels_of(labels)
    if metrics is not None:
        tree["metrics"] = {str(name): _number(name, value) for name, value in metrics.items()}
    if preprocessing is not None:
        other = kind_of(preprocessing)
        tree["preprocessing"] = {other.name: other.to_tree(preprocessing)}
    if measured_on is not None:
        tree["measured_on"] = measuring.given(measured_on, metrics)
    arrays, plain = flatten(tree)
    container.write(path, kind.name, plain, arrays)


def load(path: PathLike, *, strict_finite: bool = False) -> Any:
    """Read the model of a file, in evaluation mode. No code is taken from the file, and no class that it names.

    Parameters
    ----------
    path
        It may come from anyone: it is checked before anything of it is used.
    strict_finite
        Refuse NaN and infinities among the weights, instead of a warning.

    Raises
    ------
    ModelFileError
        When the file cannot be read, is damaged, or is not a model that this version of lucidgrad has.

    Examples
    --------
    >>> import tempfile, lucidgrad as lg
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "model.lucidgrad"
    ...     lg.save(lg.nn.Linear(2, 3), path)
    ...     lg.load(path)
    Linear(in_features=2, out_features=3)
    """
    return _read(path, strict_finite).model


def read_model(path: PathLike, *, strict_finite: bool = False) -> ModelFile:
    """``load``, with all else that the file holds.

    Parameters
    ----------
    path
        It may come from anyone: it is checked before anything of it is used.
    strict_finite
        Refuse NaN and infinities among the weights, instead of a warning.

    Raises
    ------
    ModelFileError
        As ``load``.

    Examples
    --------
    >>> import tempfile, lucidgrad as lg
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "model.lucidgrad"
    ...     lg.save(lg.nn.Linear(2, 3), path, labels=["red", "green", "blue"], metrics={"accuracy": 0.5})
    ...     file = lg.io.read_model(path)
    >>> file.kind, file.labels, file.metrics
    ('network', ['red', 'green', 'blue'], {'accuracy': 0.5})
    """
    return _read(path, strict_finite)


def _read(path: PathLike, strict_finite: bool) -> ModelFile:
    content = container.read(path, strict_finite=strict_finite)
    what = Path(path).name
    if content.kind == "weights":
        raise ModelFileError(
            explain(
                f"{what} expected to hold a model",
                "weights alone",
                "Build the model they belong to, and load them into it: model.load(path)",
            )
        )
    kind_named(content.kind)
    tree = _tree(content, what)
    return ModelFile(
        content.kind,
        from_tree(content.kind, tree[content.kind]),
        _labels(tree["labels"], what),
        _metrics(tree["metrics"], what),
        _preprocessing(tree["preprocessing"], what),
        content.written_with,
        measuring.stored(tree["measured_on"], what) if "measured_on" in tree else None,
    )


def _tree(content: container.Content, what: str) -> dict[str, Tree]:
    try:
        tree = unflatten(content.arrays, content.plain)
    except CheckpointError as error:
        raise ModelFileError(str(error).replace("Use an earlier checkpoint", "Get the file again")) from None
    if not isinstance(tree, dict) or tree.keys() - _LATER != {content.kind, *_EXTRAS}:
        raise wrong(what, f"{', '.join(sorted({content.kind, *_EXTRAS}))}", shown(content.plain))
    return tree


def _labels_of(labels: Any) -> list[Any]:
    if isinstance(labels, str | bytes) or not isinstance(labels, Iterable):
        raise ArgumentError(
            explain("labels expected a list of strings and numbers", repr(labels), "Name every class: ['red', 'green']")
        )
    return [_label(label) for label in labels]


def _number(name: Any, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ArgumentError(
            explain(
                "metrics expected numbers by name", f"{value!r} as {name!r}", "Keep other things in a file beside it"
            )
        ) from None


def _label(label: Any) -> Any:
    value = label.item() if isinstance(label, np.generic) else label
    if type(value) not in (str, int, bool, float):
        raise ArgumentError(
            explain("labels expected strings and numbers", f"a {type(label).__name__}", "Name the classes: str(label)")
        )
    return value


def _labels(value: Any, what: str) -> list[Any] | None:
    if value is not None and (type(value) is not list or not all(type(x) in (str, int, bool, float) for x in value)):
        raise wrong(what, "labels to be a list of strings and numbers", shown(value))
    return value


def _metrics(value: Any, what: str) -> dict[str, float]:
    if type(value) is not dict or not all(type(x) is float for x in value.values()):
        raise wrong(what, "metrics to be numbers by name", shown(value))
    return value


def _preprocessing(value: Any, what: str) -> Any:
    if value is None:
        return None
    if type(value) is not dict or len(value) != 1:
        raise wrong(what, "preprocessing to be one model", shown(value))
    ((kind, tree),) = value.items()
    return from_tree(kind, tree)
