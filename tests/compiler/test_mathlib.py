"""Our own exp, log, tanh and their kin: exactness, special values, and the same bits on every CPU."""

from typing import Any

import numpy as np
import pytest
from scipy import special

from lucidgrad.compiler import mathlib
from tests.compiler.elements import TARGETS, compiled, same_bits, ulps

pytest.importorskip("llvmlite")

F32, F64 = np.dtype(np.float32), np.dtype(np.float64)


def sigmoid(x: Any) -> Any:
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


def softplus(x: Any) -> Any:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


# The reference, in a wider float, and how many ulp we may be off: float32, float64.
FUNCTIONS: dict[str, tuple[Any, float, float]] = {
    "exp": (np.exp, 1.05, 1.1),
    "expm1": (np.expm1, 1.75, 1.8),
    "log": (np.log, 1, 1.3),
    "log1p": (np.log1p, 1.5, 1.9),
    "sin": (np.sin, 1.7, 1.7),
    "cos": (np.cos, 1.7, 1.7),
    "tanh": (np.tanh, 2, 2),
    "sigmoid": (sigmoid, 2.25, 2.25),
    "softplus": (softplus, 1.9, 2.25),
    "erf": (special.erf, 1.5, 3.2),  # float64: the reference is itself a float64, off by 2
}
SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1, -1, -2, 0.5, 1e-40, -1e-40, 5e-324, 1e-310, 3.4e38, -3.4e38, 1e308]
SPECIAL += [88.5, 88.73, -88, -100, -103.9, -104.1, 709.5, 709.9, -740, -745.2, 1e-45, -1e-45, -1e308]


def numbers(dtype: Any, count: int) -> Any:
    """Any bits, and more where functions do something."""
    random = np.random.default_rng(0)
    bits = random.integers(0, 256, count * dtype.itemsize, dtype=np.uint8).view(dtype)
    small = random.uniform(-1, 1, count) * 10.0 ** random.uniform(-8, 0, count)
    parts = [bits, random.normal(size=count), random.uniform(-120, 120, count), small, 1 + small, -1 + np.abs(small)]
    parts += [random.uniform(-750, 720, count), random.uniform(-1e5, 1e5, count), SPECIAL]
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return np.concatenate([np.asarray(part).astype(dtype) for part in parts])


def exact(name: str, x: Any) -> Any:
    wide = np.float64 if x.dtype == F32 or name == "erf" else np.longdouble
    with np.errstate(all="ignore"):
        return FUNCTIONS[name][0](x.astype(wide)).astype(wide)


@pytest.mark.parametrize("dtype", [F32, F64], ids=str)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_exact_to_a_few_units_in_the_last_place(name: str, dtype: Any):
    x = numbers(dtype, 1 << 17 if dtype == F32 else 1 << 14)
    got = compiled(getattr(mathlib, name), [x])
    with np.errstate(all="ignore"):
        reference = exact(name, x)
        off = ulps(got, reference)
        expected = reference.astype(dtype)
    if name in ("sin", "cos") and dtype == F64:  # beyond, the remainder of x has an error of its own
        off[np.abs(x) > mathlib.LIMIT] /= 2
    assert off.max() <= FUNCTIONS[name][2 if dtype == F64 else 1], f"{off.max()} at {x[off.argmax()]!r}"
    assert np.array_equal(np.isnan(got), np.isnan(expected))
    assert np.array_equal(np.isinf(got), np.isinf(expected))
    assert np.array_equal(np.signbit(got)[~np.isnan(got)], np.signbit(expected)[~np.isnan(got)])


@pytest.mark.parametrize("dtype", [F32, F64], ids=str)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_machine_gives_the_same_bits_for_vectors_and_scalars(name: str, dtype: Any):
    x = numbers(dtype, 1 << 9)
    results = [compiled(getattr(mathlib, name), [x], target) for target in TARGETS.values()]
    results.append(compiled(getattr(mathlib, name), [x], lanes=1))
    assert all(same_bits(results[0], other) for other in results[1:])


def bases_and_exponents(dtype: Any, count: int) -> tuple[Any, Any]:
    random = np.random.default_rng(1)
    a = [np.exp(random.normal(size=count) * 5), -np.exp(random.normal(size=count)), random.uniform(0.9, 1.1, count)]
    b = [random.normal(size=count) * 4, random.integers(-9, 9, count), random.uniform(-500, 500, count)]
    edges = [0.0, -0.0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, np.inf, -np.inf, np.nan, 1e-40, 1e30, -1e30, 5e-324, 0.25]
    pairs = np.array([(p, q) for p in edges for q in edges])
    with np.errstate(all="ignore"):
        return np.concatenate([*a, pairs[:, 0]]).astype(dtype), np.concatenate([*b, pairs[:, 1]]).astype(dtype)


@pytest.mark.parametrize("dtype", [F32, F64], ids=str)
def test_powers_are_exact_and_special_as_in_numpy(dtype: Any):
    a, b = bases_and_exponents(dtype, 1 << 14)
    got = compiled(mathlib.power, [a, b])
    with np.errstate(all="ignore"):
        wide = np.float64 if dtype == F32 else np.longdouble
        reference = np.power(a.astype(wide), b.astype(wide))
        expected = reference.astype(dtype)
        off = ulps(got, reference)
    assert off.max() <= 2, f"{a[off.argmax()]!r} ** {b[off.argmax()]!r}"
    assert np.array_equal(np.isnan(got), np.isnan(expected))
    assert np.array_equal(np.isinf(got), np.isinf(expected))
    assert np.array_equal(np.signbit(got)[~np.isnan(got)], np.signbit(expected)[~np.isnan(got)])


@pytest.mark.parametrize("dtype", [F32, F64], ids=str)
def test_every_machine_gives_the_same_powers(dtype: Any):
    a, b = bases_and_exponents(dtype, 1 << 9)
    results = [compiled(mathlib.power, [a, b], target) for target in TARGETS.values()]
    assert same_bits(results[0], results[1])
    assert same_bits(results[0], results[2])


def test_sines_of_numbers_close_to_multiples_of_a_quarter_turn_keep_their_digits():
    multiples = np.arange(1, 60_000) * np.longdouble("1.57079632679489661923132169163975144")
    for dtype in (F32, F64):
        x = multiples.astype(dtype)
        for name in ("sin", "cos"):
            off = ulps(compiled(getattr(mathlib, name), [x]), exact(name, x))
            assert off.max() <= 2
