"""What each update rule does in particular, its cost in ops, and the arguments it refuses."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad import optim
from lucidgrad.compiler import flatten, trace
from lucidgrad.errors import ArgumentError, TracingError
from lucidgrad.optim import Optimizer


def run(optimizer: Optimizer, w: float, grads: list[float]) -> list[float]:
    """The values that one float64 number takes."""
    params = {"w": lg.Tensor(w, dtype=np.float64)}
    state = optimizer.init(params)
    values = []
    for g in grads:
        params, state = optimizer.update(params, {"w": lg.tensor(g, dtype=np.float64)}, state)
        values.append(float(params["w"]))
    return values


def ops_of_an_update(optimizer: Optimizer, count: int) -> int:
    """How many ops an update of ``count`` parameters takes."""
    params = {str(i): lg.Tensor(np.ones(3), dtype=np.float64) for i in range(count)}
    state = optimizer.init(params)

    def update(*leaves: lg.Tensor) -> object:
        values = iter(leaves)
        p, g = ({path: next(values) for path in params} for _ in range(2))
        s = {k: {path: next(values) for path in v} if isinstance(v, dict) else next(values) for k, v in state.items()}
        return optimizer.update(p, g, s, next(values))

    leaves = flatten([params, params, state])
    return len(trace(update, *leaves, lg.tensor(0.1, dtype=np.float64)).instructions)


@pytest.mark.parametrize(
    ("optimizer", "ops"),
    [
        (optim.SGD(), 2),
        (optim.SGD(momentum=0.9), 4),
        (optim.SGD(momentum=0.9, nesterov=True), 6),
        (optim.Adam(), 12),
        (optim.AdamW(), 13),
        (optim.RMSprop(), 9),
        (optim.Adagrad(), 7),
        (optim.Lion(), 9),
    ],
    ids=repr,
)
def test_a_further_parameter_costs_few_ops(optimizer: Optimizer, ops: int) -> None:
    assert ops_of_an_update(optimizer, 5) - ops_of_an_update(optimizer, 4) == ops


@pytest.mark.parametrize("optimizer", [optim.SGD(), optim.Adam()], ids=repr)
def test_what_changes_with_the_step_is_computed_once_for_all_parameters(optimizer: Optimizer) -> None:
    assert ops_of_an_update(optimizer, 0) <= 9


def test_the_whole_set_at_a_small_rate_goes_downhill_at_every_step() -> None:
    values = [1.0]
    for _ in range(20):
        values += run(optim.SGD(0.1), values[-1], [2 * values[-1]])
    assert all(0 < after < before for before, after in pairwise(values))


def test_momentum_goes_on_after_the_gradient_is_gone() -> None:
    assert run(optim.SGD(0.5, momentum=0.5), 1.0, [1.0, 0.0, 0.0]) == [0.5, 0.25, 0.125]


def test_nesterov_steps_further_than_momentum_at_first() -> None:
    assert run(optim.SGD(0.5, momentum=0.5, nesterov=True), 1.0, [1.0]) == [0.25]


def test_the_first_step_of_adam_has_the_length_of_the_learning_rate() -> None:
    for g in (1e-3, 1.0, 1e3):
        assert run(optim.Adam(0.1, eps=0.0), 1.0, [g]) == pytest.approx([0.9], rel=1e-14)


def test_adam_without_a_gradient_stays_where_it_is() -> None:
    assert run(optim.Adam(0.1), 1.0, [0.0, 0.0]) == [1.0, 1.0]


def test_the_decay_of_adamw_does_not_depend_on_the_gradient() -> None:
    with_decay = run(optim.AdamW(0.1, weight_decay=0.5), 1.0, [1e3])[0]
    without = run(optim.AdamW(0.1, weight_decay=0.0), 1.0, [1e3])[0]
    assert without - with_decay == pytest.approx(0.05, rel=1e-12)


def test_adamw_without_decay_is_adam() -> None:
    grads = list(np.random.default_rng(0).standard_normal(10))
    assert run(optim.AdamW(0.1, weight_decay=0.0), 1.0, grads) == run(optim.Adam(0.1), 1.0, grads)


def test_centered_rmsprop_survives_constant_gradients() -> None:
    """Their variance is 0 up to rounding, which makes it negative for some."""
    optimizer = optim.RMSprop(1e-6, alpha=0.5, centered=True)
    params, grads = {"w": lg.Tensor(np.ones(200))}, {"w": lg.tensor(np.linspace(0.01, 1, 200))}
    state = optimizer.init(params)
    for _ in range(100):
        params, state = optimizer.update(params, grads, state)
    assert (state["s"]["w"] - state["n"]["w"] ** 2).numpy().min() < 0
    assert np.isfinite(params["w"].numpy()).all()


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_lion_is_the_algorithm_of_its_paper(weight_decay: float) -> None:
    rng = np.random.default_rng(2)
    optimizer = optim.Lion(0.01, beta1=0.85, beta2=0.97, weight_decay=weight_decay)
    theta, m = rng.standard_normal((4, 3)), np.zeros((4, 3))
    params = {"w": lg.Tensor(theta, dtype=np.float64)}
    state = optimizer.init(params)
    for _ in range(100):
        g = rng.standard_normal((4, 3))
        # Chen et al. 2023, Algorithm 2, line by line.
        c = 0.85 * m + (1 - 0.85) * g
        theta = theta - 0.01 * (np.sign(c) + weight_decay * theta)
        m = 0.97 * m + (1 - 0.97) * g
        params, state = optimizer.update(params, {"w": lg.tensor(g, dtype=np.float64)}, state)
    np.testing.assert_allclose(params["w"].numpy(), theta, rtol=1e-12)
    np.testing.assert_allclose(state["m"]["w"].numpy(), m, rtol=1e-12)


def test_a_schedule_is_asked_for_the_number_of_the_step() -> None:
    asked = []

    def schedule(step: int) -> float:
        asked.append(step)
        return 0.5

    run(optim.SGD(schedule), 1.0, [1.0, 1.0, 1.0])
    assert asked == [0, 1, 2]


def test_the_learning_rate_at_a_step_is_a_plain_number() -> None:
    assert optim.SGD(1).learning_rate_at(7) == 1.0
    assert type(optim.SGD(1).learning_rate_at(7)) is float
    assert optim.SGD(optim.exponential(1.0, 0.5)).learning_rate_at(3) == 0.125


@pytest.mark.parametrize("rate", [-0.1, float("nan"), float("inf")])
def test_a_schedule_that_leaves_the_numbers_is_caught(rate: float) -> None:
    with pytest.raises(ArgumentError, match=r"finite number of at least 0, got (-0.1|nan|inf) at step 3. Look at"):
        optim.SGD(lambda step: rate).learning_rate_at(3)


def test_a_schedule_cannot_be_asked_while_traced_and_the_error_says_what_to_do() -> None:
    optimizer = optim.SGD(optim.cosine(0.1, 10))
    w = lg.Tensor([1.0])

    def update(w: lg.Tensor, step: lg.Tensor) -> object:
        return optimizer.update({"w": w}, {"w": w}, {"step": step})

    with pytest.raises(TracingError, match=r"Pass the rate as an input: update\(.*learning_rate=rate"):
        trace(update, w, lg.tensor(0.0, dtype=np.float64))


def test_a_constant_learning_rate_can_be_traced_as_it_is() -> None:
    optimizer = optim.SGD(0.1)
    graph = trace(
        lambda w, step: optimizer.update({"w": w}, {"w": w}, {"step": step}), lg.Tensor([1.0]), lg.tensor(0.0)
    )
    assert "multiply(0.1, %0)" in str(graph)


def test_an_optimizer_cannot_be_changed_while_it_is_used() -> None:
    with pytest.raises(AttributeError, match="learning_rate"):
        optim.SGD(0.1).learning_rate = 0.2  # type: ignore[misc]


def test_a_saved_slot_for_another_parameter_is_refused() -> None:
    optimizer = optim.Adam()
    params = {"a": lg.Tensor([1.0])}
    with pytest.raises(ArgumentError, match=r"\['m', 'v'\] for each of \['a'\], got \{'step': '...', 'm': \['b'\]"):
        optimizer.update(params, params, optimizer.init({"b": lg.Tensor([1.0])}))


NAN = float("nan")

MISTAKES: list[tuple[Callable[[], object], str]] = [
    (
        lambda: optim.SGD(-0.1),
        r"SGD\(learning_rate=...\) expected a number in \[0, inf\), got -0.1. Pass a number such",
    ),
    (lambda: optim.SGD(NAN), r"SGD\(learning_rate=...\) .* got nan"),
    (lambda: optim.SGD("fast"), r"SGD\(learning_rate=...\) .* got 'fast'"),  # type: ignore[arg-type]
    (lambda: optim.SGD(True), r"SGD\(learning_rate=...\) .* got True"),
    (lambda: optim.SGD(momentum=1.0), r"SGD\(momentum=...\) expected a number in \[0, 1\), got 1.0. 0 is plain"),
    (lambda: optim.SGD(weight_decay=-1.0), r"SGD\(weight_decay=...\) expected a number in \[0, inf\), got -1.0"),
    (lambda: optim.SGD(nesterov=True), r"SGD\(nesterov=True\) expected momentum, got momentum=0"),
    (lambda: optim.Adam(-1.0), r"Adam\(learning_rate=...\)"),
    (lambda: optim.Adam(beta1=1.0), r"Adam\(beta1=...\) expected a number in \[0, 1\), got 1.0. It is the share"),
    (lambda: optim.Adam(beta2=-0.1), r"Adam\(beta2=...\) expected a number in \[0, 1\), got -0.1. It is the share"),
    (lambda: optim.Adam(eps=-1e-8), r"Adam\(eps=...\) expected a number in \[0, inf\), got -1e-08. It keeps"),
    (lambda: optim.AdamW(beta1=2), r"AdamW\(beta1=...\)"),
    (lambda: optim.AdamW(weight_decay=-0.1), r"AdamW\(weight_decay=...\) .* got -0.1. 0 is Adam"),
    (lambda: optim.RMSprop(-1.0), r"RMSprop\(learning_rate=...\)"),
    (lambda: optim.RMSprop(alpha=1.5), r"RMSprop\(alpha=...\) expected a number in \[0, 1\), got 1.5"),
    (lambda: optim.RMSprop(eps=-1.0), r"RMSprop\(eps=...\)"),
    (lambda: optim.RMSprop(momentum=1.0), r"RMSprop\(momentum=...\)"),
    (lambda: optim.Adagrad(-1.0), r"Adagrad\(learning_rate=...\)"),
    (lambda: optim.Adagrad(initial_accumulator=-1.0), r"Adagrad\(initial_accumulator=...\) .* It is a sum of squares"),
    (lambda: optim.Adagrad(eps=-1.0), r"Adagrad\(eps=...\)"),
    (lambda: optim.Lion(-1.0), r"Lion\(learning_rate=...\)"),
    (lambda: optim.Lion(beta1=1.0), r"Lion\(beta1=...\)"),
    (lambda: optim.Lion(beta2=1.0), r"Lion\(beta2=...\)"),
    (lambda: optim.Lion(weight_decay=-1.0), r"Lion\(weight_decay=...\)"),
    (lambda: optim.LBFGS(max_iterations=0), r"LBFGS\(max_iterations=...\) expected an integer of at least 1, got 0"),
    (lambda: optim.LBFGS(history_size=2.5), r"LBFGS\(history_size=...\) .* got 2.5"),  # type: ignore[arg-type]
    (lambda: optim.LBFGS(gradient_tolerance=-1), r"LBFGS\(gradient_tolerance=...\)"),
    (lambda: optim.LBFGS(loss_tolerance=NAN), r"LBFGS\(loss_tolerance=...\)"),
]


@pytest.mark.parametrize(("make", "message"), MISTAKES, ids=[message.split(" ")[0] for _, message in MISTAKES])
def test_an_argument_that_makes_no_sense_is_refused_with_advice(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        make()
