"""What every optimizer promises: it converges, is pure, can be saved, keeps dtypes, can be traced, hides no NaN."""

import inspect
import io
import sys
from collections.abc import Callable, Iterator

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad import optim
from lucidgrad.compiler import flatten, interpret, trace
from lucidgrad.optim import Optimizer, Params, State
from tests.optim.samples import SAMPLES, STEPPING

every_optimizer = pytest.mark.parametrize("optimizer", SAMPLES.values(), ids=SAMPLES)
every_stepping_optimizer = pytest.mark.parametrize("optimizer", STEPPING.values(), ids=STEPPING)
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])

Problem = tuple[Params, Callable[[Params], lg.Tensor]]
SHAPES = {"0.weight": (4, 3), "0.bias": (4,), "scale": (), "empty": (0, 2)}


def quadratic(dtype: type) -> Problem:
    """Curvatures from 0.2 to 2."""
    curvature, center = lg.tensor([0.2, 0.5, 1.0, 2.0], dtype=dtype), lg.tensor([1.0, -2.0, 0.5, 0.0], dtype=dtype)
    params = {"w": lg.Tensor([3.0, 1.0, -1.0, 2.0], dtype=dtype)}
    return params, lambda p: (curvature * (p["w"] - center) ** 2).sum() / 2


def regression(dtype: type) -> Problem:
    rng = np.random.default_rng(5)
    x = rng.standard_normal((40, 3))
    y = x @ [1.0, -2.0, 0.5] + 0.7
    inputs, targets = lg.tensor(x, dtype=dtype), lg.tensor(y, dtype=dtype)
    params = {"weight": lg.Tensor([0.0, 0.0, 0.0], dtype=dtype), "bias": lg.Tensor(0.0, dtype=dtype)}
    return params, lambda p: ((inputs @ p["weight"] + p["bias"] - targets) ** 2).mean()


def gradients(loss: Callable[[Params], lg.Tensor], params: Params) -> Params:
    variables = {path: lg.Tensor(p, dtype=p.dtype) for path, p in params.items()}
    return dict(zip(variables, lg.grad(loss(variables), list(variables.values()), create_graph=False), strict=True))


def solve(optimizer: Optimizer, params: Params, loss: Callable[[Params], lg.Tensor], steps: int) -> Params:
    if isinstance(optimizer, optim.LBFGS):

        def loss_and_grads(arrays: dict[str, np.ndarray]) -> tuple[float, dict[str, np.ndarray]]:
            tensors = {path: lg.Tensor(a, dtype=a.dtype) for path, a in arrays.items()}
            return float(loss(tensors)), {path: g.numpy() for path, g in gradients(loss, tensors).items()}

        return optimizer.minimize(loss_and_grads, params)[0]
    state = optimizer.init(params)
    for _ in range(steps):
        params, state = optimizer.update(params, gradients(loss, params), state)
    return params


def random_params(dtype: type, seed: int = 0) -> Params:
    rng = np.random.default_rng(seed)
    return {path: lg.Tensor(rng.standard_normal(shape), dtype=dtype) for path, shape in SHAPES.items()}


def random_grads(dtype: type, seed: int) -> Params:
    rng = np.random.default_rng([1, seed])
    return {path: lg.tensor(rng.standard_normal(shape), dtype=dtype) for path, shape in SHAPES.items()}


def arrays_of(tree: object) -> list[np.ndarray]:
    return [t.numpy() for t in flatten(tree)]


def assert_same_bits(a: object, b: object) -> None:
    for x, y in zip(arrays_of(a), arrays_of(b), strict=True):
        assert x.dtype == y.dtype
        assert x.shape == y.shape
        assert x.tobytes() == y.tobytes()


def filled(state: State, arrays: Iterator[np.ndarray]) -> State:
    return {
        k: filled(v, arrays) if isinstance(v, dict) else lg.tensor(a := next(arrays), dtype=a.dtype)
        for k, v in state.items()
    }


def concrete(cls: type) -> set[type]:
    """The classes below that the package defines: abstract ones and those of examples in docstrings left out."""
    below = {c for sub in cls.__subclasses__() for c in concrete(sub)}
    is_ours = cls.__module__.startswith("lucidgrad.") and hasattr(sys.modules[cls.__module__], cls.__name__)
    return below | ({cls} if is_ours and not inspect.isabstract(cls) else set())


def test_every_optimizer_of_the_package_has_a_row_in_the_samples() -> None:
    assert {type(optimizer) for optimizer in SAMPLES.values()} == concrete(Optimizer)


def test_every_exported_optimizer_has_a_name_for_the_command_line() -> None:
    exported = {v for v in vars(optim).values() if isinstance(v, type) and v in concrete(Optimizer)}
    assert set(optim.OPTIMIZERS.values()) == exported
    assert all(name == cls.__name__.lower() for name, cls in optim.OPTIMIZERS.items())


@every_optimizer
@both_dtypes
@pytest.mark.parametrize("problem", [quadratic, regression])
def test_it_converges(optimizer: Optimizer, problem: Callable[[type], Problem], dtype: type) -> None:
    params, loss = problem(dtype)
    solved = solve(optimizer, params, loss, steps=400)
    assert float(loss(solved)) < 1e-3 * float(loss(params))
    assert all(p.dtype == dtype for p in solved.values())


@every_optimizer
def test_it_can_be_printed_and_read_back(optimizer: Optimizer) -> None:
    again = eval(repr(optimizer), dict(vars(optim)))
    assert repr(again) == repr(optimizer)
    assert type(again) is type(optimizer)


@every_optimizer
def test_the_state_holds_nothing_but_tensors_and_begins_at_step_0(optimizer: Optimizer) -> None:
    state = optimizer.init(random_params(np.float32))
    assert all(isinstance(t, lg.Tensor) and not t.requires_grad for t in flatten(state))
    assert state["step"].dtype == np.float64
    assert state["step"].shape == ()
    assert float(state["step"]) == 0


@every_stepping_optimizer
def test_update_is_pure(optimizer: Optimizer) -> None:
    params, grads = random_params(np.float32), random_grads(np.float32, 0)
    state = optimizer.update(params, grads, optimizer.init(params))[1]
    before = [a.copy() for a in arrays_of([params, grads, state])]
    identities = [id(t) for t in flatten([params, grads, state])]
    first = optimizer.update(params, grads, state)
    second = optimizer.update(params, grads, state)
    assert_same_bits(first, second)
    assert [id(t) for t in flatten([params, grads, state])] == identities
    assert [a.tobytes() for a in before] == [a.tobytes() for a in arrays_of([params, grads, state])]
    assert all(t.node is None and not t.requires_grad for t in flatten(first))


@every_stepping_optimizer
def test_update_counts_the_steps(optimizer: Optimizer) -> None:
    params = random_params(np.float32)
    state = optimizer.init(params)
    for _ in range(3):
        params, state = optimizer.update(params, random_grads(np.float32, 0), state)
    assert float(state["step"]) == 3


@every_stepping_optimizer
def test_a_saved_state_goes_on_with_the_same_bits(optimizer: Optimizer) -> None:
    params = random_params(np.float32)
    state = optimizer.init(params)
    for i in range(5):
        params, state = optimizer.update(params, random_grads(np.float32, i), state)
    file = io.BytesIO()
    np.savez(file, *arrays_of([params, state]))
    file.seek(0)
    saved = np.load(file)
    arrays = iter([saved[key] for key in saved.files])
    again, resumed = filled(params, arrays), filled(state, arrays)
    for i in range(5, 10):
        params, state = optimizer.update(params, random_grads(np.float32, i), state)
        again, resumed = optimizer.update(again, random_grads(np.float32, i), resumed)
    assert_same_bits([params, state], [again, resumed])


@every_stepping_optimizer
@both_dtypes
@pytest.mark.parametrize("rate", [0.01, "traced"], ids=["number", "scalar tensor"])
def test_parameters_and_slots_keep_their_dtype_and_shape(optimizer: Optimizer, dtype: type, rate: float | str) -> None:
    params = random_params(dtype)
    learning_rate = lg.tensor(0.01, dtype=np.float64) if rate == "traced" else rate
    state = optimizer.init(params)
    new, after = optimizer.update(params, random_grads(dtype, 0), state, learning_rate)
    for tree in [new, *(slot for slot in [*state.values(), *after.values()] if isinstance(slot, dict))]:
        assert {path: (p.shape, p.dtype) for path, p in tree.items()} == {
            path: (s, dtype) for path, s in SHAPES.items()
        }


@every_stepping_optimizer
def test_parameters_of_both_dtypes_go_together(optimizer: Optimizer) -> None:
    params = {"a": random_params(np.float32)["0.bias"], "b": random_params(np.float64)["0.bias"]}
    grads = {"a": random_grads(np.float32, 0)["0.bias"], "b": random_grads(np.float64, 0)["0.bias"]}
    new, _ = optimizer.update(params, grads, optimizer.init(params))
    assert [p.dtype for p in new.values()] == [np.float32, np.float64]
    np.testing.assert_allclose(new["a"].numpy(), new["b"].numpy(), rtol=1e-5)


@every_stepping_optimizer
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-12)])
def test_fifty_traced_updates_equal_fifty_eager_ones(optimizer: Optimizer, dtype: type, tolerance: float) -> None:
    params = random_params(dtype)
    state = optimizer.init(params)
    rates = optim.cosine(0.1, 50)

    def update(*leaves: lg.Tensor) -> object:
        values = iter(leaves)
        p, g = ({path: next(values) for path in SHAPES} for _ in range(2))
        s = {k: {path: next(values) for path in v} if isinstance(v, dict) else next(values) for k, v in state.items()}
        return optimizer.update(p, g, s, learning_rate=next(values))

    rate = lg.tensor(0.0, dtype=np.float64)
    graph = trace(update, *flatten([params, params, state]), rate)
    traced = arrays_of([params, state])
    for i in range(50):
        grads = random_grads(dtype, i)
        inputs = [*traced[: len(SHAPES)], *arrays_of(grads), *traced[len(SHAPES) :], np.float64(rates(i))]
        traced = interpret(graph, *inputs)
        params, state = optimizer.update(params, grads, state, rates(i))
    for eager, found in zip(arrays_of([params, state]), traced, strict=True):
        np.testing.assert_allclose(found, eager, rtol=tolerance, atol=tolerance)
        assert found.dtype == eager.dtype


@every_stepping_optimizer
def test_a_model_without_parameters_has_nothing_to_update(optimizer: Optimizer) -> None:
    new, state = optimizer.update({}, {}, optimizer.init({}))
    assert new == {}
    assert float(state["step"]) == 1


@every_stepping_optimizer
def test_a_nan_gradient_stays_visible(optimizer: Optimizer) -> None:
    params = random_params(np.float32)
    grads = random_grads(np.float32, 0)
    bias = grads["0.bias"].numpy().copy()
    bias[1] = np.nan
    grads["0.bias"] = lg.tensor(bias)
    state = optimizer.init(params)
    new, state = optimizer.update(params, grads, state)
    assert np.isnan(new["0.bias"].numpy()[1])


@every_stepping_optimizer
def test_the_learning_rate_may_be_passed_for_one_step(optimizer: Optimizer) -> None:
    params, grads = random_params(np.float64), random_grads(np.float64, 0)
    state = optimizer.init(params)
    own, _ = optimizer.update(params, grads, state)
    passed, _ = optimizer.update(params, grads, state, optimizer.learning_rate_at(0))
    other, _ = optimizer.update(params, grads, state, 0.123)
    assert_same_bits(own, passed)
    assert not np.array_equal(own["0.weight"].numpy(), other["0.weight"].numpy())


@every_stepping_optimizer
def test_a_learning_rate_of_0_leaves_the_parameters_as_they_are(optimizer: Optimizer) -> None:
    params = random_params(np.float32)
    new, _ = optimizer.update(params, random_grads(np.float32, 0), optimizer.init(params), 0.0)
    for path, p in params.items():
        np.testing.assert_array_equal(new[path].numpy(), p.numpy())


@every_stepping_optimizer
def test_a_gradient_that_is_missing_is_named(optimizer: Optimizer) -> None:
    params = random_params(np.float32)
    grads = random_grads(np.float32, 0)
    del grads["scale"]
    with pytest.raises(lg.errors.ArgumentError, match=r"a gradient for each of \['0.bias', .*'scale'\], got gradients"):
        optimizer.update(params, grads, optimizer.init(params))


@every_stepping_optimizer
def test_a_gradient_that_would_broadcast_is_refused(optimizer: Optimizer) -> None:
    params = random_params(np.float32)
    grads = random_grads(np.float32, 0) | {"0.bias": lg.tensor([1.0])}
    with pytest.raises(lg.errors.ShapeError, match=r"gradient of 0.bias expected shape \(4,\), got \(1,\)"):
        optimizer.update(params, grads, optimizer.init(params))


@every_stepping_optimizer
def test_the_state_of_another_model_is_refused(optimizer: Optimizer) -> None:
    params, grads = random_params(np.float32), random_grads(np.float32, 0)
    with pytest.raises(lg.errors.ArgumentError, match=r"expected a state with step .* Start with optimizer.init"):
        optimizer.update(params, grads, optimizer.init(params) | {"wrong": {}})


@every_stepping_optimizer
def test_a_learning_rate_that_is_no_scalar_is_refused(optimizer: Optimizer) -> None:
    params, grads = random_params(np.float32), random_grads(np.float32, 0)
    with pytest.raises(
        lg.errors.ShapeError, match=r"learning_rate expected a number or a scalar Tensor, got shape \(1"
    ):
        optimizer.update(params, grads, optimizer.init(params), lg.tensor([0.1]))
