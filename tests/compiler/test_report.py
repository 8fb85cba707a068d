"""The report on what is compiled: each of its parts says what is there."""

import re
from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad import nn, optim
from lucidgrad.compiler.machine import host
from lucidgrad.compiler.passes import NATIVE
from lucidgrad.compiler.timing import peak_rate, step_seconds
from lucidgrad.errors import ArgumentError

rng = np.random.default_rng(6)


def run(**options: Any) -> lg.Run:
    model = nn.Sequential(nn.Linear(40, 128), lg.functional.relu, nn.Linear(128, 3))
    x, y = rng.standard_normal((200, 40)).astype(np.float32), rng.integers(0, 3, 200)
    return lg.fit(model, x, y, loss="cross_entropy", optimizer=optim.Adam(0.01), epochs=1, batch_size=64, **options)


def test_a_run_is_reported_from_its_graph_to_the_time_of_a_step():
    trained = run()
    before = trained.model.state()
    report = lg.compile_report(trained, threads=2)
    assert [name for name, _ in report.graphs] == ["traced", *(p.__name__ for p in NATIVE)]
    text = str(report)
    for part in (
        "native engine",
        "graph, traced",
        "graph, simplify",
        "stage 1",
        "barrier",
        "arena",
        "threads: 2, as asked",
    ):
        assert part in text
    names = {task.name for stage in report.program.stages for task in stage}
    assert set(report.seconds) == names == {work.name for work in report.work}
    assert all(0 < seconds < 1 for seconds in report.seconds.values())
    assert all(name in text for name in names)
    assert re.search(r"matmul \(64, 40\) x \(40, 128\) in tiles of \d+ x \d+, then add relu -> ", text)
    assert report.floor_seconds > 0
    for path, array in trained.model.state().items():  # measuring has changed nothing
        np.testing.assert_array_equal(array, before[path])


def test_a_model_and_a_jitted_function_are_reported():
    assert "stage 1" in str(lg.compile_report(nn.Linear(4, 2), np.zeros((8, 4)), measure=False))
    report = lg.compile_report(lg.jit(lambda a, b: (a @ b).exp().sum()), np.ones((8, 4)), np.ones((4, 3)))
    assert "exp" in report.stages_text()
    assert "as measured" in report.time_text()


def test_an_embedding_is_measured_too():
    model = nn.Sequential(nn.Embedding(50, 8), nn.Flatten(), nn.Linear(24, 2))
    report = lg.compile_report(model, np.zeros((16, 3), np.int64))
    assert report.step_seconds > 0


def test_measuring_leaves_the_program_as_it_was():
    report = lg.compile_report(nn.Linear(4, 2), np.zeros((8, 4)), measure=False)
    table = report.program.table.copy()
    step_seconds(report.program)
    np.testing.assert_array_equal(report.program.table, table)


def test_no_product_is_quicker_than_the_machine_can_be():
    """The peak is measured, so that it may be a little low on a busy machine."""
    report = lg.compile_report(nn.Linear(512, 256), np.zeros((256, 512)), threads=1)
    assert report.step_seconds > 0.7 * report.floor_seconds
    assert peak_rate(host()) > 1e8


def test_anything_else_is_refused():
    with pytest.raises(ArgumentError, match="compile_report expected a Run, a model and its inputs, or a jitted"):
        lg.compile_report(3)
