"""A check that crashes, hangs or raises is reported with its seed, and the seeds behind it are checked all the same."""

from __future__ import annotations

import numpy as np
import pytest

from tests.native.children import checked, crashes
from tests.native.generate import program
from tests.native.programs import Program
from tests.native.shrink import shrunk


def test_crashes_endless_loops_and_exceptions_are_reported_with_their_seed():
    outcome = checked("tests.native.misbehaving", 0, 9, seconds=5.0)
    assert outcome.checked == 6
    crashed, hung, found, raised = outcome.failures
    assert "seed 2;" in crashed
    assert "SIGSEGV" in crashed
    assert "seed 4;" in hung
    assert "nothing came for 5 seconds" in hung
    assert "seed 5;" in found
    assert "five is wrong" in found
    assert "seed 6;" in raised
    assert "RuntimeError: six" in raised


def test_a_failing_program_is_made_smaller_while_it_fails():
    def has_a_tanh(p: Program) -> bool:
        return any(step.op == "tanh" for step in p.steps)

    large = next(p for p in map(program, range(500)) if has_a_tanh(p) and len(p.steps) > 5 and p.order)
    small = shrunk(large, has_a_tanh)
    assert [step.op for step in small.steps] == ["tanh"]
    assert small.order == 0
    (given,) = small.inputs
    assert np.asarray(given.array()).shape == small.values(*small.tensors())[-1].shape


def test_a_program_that_runs_does_not_crash():
    pytest.importorskip("llvmlite")
    assert not crashes(program(0))
