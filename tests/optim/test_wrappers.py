"""Clipping and regularisation are optimizers around optimizers."""

from collections.abc import Callable

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad import optim
from lucidgrad.errors import ArgumentError
from lucidgrad.optim import SGD, Optimizer, Params, Scalar, State, clipped, global_norm, regularized


def step(optimizer: Optimizer, w: dict[str, list[float]], g: dict[str, list[float]], dtype: type = np.float64) -> dict:
    params = {path: lg.Tensor(v, dtype=dtype) for path, v in w.items()}
    grads = {path: lg.tensor(v, dtype=dtype) for path, v in g.items()}
    new, _ = optimizer.update(params, grads, optimizer.init(params))
    return {path: p.numpy().tolist() for path, p in new.items()}


def test_a_long_gradient_is_shortened_over_all_parameters_together() -> None:
    moved = step(clipped(SGD(1.0), max_norm=1.0), {"a": [0.0], "b": [0.0]}, {"a": [30.0], "b": [-40.0]})
    assert moved["a"] == pytest.approx([-0.6], rel=1e-6)
    assert moved["b"] == pytest.approx([0.8], rel=1e-6)


def test_a_short_gradient_passes_with_the_same_bits() -> None:
    w, g = {"a": [0.3, 0.7]}, {"a": [0.1, -0.2]}
    assert step(clipped(SGD(0.1), max_norm=1.0), w, g) == step(SGD(0.1), w, g)
    assert step(clipped(SGD(0.1), max_value=1.0), w, g) == step(SGD(0.1), w, g)


def test_values_are_clipped_one_by_one() -> None:
    assert step(clipped(SGD(1.0), max_value=0.5), {"a": [0.0, 0.0]}, {"a": [0.25, -7.0]}) == {"a": [-0.25, 0.5]}


def test_a_gradient_whose_square_overflows_float32_is_clipped_to_its_direction() -> None:
    moved = step(clipped(SGD(1.0), max_norm=1.0), {"a": [0.0, 0.0]}, {"a": [3e30, 4e30]}, dtype=np.float32)
    assert moved["a"] == pytest.approx([-0.6, -0.8], rel=1e-6)


def test_an_infinite_gradient_stays_visible_when_clipped_by_norm() -> None:
    assert np.isnan(step(clipped(SGD(1.0), max_norm=1.0), {"a": [0.0, 0.0]}, {"a": [np.inf, 1.0]})["a"][0])


@pytest.mark.parametrize("shape", [(10, 7), (16, 5), (40, 30), (20,), (20, 3, 2)])
def test_the_global_norm_is_that_of_all_elements(shape: tuple[int, ...]) -> None:
    g = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    wanted = np.sqrt((g.astype(np.float64) ** 2).sum() + 4.0)
    assert float(global_norm({"g": lg.tensor(g), "h": lg.tensor([2.0])})) == pytest.approx(wanted, rel=1e-14)


def test_the_global_norm_of_nothing_is_0() -> None:
    assert float(global_norm({})) == 0.0


def test_the_penalty_adds_its_gradient() -> None:
    optimizer = regularized(SGD(1.0), l1=0.25, l2=0.5, exclude=())
    assert step(optimizer, {"w": [2.0, -2.0, 0.0]}, {"w": [0.0, 0.0, 0.0]}) == {"w": [0.75, -0.75, 0.0]}


def test_biases_are_left_alone_unless_asked_for() -> None:
    w = {"0.weight": [1.0], "0.bias": [1.0]}
    g = {"0.weight": [0.0], "0.bias": [0.0]}
    assert step(regularized(SGD(0.5), l2=1.0), w, g) == {"0.weight": [0.5], "0.bias": [1.0]}
    assert step(regularized(SGD(0.5), l2=1.0, exclude=()), w, g) == {"0.weight": [0.5], "0.bias": [0.5]}
    assert step(regularized(SGD(0.5), l2=1.0, exclude=["weight"]), w, g) == {"0.weight": [1.0], "0.bias": [0.5]}


def test_an_l1_penalty_brings_the_useless_weights_near_0() -> None:
    rng = np.random.default_rng(3)
    x = lg.tensor(rng.standard_normal((60, 4)), dtype=np.float64)
    y = x @ lg.tensor([2.0, 0.0, -1.0, 0.0], dtype=np.float64) + lg.tensor(0.1 * rng.standard_normal(60))
    optimizer = regularized(SGD(optim.cosine(0.1, 500)), l1=0.2)
    params = {"weight": lg.Tensor([0.5, 0.5, 0.5, 0.5], dtype=np.float64)}
    state = optimizer.init(params)
    for _ in range(500):
        w = lg.Tensor(params["weight"], dtype=np.float64)
        g = lg.grad(((x @ w - y) ** 2).mean(), w)
        params, state = optimizer.update(params, {"weight": g}, state)
    useful, useless = params["weight"].numpy()[[0, 2]], params["weight"].numpy()[[1, 3]]
    assert np.all(np.abs(useless) < 1e-3)
    assert np.all(np.abs(useful) > 0.5)


def test_a_wrapper_speaks_for_the_optimizer_inside() -> None:
    schedule = optim.exponential(1.0, 0.5)
    optimizer = clipped(regularized(optim.Adam(schedule), l2=0.1), max_norm=1.0)
    assert optimizer.learning_rate is schedule
    assert optimizer.learning_rate_at(2) == 0.25
    assert optimizer.init({"w": lg.Tensor([1.0])}).keys() == {"step", "m", "v"}
    assert not optimizer.full_batch
    assert repr(optimizer) == (
        "clipped(regularized(Adam(learning_rate=exponential(initial=1.0, factor=0.5), beta1=0.9, beta2=0.999, "
        "eps=1e-08), l1=0.0, l2=0.1, exclude=('bias',)), max_norm=1.0)"
    )


class Inspecting(Optimizer):
    """Keeps the gradients it is given."""

    learning_rate = 0.1

    def init(self, params: Params) -> State:
        return {}

    def update(
        self, params: Params, grads: Params, state: State, learning_rate: Scalar | None = None
    ) -> tuple[Params, State]:
        return grads, state


@pytest.mark.parametrize("keywords", [{"max_norm": 1.0}, {"max_value": 0.5}, {"l1": 0.1, "l2": 0.1}], ids=str)
def test_the_optimizer_inside_gets_gradients_without_history(keywords: dict[str, float]) -> None:
    wrap = regularized if "l1" in keywords else clipped
    w = {"w": lg.Tensor([1.0])}
    transformed, _ = wrap(Inspecting(), **keywords).update(w, {"w": lg.Tensor([3.0])}, {})
    assert transformed["w"].node is None
    assert not transformed["w"].requires_grad


MISTAKES: list[tuple[Callable[[], object], str]] = [
    (lambda: clipped(SGD()), "clipped expected either max_norm or max_value, got max_norm=None, max_value=None"),
    (lambda: clipped(SGD(), max_norm=1.0, max_value=1.0), "got max_norm=1.0, max_value=1.0. Pass one"),
    (lambda: clipped(SGD(), max_norm=0.0), r"clipped\(max_norm=...\) expected a number in \(0, inf\), got 0.0"),
    (lambda: clipped(SGD(), max_value=-1.0), r"clipped\(max_value=...\) expected a number in \(0, inf\), got -1.0"),
    (
        lambda: clipped(optim.LBFGS(), max_norm=1.0),
        r"clipped expected an optimizer that takes single steps, got LBFGS\(",
    ),
    (lambda: regularized(optim.LBFGS(), l2=1.0), r"regularized expected .* got LBFGS.* put the penalty into the loss"),
    (lambda: clipped("sgd", max_norm=1.0), "got 'sgd'"),  # type: ignore[arg-type]
    (lambda: regularized(SGD()), "regularized expected l1 or l2, got neither"),
    (lambda: regularized(SGD(), l1=-1.0), r"regularized\(l1=...\) expected a number in \[0, inf\), got -1.0"),
    (lambda: regularized(SGD(), l2=-1.0), r"regularized\(l2=...\)"),
    (lambda: regularized(SGD(), l2=1.0, exclude="bias"), r"names in a tuple, got 'bias'. Write exclude=\('bias',\)"),
]


@pytest.mark.parametrize(("make", "message"), MISTAKES, ids=[message[:40] for _, message in MISTAKES])
def test_an_argument_that_makes_no_sense_is_refused_with_advice(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        make()
