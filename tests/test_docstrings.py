"""Public docstrings keep the house rule: parameters, shapes, errors, an example that runs, and the source of a formula.

What is public is what the reference of the site shows, and the methods and properties of its classes.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import pytest

from docs.site.contents import is_constant, members, public_objects
from lucidgrad.errors import ArgumentError
from lucidgrad.functional import ACTIVATIONS
from lucidgrad.losses import LOSSES
from lucidgrad.nn.init import INITIALIZERS
from lucidgrad.optim import OPTIMIZERS, SCHEDULES
from lucidgrad.tensor import Tensor

PUBLISHED = (*ACTIVATIONS.values(), *LOSSES.values(), *INITIALIZERS.values(), *OPTIMIZERS.values(), *SCHEDULES.values())
# What is no formula of anybody's, and the logarithms of two that are.
WITHOUT_SOURCE = {
    *("identity", "tanh", "log_sigmoid", "log_softmax"),
    *("zeros", "ones", "uniform", "constant", "step_decay", "exponential"),
}

ARRAY = re.compile(r"\b(Tensor|ArrayLike|ndarray|NDArray)\b")
NOT_AN_ARRAY = re.compile(r"\b(Callable|dict|Mapping|type)\[.*\]")
# What is an array under these names, though anything that can be made one is taken.
ARRAYS = {"x", "X", "y", "predictions", "targets", "logits", "scores", "labels", "sample_weight"}
# (rows, features), (batch,), (..., classes), (...), "the shape of x", "a scalar", "a number"
SHAPE = re.compile(r"\(\.\.\.\)|\((\.\.\.|[\w*+ -]+),[^()]*\)|\b(?i:shapes?|scalars?|a number)\b")
SOURCE = re.compile(r"\b[A-Z][\w'-]+(,( [A-Z]\.)+| et al\.)?,? \(?(1[6-9]|20)\d\d\b")


@dataclass(frozen=True)
class Named:
    """A public function or class, or a method or property of a public class (``owner``)."""

    name: str
    value: Any
    owner: type | None = None

    @cached_property
    def functions(self) -> list[Callable[..., Any]]:
        """The functions that run when it is called or looked up, as they are written down."""
        if inspect.isclass(self.value):
            makers = (getattr(self.value, name) for name in ("__init__", "__post_init__") if hasattr(self.value, name))
            return [f for f in makers if is_ours(f)]
        found = getattr(self.value, "fget", None) or getattr(self.value, "func", None) or self.value
        return [inspect.unwrap(getattr(found, "__func__", found))]

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The annotation of each parameter by name."""
        found = [p for f in self.functions[:1] for p in inspect.signature(f).parameters.values()]
        if (self.owner or inspect.isclass(self.value)) and not isinstance(self.value, staticmethod):
            found = found[1:]
        return {p.name: str(p.annotation) for p in found if not p.name.startswith("_")}

    @cached_property
    def docs(self) -> list[str]:
        """Its docstring, and behind it those of what it overrides, which say the protocol once for all."""
        written = [self.value]
        if self.owner:
            name = self.name.rpartition(".")[2]
            written = [vars(base)[name] for base in self.owner.__mro__ if name in vars(base)]
        elif inspect.isclass(self.value):
            written += filter(is_ours, self.value.__mro__[1:])
        return [inspect.cleandoc(w.__doc__) for w in written if w.__doc__]

    def section(self, *titles: str) -> str:
        """What stands under some titles, in its own docstring and in inherited ones."""
        parts = [re.split(r"^(\w[\w ]*)\n-{3,}\n", doc, flags=re.MULTILINE) for doc in self.docs]
        pairs = [pair for part in parts for pair in zip(part[1::2], part[2::2], strict=True)]
        return "\n".join(text for title, text in pairs if title in titles)

    @cached_property
    def described(self) -> dict[str, str]:
        """What is said about each parameter: in a section, or in the first line, ``x: (batch, columns) → (batch,)``."""
        found: dict[str, str] = {}
        text = self.section("Parameters", "Attributes") + "\n"
        said = re.findall(r"^(\S.*)\n((?:[ \t]+\S.*\n?|\n)*)", text, re.MULTILINE)
        for names, words in [*said, *(doc.split(":", 1) for doc in self.docs if re.match(r"\w+: ", doc))]:
            for name in names.partition(" : ")[0].split(","):
                found.setdefault(name.strip(" *`"), f"{names} {words}")
        return found


def is_ours(thing: Any) -> bool:
    return str(getattr(thing, "__module__", "")).startswith("lucidgrad")


@cache
def public() -> dict[str, list[Named]]:
    """The public functions and classes with their members, by the package that defines them."""
    found: dict[int, Named] = {}
    objects = public_objects()
    for full, value in objects.items():
        if inspect.ismodule(value) or is_constant(value):
            continue
        found[id(value)] = Named(full, value)
        for name, member in members(value, objects).items() if inspect.isclass(value) else ():
            found.setdefault(id(member), Named(f"{full}.{name}", member, value))
    packages: dict[str, list[Named]] = {}
    for named in found.values():
        packages.setdefault((named.owner or named.value).__module__.split(".")[1], []).append(named)
    return packages


# --- the rules: each says what is missing ---------------------------------------------------------------------------


def begins_with_a_sentence(named: Named) -> Iterator[str]:
    if not (named.docs and named.docs[0].partition("\n")[0].endswith(".")):
        yield "a first line that is a sentence"


def describes_parameters(named: Named) -> Iterator[str]:
    yield from (f"parameter {name}" for name in named.parameters if name not in named.described)


def gives_shapes(named: Named) -> Iterator[str]:
    def without(name: str, annotation: str, words: str) -> Iterator[str]:
        is_array = ARRAY.search(NOT_AN_ARRAY.sub("", annotation)) or (annotation == "Any" and name in ARRAYS)
        if is_array and not SHAPE.search(words):
            yield f"shape of {name}"

    for name, annotation in named.parameters.items():
        yield from without(name, annotation, named.described.get(name, ""))
    if not inspect.isclass(named.value):
        annotation = str(named.functions[0].__annotations__.get("return", ""))
        yield from without("what it returns", annotation, "\n".join(named.docs))


def names_errors(named: Named) -> Iterator[str]:
    raised = {error: None for function in named.functions for error in raised_in(function)}
    yield from (f"{error} under Raises" for error in raised if error not in named.section("Raises"))


def has_an_example(named: Named) -> Iterator[str]:
    if not named.owner:
        module = importlib.import_module(named.value.__module__)
        if f"{module.__name__}.{named.value.__qualname__}" not in run_by_doctest(module):
            yield "an example that runs"
    if ">>>" in named.section("Parameters", "Attributes", "Returns", "Raises"):
        yield "the title Examples over its example"


def names_its_source(named: Named) -> Iterator[str]:
    if named.value in PUBLISHED and named.value.__name__ not in WITHOUT_SOURCE and not SOURCE.search(named.docs[0]):
        yield "author and year"


RULES = (begins_with_a_sentence, describes_parameters, gives_shapes, names_errors, has_an_example, names_its_source)


def raised_in(function: Callable[..., Any]) -> list[str]:
    """The errors that the body of a function raises itself; functions inside of it do so when they are called."""
    try:
        lines = inspect.getsource(function)
    except OSError:  # made by a decorator: dataclasses
        return []
    found = []
    nodes: list[ast.AST] = list(ast.parse(textwrap.dedent(lines)).body[0].body)  # type: ignore[attr-defined]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            error = ast.unparse(node.exc.func).rpartition(".")[2]
            found += [error] if error[0].isupper() else []
        if not isinstance(node, ast.FunctionDef | ast.Lambda):
            nodes += ast.iter_child_nodes(node)
    return found


@cache
def run_by_doctest(module: Any) -> set[str]:
    """What has an example that the suite runs (``--doctest-modules``), none of it skipped."""
    tests = doctest.DocTestFinder().find(module)
    return {t.name for t in tests if t.examples and not any(doctest.SKIP in e.options for e in t.examples)}


def gaps(named: Named) -> list[str]:
    return [gap for rule in RULES for gap in rule(named)]


@pytest.mark.parametrize("package", public())
def test_docstrings_say_what_a_reader_needs(package: str) -> None:
    missing = {named.name: gaps(named) for named in public()[package]}
    lines = [f"{name}: {', '.join(what)}" for name, what in missing.items() if what]
    assert not lines, f"{len(lines)} of {len(missing)} docstrings miss something\n" + "\n".join(lines)


def test_what_is_missing_is_found() -> None:
    def scaled(x: Tensor, factor: float, *, key: object = None) -> Tensor:
        """x times factor

        Parameters
        ----------
        x
            What is multiplied.
        factor
            By what.

        >>> scaled  # doctest: +SKIP
        """
        if key is not None:
            raise ArgumentError("expected no key")
        return x * factor

    assert gaps(Named("scaled", scaled)) == [
        *("a first line that is a sentence", "parameter key", "shape of x", "shape of what it returns"),
        *("ArgumentError under Raises", "an example that runs", "the title Examples over its example"),
    ]
