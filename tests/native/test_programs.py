"""Compiled random programs give what the interpreter gives: 2,000 in each run of the tests, 50,000 in the long one."""

from __future__ import annotations

import pytest

pytest.importorskip("llvmlite")

from tests.native.children import checked

CHUNK, LONG_CHUNK = 200, 1000


@pytest.mark.parametrize("first", range(0, 2_000, CHUNK))
def test_random_programs_give_compiled_what_they_give_interpreted(first):
    outcome = checked("tests.native.compare", first, first + CHUNK)
    assert outcome.failures == [], "\n\n".join(outcome.failures)
    assert outcome.checked == CHUNK


@pytest.mark.long
@pytest.mark.parametrize("first", range(2_000, 52_000, LONG_CHUNK))
def test_many_random_programs_give_compiled_what_they_give_interpreted(first):
    outcome = checked("tests.native.compare", first, first + LONG_CHUNK)
    assert outcome.failures == [], "\n\n".join(outcome.failures)
    assert outcome.checked == LONG_CHUNK
