"""Wrong compilers, to see that the random programs notice: each has one line of a function changed.

    python -m tests.native.mutants               # which seed is the first to catch each of them

Only children are made wrong, and are not made right again.
"""

from __future__ import annotations
import __future__

import importlib
import inspect
import sys
import textwrap
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lucidgrad.compiler.passes.expand import expand
from tests.native.compare import failure
from tests.native.generate import program


@dataclass(frozen=True)
class Mutant:
    """``old`` in the source of a function becomes ``new``; only programs with one of the ``rows`` can notice."""

    module: str  # inside of lucidgrad.compiler
    function: str
    old: str
    new: str
    rows: frozenset[str] = frozenset()  # empty: any


def _mutant(where: str, old: str, new: str, rows: str = "") -> Mutant:
    module, function = where.split(":")
    return Mutant(f"lucidgrad.compiler.{module}", function, old, new, frozenset(rows.split()))


MUTANTS: dict[str, Mutant] = {
    # NaN and the sign of zero
    "negation loses the sign of zero": _mutant(
        "instructions:Instructions.neg", 'if x.dtype.kind == "f"', "if False", "negative"
    ),
    "the absolute value keeps the sign of zero": _mutant(
        "instructions:Instructions.abs",
        'self.intrinsic("fabs", [x])',
        'self.select(self.compare("lt", x, 0), self.neg(x), x)',
        "absolute",
    ),
    "the larger of a number and NaN is the number": _mutant(
        "instructions:Instructions.maximum", '"maximum"', '"maxnum"', "maximum max"
    ),
    "the smaller of a number and NaN is the number": _mutant(
        "instructions:Instructions.minimum", '"minimum"', '"minnum"', "minimum min"
    ),
    "larger and smaller integers are swapped": _mutant(
        "instructions:Instructions.maximum", '"smax"', '"smin"', "maximum max"
    ),
    "comparisons with NaN hold": _mutant("instructions:Instructions.compare", "'o' + how", "'u' + how"),
    "NaN is equal to itself": _mutant("instructions:Instructions.compare", "'une'", "'one'"),
    "unsigned integers are compared as signed ones": _mutant("instructions:Instructions.compare", '"u"', '"s"'),
    "relu of NaN is 0": _mutant(
        "elementwise:MathBuilder.relu", 'self.compare("le", x, 0), 0, x', 'self.compare("gt", x, 0), x, 0', "relu"
    ),
    "clip brings NaN to its lower bound": _mutant(
        "elementwise:MathBuilder.clip",
        "mathlib.at_least(self, x, low)",
        'self.select(self.compare("gt", x, low), x, low)',
        "clip",
    ),
    "argmin passes over NaN": _mutant(
        "kernels.reduction:better", "chosen = c.or_(chosen, unseen)", "pass", "argmin argmax"
    ),
    "x + 0.0 is x": _mutant("passes.identities:_plus", "-0.0 if", "0.0 if", "add"),
    # other numbers
    "fractions are rounded, not cut": _mutant(
        "instructions:Instructions._to_integer", "self.select(fits, x, 0.0)", "self.rint(self.select(fits, x, 0.0))"
    ),
    "conditions are cut to integers": _mutant(
        "elementwise:MathBuilder.truth", "self.cast(x, I1)", "self.cast(self.cast(x, I64), I1)"
    ),
    "zeros are shifted into negative numbers": _mutant(
        "elementwise:MathBuilder.shift_right", 'self.ashr if x.dtype.kind == "i"', "self.lshr if True", "shift_right"
    ),
    "exp is off by a few hundred thousandths": _mutant(
        "mathlib.exponential:exp", "return _scaled(c, x, f, tail)", "return c.mul(_scaled(c, x, f, tail), 1.00003)"
    ),
    "argmax takes the last of the largest": _mutant("kernels.reduction:better", '"gt" if', '"ge" if', "argmax"),
    "what is padded is filled up with 0": _mutant(
        "expression:Expression._pad", 'instruction.attrs.get("value", 0.0)', "0", "pad"
    ),
    # places
    "the last element of a row is left out": _mutant(
        "buffers:tail_mask", "i < remaining", "i < remaining - (remaining > 1)"
    ),
    "a sum leaves out a single element behind its vectors": _mutant(
        "kernels.reduction:_along_last", "if whole < n:", "if whole < n - (n > 1):", "sum prod max min"
    ),
    "a sum of short rows leaves out their last column": _mutant(
        "kernels.short_rows:ShortRows._reduced",
        "for j in range(x.shape[1])]",
        "for j in range(x.shape[1] - 1)]",
        "sum prod max min",
    ),
    "lanes behind the end of a row count": _mutant(
        "kernels.reduction:_element", "if mask is not None and lanes > 1:", "if False:", "sum prod max min"
    ),
    "a product leaves out the last of the inner axis": _mutant(
        "kernels.product:_tile", "walk.depth, 1, [zero]", "walk.depth - (walk.depth > 1), 1, [zero]", "matmul"
    ),
    "arrays are stretched along their first axes": _mutant(
        "index:broadcast_index", "index[skipped:]", "index[:len(shape)]"
    ),
    "what is put together overlaps": _mutant(
        "index:concatenated", "starts.append(start)", "starts.append(max(start - 1, 0))", "concatenate"
    ),
    "indices below 0 are not counted from the end": _mutant(
        "expression:Expression.place_in", "c.add(place, n)", "place", "getitem put"
    ),
    "a second cotangent for a place replaces the first": _mutant(
        "kernels.scatter:scatter", "c.add(frame.load(buffer, at), expression.at(g, index))", "expression.at(g, index)"
    ),
    # passes
    "rows that differ in their attributes are computed once": _mutant(
        "passes.cse:cse", "if instruction.attrs else ()", "if False else ()"
    ),
    "constants of other elements are one": _mutant("passes.cse:_operand", "blake2b(x.tobytes()).digest()", "0"),
    "arrays that begin as they end are taken for repetitions": _mutant(
        "passes.stretch:_without_repeats", "bits == bits[first]", "bits == bits"
    ),
    "a kernel reads what it has not stored yet": _mutant(
        "fuse:Fusion._home", "if fits and all(index == own for k, index in needed if k is last)", "if fits"
    ),
}


def checked_when_wrong(name: str) -> Callable[[int], str]:
    """Make the compiler wrong, and give the check of a seed; seeds that cannot notice are passed over."""
    mutant = MUTANTS[name]
    make_wrong(mutant)

    def check(seed: int) -> str:
        p = program(seed)
        if mutant.rows and not mutant.rows & {i.op.name for i in expand(p.graph()).instructions}:
            return ""
        return failure(p, seed)

    return check


def make_wrong(mutant: Mutant) -> None:
    """Give the function the code of its changed source: whoever has imported it has the wrong one, too."""
    found: Any = importlib.import_module(mutant.module)
    for part in mutant.function.split("."):
        found = getattr(found, part)
    source = textwrap.dedent(inspect.getsource(found))
    assert source.count(mutant.old) == 1, f"{mutant.function} has changed: make it wrong in another place"
    module = compile(
        source.replace(mutant.old, mutant.new), mutant.function, "exec", __future__.annotations.compiler_flag
    )
    found.__code__ = next(x for x in module.co_consts if isinstance(x, types.CodeType) and x.co_name == found.__name__)


if __name__ == "__main__":
    from tests.native.children import checked

    for name in sys.argv[1:] or MUTANTS:
        outcome = checked("tests.native.compare", 0, 2000, mutant=name)
        print(name, outcome.checked, *(f.splitlines()[:2] for f in outcome.failures), flush=True)
