"""The random programs of every run catch wrong compilers: a change of one line of each kind is noticed."""

from __future__ import annotations

import pytest

pytest.importorskip("llvmlite")

from tests.native.children import checked
from tests.native.mutants import MUTANTS


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_compiler_is_caught_by_the_random_programs(name):
    outcome = checked("tests.native.compare", 0, 2_000, mutant=name)
    assert outcome.failures, f"no program noticed that {name}"
    assert "has changed: make it wrong in another place" not in outcome.failures[0]
