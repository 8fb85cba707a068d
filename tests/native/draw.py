"""What random programs are made of: shapes, elements, layouts, numbers, and picking from what there is already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucidgrad.tensor import Tensor
from tests.native.programs import LAYOUTS, Array, Input, Ref, Step, apply_step, as_variable

# Around the vector width (16), its half, its multiples and the next of a tile.
SIZES = (1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 65, 100)
LARGEST = 6_000  # elements of a value: small programs of small arrays find what large ones find, sooner

INTEGERS = ("int64", "int64", "int64", "int32", "uint8", "int8", "int16", "uint16", "uint32", "uint64")
SPECIAL = {
    "zeros": (0.0, -0.0),
    "ties": (-1.0, 0.0, 1.0, 2.0),
    "tiny": (1e-40, -3e-42, 1.2e-38, -1e-310, 5e-324),
    "huge": (3e38, -3e38, 1e30, -1e25, 1e300),
    "infinite": (np.inf, -np.inf),
    "nan": (np.nan,),
}
NUMBERS = (0, 1, 2, -1, 3, 0.5, 2.0, -1.5, 0.1, 1.0, 0.0, 1e-3)
ODD_NUMBERS = (-0.0, float("inf"), float("nan"), 1e30, 1e300, 1e-45)

Test = Callable[[Tensor], bool]


class Draw:
    """A program being drawn: its nodes, and what they are when it is run eagerly."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng([20261124, seed])
        self.nodes: list[Input | Step] = []
        self.values: list[Tensor] = []
        self.dtype = self.choose(("float32", "float32", "float64"))
        self.both = self.chance(0.15)  # float32 and float64 in one program
        self.wild = self.choose((0.0, 0.0, 0.0, 0.3, 0.7))  # the share of inputs with special elements
        self.empty = self.chance(0.06)

    # --- chance -----------------------------------------------------------------------------------------------

    def chance(self, p: float) -> bool:
        """True with probability p."""
        return bool(self.rng.random() < p)

    def choose(self, options: Sequence[Any]) -> Any:
        """One of the options, as it is: NumPy would make an array of them."""
        return options[int(self.rng.integers(len(options)))]

    def below(self, n: int) -> int:
        """An integer from 0 to n - 1."""
        return int(self.rng.integers(n))

    def size(self) -> int:
        """The length of an axis."""
        if self.empty and self.chance(0.3):
            return 0
        return int(self.choose(SIZES))

    def shape(self, least: int = 0, most: int = 4) -> tuple[int, ...]:
        """Sizes of ``least`` to ``most`` axes, LARGEST elements at the most."""
        ndim = int(min(max(self.choose((0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4)), least), most))
        sizes: list[int] = []
        for _ in range(ndim):
            n = self.size()
            rest = int(np.prod(sizes, dtype=int))
            sizes.insert(self.below(len(sizes) + 1), n if n * rest <= LARGEST // 4 else self.below(3) + 1)
        return tuple(sizes)

    def axis(self, ndim: int) -> int:
        """One axis, counted from either end."""
        return self.below(2 * ndim) - ndim

    def axes(self, ndim: int) -> Any:
        """None, one axis, or several: what a reduction takes."""
        kind = self.below(5)
        if kind == 0 or not ndim:
            return None if self.chance(0.7) else tuple(range(ndim))
        if kind < 3:
            return self.axis(ndim)
        some = [i for i in range(ndim) if self.chance(0.5)]
        return tuple(i - ndim if self.chance(0.3) else i for i in self.rng.permutation(some).astype(int).tolist())

    # --- elements ---------------------------------------------------------------------------------------------

    def floats(self, shape: tuple[int, ...]) -> Array:
        """Floats of one of the two dtypes, of one of many kinds, with special elements here and there."""
        dtype = np.dtype(self.choose(("float32", "float64")) if self.both else self.dtype)
        x = self.rng.normal(size=shape) * self.choose((1.0, 1.0, 1.0, 0.3, 0.01, 5.0, 40.0))
        if self.chance(0.15):
            x = np.rint(x)  # ties, and integers as floats
        if self.chance(0.2):
            x = np.abs(x)
        if self.chance(self.wild):
            kinds = [k for k in SPECIAL if self.chance(0.4)] or ["infinite"]
            special = self.rng.choice([v for k in kinds for v in SPECIAL[k]], size=shape)
            x = np.where(self.rng.random(shape) < self.choose((0.02, 0.2, 0.6)), special, x)
        with np.errstate(all="ignore"):
            return np.asarray(x, dtype)

    def integers(self, shape: tuple[int, ...], dtype: str | None = None) -> Array:
        """Integers, small ones for the most part."""
        info = np.iinfo(dtype or self.choose(INTEGERS))
        low, high = (0, 256) if self.chance(0.1) else (-6, 7)
        low, high = max(low, int(info.min)), min(high, int(info.max) + 1)
        x = self.rng.integers(low, high, shape).astype(info.dtype)
        if self.chance(self.wild / 2):
            ends = np.array([info.min, info.max], info.dtype)
            x = np.where(self.rng.random(shape) < 0.2, self.rng.choice(ends, shape), x)
        return np.asarray(x)

    def booleans(self, shape: tuple[int, ...]) -> Array:
        """A mask."""
        return np.asarray(self.rng.random(shape) < self.choose((0.0, 0.5, 0.5, 0.9, 1.0)))

    def elements(self, shape: tuple[int, ...], kinds: str) -> Array:
        """Elements of one of the kinds: "f" floats, "i" integers, "b" booleans."""
        kind = self.choose(kinds)
        make: Any = {"f": self.floats, "i": self.integers, "b": self.booleans}[kind]
        return np.asarray(make(shape))

    def number(self, kinds: str) -> Any:
        """A Python number."""
        if kinds == "b":
            return self.chance(0.5)
        number = self.choose(ODD_NUMBERS) if self.chance(self.wild / 3) else self.choose(NUMBERS)
        return number if "f" in kinds else int(number)

    # --- values -----------------------------------------------------------------------------------------------

    def add(self, node: Input | Step, value: Tensor) -> Ref:
        """Put a node into the program."""
        self.nodes.append(node)
        self.values.append(value)
        return Ref(len(self.nodes) - 1)

    def input(self, values: Array, layouts: bool = True) -> Ref:
        """A new input of these elements."""
        values = np.asarray(values)
        layout = self.choose(LAYOUTS) if layouts and self.chance(0.4) else "plain"
        if layout == "stride 0" and values.ndim:
            values = np.ascontiguousarray(np.broadcast_to(values[:1], values.shape))
        node = Input(values, layout)
        return self.add(node, as_variable(node.array()))

    def step(self, step: Step) -> Ref:
        """A row applied; raises what the row raises."""
        return self.add(step, apply_step(step, self.values))

    def spec(self, ref: Ref) -> Tensor:
        """The value behind a Ref."""
        return self.values[ref.node]

    def find(self, test: Test) -> Ref | None:
        """Some value that passes the test, later ones sooner, or None."""
        fitting = [i for i, v in enumerate(self.values) if test(v)]
        if not fitting:
            return None
        last = fitting[-1]
        return Ref(last if self.chance(0.5) else self.choose(fitting))

    def of(self, kinds: str, least: int = 0, most: int = 4) -> Ref:
        """A value of some kind ("f", "i", "b") with so many axes: one that is there, or a new input."""
        found = self.find(lambda v: kind_of(v.dtype) in kinds and least <= v.ndim <= most)
        if found is not None and self.chance(0.75):
            return found
        return self.input(self.elements(self.shape(least, most), kinds))

    def shaped(self, shape: tuple[int, ...], kinds: str) -> Ref:
        """A value of exactly this shape."""
        found = self.find(lambda v: kind_of(v.dtype) in kinds and v.shape == shape)
        if found is not None and self.chance(0.5):
            return found
        return self.input(self.elements(shape, kinds))

    def beside(self, x: Ref, kinds: str, numbers: float = 0.25) -> Any:
        """A second operand: a number, a value that broadcasts with the first, the first itself, or a constant."""
        if self.chance(numbers):
            return self.number(kinds)
        shape = self.spec(x).shape
        found = self.find(lambda v: kind_of(v.dtype) in kinds and broadcasts(v.shape, shape))
        if found is not None and self.chance(0.5):
            return found
        new = self.elements(self.broadcast_shape(shape), kinds)
        return new if self.chance(0.15) else self.input(new)

    def broadcast_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """One that broadcasts with the given."""
        kind = self.below(5)
        if kind == 0:
            return shape
        if kind == 1:
            return shape[self.below(len(shape) + 1) :]
        other = tuple(1 if self.chance(0.4) else n for n in shape)
        if kind == 2:
            stretched = tuple(self.size() if n == 1 and self.chance(0.5) else n for n in other)
            fits = (
                np.prod(np.broadcast_shapes(shape, stretched), dtype=int) <= LARGEST
                if broadcasts(shape, stretched)
                else False
            )
            return stretched if fits else other
        if kind == 3 and len(shape) < 4 and np.prod(shape, dtype=int) * 3 <= LARGEST:
            return (self.below(3) + 1, *other)
        return other


def kind_of(dtype: Any) -> str:
    """The kind a dtype belongs to: "f", "i" or "b"."""
    kind = str(np.dtype(dtype).kind)
    return "i" if kind == "u" else kind


def broadcasts(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    """Whether two shapes fit, into not too many elements."""
    try:
        return bool(np.prod(np.broadcast_shapes(a, b), dtype=int) <= LARGEST)
    except ValueError:
        return False
