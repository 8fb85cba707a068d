"""Pictures of what the compiler has made: the numbers in them are those of the report."""

from __future__ import annotations

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.errors import ArgumentError
from lucidgrad.plot import instructions_by_pass, kernel_times, png_bytes, stage_timeline


def report(threads: int = 1, *, seconds: float | None = 2e-6):
    """Of a step of a network, where every task takes so many seconds and no product less than 1 µs."""
    x = np.linspace(-1, 1, 64 * 128, dtype=np.float32).reshape(64, 128)
    model = lg.nn.Sequential(
        lg.nn.Linear(128, 128, key=lg.Key(0)), lg.functional.relu, lg.nn.Linear(128, 2, key=lg.Key(1))
    )
    options = {"loss": "cross_entropy", "optimizer": lg.optim.SGD(0.1), "epochs": 1, "batch_size": 64}
    run = lg.fit(model, x, np.arange(64) % 2, progress=False, **options)
    made = lg.compile_report(run, threads=threads, measure=False)
    if seconds is not None:
        made.__dict__["seconds"] = {work.name: seconds for work in made.work}
        made.__dict__["floors"] = {work.name: 1e-6 for work in made.work if work.product}
    return made


def test_the_instructions_of_each_pass_and_the_kernels_are_counted():
    made = report()
    (axes,) = instructions_by_pass(made, title="fewer").axes
    counts = [len(graph.instructions) for _, graph in made.graphs] + [len(made.program.plan.kernels)]
    assert [bar.get_height() for bar in axes.patches] == counts
    names = [text.get_text() for text in axes.get_xticklabels()]
    assert (names[0], names[-1]) == ("traced", "kernels")


def test_each_kernel_has_its_share_of_the_time_and_what_is_not_shown_is_added_up():
    made = report()
    (axes,) = kernel_times(made, most=3).axes
    shares = [bar.get_width() for bar in axes.patches]
    assert len(shares) == 4
    assert sum(shares) == pytest.approx(100)
    assert axes.get_yticklabels()[-1].get_text() == f"{len(made.work) - 3} more"
    assert all(share == pytest.approx(100 / len(made.work)) for share in shares[:3])


def test_threads_that_share_a_kernel_take_half_as_long_and_wait_for_each_other_at_barriers():
    made = report(threads=2)
    (axes,) = stage_timeline(made).axes
    assert len(axes.lines) == len(made.program.stages) - 1 > 0  # the lines where they wait
    tasks = [task for stage in made.program.stages for task in stage]
    alone, shared = [t for t in tasks if t.share is None], [t for t in tasks if t.share is not None]
    assert alone
    assert shared
    assert len(axes.patches) == len(alone) + 2 * len(shared)
    assert sum(bar.get_width() for bar in axes.patches) == pytest.approx(2 * len(tasks))  # microseconds
    png_bytes(axes.figure)


@pytest.mark.parametrize("draw", [kernel_times, stage_timeline])
def test_times_that_were_not_measured_are_asked_for(draw):
    with pytest.raises(ArgumentError, match="expected a report that was measured"):
        draw(report(seconds=None))


def test_at_least_one_kernel_is_shown():
    with pytest.raises(ArgumentError, match="most expected at least 1, got 0"):
        kernel_times(report(), most=0)
