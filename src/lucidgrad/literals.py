"""How numbers, arrays and the static arguments of ops are written as text, and read back to the same bits.

It is a closed language: a Reader knows the words below and no others, and runs nothing.
"""

from __future__ import annotations

import ast
import re
from base64 import b64decode, b64encode
from math import prod
from types import EllipsisType
from typing import Any, NoReturn

import numpy as np

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.ops.arrays import Array, frozen
from lucidgrad.ops.op import Spec
from lucidgrad.ops.promotion import SUPPORTED

INLINE = 16  # elements: longer arrays are not written where they are used
_DTYPES = {dtype.name: dtype for dtype in SUPPORTED}
_WORDS = {"None": None, "True": True, "False": False, **_DTYPES}


def write_literal(x: Any) -> str:
    """A number, string, dtype, slice, ellipsis, None, or tuple or list of them.

    >>> print(write_literal((2, slice(None, None, -1), ..., np.dtype(np.float32), "array")))
    (2, ::-1, ..., float32, 'array')
    """
    if isinstance(x, tuple):
        return f"({', '.join(map(write_literal, x))}{',' if len(x) == 1 else ''})"
    if isinstance(x, list):
        return f"[{', '.join(map(write_literal, x))}]"
    if isinstance(x, slice):
        start, stop, step = ("" if part is None else write_literal(part) for part in (x.start, x.stop, x.step))
        return f"{start}:{stop}" + (f":{step}" if step else "")
    if isinstance(x, EllipsisType):
        return "..."
    if isinstance(x, np.dtype):
        return x.name
    return repr(x.item() if isinstance(x, np.generic) else x)


def write_elements(array: Array) -> str | None:
    """The elements in the fewest digits that read back to the same bits, one if all are alike; None: too many.

    >>> print(write_elements(np.float32([[0.1, np.inf]])), write_elements(np.zeros((28, 28))))
    [[0.1, inf]] 0.0
    """
    if array.size > 1 and _all_alike(array):
        array = array.reshape(-1)[0]
    if array.size > INLINE or not _nan_is_plain(array):
        return None
    return _nested(array)


def outline_elements(array: Array) -> str:
    """The first elements, for the eye alone."""
    first = [_element(x) for x in array.reshape(-1)[:4]]
    return f"[{', '.join(first)}{', ...' if array.size > len(first) else ''}]"


def write_bytes(array: Array) -> str:
    """All elements as base64 of their bytes, little-endian and row by row."""
    return b64encode(array.astype(array.dtype.newbyteorder("<")).tobytes()).decode()


def _all_alike(array: Array) -> bool:
    flat = _bits(array).reshape(-1)
    return bool(flat[0] == flat[-1] and (flat == flat[0]).all())


def _bits(array: Array) -> Array:
    """The elements as unsigned numbers, so that NaN is equal to itself and 0.0 is not -0.0."""
    return array.view(f"u{array.itemsize}")


def _nan_is_plain(array: Array) -> bool:
    """Whether ``nan`` says all there is to say of each NaN: they have a sign and other bits of their own."""
    if array.dtype.kind != "f":
        return True
    return bool((_bits(array)[np.isnan(array)] == _bits(np.array(np.nan, array.dtype))).all())


def _nested(array: Array) -> str:
    if array.ndim == 0:
        return _element(array[()])
    return f"[{', '.join(map(_nested, array))}]"


def _element(x: Any) -> str:
    text = str(x)
    # Few digits are read as float64 first; should that round to another float32, all its digits are written.
    return text if x.dtype.kind != "f" or x != x or x.dtype.type(float(text)) == x else repr(float(x))


class Reader:
    """Reads one line from left to right.

    Parameters
    ----------
    line
        The text.
    number
        Of the line, for errors.
    """

    _TOKEN = re.compile(
        r"""\s*(?:
        (?P<number>-?(?:inf|nan|\d+(?:\.\d*)?(?:e[+-]?\d+)?)(?!\w))
        | (?P<name>[%@]?\w+) | (?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*") | (?P<mark>\.\.\.|[][(),:=]) | $)""",
        re.VERBOSE,
    )

    def __init__(self, line: str, number: int) -> None:
        self._line = line
        self._number = number
        self._position = 0
        self._advance()

    def _advance(self) -> None:
        self._before = self._position
        match = self._TOKEN.match(self._line, self._position)
        if match is None:
            rest = self._line[self._position :].lstrip()
            self.kind, self.text, self._column = "character", rest[0], len(self._line) - len(rest) + 1
            return
        self.kind, self.text = match.lastgroup or "end", (match[match.lastgroup] if match.lastgroup else "")
        self._column, self._position = match.end() - len(self.text) + 1, match.end()

    def fail(self, expected: str, got: str | None = None) -> NoReturn:
        """Raise the error that says what was expected at this place."""
        found = got or (f"{self.text!r} in column {self._column}" if self.text else "its end")
        raise ArgumentError(
            explain(f"line {self._number} of the graph expected {expected}", found, f"The line is: {self._line}")
        )

    def take(self, kind: str, what: str) -> str:
        """The next word, which has to be of the kind."""
        if self.kind != kind:
            self.fail(what)
        text = self.text
        self._advance()
        return text

    def found(self, text: str) -> bool:
        """Whether this mark or name comes next; if so, it is read."""
        if self.text != text or self.kind not in ("mark", "name"):
            return False
        self._advance()
        return True

    def mark(self, text: str) -> None:
        """Read this mark or name, which has to come next."""
        if not self.found(text):
            self.fail(f"'{text}'")

    def end(self) -> None:
        """The line has to be over."""
        if self.kind != "end":
            self.fail("its end")

    def items(self, close: str, read: Any) -> list[Any]:
        """What ``read`` reads, separated by commas, up to and with the closing mark."""
        found = []
        while not self.found(close):
            found.append(read())
            if not self.found(","):
                self.mark(close)
                break
        return found

    def rest(self, read: Any) -> list[Any]:
        """What ``read`` reads, separated by commas, up to the end of the line."""
        found = [] if self.kind == "end" else [read()]
        while self.found(","):
            found.append(read())
        self.end()
        return found

    def keyword(self) -> str | None:
        """The name before ``=``, if one comes next."""
        match = re.compile(r"\s*([A-Za-z_]\w*)=").match(self._line, self._before)
        if match is None:
            return None
        self._position = match.end()
        self._advance()
        return match[1]

    def spec(self) -> Spec:
        """A dtype and a shape: ``float32[2, 3]``."""
        dtype = _DTYPES.get(self.text)
        if dtype is None:
            self.fail("a dtype such as float32")
        self._advance()
        self.mark("[")
        return Spec(tuple(self.items("]", self.size)), dtype)

    def size(self) -> int:
        """A number of elements."""
        if not self.text.isdecimal():
            self.fail("a size such as 3")
        return int(self.take("number", "a size"))

    def literal(self) -> Any:
        """What ``write_literal`` writes."""
        if self.kind == "mark":
            return self._marked()
        if self.kind == "string":
            return ast.literal_eval(self.take("string", "a string"))
        if self.kind == "name" and self.text in _WORDS:
            return _WORDS[self.take("name", "a word")]
        value = _number(self.take("number", "a number, a string, a dtype, a slice, a tuple, True, False or None"))
        return self._slice(value) if self.text == ":" and isinstance(value, int) else value

    def _marked(self) -> Any:
        if self.found("..."):
            return ...
        if self.text == ":":
            return self._slice(None)
        if self.found("["):
            return self.items("]", self.literal)
        self.mark("(")
        return tuple(self.items(")", self.literal))

    def _slice(self, start: int | None) -> slice:
        parts = [start]
        while len(parts) < 3 and self.found(":"):
            parts.append(_number(self.take("number", "a number")) if self.kind == "number" else None)
        return slice(*parts)

    def elements(self, spec: Spec) -> Array:
        """The array that ``write_elements`` or ``write_bytes`` (after the word base64) wrote."""
        if self.found("base64"):
            return self._bytes(spec)
        try:
            read = np.array(self._numbers(spec), spec.dtype)
        except (ValueError, OverflowError) as error:
            self.fail(f"elements of {spec}", str(error))
        if read.shape not in ((), spec.shape) and not read.size == 0 == prod(spec.shape):
            self.fail(f"elements of shape {spec.shape}", f"{read.shape}")
        return frozen(np.full(spec.shape, read) if not read.shape else read.reshape(spec.shape))

    def _numbers(self, spec: Spec) -> Any:
        if self.found("["):
            return self.items("]", lambda: self._numbers(spec))
        value: Any = self.literal()
        if type(value) not in {"b": (bool,), "f": (float, int)}.get(spec.dtype.kind, (int,)):
            self.fail(f"elements of {spec.dtype}", repr(value))
        return value

    def _bytes(self, spec: Spec) -> Array:
        # Base64 has characters of its own: it is the rest of the line.
        try:
            data = b64decode(self._line[self._before :].strip(), validate=True)
            read = np.frombuffer(data, spec.dtype.newbyteorder("<")).reshape(spec.shape)
        except ValueError as error:
            self.fail(f"the bytes of {spec} in base64", str(error))
        self._position = len(self._line)
        self._advance()
        return frozen(read.astype(spec.dtype))


def _number(text: str) -> Any:
    return int(text) if text.lstrip("-").isdecimal() else float(text)
