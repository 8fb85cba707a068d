"""The whole training step, traced as one graph, is the same mathematics as the eager one."""

from __future__ import annotations

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad import losses, nn, optim
from lucidgrad.compiler import flatten, interpret
from lucidgrad.training.step import assign, trace_step, training_step

OPTIMIZERS = [optim.SGD(0.05, momentum=0.9), optim.Adam(0.01), optim.clipped(optim.AdamW(0.01), max_norm=0.5)]


def network() -> nn.Module:
    with lg.use_key(lg.Key(3)):
        return nn.Sequential(
            nn.Linear(5, 8, dtype=np.float64),
            nn.BatchNorm(8, dtype=np.float64),
            lg.functional.tanh,
            nn.Dropout(0.25),
            nn.Linear(8, 3, dtype=np.float64),
        )


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_fifty_traced_steps_equal_fifty_eager_steps(optimizer: optim.Optimizer, weighted: bool) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((50, 12, 5)), rng.integers(0, 3, (50, 12))
    weight = lg.tensor(rng.random(12), dtype=np.float64) if weighted else None
    model, loss = network(), losses.CrossEntropy(label_smoothing=0.1)
    parameters, buffers = model.parameters(), model.buffers()
    state = optimizer.init(parameters)

    def batch(i: int) -> tuple[lg.Tensor, lg.Tensor, lg.Tensor | None]:
        return lg.tensor(x[i], dtype=np.float64), lg.tensor(y[i]), weight

    graph = trace_step(model, loss, optimizer, state, batch(0)).graph
    values = [t.numpy() for t in (*parameters.values(), *buffers.values(), *flatten(state))]
    weights = [] if weight is None else [weight.numpy()]
    count, key = len(values), lg.Key(0)
    for i in range(50):
        number, rate = np.asarray(i, np.uint64), np.asarray(optimizer.learning_rate_at(i))
        value, *rest = interpret(graph, *values, x[i], y[i], *weights, key.words.numpy(), number, rate)
        values = rest[-count:]
        result = training_step(model, loss, optimizer, parameters, state, batch(i), key.fold_in(i), float(rate))
        assign(parameters, result.parameters)
        state = result.optimizer_state
        assert float(value) == pytest.approx(float(result.forward.loss), rel=1e-12)
    eager = [t.numpy() for t in (*parameters.values(), *buffers.values(), *flatten(state))]
    for a, b in zip(values, eager, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


def test_tracing_leaves_the_model_as_it_was() -> None:
    model = network()
    before = {name: (value, id(value)) for name, value in model.state().items()}
    optimizer = optim.SGD(0.1)
    batch = (lg.Tensor.wrap(np.zeros((4, 5))), lg.Tensor.wrap(np.zeros(4, np.int64)), None)
    trace_step(model, losses.CrossEntropy(), optimizer, optimizer.init(model.parameters()), batch)
    for name, value in model.state().items():
        assert id(value) == before[name][1]


def test_a_step_is_pure_but_for_the_buffers() -> None:
    model = network()
    optimizer = optim.Adam(0.1)
    parameters = model.parameters()
    state = optimizer.init(parameters)
    before = {name: p.numpy().copy() for name, p in parameters.items()}
    batch = (lg.Tensor.wrap(np.ones((4, 5))), lg.Tensor.wrap(np.zeros(4, np.int64)), None)
    a = training_step(model, losses.CrossEntropy(), optimizer, parameters, state, batch, lg.Key(1), 0.1)
    b = training_step(model, losses.CrossEntropy(), optimizer, parameters, state, batch, lg.Key(1), 0.1)
    for name, p in parameters.items():
        np.testing.assert_array_equal(p.numpy(), before[name])
        np.testing.assert_array_equal(a.parameters[name].numpy(), b.parameters[name].numpy())
