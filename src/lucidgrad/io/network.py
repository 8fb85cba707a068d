"""A network of lucidgrad's layers as plain data: which layers, how they are put together, and their arrays by path."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucidgrad.errors import ArgumentError, ModelFileError, explain
from lucidgrad.files.strict_json import shown, wrong
from lucidgrad.io import functions
from lucidgrad.io.kinds import Kind, register
from lucidgrad.io.layers import LAYERS, Options
from lucidgrad.io.tree import Tree
from lucidgrad.nn import Module, Residual, Sequential
from lucidgrad.tensor import Tensor

LARGEST_NETWORK = 100_000

_KEYS = {"architecture", "parameters", "buffers", "tied"}


def to_tree(network: Module) -> Tree:
    """Take a network apart.

    Returns
    -------
    A dict of ``architecture`` (plain values), ``parameters`` and ``buffers`` (arrays by path), and ``tied`` (the path
    of each tensor that is at a second place too: the path it is stored under).

    Raises
    ------
    ArgumentError
        When a part is not one of lucidgrad's layers and functions, naming its path.
    """
    parameters, buffers = network.parameters(), network.buffers()
    writer = _Writer({id(t): path for path, t in {**parameters, **buffers}.items()})
    tree = {
        "architecture": writer.part(network, ""),
        "parameters": {path: t.numpy() for path, t in parameters.items()},
        "buffers": {path: t.numpy() for path, t in buffers.items()},
        "tied": writer.tied,
    }
    if writer.written != {*parameters, *buffers}:
        raise _cannot(min({*parameters, *buffers} - writer.written), "a tensor that is not the layer's own")
    return tree


def from_tree(tree: Tree) -> Module:
    """Put a network together again, in evaluation mode.

    Raises
    ------
    ModelFileError
        When the parts do not fit together. Nothing is allocated for a layer before the shapes of its arrays agree.
    """
    if not isinstance(tree, dict) or tree.keys() != _KEYS or not all(isinstance(tree[k], dict) for k in _KEYS):
        raise wrong("a network in a model file", f"{', '.join(sorted(_KEYS))}", shown(tree))
    reader = _Reader({**tree["parameters"], **tree["buffers"]}, tree["tied"])
    network = reader.part(tree["architecture"], "")
    if not isinstance(network, Module):
        raise wrong("a network in a model file", "a layer", shown(tree["architecture"]))
    reader.tie()
    found = {**network.parameters(), **network.buffers()}
    stored = [*tree["parameters"], *tree["buffers"]]
    if len(stored) != len(found) or found.keys() != set(stored):
        odd = sorted(found.keys() ^ set(stored))
        raise wrong("a network in a model file", "the arrays of its layers, each once", shown(odd))
    for path, tensor in found.items():
        tensor.requires_grad = path in tree["parameters"]
    return network.eval()


class _Writer:
    """Walks a network as its ``parameters()`` does, so that paths are the same."""

    def __init__(self, paths: dict[int, str]) -> None:
        self._paths = paths
        self._modules: dict[int, str] = {}
        self.written: set[str] = set()
        self.tied: dict[str, str] = {}

    def part(self, part: Any, path: str) -> Tree:
        if not isinstance(part, Module):
            return self._function(part, path)
        if id(part) in self._modules:
            return {"same_as": self._modules[id(part)]}
        self._modules[id(part)] = path
        if type(part) is Sequential and vars(part).keys() - {"training"} == {"layers"}:
            return {"layer": "Sequential", "layers": [self.part(x, _join(path, str(i))) for i, x in enumerate(part)]}
        if type(part) is Residual and vars(part).keys() - {"training"} == {"inner"}:
            return {"layer": "Residual", "inner": self.part(part.inner, _join(path, "inner"))}
        return self._layer(part, path)

    def _function(self, function: Any, path: str) -> Tree:
        tree = functions.to_tree(function)
        if tree is None:
            raise _cannot(path, f"the function {getattr(function, '__qualname__', None) or repr(function)[:60]}")
        return tree

    def _layer(self, layer: Module, path: str) -> Tree:
        name = type(layer).__name__
        row = LAYERS.get(name)
        if row is None or type(layer) is not row.layer:
            raise _cannot(path, f"the class {type(layer).__module__}.{type(layer).__qualname__}")
        if not row.is_as_made(layer):
            raise _cannot(path, f"a {name} with other attributes than lucidgrad gave it")
        for tensor_name in row.tensors:
            if (tensor := getattr(layer, tensor_name)) is not None:
                self._tensor(tensor, _join(path, tensor_name))
        return {"layer": name, **row.options(layer)}

    def _tensor(self, tensor: Any, path: str) -> None:
        stored = self._paths.get(id(tensor))
        if stored is None:
            raise _cannot(path, "a tensor that was computed")
        if stored == path:
            self.written.add(path)
        else:
            self.tied[path] = stored


class _Reader:
    """Builds layers from plain data, each from arrays that are there and have its shapes."""

    def __init__(self, arrays: dict[str, Any], tied: dict[str, str]) -> None:
        self._arrays = arrays
        self._tied = tied
        self._modules: dict[str, Module] = {}
        self._parts: dict[str, int] = {}  # how many parts a module has, as often as they are there
        self._count = 0

    def part(self, tree: Any, path: str) -> Any:
        if not isinstance(tree, dict):
            raise wrong(f"part {shown(path)} of a model file", "a layer or function", shown(tree))
        before = self._count
        self._add(1)
        if "function" in tree:
            return functions.from_tree(tree)
        if tree.keys() == {"same_as"}:
            self._add(self._parts[tree["same_as"]])  # KeyError for one that is not finished: it would hold itself
            return self._modules[tree["same_as"]]
        self._modules[path] = module = self._module(tree, path)
        self._parts[path] = self._count - before
        return module

    def _add(self, parts: int) -> None:
        self._count += parts
        if self._count > LARGEST_NETWORK:  # twice the same of twice the same of ...: a short file, a long repr
            raise wrong("a network in a model file", f"at most {LARGEST_NETWORK} parts", "more")

    def _module(self, tree: dict[str, Any], path: str) -> Module:
        name = tree.get("layer")
        if name == "Sequential" and tree.keys() == {"layer", "layers"} and isinstance(tree["layers"], list):
            return Sequential(*[self.part(x, _join(path, str(i))) for i, x in enumerate(tree["layers"])])
        if name == "Residual" and tree.keys() == {"layer", "inner"}:
            return Residual(self.part(tree["inner"], _join(path, "inner")))
        if not isinstance(name, str) or name not in LAYERS:
            raise ModelFileError(
                explain(
                    f"a layer in a model file expected one of Sequential, Residual, {', '.join(LAYERS)}",
                    shown(tree),
                    "Read it with the version of lucidgrad that wrote it",
                )
            )
        row = LAYERS[name]
        layer = row.build(Options(name, tree), lambda tensor, shape: self._take(_join(path, tensor), shape))
        if tree.keys() - {"layer"} != row.options(layer).keys():
            raise wrong(f"{name} in a model file", f"the options {', '.join(row.options(layer))}", shown(tree))
        return layer

    def _take(self, path: str, shape: tuple[int, ...]) -> Tensor:
        array = self._arrays.get(self._tied.get(path, path))
        if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype not in (np.float32, np.float64):
            got = f"{array.dtype}{array.shape}" if isinstance(array, np.ndarray) else "none"
            raise wrong(f"{shown(path)} in a model file", f"an array of floats of shape {shape}", got)
        return Tensor.wrap(array)

    def tie(self) -> None:
        """Let tensors that were one be one again."""
        for path, stored in self._tied.items():
            self._set(path, self._get(stored))

    def _get(self, path: str) -> Any:
        owner, _, name = path.rpartition(".")
        return vars(self._modules[owner])[name]

    def _set(self, path: str, tensor: Any) -> None:
        owner, _, name = path.rpartition(".")
        if not isinstance(tensor, Tensor) or not isinstance(self._get(path), Tensor):
            raise wrong("a model file", "tensors to be tied", shown(path))
        setattr(self._modules[owner], name, tensor)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _cannot(path: str, what: str) -> ArgumentError:
    return ArgumentError(
        explain(
            "saving a network expected lucidgrad's own layers and functions",
            f"{what} at {path or 'its top'!r}",
            "Save the weights alone, model.save(path), and build the model before you load them: model.load(path)",
        )
    )


register(Kind("network", Module, to_tree, from_tree, includes_subclasses=True))
