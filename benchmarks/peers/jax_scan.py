"""JAX: a whole epoch is one jitted call, a scan over the minibatches that gathers its rows inside."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.cases import Case, Data
from benchmarks.peers.peer import Array, Trainer

Parameters = list[tuple[Any, Any]]


def prepare(case: Case, data: Data, threads: int, seed: int) -> Trainer:
    """The number of threads was set in the environment, before JAX was loaded."""
    return ScanTrainer(case, data, seed)


class ScanTrainer(Trainer):
    def __init__(self, case: Case, data: Data, seed: int) -> None:
        self.case, self.rng = case, np.random.default_rng(seed)
        self.x, self.y = jnp.asarray(data.x), jnp.asarray(data.y.astype(np.int32))
        parameters = network(case, self.rng)
        zeros = jax.tree.map(jnp.zeros_like, parameters)
        self.state = (
            (parameters, zeros, jax.tree.map(jnp.copy, zeros), jnp.zeros(()))
            if case.optimizer == "Adam"
            else (parameters,)
        )
        self.run = jax.jit(partial(epoch, case), donate_argnums=0)
        self.predict = jax.jit(logits)

    def epoch(self) -> float:
        order = self.rng.permutation(self.case.rows).astype(np.int32)
        self.state, loss = self.run(self.state, self.x, self.y, order)
        return float(loss)  # waits

    def scores(self, x: Array) -> Array:
        return np.asarray(self.predict(self.state[0], x))


def network(case: Case, rng: np.random.Generator) -> Parameters:
    def uniform(inputs: int, *shape: int) -> Any:
        return jnp.asarray(rng.uniform(-(inputs**-0.5), inputs**-0.5, shape).astype(np.float32))

    return [(uniform(i, i, o), uniform(i, o)) for i, o in case.layers]


def logits(parameters: Parameters, x: Any) -> Any:
    for weight, bias in parameters[:-1]:
        x = jax.nn.relu(x @ weight + bias)
    weight, bias = parameters[-1]
    return x @ weight + bias


def loss_of(parameters: Parameters, x: Any, y: Any) -> Any:
    scores = logits(parameters, x)
    picked = jnp.sum(scores * jax.nn.one_hot(y, scores.shape[1], dtype=scores.dtype), axis=1)
    return jnp.mean(jax.nn.logsumexp(scores, axis=1) - picked)


def epoch(case: Case, state: Any, x: Any, y: Any, order: Any) -> tuple[Any, Any]:
    rule = {"SGD": sgd, "Adam": adam}[case.optimizer]

    def step(state: Any, index: Any) -> tuple[Any, Any]:
        rows, labels = (a.at[index].get(mode="promise_in_bounds", unique_indices=True) for a in (x, y))
        loss, gradients = jax.value_and_grad(loss_of)(state[0], rows, labels)
        return rule(case.learning_rate, state, gradients), loss * len(index)

    full = case.rows // case.batch * case.batch
    state, losses = lax.scan(step, state, order[:full].reshape(-1, case.batch))
    total = jnp.sum(losses)
    if full < case.rows:
        state, loss = step(state, order[full:])
        total += loss
    return state, total / case.rows


def sgd(rate: float, state: Any, gradients: Any) -> Any:
    return (jax.tree.map(lambda p, g: p - rate * g, state[0], gradients),)


def adam(rate: float, state: Any, gradients: Any) -> Any:
    parameters, first, second, steps = state
    steps = steps + 1
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradients)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradients)
    scale1, scale2 = 1 / (1 - 0.9**steps), 1 / (1 - 0.999**steps)
    update = lambda p, m, v: p - rate * scale1 * m / (jnp.sqrt(scale2 * v) + 1e-8)  # noqa: E731
    return jax.tree.map(update, parameters, first, second), first, second, steps
