"""Random models trained in machine code end where they end eagerly: 120 in each run of the tests, 3,000 in the long."""

from __future__ import annotations

import pytest

pytest.importorskip("llvmlite")

from tests.native.children import checked

CHUNK, LONG_CHUNK = 20, 100


@pytest.mark.parametrize("first", range(0, 120, CHUNK))
def test_random_models_end_native_where_they_end_eagerly(first):
    outcome = checked("tests.native.models", first, first + CHUNK)
    assert outcome.failures == [], "\n\n".join(outcome.failures)
    assert outcome.checked == CHUNK


@pytest.mark.long
@pytest.mark.parametrize("first", range(120, 3_120, LONG_CHUNK))
def test_many_random_models_end_native_where_they_end_eagerly(first):
    outcome = checked("tests.native.models", first, first + LONG_CHUNK)
    assert outcome.failures == [], "\n\n".join(outcome.failures)
    assert outcome.checked == LONG_CHUNK
