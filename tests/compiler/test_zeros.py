"""Products that leave out zeros: no bit is different (but a sign in underflow), whatever is in the other matrix."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("llvmlite")

import lucidgrad as lg
from lucidgrad import nn, optim
from lucidgrad.compiler import trace
from lucidgrad.compiler.assembly import NARROW
from lucidgrad.compiler.kernels import zeros as zeros_module
from lucidgrad.compiler.kernels.zeros import LEAST
from lucidgrad.compiler.layout import Place
from lucidgrad.compiler.machine import AVX2, BASELINE, Target
from lucidgrad.compiler.program import Program
from lucidgrad.tensor import Tensor
from lucidgrad.training import native
from lucidgrad.training.samples import MOSTLY_ZEROS, mostly_zeros
from tests.native.targets import everything_is_shared, run, same_bits

# A product of a matrix x that is mostly zeros, (samples, features), and another one.
FORMS: dict[str, tuple[tuple[int, int], Any]] = {
    "forward": ((1, 2), lambda x, w: x @ w),
    "gradient of a weight": ((0, 2), lambda x, d: x.T @ d),
    "gradient of a transposed weight": ((0, 2), lambda x, d: (d.T @ x).T),
    "of what is zero where x is": ((1, 2), lambda x, w: (-abs(x) * 3.0) @ w),
    "of what relu makes zero": ((1, 2), lambda x, w: lg.functional.relu(x + 0.5) @ w),
}
MACHINES: list[tuple[Target | None, int]] = [
    (None, 1), (None, 2), (None, 3), (Target(AVX2), 1), (Target(AVX2), 2), (Target(BASELINE), 1),
]  # fmt: skip


def arrays(form: str, sizes: tuple[int, int, int], dtype: Any, share: float = 0.8) -> tuple[Any, list[Any]]:
    rng = np.random.default_rng([4, *sizes])
    axes, function = FORMS[form]
    x = rng.standard_normal(sizes[:2]) * (rng.random(sizes[:2]) > share)
    return function, [x.astype(dtype), rng.standard_normal([sizes[i] for i in axes]).astype(dtype)]


def compiled(function: Any, given: list[Any], zeros: bool, target: Target | None = None, threads: int = 1) -> Program:
    """``zeros``: whether they are left out."""
    graph = trace(function, *map(Tensor.wrap, given))
    with everything_is_shared(), mock.patch.object(zeros_module, "LEAST", LEAST if zeros else 10**9):
        return Program(graph, [Place(zeros=True), Place()], target=target, threads=threads)


def leaves_out(program: Program) -> bool:
    """Whether some product of a program leaves out zeros: it goes from bit to bit."""
    return "@llvm.cttz.i64" in program.text


def assert_same(function: Any, given: list[Any]) -> None:
    dense = compiled(function, given, zeros=False)
    (expected,) = run(dense, given)
    assert not leaves_out(dense)
    for target, threads in MACHINES:
        program = compiled(function, given, True, target, threads)
        assert leaves_out(program)
        (got,) = run(program, given)
        assert same_bits(got, expected), (target, threads, np.argwhere(got != expected)[:3].tolist())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "sizes", [(64, 64, 64), (33, 65, 70), (70, 47, 100), (130, 35, 32), (40, 200, 129), (50, 150, 112)]
)
def test_not_a_bit_is_different_on_any_machine_and_with_any_number_of_threads(sizes, form, dtype):
    assert_same(*arrays(form, sizes, dtype))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("form", sorted(FORMS.keys() - {"of what relu makes zero"}))
@pytest.mark.parametrize(
    "sizes", [(64, 64, 10), (33, 65, 16), (70, 47, 20), (130, 35, 31), (40, 200, 9), (61, 150, 17)]
)
def test_rows_of_a_vector_or_two_are_taken_eight_at_a_time(sizes, form, dtype):
    assert_same(*arrays(form, sizes, dtype, share=0.97))


@settings(max_examples=20)
@given(
    st.sampled_from(sorted(FORMS)),
    st.tuples(st.integers(LEAST, 140), st.integers(LEAST, 140), st.integers(NARROW + 1, 140)),
    st.sampled_from([0.0, 0.5, 0.97, 1.0]),
)
def test_nor_for_any_sizes_and_share_of_zeros(form, sizes, share):
    function, given = arrays(form, sizes, np.float32, share)
    (expected,), (got,) = (run(compiled(function, given, zeros), given) for zeros in (False, True))
    assert same_bits(got, expected)


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    ("form", "columns"), [*((f, 100) for f in FORMS), ("forward", 10), ("gradient of a weight", 20)]
)
def test_zero_times_what_is_not_finite_stays_visible(form, columns, special):
    function, given = arrays(form, (40, 70, columns), np.float32)
    for place in ((0, 0), (-1, -1), (3, 2)):
        other = given[1].copy()
        other[place] = special
        (got,) = run(compiled(function, [given[0], other], True), [given[0], other])
        assert np.isnan(got).any()
        assert_same(function, [given[0], other])


@pytest.mark.parametrize("columns", [10, 100])
def test_nan_and_minus_zero_among_the_zeros_are_not_lost(columns):
    function, (x, w) = arrays("forward", (40, 70, columns), np.float32)
    x[x == 0] = -0.0
    x[3, 5], x[4, 6] = np.nan, 1e-45
    assert_same(function, [x, w])


def test_what_lies_behind_a_row_of_the_arena_is_nobody_s_number():
    """Rows of 33 computed elements are filled up to 48, with whatever lay there."""

    def twice(x, w):
        return (x * w[:, 0].sum()) @ w, (x + 1.0).sum(axis=1)

    rng = np.random.default_rng(0)
    x = (rng.standard_normal((48, 33)) * (rng.random((48, 33)) > 0.8)).astype(np.float32)
    given = [x, rng.standard_normal((33, 40)).astype(np.float32)]
    results = [run(compiled(twice, given, zeros), given) for zeros in (False, True)]
    assert all(same_bits(a, b) for a, b in zip(*results, strict=True))


@pytest.mark.parametrize("sizes", [(64, LEAST - 1, 64), (64, 64, NARROW), (LEAST - 1, 64, 64)])
def test_small_products_are_not_worth_looking_for_zeros(sizes):
    function, given = arrays("forward", sizes, np.float32)
    assert not leaves_out(compiled(function, given, True))


def test_eight_rows_behind_relu_have_hardly_a_zero_in_common():
    function, given = arrays("of what relu makes zero", (64, 64, LEAST - 1), np.float32)
    assert not leaves_out(compiled(function, given, True))


@pytest.mark.parametrize("function", [lambda x, w: x @ w.T, lambda x, w: x.T @ w.T])
def test_a_matrix_that_lies_across_is_multiplied_as_always(function):
    given = arrays("forward", (64, 64, 64), np.float32)[1]
    assert not leaves_out(compiled(function, given, True))


def test_whole_numbers_are_multiplied_as_always():
    given = [np.zeros((64, 64), np.int64), np.ones((64, 64), np.int64)]
    assert not leaves_out(compiled(lambda x, w: x @ w, given, True))


def data(rows: int = 300, dtype: Any = np.float32) -> tuple[Any, Any]:
    rng = np.random.default_rng(1)
    x = (rng.random((rows, 90)) * (rng.random((rows, 90)) > 0.8)).astype(dtype)
    return x, rng.integers(0, 3, rows)


def trained(x: Any, y: Any, optimizer: optim.Optimizer, flatten: bool = False, **options: Any) -> dict[str, Any]:
    lg.seed(0)
    layers = [nn.Linear(90, 150), lg.functional.relu, nn.BatchNorm(150), nn.Linear(150, 3)]
    model = nn.Sequential(*[nn.Flatten()] * flatten, *layers)
    settings = {"loss": "cross_entropy", "epochs": 3, "batch_size": 70, "engine": "native", "progress": False}
    lg.fit(model, x, y, optimizer=optimizer, **settings | options)
    return model.state()


CLIPPED = optim.clipped(optim.SGD(0.1), max_norm=0.1)


@pytest.mark.parametrize(
    ("kind", "optimizer"),
    [
        ("float32", optim.Adam(0.01)),
        ("float32", CLIPPED),
        *((kind, optim.SGD(0.1)) for kind in ("float32", "uint8", "images", "every other row", "columns")),
    ],
)
def test_training_leaves_zeros_out_and_ends_with_the_same_bits(kind, optimizer, monkeypatch):
    x, y = data()
    x = {
        "float32": x,
        "uint8": (255 * x).astype(np.uint8),
        "images": x.reshape(-1, 9, 10),
        "every other row": np.repeat(x, 2, axis=0)[::2],
        "columns": np.asfortranarray(x),
    }[kind]
    states, tiles, tile = [], [], zeros_module.tile
    monkeypatch.setattr(zeros_module, "tile", lambda *given: tiles.append(tile(*given)) or tiles[-1])
    for zeros in (False, True):
        monkeypatch.setattr(native, "mostly_zeros", lambda _, zeros=zeros: zeros)
        monkeypatch.setattr(zeros_module, "LEAST", LEAST if zeros else 10**9)
        states += [trained(x, y, optimizer, kind == "images", threads=threads) for threads in (1, 3 if zeros else 2)]
        assert any(tiles) == (zeros and kind != "columns")  # which are read across: all is multiplied
    first, *others = states
    assert all(first[k].tobytes() == other[k].tobytes() for other in others for k in first)


def histories(model: Any, x: Any, y: Any, **options: Any) -> tuple[list[Any], list[bool]]:
    """The losses of runs with zeros multiplied, and without in 1, 2 and 3 threads; and whether any were left out."""
    found = []
    for least, threads in ((10**9, 1), (LEAST, 1), (LEAST, 2), (LEAST, 3)):
        lg.seed(0)
        settings = {"loss": "cross_entropy", "optimizer": optim.SGD(0.05), "epochs": 3, "batch_size": 64} | options
        with mock.patch.object(zeros_module, "LEAST", least):
            run_ = lg.fit(model(), x, y, **settings, threads=threads, engine="native", progress=False)
            report = lg.compile_report(run_, measure=False).stages_text()
        found.append((run_.history["loss"], "leaving out zeros" in report))
    return [losses for losses, _ in found], [leaves for _, leaves in found]


@pytest.mark.parametrize("features", [90, 97])
@pytest.mark.parametrize("kind", ["float32", "float64", "uint8"])
@pytest.mark.parametrize("cpu", [None, AVX2])
def test_a_single_layer_of_few_outputs_learns_the_same(features, kind, cpu, monkeypatch):
    """Its one weight lies along the outputs, and both of its products leave out zeros of eight rows."""
    rng = np.random.default_rng(2)
    x = rng.random((400, features)) * (rng.random((400, features)) > 0.95)
    x, y = (255 * x).astype(kind), rng.integers(0, 10, 400)

    def model() -> nn.Module:
        return nn.Linear(features, 10, dtype="float64" if kind == "float64" else "float32")

    if cpu:
        monkeypatch.setattr("lucidgrad.compiler.program.host", lambda: Target(cpu))
    (first, *others), left_out = histories(model, x, y, batch_size=50)
    assert all(losses == first for losses in others)
    assert left_out == [False, True, True, True]


@pytest.mark.parametrize("units", [80, 96, 100, 112, 113])
def test_threads_that_share_columns_have_whole_tiles(units):
    """Behind relu a layer of more outputs than the batch has rows: its gradient is shared along the vectors."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((640, 30)).astype(np.float32), rng.integers(0, 3, 640)

    def model() -> nn.Module:
        relu = lg.functional.relu
        return nn.Sequential(nn.Linear(30, units), relu, nn.Linear(units, 128), relu, nn.Linear(128, 3))

    (first, *others), left_out = histories(model, x, y)
    assert all(losses == first for losses in others)
    assert left_out == [False, True, True, True]


def check_random_network(seed: int) -> None:
    rng = np.random.default_rng([8, seed])
    features, *units = (int(n) for n in rng.integers(LEAST, 180, rng.integers(1, 5)))
    batch = int(rng.integers(20, 150))
    x = rng.standard_normal((3 * batch, features)).astype(np.float32)
    if rng.random() < 0.5:
        x[rng.random(x.shape) < 0.8] = 0
    classes = int(rng.integers(2, 25))
    y = rng.integers(0, classes, len(x))
    rule = [optim.SGD(0.05), optim.Adam(0.01)][rng.integers(2)]

    def model() -> nn.Module:
        layers: list[Any] = []
        for inputs, outputs in pairwise((features, *units)):
            layers += [nn.Linear(inputs, outputs), lg.functional.relu]
        return nn.Sequential(*layers, nn.Linear((features, *units)[-1], classes))

    (first, *others), _ = histories(model, x, y, batch_size=batch, optimizer=rule, epochs=2)
    assert all(losses == first for losses in others), (features, units, batch, rule)


@pytest.mark.parametrize("seed", range(4))
def test_random_networks_learn_the_same_whoever_leaves_out_what(seed):
    check_random_network(seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4, 200))
def test_many_random_networks_learn_the_same_whoever_leaves_out_what(seed):
    check_random_network(seed)


class Columns(nn.Module):
    """A layer whose weight stands on the left, so that the gradient of it walks through the rows of the data set."""

    def __init__(self) -> None:
        self.w = lg.tensor(np.random.default_rng(0).standard_normal((64, 90)).astype(np.float32), requires_grad=True)

    def forward(self, x: Tensor) -> Tensor:
        return lg.functional.relu(0.1 * self.w @ x.T).T


def test_rows_of_a_data_set_are_found_in_the_order_of_the_epoch():
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((256, 90)).astype(np.float32), rng.integers(0, 3, 256)
    relu = lg.functional.relu

    def model() -> nn.Module:
        return nn.Sequential(Columns(), relu, nn.Linear(64, 40), relu, nn.Linear(40, 3))

    (first, *others), left_out = histories(model, x, y)
    assert all(losses == first for losses in others)
    assert left_out == [False, True, True, True]


def test_zeros_of_a_matrix_in_panels_are_multiplied_as_always():
    """What relu makes of a weight lies in panels where it becomes the new weight."""

    def step(w: Tensor, v: Tensor, x: Tensor, u: Tensor) -> list[Any]:
        p = lg.functional.relu(w)
        return [p @ x, u @ v, w - 0.1 * p, v * 0.9]

    rng = np.random.default_rng(0)
    shapes = (64, 100), (64, 100), (100, 70), (40, 64)
    given = [Tensor(rng.standard_normal(s).astype(np.float32)) for s in shapes]
    program = Program(
        trace(step, *given),
        [Place(panels=True)] * 2 + [Place()] * 2,
        [Place(), Place(), Place(state=0), Place(state=1)],
    )
    stored = [program.plan.buffer_of[v] for v in program.plan.half_zeros if v in program.plan.buffer_of]
    assert any(buffer.panel is not None for buffer in stored)
    assert not leaves_out(program)


def test_inputs_are_judged_by_rows_from_all_over():
    x = np.zeros((5000, 4), np.float32)
    assert mostly_zeros(x)
    x[2000:] = 1.0
    assert not mostly_zeros(x)
    x[:] = 0
    x[:, 0] = 1
    assert mostly_zeros(x)
    x[:, 1:3] = 1
    assert not mostly_zeros(x)
    assert not mostly_zeros(np.ones((1, 3)))
    assert 0.25 < MOSTLY_ZEROS < 0.75


def test_fit_looks_for_zeros_in_its_inputs():
    x, y = data()
    for inputs, expected in ((x, 2), (x + 1.0, 0)):  # forward, and the gradient of the weights
        run_ = lg.fit(
            nn.Sequential(nn.Linear(90, 150), lg.functional.relu, nn.Linear(150, 3)),
            inputs, y, loss="cross_entropy", optimizer=optim.SGD(0.1), epochs=1, batch_size=70, progress=False,
        )  # fmt: skip
        text = lg.compile_report(run_, measure=False).stages_text()
        assert text.count("leaving out zeros") == expected, text


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_the_estimators_do_too():
    x, y = data()
    fitted = []
    for zeros in (False, True):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("lucidgrad.estimators.mlp.mostly_zeros", lambda _, zeros=zeros: zeros)
            fitted.append(lg.MLPClassifier((64,), max_iter=3, random_state=0, n_iter_no_change=9).fit(x, y))
    assert fitted[0].loss_curve_ == fitted[1].loss_curve_
    assert all(a.tobytes() == b.tobytes() for a, b in zip(fitted[0].coefs_, fitted[1].coefs_, strict=True))
