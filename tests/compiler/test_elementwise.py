"""Every elementwise row compiled gives what its forward in NumPy gives, for each dtype and for special values."""

import itertools
import warnings
from typing import Any

import numpy as np
import pytest

from lucidgrad.compiler import trace
from lucidgrad.compiler.elementwise import MathBuilder, apply_rule
from lucidgrad.errors import LucidgradError
from lucidgrad.graph import Value
from lucidgrad.ops import TABLE, Op
from lucidgrad.ops.codegen import Elementwise
from lucidgrad.tensor import Tensor
from tests.compiler.elements import compiled, compiled_together

pytest.importorskip("llvmlite")

ROWS = {name: row for name, row in TABLE.items() if isinstance(row.codegen, Elementwise)}
DTYPES = [np.dtype(t) for t in ("?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8")]
INPUTS = {"where": 3, "shift_right": 2} | {
    n: len(r.vjp) for n, r in ROWS.items() if r.vjp is not None and not callable(r.vjp) and n != "where"
}  # fmt: skip
COMPARISONS = {"equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "logical_and", "logical_or"}
NUMBERS = (0, 1, 2, 3, 4, 7, -1, 300, True, False, 0.5, 1.5, -2.0, -0.0, float("inf"), float("nan"))


def arity(name: str) -> int:
    if name in COMPARISONS:
        return 2
    return INPUTS.get(name, 1)


def special(dtype: Any, seed: int) -> Any:
    """Values of all magnitudes, and those that are special, in an order of their own."""
    random = np.random.default_rng(seed)
    if dtype.kind == "b":
        values = random.integers(0, 2, 64)
    elif dtype.kind == "f":
        edges = [
            0.0,
            -0.0,
            1,
            -1,
            2,
            3,
            -3,
            0.5,
            -0.5,
            1e30,
            -1e30,
            1e-30,
            np.inf,
            -np.inf,
            np.nan,
            1e-40,
            80,
            -90,
            1.5,
        ]
        values = np.concatenate([edges * 6, random.normal(size=78) * 3])
    else:
        info = np.iinfo(dtype)
        values = np.concatenate([[info.min, info.max, info.max - 1, 0, 1, 2, 3, 100] * 6, random.integers(0, 50, 32)])
        return random.permutation(np.array([int(v) % 2**64 for v in values], np.uint64).astype(dtype))
    return random.permutation(values).astype(dtype)


def variants(name: str) -> list[dict[str, Any]]:
    if name == "cast":
        return [{"dtype": t} for t in DTYPES]
    if name == "clip":
        return [
            {"low": low, "high": high}
            for low, high in [(None, None), (0, 3), (None, 1), (-1, None), (2, 1), (-1.5, 0.5)]
        ]
    return [{}]


class Cases:
    """Applications of one row that are compiled together, each with what NumPy makes of it."""

    def __init__(self, row: Op) -> None:
        self.row = row
        self.expected: list[Any] = []
        self.compiled: list[Any] = []
        self.labels: list[str] = []

    def add(self, operands: list[Any], attrs: dict[str, Any]) -> None:
        """Add a case, if NumPy knows it (the sign of a boolean it does not)."""
        tensors = [Tensor.wrap(x) if isinstance(x, np.ndarray) else x for x in operands]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                self.expected.append(self.row(*tensors, **attrs).numpy())
            except (TypeError, ValueError, OverflowError, LucidgradError):
                return
        self.labels.append(f"{self.row} {operands} {attrs}")
        self.compiled.append(case(self.row, tensors, attrs))

    def check(self) -> None:
        """Compile them all, and compare."""
        assert self.compiled
        for got, expected, label in zip(compiled_together(self.compiled), self.expected, self.labels, strict=True):
            assert got.dtype == expected.dtype, label
            if expected.dtype.kind != "f":
                np.testing.assert_array_equal(got, expected, err_msg=label)
                continue
            tolerance = 1e-6 if expected.dtype == np.float32 else 1e-14
            np.testing.assert_allclose(got, expected, rtol=tolerance, atol=0, err_msg=label)
            zero = expected == 0
            if self.row.name not in ("maximum", "minimum", "clip"):  # NumPy is free to choose between 0 and -0 there
                assert np.array_equal(np.signbit(got[zero]), np.signbit(expected[zero])), label


def case(row: Op, tensors: list[Any], attrs: dict[str, Any]) -> tuple[Any, list[Any]]:
    """The traced graph (casts included) of one application, as a function of registers, and its arrays."""
    arrays = [t for t in tensors if isinstance(t, Tensor)]

    def apply(*traced: Tensor) -> Tensor:
        rest = iter(traced)
        return row(*[next(rest) if isinstance(t, Tensor) else t for t in tensors], **attrs)  # type: ignore[no-any-return]

    graph = trace(apply, *arrays)

    def function(c: MathBuilder, *registers: Any) -> Any:
        known = dict(zip(graph.inputs, registers, strict=True))
        for step in graph.instructions:
            values = [known[x] if isinstance(x, Value) else x for x in step.inputs]
            known[step.output] = apply_rule(c, step.op, values, step.attrs, registers[0].lanes)
        return known[graph.outputs[0]]

    return function, [t.numpy() for t in arrays]


@pytest.mark.parametrize("name", ROWS)
def test_a_compiled_row_equals_its_forward_for_every_dtype(name: str):
    cases = Cases(ROWS[name])
    for dtype, attrs in itertools.product(DTYPES, variants(name)):
        arrays = [special(dtype, seed) for seed in range(arity(name))]
        if name == "where":
            arrays[0] = special(np.dtype(bool), 9)[np.arange(len(arrays[1])) % 64]
        if name == "cast" and dtype.kind == "f":  # what does not fit an integer is for the CPU to say
            arrays = [np.array([0, -0.0, 1.5, -1.5, 99.99, 127, -100, 3, 0.1], dtype)]
            if attrs["dtype"].kind == "u":
                arrays = [np.abs(arrays[0])]
        if name == "shift_right" and dtype.kind not in "iu":
            continue
        if name == "power" and dtype.kind == "i":
            arrays[1] = np.abs(arrays[1]) % 9
        cases.add(arrays, attrs)
    cases.check()


@pytest.mark.parametrize("name", [name for name in ROWS if arity(name) >= 2])
def test_a_compiled_row_takes_python_numbers_as_numpy_does(name: str):
    cases = Cases(ROWS[name])
    for dtype, number in itertools.product(DTYPES, NUMBERS):
        x = special(dtype, 3)
        if name == "shift_right" and not (type(number) is int and number >= 0 and dtype.kind in "iu"):
            continue
        condition = [special(np.dtype(bool), 9)[np.arange(len(x)) % 64]] if name == "where" else []
        if name == "power" and dtype.kind in "bi" and number is not True and number < 0:
            continue
        cases.add([*condition, x, number], {})
        if name == "power" and dtype.kind == "i":
            x = np.abs(x) % 9
        if name != "shift_right":
            cases.add([*condition, number, x], {})
    cases.check()


def test_where_chooses_between_two_numbers():
    cases = Cases(ROWS["where"])
    for a, b in ((1.0, 0), (2, 3), (True, False), (float("nan"), 1.0)):
        cases.add([special(np.dtype(bool), 1), a, b], {})
    cases.check()


def test_an_integer_that_the_dtype_cannot_hold_is_refused_as_in_numpy():
    with pytest.raises(OverflowError, match="Python integer 300 out of bounds for uint8"):
        compiled(*case(ROWS["add"], [Tensor.wrap(np.zeros(3, np.uint8)), 300], {}))


def test_a_negative_power_of_integers_is_refused_as_in_numpy():
    with pytest.raises(ValueError, match="negative integer powers"):
        compiled(*case(ROWS["power"], [Tensor.wrap(np.ones(3, np.int32)), -1], {}))


def test_every_elementwise_row_that_numpy_computes_by_a_ufunc_has_a_rule():
    names = {name for name, row in TABLE.items() if isinstance(row.forward, np.ufunc) and row.forward.signature is None}
    assert names <= set(ROWS)
