"""Where weights lie: along the axis that fills vectors; and what is read ahead of the next batch."""

from __future__ import annotations

import ctypes
import mmap
import sys
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.compiler import trace
from lucidgrad.compiler.buffers import GATHERED, PANEL
from lucidgrad.compiler.layout import Place
from lucidgrad.compiler.program import Program
from lucidgrad.tensor import Tensor


def layer(outputs: int, inputs: int, rows: int, threads: int = 1, zeros: bool = False) -> Program:
    """A step of gradient descent of a linear layer on rows of a data set; ``zeros``: that is full of them."""

    def step(w: Tensor, x: Tensor) -> list[Any]:
        loss = ((x @ w.T) ** 2).sum()
        (g,) = lg.grad(loss, [w])
        return [loss, w - 0.01 * g]

    arrays = [Tensor(np.zeros(s, np.float32)) for s in ((outputs, inputs), (rows, inputs))]
    places = [Place(panels=True), Place(GATHERED, (inputs, 1), zeros=zeros)]
    return Program(trace(step, *arrays), places, [Place(), Place(state=0)], threads=threads)


@pytest.mark.parametrize(
    ("outputs", "inputs", "threads", "zeros", "axis"),
    [
        pytest.param(3, 100, 1, False, 1, id="3 of 16 lanes"),
        pytest.param(10, 784, 1, False, 1, id="10 of 16 lanes"),
        pytest.param(16, 100, 1, False, 0, id="full vectors"),
        pytest.param(64, 784, 1, False, 0, id="a full panel"),
        pytest.param(128, 784, 1, False, 0, id="two panels"),
        pytest.param(8, 784, 2, False, 1, id="half, shared"),
        pytest.param(10, 784, 2, False, 0, id="10, shared"),
        pytest.param(5, 784, 1, True, 1, id="5, all multiplied"),
        pytest.param(10, 784, 1, True, 0, id="10, without zeros"),
    ],
)
def test_a_weight_of_few_outputs_lies_along_its_inputs(
    outputs: int, inputs: int, threads: int, zeros: bool, axis: int
) -> None:
    plan = layer(outputs, inputs, 32, threads, zeros).plan
    assert plan.inputs[0].panel == axis
    mirrored = [m.panel for m in plan.mirrors.values()]
    assert mirrored == ([0] if axis == 1 else []), "the product of the rows needs it along the outputs"


@pytest.mark.parametrize(("inputs", "rows"), [(784, 16), (784, 31), (30, 64)])
def test_so_it_does_beside_zeros_that_are_too_few_to_be_left_out(inputs: int, rows: int) -> None:
    assert layer(10, inputs, rows, zeros=True).plan.inputs[0].panel == 1


def test_threads_share_the_gradient_of_few_outputs_and_the_second_copy() -> None:
    """Its rows are too few to be dealt out: whole panels of its columns are."""
    program = layer(8, 784, 32, threads=2)
    weights = program.plan.inputs[0]
    changing = [
        t for stage in program.stages for t in stage if any(a.buffer is weights and a.writes for a in t.accesses)
    ]
    copying = [t for stage in program.stages for t in stage if t.mirrors]
    for task in (*changing, *copying):
        assert task.share is not None
        assert (task.share.axis, task.share.grain) == (1, PANEL)
    assert len(changing) == len(copying) == 1


def test_without_an_update_no_second_copy_is_made() -> None:
    graph = trace(lambda w, x: x @ w.T, *(Tensor(np.zeros(s, np.float32)) for s in ((10, 784), (32, 784))))
    assert not Program(graph, [Place(panels=True), Place()]).plan.mirrors


@pytest.mark.parametrize("optimizer", [lg.optim.SGD(0.1), lg.optim.Adam(0.01)], ids=["SGD", "Adam"])
@pytest.mark.parametrize("sizes", [(40, 3), (40, 20, 3), (20, 130, 3)], ids=str)
def test_such_layers_learn_what_they_learn_eagerly(sizes: tuple[int, ...], optimizer: Any) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((203, sizes[0])).astype(np.float32), rng.integers(0, 3, 203)

    def trained(engine: str, threads: int) -> list[np.ndarray]:
        lg.seed(0)
        layers = [lg.nn.Linear(a, b) for a, b in pairwise(sizes)]
        model = lg.nn.Sequential(*(part for each in layers for part in (each, lg.functional.tanh)))
        lg.fit(model, x, y, loss="cross_entropy", optimizer=optimizer, epochs=3, batch_size=32, engine=engine,
               threads=threads, progress=False)  # fmt: skip
        return [p.numpy() for p in model.parameters().values()]

    once = trained("native", 1)
    for a, b in zip(once, trained("eager", 1), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    for threads in (2, 3):
        assert all((a == b).all() for a, b in zip(once, trained("native", threads), strict=True))


def test_rows_of_the_next_batch_are_asked_for_ahead() -> None:
    assert layer(10, 784, 32).text.count("@llvm.prefetch") == 5, (
        "of four vectors, and of the one that 784 = 12 x 64 + 16 leaves"
    )
    assert layer(10, 784, 32, threads=2).text.count("@llvm.prefetch") == 3, "by tiles of whole, four and single rows"
    assert layer(64, 784, 32).text.count("@llvm.prefetch") > 0
    assert "@llvm.prefetch" not in layer(128, 784, 32).text, "the tiles side by side would ask for the same"


def test_rows_are_asked_for_by_the_product_that_has_time() -> None:
    def asking(outputs: int, threads: int, rows: int = 32) -> list[bool]:
        text = layer(outputs, 784, rows, threads, zeros=True).text
        return ["@llvm.prefetch" in text.split(f"@kernel{number}(")[1].split("\ndefine")[0] for number in (0, 2)]

    assert asking(128, 1) == asking(128, 2) == [True, False], "the product of the rows is long enough"
    assert asking(128, 1, rows=400) == [True, True], "of so many some have left the second cache again"
    assert asking(10, 1) == [False, True], "the gradient comes last"
    assert asking(10, 2) == [True, True], "each thread has other rows here than columns there"


@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.skipif(sys.platform != "linux", reason="memory is protected by mprotect")
def test_behind_the_order_nothing_is_read(threads: int, zeros: bool) -> None:
    """The last batch has no next one: its order ends where memory ends."""
    page, rows, steps = mmap.PAGESIZE, 32, 8
    memory = mmap.mmap(-1, 2 * page)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    protect = ctypes.CDLL(None, use_errno=True).mprotect
    assert protect(ctypes.c_void_p(start + page), ctypes.c_size_t(page), 0) == 0
    program = layer(10, 784, rows, threads, zeros)
    w, x, out = np.zeros((16, 784), np.float32), np.ones((rows * steps, 784), np.float32), np.zeros(1, np.float32)
    order = np.frombuffer((ctypes.c_int64 * (rows * steps)).from_address(start + page - 8 * rows * steps), np.int64)
    order[:] = np.random.default_rng(0).permutation(rows * steps)
    plan = program.plan
    copies = [(mirror, np.zeros(mirror.elements, np.float32)) for mirror in plan.mirrors.values()]
    assert plan.outputs[0] is not None
    for buffer, array in ((plan.inputs[0], w), (plan.inputs[1], x), (plan.outputs[0], out), *copies):
        program.table[buffer.slot] = array.ctypes.data
    program.table[plan.order_slot] = order.ctypes.data
    program.run(steps, rows)
    program.run(1, rows, start=rows * (steps - 1))
    assert out[0] == 0
