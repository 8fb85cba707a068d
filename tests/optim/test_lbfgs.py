"""L-BFGS: what SciPy finds, for dictionaries of tensors."""

import numpy as np
import pytest
from scipy.optimize import minimize, rosen, rosen_der

import lucidgrad as lg
from lucidgrad.errors import ArgumentError, ShapeError
from lucidgrad.optim import LBFGS

Arrays = dict[str, np.ndarray]


def rosenbrock(arrays: Arrays) -> tuple[float, Arrays]:
    """Of five numbers: two in "a", three in "b"."""
    x = np.concatenate([arrays["a"], arrays["b"].ravel()])
    g = rosen_der(x)
    return rosen(x), {"b": g[2:].reshape(3, 1), "a": g[:2]}


def start(dtype: type = np.float64) -> dict[str, lg.Tensor]:
    return {"a": lg.Tensor([-1.2, 1.0], dtype=dtype), "b": lg.Tensor([[0.5], [2.0], [-1.0]], dtype=dtype)}


def test_it_finds_what_scipy_finds() -> None:
    found, info = LBFGS(max_iterations=15, history_size=7).minimize(rosenbrock, start())
    x0 = np.array([-1.2, 1.0, 0.5, 2.0, -1.0])
    expected = minimize(rosen, x0, jac=rosen_der, method="L-BFGS-B", options={"maxiter": 15, "maxcor": 7})
    x = np.concatenate([found["a"].numpy(), found["b"].numpy().ravel()])
    np.testing.assert_allclose(x, expected.x, rtol=1e-10)
    assert info.loss == pytest.approx(expected.fun, rel=1e-10)
    assert (info.iterations, info.evaluations) == (expected.nit, expected.nfev)
    assert info.iterations == 15
    assert not info.converged
    assert "ITERATIONS REACHED LIMIT" in info.message


def test_it_reaches_the_minimum_of_rosenbrocks_valley() -> None:
    optimizer = LBFGS(max_iterations=200, gradient_tolerance=1e-9, loss_tolerance=0.0)
    near = {"a": lg.Tensor([1.3, 0.7], dtype=np.float64), "b": lg.Tensor([[0.8], [1.9], [1.2]], dtype=np.float64)}
    found, info = optimizer.minimize(rosenbrock, near)
    assert info.converged
    for p in found.values():
        np.testing.assert_allclose(p.numpy(), 1.0, rtol=1e-8)


def test_logistic_regression_has_the_weights_of_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(4)
    x = rng.standard_normal((80, 3))
    y = (x @ [1.0, -2.0, 0.5] + 0.3 + rng.standard_normal(80) > 0).astype(np.float64)
    inputs, sign = lg.tensor(x, dtype=np.float64), lg.tensor(1 - 2 * y, dtype=np.float64)

    def loss_and_grads(arrays: Arrays) -> tuple[float, Arrays]:
        w, b = (lg.Tensor(arrays[path], dtype=np.float64) for path in ("weight", "bias"))
        loss = (sign * (inputs @ w + b)).softplus().sum() + 0.5 * (w * w).sum()
        return float(loss), dict(zip(("weight", "bias"), (g.numpy() for g in lg.grad(loss, [w, b])), strict=True))

    params = {"weight": lg.Tensor([0.0] * 3, dtype=np.float64), "bias": lg.Tensor(0.0, dtype=np.float64)}
    optimizer = LBFGS(max_iterations=500, gradient_tolerance=1e-9, loss_tolerance=0.0)
    found, info = optimizer.minimize(loss_and_grads, params)
    reference = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000).fit(x, y)
    assert info.converged
    np.testing.assert_allclose(found["weight"].numpy(), reference.coef_[0], rtol=1e-6)
    np.testing.assert_allclose(found["bias"].numpy(), reference.intercept_[0], rtol=1e-6)


def test_the_results_have_the_dtypes_and_shapes_of_the_parameters() -> None:
    seen = []

    def loss_and_grads(arrays: Arrays) -> tuple[float, Arrays]:
        seen.append({path: (a.dtype, a.shape) for path, a in arrays.items()})
        return rosenbrock(arrays)

    found, _ = LBFGS().minimize(loss_and_grads, start(np.float32))
    assert all(s == {"a": (np.float32, (2,)), "b": (np.float32, (3, 1))} for s in seen)
    assert {path: (p.dtype, p.shape) for path, p in found.items()} == seen[0]
    assert not any(p.requires_grad for p in found.values())


def test_nothing_changes_but_what_is_returned() -> None:
    params = start()
    before = {path: p.numpy().copy() for path, p in params.items()}
    first = LBFGS().minimize(rosenbrock, params)
    second = LBFGS().minimize(rosenbrock, params)
    for path, p in params.items():
        np.testing.assert_array_equal(p.numpy(), before[path])
        assert first[0][path].numpy().tobytes() == second[0][path].numpy().tobytes()
    assert first[1] == second[1]


def test_the_arrays_it_asks_about_stay_what_they_were() -> None:
    asked: list[Arrays] = []
    copies: list[Arrays] = []

    def loss_and_grads(arrays: Arrays) -> tuple[float, Arrays]:
        asked.append(arrays)
        copies.append({path: a.copy() for path, a in arrays.items()})
        return rosenbrock(arrays)

    LBFGS().minimize(loss_and_grads, start())
    for then, now in zip(copies, asked, strict=True):
        for path, a in now.items():
            assert not a.flags.writeable
            np.testing.assert_array_equal(a, then[path])


def test_a_loss_of_nan_is_reported_and_not_taken_for_convergence() -> None:
    _, info = LBFGS().minimize(lambda p: (float("nan"), {path: a * np.nan for path, a in p.items()}), start())
    assert np.isnan(info.loss)
    assert not info.converged


def test_without_parameters_the_loss_is_evaluated_once() -> None:
    found, info = LBFGS().minimize(lambda p: (3.0, {}), {})
    assert found == {}
    assert (info.loss, info.iterations, info.evaluations, info.converged) == (3.0, 0, 1, True)


def test_a_single_step_is_refused_and_the_error_names_the_full_batch() -> None:
    optimizer = LBFGS()
    params = start()
    with pytest.raises(
        ArgumentError, match=r"got the gradients of one step. Train with fit\(..., batch_size=None\), or"
    ):
        optimizer.update(params, params, optimizer.init(params))


def test_its_learning_rate_is_that_of_a_full_step() -> None:
    assert LBFGS().learning_rate_at(5) == 1.0


def test_gradients_of_other_parameters_are_refused() -> None:
    with pytest.raises(ArgumentError, match=r"gradients for \['a', 'b'\], got \['c'\]"):
        LBFGS().minimize(lambda p: (0.0, {"c": p["a"]}), start())


def test_a_gradient_of_another_shape_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"gradient of b expected shape \(3, 1\), got \(3,\)"):
        LBFGS().minimize(lambda p: (0.0, {"a": p["a"], "b": p["b"].ravel()}), start())
