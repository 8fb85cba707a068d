"""Optimizers, clipping and schedules against PyTorch, in float64: 100 steps, to 1e-10 (schedules to 1e-12)."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad import optim
from lucidgrad.optim import Optimizer

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

SHAPES = {"0.weight": (5, 3), "0.bias": (5,), "scale": (), "empty": (0, 2)}
STEPS = 100

# Name: ours, and PyTorch's of the given parameters.
PAIRS: dict[str, tuple[Optimizer, Callable[[list[Any]], Any]]] = {
    "sgd": (optim.SGD(0.05), lambda p: torch.optim.SGD(p, 0.05)),
    "sgd, momentum": (optim.SGD(0.05, momentum=0.9), lambda p: torch.optim.SGD(p, 0.05, momentum=0.9)),
    "sgd, nesterov": (
        optim.SGD(0.05, momentum=0.9, nesterov=True),
        lambda p: torch.optim.SGD(p, 0.05, momentum=0.9, nesterov=True),
    ),
    "sgd, weight decay": (optim.SGD(0.05, weight_decay=0.1), lambda p: torch.optim.SGD(p, 0.05, weight_decay=0.1)),
    "sgd, all": (
        optim.SGD(0.05, momentum=0.8, nesterov=True, weight_decay=0.1),
        lambda p: torch.optim.SGD(p, 0.05, momentum=0.8, nesterov=True, weight_decay=0.1),
    ),
    "adam": (optim.Adam(0.02), lambda p: torch.optim.Adam(p, 0.02)),
    "adam, all": (
        optim.Adam(0.02, beta1=0.7, beta2=0.95, eps=0.1),
        lambda p: torch.optim.Adam(p, 0.02, betas=(0.7, 0.95), eps=0.1),
    ),
    "adam, l2": (
        optim.regularized(optim.Adam(0.02), l2=0.1, exclude=()),
        lambda p: torch.optim.Adam(p, 0.02, weight_decay=0.1),
    ),
    "adamw": (optim.AdamW(0.02), lambda p: torch.optim.AdamW(p, 0.02)),
    "adamw, all": (
        optim.AdamW(0.02, beta1=0.7, beta2=0.95, eps=0.1, weight_decay=0.3),
        lambda p: torch.optim.AdamW(p, 0.02, betas=(0.7, 0.95), eps=0.1, weight_decay=0.3),
    ),
    "rmsprop": (optim.RMSprop(0.01), lambda p: torch.optim.RMSprop(p, 0.01)),
    "rmsprop, alpha, eps": (
        optim.RMSprop(0.01, alpha=0.8, eps=0.1),
        lambda p: torch.optim.RMSprop(p, 0.01, alpha=0.8, eps=0.1),
    ),
    "rmsprop, momentum": (optim.RMSprop(0.01, momentum=0.7), lambda p: torch.optim.RMSprop(p, 0.01, momentum=0.7)),
    "rmsprop, centered": (optim.RMSprop(0.01, centered=True), lambda p: torch.optim.RMSprop(p, 0.01, centered=True)),
    "rmsprop, all": (
        optim.regularized(optim.RMSprop(0.01, alpha=0.8, eps=1e-3, momentum=0.7, centered=True), l2=0.1, exclude=()),
        lambda p: torch.optim.RMSprop(p, 0.01, alpha=0.8, eps=1e-3, momentum=0.7, centered=True, weight_decay=0.1),
    ),
    "adagrad": (optim.Adagrad(0.1), lambda p: torch.optim.Adagrad(p, 0.1)),
    "adagrad, all": (
        optim.regularized(
            optim.Adagrad(lambda step: 0.1 / (1 + 0.01 * step), initial_accumulator=0.5, eps=0.01), l2=0.1, exclude=()
        ),
        lambda p: torch.optim.Adagrad(p, 0.1, lr_decay=0.01, initial_accumulator_value=0.5, eps=0.01, weight_decay=0.1),
    ),
}
every_pair = pytest.mark.parametrize(("ours", "make_theirs"), PAIRS.values(), ids=PAIRS)


def starting_arrays(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {path: rng.standard_normal(shape) for path, shape in SHAPES.items()}


def ours_of(arrays: dict[str, np.ndarray]) -> dict[str, lg.Tensor]:
    return {path: lg.Tensor(a, dtype=np.float64) for path, a in arrays.items()}


def theirs_of(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    return {path: torch.tensor(a, requires_grad=True) for path, a in arrays.items()}


def assert_close(params: dict[str, lg.Tensor], variables: dict[str, Any]) -> None:
    for path, p in params.items():
        np.testing.assert_allclose(p.numpy(), variables[path].detach().numpy(), rtol=1e-10, err_msg=path)


@every_pair
def test_random_gradients_move_parameters_as_in_torch(ours: Optimizer, make_theirs: Callable[[list[Any]], Any]) -> None:
    arrays = starting_arrays(0)
    params, variables = ours_of(arrays), theirs_of(arrays)
    theirs = make_theirs(list(variables.values()))
    state = ours.init(params)
    for i in range(STEPS):
        grads = starting_arrays(100 + i)
        for path, v in variables.items():
            v.grad = torch.tensor(grads[path])
        theirs.step()
        params, state = ours.update(params, ours_of(grads), state)
        assert_close(params, variables)


@every_pair
def test_a_small_network_trains_as_in_torch(ours: Optimizer, make_theirs: Callable[[list[Any]], Any]) -> None:
    rng = np.random.default_rng(8)
    x = rng.standard_normal((20, 2))
    y = np.sin(x[:, :1]) + x[:, 1:] ** 2
    arrays = {
        "w1": rng.standard_normal((2, 6)),
        "b1": rng.standard_normal(6),
        "w2": rng.standard_normal((6, 1)),
        "b2": rng.standard_normal(1),
    }
    params, variables = ours_of(arrays), theirs_of(arrays)
    theirs = make_theirs(list(variables.values()))
    state = ours.init(params)

    def loss(p: dict[str, Any], x: Any, y: Any) -> Any:
        return (((x @ p["w1"] + p["b1"]).tanh() @ p["w2"] + p["b2"] - y) ** 2).mean()

    for _ in range(STEPS):
        theirs.zero_grad()
        loss(variables, torch.tensor(x), torch.tensor(y)).backward()
        theirs.step()
        leaves = {path: lg.Tensor(p, dtype=np.float64) for path, p in params.items()}
        found = lg.grad(
            loss(leaves, lg.tensor(x, dtype=np.float64), lg.tensor(y, dtype=np.float64)), list(leaves.values())
        )
        params, state = ours.update(params, dict(zip(leaves, found, strict=True)), state)
    assert_close(params, variables)


@pytest.mark.parametrize("size", [0.01, 1.0, 100.0])
def test_clipping_is_that_of_torch(size: float) -> None:
    arrays, grads = starting_arrays(1), {path: size * g for path, g in starting_arrays(2).items()}
    for keywords, clip in [
        ({"max_norm": 1.5}, lambda p: torch.nn.utils.clip_grad_norm_(p, 1.5)),
        ({"max_value": 0.5}, lambda p: torch.nn.utils.clip_grad_value_(p, 0.5)),
    ]:
        ours = optim.clipped(optim.SGD(0.1), **keywords)
        params, variables = ours_of(arrays), theirs_of(arrays)
        for path, v in variables.items():
            v.grad = torch.tensor(grads[path])
        clip(list(variables.values()))
        torch.optim.SGD(list(variables.values()), 0.1).step()
        assert_close(ours.update(params, ours_of(grads), ours.init(params))[0], variables)


def rates_of_torch(make: Callable[[Any], Any], steps: int, learning_rate: float = 0.3) -> list[float]:
    """What a torch scheduler sets, step by step."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*epoch parameter in .*scheduler.step.*")  # SequentialLR's own call
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], learning_rate)
        scheduler = make(optimizer)
        found = []
        for _ in range(steps):
            found.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if len(found) < steps:
                scheduler.step()
    return found


def warmed_up(optimizer: Any) -> Any:
    schedulers = torch.optim.lr_scheduler
    line = schedulers.LinearLR(optimizer, start_factor=1 / 11, total_iters=10)
    return schedulers.SequentialLR(optimizer, [line, schedulers.StepLR(optimizer, 20, 0.5)], milestones=[10])


SCHEDULES: dict[str, tuple[Callable[[int], float], Callable[[Any], Any]]] = {
    "constant": (optim.constant(0.3), lambda o: torch.optim.lr_scheduler.ConstantLR(o, factor=1.0)),
    "step_decay": (optim.step_decay(0.3, 7, 0.5), lambda o: torch.optim.lr_scheduler.StepLR(o, 7, 0.5)),
    "exponential": (optim.exponential(0.3, 0.97), lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.97)),
    "cosine": (optim.cosine(0.3, 100), lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 100)),
    "cosine, final": (
        optim.cosine(0.3, 100, 0.02),
        lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 100, eta_min=0.02),
    ),
    "warm_up": (optim.warm_up(optim.step_decay(0.3, 20, 0.5), 10), warmed_up),
    "one_cycle": (optim.one_cycle(0.3, 100), lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 0.3, total_steps=100)),
    "one_cycle, all": (
        optim.one_cycle(0.3, 100, rise=0.123, start_divisor=10.0, end_divisor=50.0),
        lambda o: torch.optim.lr_scheduler.OneCycleLR(
            o, 0.3, total_steps=100, pct_start=0.123, div_factor=10.0, final_div_factor=50.0
        ),
    ),
}


@pytest.mark.parametrize(("ours", "make_theirs"), SCHEDULES.values(), ids=SCHEDULES)
def test_a_schedule_has_the_curve_of_torch(ours: Callable[[int], float], make_theirs: Callable[[Any], Any]) -> None:
    expected = rates_of_torch(make_theirs, 100)
    np.testing.assert_allclose([ours(step) for step in range(100)], expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
@pytest.mark.parametrize("cooldown", [0, 3])
@pytest.mark.parametrize("sign", [1.0, -1.0], ids=["positive", "negative"])
def test_a_plateau_is_that_of_torch(mode: Any, threshold_mode: Any, cooldown: int, sign: float) -> None:
    keywords = {"factor": 0.5, "patience": 2, "threshold": 0.05, "threshold_mode": threshold_mode, "cooldown": cooldown}
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.4)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode, min_lr=0.4 * 1e-3, eps=0.0, **keywords)
    ours = optim.Plateau(mode, min_factor=1e-3, **keywords)
    state = ours.init()
    rng = np.random.default_rng(11)
    for i in range(100):
        metric = sign * (1 + 2 * np.exp(-i / 20) + 0.1 * rng.standard_normal()) if i != 50 else float("nan")
        theirs.step(metric)
        state = ours.update(state, metric)
        assert 0.4 * state["factor"] == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12)
    assert state["factor"] < 1
