"""What a model file can hold: a closed table of kinds, so that a file names what it is and never what to run.

A chapter that has models of its own adds a line to ``PROVIDERS`` and calls ``register`` when it is imported.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from lucidgrad.errors import ArgumentError, CheckpointError, LucidgradError, ModelFileError, explain
from lucidgrad.files.strict_json import shown
from lucidgrad.io.tree import Tree

PROVIDERS: dict[str, str] = {
    "network": "lucidgrad.io.network",
    "standardize": "lucidgrad.io.transforms",
    "table": "lucidgrad.io.table",
    "mlp_classifier": "lucidgrad.estimators.files",
    "mlp_regressor": "lucidgrad.estimators.files",
    "tabular_classifier": "lucidgrad.estimators.table_files",
    "tabular_regressor": "lucidgrad.estimators.table_files",
}
"""The module that registers each kind. All there is: a name in a file that is not here is refused, not looked for."""


@dataclass(frozen=True)
class Kind:
    """A kind of model, and how it becomes plain data and comes back.

    Parameters
    ----------
    name
        What files call it.
    type
        Its class. A subclass is another model, and would come back as something else.
    to_tree
        Takes a model apart into nested dicts, lists and tuples of arrays, numbers, strings, booleans and None: see
        ``lucidgrad.io.flatten``. A network inside of it becomes one with ``lucidgrad.io.network.to_tree``.
    from_tree
        Puts it together again. What it is given may be forged: it looks at each type and shape before it uses it, and
        takes no memory that is not there already. It raises a LucidgradError, KeyError, TypeError or ValueError.
    includes_subclasses
        Whether ``to_tree`` can tell by itself what it cannot save.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from lucidgrad.io.kinds import Kind
    >>> kind = Kind("fraction", Fraction, lambda f: [f.numerator, f.denominator], lambda tree: Fraction(*tree))
    >>> kind.to_tree(Fraction(3, 4)), kind.from_tree([3, 4])
    ([3, 4], Fraction(3, 4))
    """

    name: str
    type: type
    to_tree: Callable[[Any], Tree]
    from_tree: Callable[[Tree], Any]
    includes_subclasses: bool = False


_KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Add a kind whose name is in ``PROVIDERS``.

    Parameters
    ----------
    kind
        The kind: files that name it can be loaded from now on, and models of its type saved.

    Raises
    ------
    ArgumentError
        When the name is not there, or is that of another kind already.

    Examples
    --------
    >>> from lucidgrad.io.kinds import Kind, register
    >>> register(Kind("fraction", float, to_tree=float.hex, from_tree=float.fromhex))
    Traceback (most recent call last):
      ...
    lucidgrad.errors.ArgumentError: a kind of model file expected a name in lucidgrad.io.kinds.PROVIDERS, ...
    """
    if kind.name not in PROVIDERS or _KINDS.get(kind.name, kind).type is not kind.type:
        raise ArgumentError(
            explain(
                "a kind of model file expected a name in lucidgrad.io.kinds.PROVIDERS, used once",
                repr(kind.name),
                "Add it there, with the module that registers it",
            )
        )
    _KINDS[kind.name] = kind


def kind_of(model: Any) -> Kind:
    """The kind a model is saved as.

    Parameters
    ----------
    model
        A network, an estimator, or what prepares their inputs.

    Raises
    ------
    ArgumentError
        When there is no kind for its type.

    Examples
    --------
    >>> from lucidgrad.nn import Linear
    >>> from lucidgrad.io.kinds import kind_of
    >>> kind_of(Linear(2, 3)).name
    'network'
    """
    for name, module in PROVIDERS.items():
        if module.startswith("lucidgrad.io.") or module.rpartition(".")[0] in sys.modules:
            _load(name)  # a model of a chapter that has not been imported cannot be here
    for kind in _KINDS.values():
        if type(model) is kind.type or (kind.includes_subclasses and isinstance(model, kind.type)):
            return kind
    raise ArgumentError(
        explain(
            f"a model file expected one of {', '.join(sorted(k.type.__name__ for k in _KINDS.values()))}",
            f"a {type(model).__name__}",
            "Save the network inside of it",
        )
    )


def kind_named(name: Any) -> Kind:
    """The kind a file names.

    Parameters
    ----------
    name
        What the file says; it may be anything.

    Raises
    ------
    ModelFileError
        When no kind is called so.

    Examples
    --------
    >>> from lucidgrad.io.kinds import kind_named
    >>> kind_named("standardize").type
    <class 'lucidgrad.data.transforms.Standardize'>
    """
    if not isinstance(name, str) or name not in PROVIDERS:
        raise ModelFileError(
            explain(
                f"a model file expected a kind of {', '.join(PROVIDERS)}",
                shown(name),
                "Read it with the version of lucidgrad that wrote it",
            )
        )
    _load(name)
    return _KINDS[name]


def from_tree(name: Any, tree: Tree) -> Any:
    """The model of a kind from what a file holds; whatever goes wrong is the file's fault.

    Parameters
    ----------
    name
        The kind that the file names.
    tree
        What the file holds: nested dicts, lists and tuples of arrays of any shape and plain values.

    Raises
    ------
    ModelFileError
        When no kind is called so, or the parts do not make a model of it.

    Examples
    --------
    >>> import numpy as np
    >>> from lucidgrad.io.kinds import from_tree
    >>> from_tree("standardize", {"mean": np.array([1.0, 2.0]), "scale": np.array([2.0, 4.0])})
    Standardize(mean=array([1., 2.]), scale=array([2., 4.]))
    """
    kind = kind_named(name)
    try:
        return kind.from_tree(tree)
    except ModelFileError:
        raise
    except (LucidgradError, LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        is_told = isinstance(error, LucidgradError) and not isinstance(error, CheckpointError)
        got = str(error) if is_told else f"{type(error).__name__}: {error}"
        raise ModelFileError(
            explain(
                f"the file of a {kind.name} expected parts that fit together",
                got[:500].rstrip("."),
                "The file is damaged or forged: get it again from where it was made",
            )
        ) from None


def _load(name: str) -> None:
    if name not in _KINDS:
        import_module(PROVIDERS[name])
