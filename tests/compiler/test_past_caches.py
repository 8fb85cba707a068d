"""Weights that threads pass on past the caches: which do, and that they arrive."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import lucidgrad as lg
from lucidgrad import nn, optim
from lucidgrad.compiler.assembly import LANES
from lucidgrad.compiler.machine import AVX2, BASELINE, Target
from tests.compiler.test_zeros import data, histories


def check_past_caches(units: int, batch: int, dtype: Any, cpu: str | None) -> None:
    """A first layer on rows that are mostly zeros, whose weight threads share by its inputs and all of them read."""
    x, y = data(3 * batch, dtype)

    def model() -> nn.Module:
        return nn.Sequential(nn.Linear(90, units, dtype=dtype), lg.functional.tanh, nn.Linear(units, 3, dtype=dtype))

    with pytest.MonkeyPatch.context() as patch:
        if cpu:
            patch.setattr("lucidgrad.compiler.program.host", lambda: Target(cpu))
        (first, *others), left_out = histories(model, x, y, batch_size=batch, optimizer=optim.Adam(0.01))
    assert all(losses == first for losses in others)
    assert left_out == [False, True, True, True]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("cpu", [None, AVX2, BASELINE])
def test_weights_that_threads_pass_on_past_the_caches_arrive(cpu, dtype):
    check_past_caches(100, 200, dtype, cpu)
    check_past_caches(41, 70, dtype, cpu)


def test_only_weights_that_all_threads_read_in_blocks_go_past_the_caches():
    def passed(units: int, threads: int, zeros: bool = True, further: int = 3) -> list[tuple[int, ...]]:
        x, y = data(400)
        layers = nn.Linear(90, units), lg.functional.relu, nn.Linear(units, further)
        run_ = lg.fit(nn.Sequential(*layers), x if zeros else x + 1, y, loss="cross_entropy", epochs=1, batch_size=200,
                      optimizer=optim.Adam(0.01), progress=False, threads=threads)  # fmt: skip
        report = lg.compile_report(run_, threads=threads, measure=False)
        found = [b.shape for b in report.program.plan.buffers if b.past_caches]
        assert ("!nontemporal" in report.program.text) == bool(found)
        assert ("written past the caches" in report.memory_text()) == bool(found)
        assert not found or report.program.text.count("!nontemporal") % -(-units // LANES) == 0, (
            "whole lines, all of them"
        )
        return found

    assert passed(100, 2) == [(100, 90)]
    assert not passed(100, 1), "there is nobody else"
    assert not passed(100, 2, zeros=False), "nothing is asked for ahead"
    assert not passed(256, 2), "each thread has columns of its own"
    assert passed(100, 2, further=100) == [(100, 90)], "the second weight has a second copy, near by"
