"""Stages: threads meet only where one of them needs what another one has made."""

import itertools

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.compiler import trace
from lucidgrad.compiler.buffers import ROWS
from lucidgrad.compiler.layout import Place
from lucidgrad.compiler.program import Program
from lucidgrad.compiler.stages import exchanged, is_free
from lucidgrad.tensor import Tensor

rng = np.random.default_rng(2)


def step_of(rows: int, inner: int, threads: int = 2, clipped: bool = False) -> Program:
    """A step of gradient descent of a net 96-inner-10, its weights in panels."""

    def step(w1, b1, w2, b2, x, y):
        hidden = lg.functional.relu(x @ w1.T + b1)
        loss = lg.losses.CrossEntropy()(hidden @ w2.T + b2, y)
        gradients = lg.grad(loss, [w1, b1, w2, b2])
        if clipped:
            norm = lg.optim.global_norm(dict(enumerate(gradients)))
            gradients = [g / norm.astype(np.float32) for g in gradients]
        return [loss, *(p - 0.1 * g for p, g in zip((w1, b1, w2, b2), gradients, strict=True))]

    shapes = (inner, 96), (inner,), (10, inner), (10,), (rows, 96)
    arrays = [Tensor(rng.standard_normal(s).astype(np.float32)) for s in shapes]
    graph = trace(step, *arrays, Tensor(np.zeros(rows, np.int64), requires_grad=False))
    inputs = [Place(panels=True)] * 4 + [Place()] * 2
    return Program(graph, inputs, [Place(), *(Place(state=i) for i in range(4))], threads=threads)


@pytest.mark.parametrize("rows", [32, 64, 512])
@pytest.mark.parametrize("inner", [128, 200])
def test_between_two_barriers_no_thread_needs_what_another_one_makes(rows, inner):
    program = step_of(rows, inner)
    for stage in program.stages:
        for earlier, later in itertools.combinations(stage, 2):
            assert not later.disturbs(earlier), (earlier.name, later.name)


@pytest.mark.parametrize("rows", [32, 64, 512])
def test_nothing_is_done_before_what_it_needs(rows):
    program = step_of(rows, 128)
    place = {task.name: i for i, task in enumerate(itertools.chain(*program.stages))}
    kernels = {f"kernel{i}": k for i, k in enumerate(program.plan.kernels)}
    made = {v: name for name, k in kernels.items() for v in k.roots}
    for name, kernel in kernels.items():
        for value in (v for root in kernel.roots for v, _ in program.fusion.reads(root)):
            if value in made and made[value] != name:
                assert place[made[value]] < place[name]


def test_a_thread_takes_its_rows_through_all_layers():
    """Large batches: one barrier behind the rows, one behind the parameters."""
    program = step_of(512, 128)
    assert len(program.stages) == 2
    forward = [t for t in program.stages[0] if t.share is not None]
    assert {(t.share.axis, t.share.size) for t in forward} == {(0, 512)}


@pytest.mark.parametrize(("clipped", "stages"), [(False, 3), (True, 5)])
def test_a_thread_keeps_its_columns_of_a_wide_weight(clipped, stages):
    """More weights than activations: the columns that a thread reads are those that it has changed."""
    program = step_of(64, 128, clipped=clipped)
    todo = [task for stage in program.stages for task in stage]
    wide = [b for b in program.plan.buffers if b.shape == (128, 96)]
    parts = {a.part for t in todo for a in t.accesses if a.buffer in wide}
    assert len(wide) == 1 + clipped, "the weight; and its gradient, where its norm has to be known first"
    assert {(p.axis, p.grain) for p in parts} == {(0, 64)}
    assert not exchanged(todo) & set(wide)
    assert len(program.stages) == stages


def test_new_weights_are_written_over_the_old_ones():
    assert step_of(64, 128).plan.copies == []


def test_threads_that_only_ask_a_model_never_meet():
    def ask(w, x):
        return lg.functional.relu(x @ w.T)

    graph = trace(ask, lg.Tensor(np.zeros((40, 30))), lg.Tensor(np.zeros((256, 30))))
    program = Program(graph, [Place(panels=True), Place(kind=ROWS)], [Place(kind=ROWS)], threads=2)
    assert is_free(program.stages)
    assert "call i64 @lucidgrad_barrier" not in program.text
    assert not is_free(step_of(512, 128).stages)


def test_one_thread_never_waits():
    assert len(step_of(64, 128, threads=1).stages) == 1
