"""Passes: each by its text before and after (golden/), and all together by the bits of what the graph computes."""

import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad import losses, nn, optim
from lucidgrad.compiler import interpret
from lucidgrad.compiler.passes import EXACT, NATIVE, cse, dead_code, expand, pipeline, simplify, turn
from lucidgrad.compiler.passes.constant_fold import constant_fold
from lucidgrad.errors import ArgumentError, ShapeError
from lucidgrad.graph import Graph, Instruction
from lucidgrad.ops import TABLE, Op, Spec, arithmetic, shapes
from lucidgrad.ops.codegen import Elementwise
from lucidgrad.training.step import trace_step
from tests.ops.samples import SAMPLES, Sample

PASSES = {p.__name__: p for p in (simplify, constant_fold, cse, dead_code, expand, turn, pipeline)}
GOLDEN = Path(__file__).parent / "golden"
SPECIAL = (np.nan, np.inf, -np.inf, -0.0, 0.0, 1.0, -1.0, 1e-40, 3e38)


def golden() -> list[Any]:
    """The cases of each file: a title, the graph before, and the graph after the pass that the file is named after."""
    cases = []
    for path in sorted(GOLDEN.glob("*.txt")):
        for case in path.read_text().split("\n\n"):
            title, _, text = case.strip().partition("\n")
            before, _, after = text.partition("\n-->\n")
            cases.append(pytest.param(path.stem, before, after, id=f"{path.stem}: {title.strip('# ')}"))
    return cases


def assert_same(got: list[Any], expected: list[Any]) -> None:
    """Bit by bit; of NaN only that it is one."""
    for a, b in zip(got, expected, strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        np.testing.assert_array_equal(a, b)
        if b.dtype.kind == "f":
            numbers = ~np.isnan(b)
            np.testing.assert_array_equal(np.signbit(a)[numbers], np.signbit(b)[numbers])


def arrays_for(graph: Graph, seed: int, special: bool = False) -> list[Any]:
    """Inputs for a graph; with ``special``, a third of the floats are NaN, infinities, zeros and the like."""
    rng = np.random.default_rng(seed)
    arrays = []
    for value in graph.inputs:
        if value.dtype.kind == "f":
            x = rng.normal(size=value.shape)
            odd = rng.choice(SPECIAL, size=value.shape)
            with np.errstate(over="ignore"):
                arrays.append(np.asarray(np.where(rng.random(value.shape) < special / 3, odd, x)).astype(value.dtype))
        else:
            arrays.append(rng.integers(0, 2, size=value.shape).astype(value.dtype))
    return arrays


MODELS: dict[str, Any] = {
    "relu, SGD": lambda: (nn.Sequential(nn.Linear(4, 8), lg.functional.relu, nn.Linear(8, 3)), optim.SGD(0.1)),
    "tanh, clipped Adam": lambda: (
        nn.Sequential(nn.Linear(4, 8), lg.functional.tanh, nn.Linear(8, 3)),
        optim.clipped(optim.Adam(0.1), max_norm=1.0),
    ),
    "gelu, dropout, momentum": lambda: (
        nn.Sequential(nn.Linear(4, 8), lg.functional.gelu, nn.Dropout(0.5), nn.Linear(8, 3)),
        optim.SGD(0.1, momentum=0.9),
    ),
    "norms, AdamW": lambda: (
        nn.Sequential(nn.Linear(4, 8), nn.BatchNorm(8), lg.functional.relu, nn.LayerNorm(8), nn.Linear(8, 3)),
        optim.AdamW(0.1),
    ),
    "sigmoid, RMSprop": lambda: (
        nn.Sequential(nn.Linear(4, 8), lg.functional.sigmoid, nn.Linear(8, 3)),
        optim.RMSprop(0.1),
    ),
}
LOSSES: dict[str, Any] = {
    "cross-entropy": losses.CrossEntropy(),
    "smoothed": losses.CrossEntropy(label_smoothing=0.1),
    "squared error": losses.SquaredError(),
    "Huber": losses.Huber(),
}


def step_graph(model: str, loss: str, batch: int = 5) -> Graph:
    lg.seed(0)
    network, optimizer = MODELS[model]()
    x = lg.tensor(np.zeros((batch, 4)))
    y = lg.tensor(np.zeros(batch, int)) if isinstance(LOSSES[loss], losses.CrossEntropy) else lg.zeros((batch, 3))
    return trace_step(network, LOSSES[loss], optimizer, optimizer.init(network.parameters()), (x, y, None)).graph


every_step = pytest.mark.parametrize(("model", "loss"), [(m, k) for m in MODELS for k in LOSSES])


@pytest.mark.parametrize(("name", "before", "after"), golden())
def test_a_pass_makes_the_graph_that_is_written_down(name: str, before: str, after: str):
    graph = Graph.parse(before)
    result = PASSES[name](graph)
    result.verify()
    assert str(result) == after
    assert str(graph) == before  # the pass has made a new one


@pytest.mark.parametrize(("name", "before", "after"), [c for c in golden() if "What fails" not in str(c.id)])
def test_what_is_written_down_computes_the_same(name: str, before: str, after: str):
    graph, result = Graph.parse(before), Graph.parse(after)
    for seed in range(3):
        inputs = arrays_for(graph, seed, special=name != "expand")
        if name == "expand":
            for got, expected in zip(interpret(result, *inputs), interpret(graph, *inputs), strict=True):
                np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6)
        else:
            assert_same(interpret(result, *inputs), interpret(graph, *inputs))


@every_step
@pytest.mark.parametrize("special", [False, True], ids=["numbers", "special numbers"])
def test_a_training_step_keeps_every_bit(model: str, loss: str, special: bool):
    graph = step_graph(model, loss)
    result = pipeline(graph)
    for seed in range(2):
        inputs = arrays_for(graph, seed, special)
        assert_same(interpret(result, *inputs), interpret(graph, *inputs))


@every_step
def test_a_training_step_for_machine_code_keeps_its_digits(model: str, loss: str):
    graph = step_graph(model, loss)
    result = pipeline(graph, NATIVE)
    inputs = arrays_for(graph, 3)
    for got, expected in zip(interpret(result, *inputs), interpret(graph, *inputs), strict=True):
        np.testing.assert_allclose(got, expected, rtol=2e-4, atol=2e-5)


ALL = [pytest.param(name, s, id=f"{name}: {s.name}") for name, samples in SAMPLES.items() for s in samples]


@pytest.mark.parametrize(("name", "sample"), ALL)
def test_every_op_keeps_every_bit(name: str, sample: Sample):
    """With all inputs given when it runs, with all but one known before, and with all known."""
    known = [i for i, x in enumerate(sample.inputs) if isinstance(x, np.ndarray)]
    for given in (known, known[:1], known[1:], []):
        graph = Graph()
        arrays = [x for i, x in enumerate(sample.inputs) if i in given]
        inputs = [graph.input(Spec(x.shape, x.dtype)) if i in given else x for i, x in enumerate(sample.inputs)]
        graph.outputs = [graph.record(TABLE[name], tuple(inputs), sample.attrs)]
        result = pipeline(graph)
        assert_same(interpret(result, *arrays), interpret(graph, *arrays))
        again = [with_special(x) for x in arrays]
        assert_same(interpret(result, *again), interpret(graph, *again))


NUMBERS = (0.0, -0.0, 1.0, -1.0, 1, 2, 8.0, 0.5, np.nan, np.inf)
BINARY = ("add", "subtract", "multiply", "divide", "maximum", "minimum")
UNARY = ("negative", "sqrt", "exp", "relu", "absolute", "sign", "tanh")


class RandomProgram:
    """A graph of random ops on few small shapes, so that much in it is alike, stretched, constant, or undone again."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.graph = Graph()
        given = ((), (3,), (2, 3), (1, 3), (2, 1))
        self.values: list[Any] = [self.graph.input(Spec(s, np.dtype(np.float32))) for s in given]
        for _ in range(12):
            getattr(self, str(self.rng.choice(["binary", "unary", "power", "where", "move", "reduce", "cast"])))()
        picked = self.rng.choice(len(self.values), 4)
        self.graph.outputs = [self.values[i] for i in picked] + self.values[-1:]

    def record(self, name: str, *inputs: Any, **attrs: Any) -> None:
        """Write it down, unless its shapes do not fit."""
        with suppress(ShapeError):
            self.values.append(self.graph.record(TABLE[name], inputs, attrs))

    def value(self) -> Any:
        return self.values[self.rng.integers(len(self.values))]

    def operand(self) -> Any:
        number = NUMBERS[self.rng.integers(len(NUMBERS))]
        constant = np.full(self.value().shape, number, np.float32)
        return (self.value(), self.value(), number, constant)[self.rng.integers(4)]

    def binary(self) -> None:
        inputs = (self.value(), self.operand())
        self.record(str(self.rng.choice(BINARY)), *(inputs if self.rng.random() < 0.5 else inputs[::-1]))

    def unary(self) -> None:
        self.record(str(self.rng.choice(UNARY)), self.value())

    def power(self) -> None:
        self.record("power", self.value(), (0, 1, 2, 0.5, -1, 3.0)[self.rng.integers(6)])

    def where(self) -> None:
        masks = (np.array(True), np.array([[False], [False]]), np.array([True, False, True]))
        x = self.value()
        self.record("where", masks[self.rng.integers(3)], x, x if self.rng.random() < 0.5 else self.operand())

    def move(self) -> None:
        x = self.value()
        if self.rng.random() < 0.4:
            self.record("broadcast_to", x, shape=self.value().shape)
        elif self.rng.random() < 0.5:
            self.record("reshape", x, shape=(1, *x.shape) if x.ndim < 2 else x.shape[::-1])
        else:
            y = self.graph.record(TABLE["transpose"], (x,), {"order": tuple(range(x.ndim))[::-1]})
            self.record("transpose", y, order=tuple(range(x.ndim))[::-1])

    def reduce(self) -> None:
        x = self.value()
        axes: list[Any] = [None, (), *range(-x.ndim, x.ndim)]
        axis = axes[self.rng.integers(len(axes))]
        self.record(str(self.rng.choice(["sum", "max", "prod"])), x, axis=axis, keepdims=bool(self.rng.random() < 0.5))

    def cast(self) -> None:
        wide = self.graph.record(TABLE["cast"], (self.value(),), {"dtype": np.dtype(np.float64)})
        self.record("cast", wide, dtype=np.dtype(np.float32))


@pytest.mark.parametrize("hundred", range(4))
def test_random_programs_keep_every_bit(hundred: int):
    for seed in range(hundred * 100, hundred * 100 + 100):
        graph = RandomProgram(seed).graph
        result = pipeline(graph)
        assert len(result.instructions) <= len(graph.instructions)
        assert str(Graph.parse(result.text(full=True))) == str(result)
        inputs = arrays_for(graph, seed, special=True)
        assert_same(interpret(result, *inputs), interpret(graph, *inputs))


def with_special(x: Any) -> Any:
    if x.dtype.kind != "f":
        return x
    return np.resize(np.array(SPECIAL), x.shape)


def test_a_step_is_simplified_in_little_time():
    graph = step_graph("norms, AdamW", "cross-entropy")
    assert len(graph.instructions) > 200
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        pipeline(graph)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.05  # 6 ms on the machine it was written on


def test_no_cotangent_is_stretched_only_to_be_multiplied():
    names = [i.op.name for i in pipeline(step_graph("norms, AdamW", "cross-entropy")).instructions]
    assert "broadcast_to" not in names


def test_the_pipeline_shows_each_pass_to_an_observer():
    graph = Graph.parse("inputs %0: float32[]\n%1: float32[] = divide(%0, 1)\noutputs %1")
    seen: list[tuple[str, str, str]] = []
    result = pipeline(graph, NATIVE, observe=lambda name, before, after: seen.append((name, str(before), str(after))))
    assert [name for name, _, _ in seen] == ["expand", "simplify", "turn", "cse", "dead_code"]
    assert seen[0][1] == str(graph)
    assert seen[-1][2] == str(result) == "inputs %0: float32[]\noutputs %0"
    assert all(a[2] == b[1] for a, b in pairwise(seen))
    assert [p for p in NATIVE[1:] if p is not turn] == list(EXACT)


def test_the_pipeline_finds_a_pass_that_makes_an_unsound_graph():
    def wrong(graph: Graph) -> Graph:
        total = graph.instructions[0]
        graph.instructions[0] = Instruction(total.op, total.inputs, {"axis": 1}, total.output)
        return graph

    graph = Graph.parse("inputs %0: float32[2, 3]\n%1: float32[3] = sum(%0, axis=0)\noutputs %1")
    with pytest.raises(ArgumentError, match="The pass before this check made an ill-typed instruction"):
        pipeline(graph, [wrong])


def test_an_op_from_outside_is_not_taken_for_elementwise_by_its_shapes():
    running = Op("running", lambda x: np.cumsum(x, -1), shapes.elementwise)
    ours = Op("ours", lambda x: x * x, shapes.elementwise, codegen=Elementwise(lambda c, x: c.mul(x, x)))
    for op, expected in ((running, [1.0, 2.0, 3.0]), (ours, [1.0, 1.0, 1.0])):
        graph = Graph()
        x = graph.input(Spec((), np.dtype(np.float32)))
        wide = graph.record(TABLE["broadcast_to"], (x,), {"shape": (3,)})
        graph.outputs = [graph.record(op, (wide,), {})]
        result = pipeline(graph)
        assert interpret(result, np.float32(1))[0].tolist() == expected
    assert [i.op.name for i in result.instructions] == ["ours", "broadcast_to"]


def test_attrs_that_the_passes_do_not_know_are_left_apart():
    shifted = Op("shifted", lambda x, *, by: x + by[0], lambda x, *, by: x)
    graph = Graph()
    x = graph.input(Spec((2,), np.dtype(np.float32)))
    graph.outputs = [graph.record(shifted, (x,), {"by": np.array([n], np.float32)}) for n in (1, 1)]
    assert len(cse(graph).instructions) == 2


def test_large_constants_of_equal_bits_are_one():
    graph = Graph()
    x = graph.input(Spec((500,), np.dtype(np.float32)))
    constant = np.arange(500, dtype=np.float32)
    graph.outputs = [graph.record(arithmetic.add, (x, c), {}) for c in (constant, constant.copy(), constant + 1)]
    result = cse(graph)
    assert [str(v) for v in result.outputs] == ["%1", "%1", "%2"]
