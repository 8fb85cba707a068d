"""JSON as its standard has it and not as Python reads it: one value for each key, finite numbers, bounded nesting."""

from __future__ import annotations

import json
import math
import re
from itertools import pairwise
from reprlib import Repr
from typing import Any

from lucidgrad.errors import ArgumentError, ModelFileError, explain

LARGEST_DEPTH = 128
LARGEST_INT = 2**63
"""Integers are below it, and at least minus it."""

_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 60
_SHORT.maxlevel = 3
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")
_LONGEST_INT = 20  # characters of -2^63; decided before Python multiplies digits


def parse(text: str, what: str) -> Any:
    """The value of a JSON text.

    Parameters
    ----------
    text
        JSON (RFC 8259), with arrays and objects nested in one another to a depth of at most 128.
    what
        What the text is called in errors.

    Returns
    -------
    Dicts, lists, strings, finite floats, integers from -2^63 to 2^63 - 1, booleans and None.

    Raises
    ------
    ModelFileError
        When the text is no such JSON, when an object has a key twice, or a string is no Unicode text.

    Examples
    --------
    >>> from lucidgrad.files.strict_json import parse
    >>> parse('{"layers": [2, 16.5]}', "the header")
    {'layers': [2, 16.5]}
    >>> parse('{"a": 1, "a": 2}', "the header")
    Traceback (most recent call last):
      ...
    lucidgrad.errors.ModelFileError: the header expected each key of an object once, got 'a' twice. ...
    """
    _check_depth(text, what)

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            keys = sorted(key for key, _ in pairs)
            twice = next(a for a, b in pairwise(keys) if a == b)
            raise wrong(what, "each key of an object once", f"{shown(twice)} twice")
        return found

    def refuse(literal: str) -> Any:
        raise wrong(what, "finite numbers", literal)

    def integer(digits: str) -> int:
        if len(digits) > _LONGEST_INT or not -LARGEST_INT <= int(digits) < LARGEST_INT:
            raise wrong(what, "integers of 64 bits", shown(digits))
        return int(digits)

    def number(digits: str) -> float:
        value = float(digits)
        if not math.isfinite(value):
            raise wrong(what, "finite numbers", shown(digits))
        return value

    try:
        value = json.loads(text, object_pairs_hook=unique, parse_constant=refuse, parse_int=integer, parse_float=number)
    except (ValueError, RecursionError) as error:
        raise wrong(what, "JSON", str(error)) from None
    _check_strings(value, what)
    return value


def write(value: Any) -> str:
    """The text of a value that ``parse`` gives back: no spaces, characters as they are.

    Raises
    ------
    ArgumentError
        When ``parse`` would refuse the text.
    """
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        text.encode()
        _check_depth(text, "what is saved")
    except (ModelFileError, ValueError, TypeError, RecursionError) as error:
        raise ArgumentError(
            explain(
                f"a model file expected Unicode text, finite numbers and lists, nested to a depth of {LARGEST_DEPTH}",
                f"something else ({error})",
                "Give what is saved a flatter or plainer form",
            )
        ) from None
    return text


def wrong(what: str, expected: str, got: str) -> ModelFileError:
    """The error of a file that is not what it says it is."""
    return ModelFileError(
        explain(
            f"{what} expected {expected}", got, "The file is damaged or forged: get it again from where it was made"
        )
    )


def shown(value: object) -> str:
    """Anything from a file, short enough and plain enough for a message."""
    return _SHORT.repr(value).encode("ascii", "backslashreplace").decode()


def _check_depth(text: str, what: str) -> None:
    """Before anything is parsed: a parser that recurses would be at the mercy of the text."""
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub("", text)):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > LARGEST_DEPTH:
            raise wrong(what, f"nesting of at most {LARGEST_DEPTH}", "more")


def _check_strings(value: Any, what: str) -> None:
    """Half of a surrogate pair is no text: it could be neither printed nor written again."""
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            raise wrong(what, "Unicode text", shown(value))
    elif isinstance(value, list):
        for item in value:
            _check_strings(item, what)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_strings(key, what)
            _check_strings(item, what)
