"""Many rows are asked about in machine code, which belongs to no estimator: the numbers are NumPy's, to rounding."""

from __future__ import annotations

import multiprocessing
import pickle
import sys
import threading
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from threadpoolctl import threadpool_limits

import lucidgrad as lg
from lucidgrad.estimators import asking_natively
from lucidgrad.functional import ACTIVATIONS

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.skipif(not asking_natively.available(), reason="llvmlite is not installed"),
]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(2000, 5))
Y = np.digitize(X[:, 0], [-0.5, 0.5])


def fitted(kind: str = "MLPRegressor", x: Any = X, **given: Any) -> Any:
    options = {"hidden_layer_sizes": (40, 20), "activation": "gelu", "max_iter": 2, "random_state": 0} | given
    return getattr(lg, kind)(**options).fit(x[:100], Y[:100])


def in_numpy(model: Any, x: Any, method: str = "predict") -> Any:
    """What the model answers about few rows at a time."""
    most = asking_natively.ROWS - 1
    return np.concatenate([getattr(model, method)(x[i : i + most]) for i in range(0, x.shape[0], most)])


def tolerance(dtype: Any) -> dict[str, float]:
    return {"rtol": 2e-5, "atol": 2e-6} if dtype is np.float32 else {"rtol": 1e-11, "atol": 1e-13}


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The kinds of programs that are made, from no idle ones on."""
    made: list[Any] = []
    borrowed = asking_natively.Idle(4)

    class Noted(asking_natively.Block):
        def __init__(self, *given: Any) -> None:
            made.append(given)
            super().__init__(*given)

    monkeypatch.setattr(asking_natively, "_idle", borrowed)
    monkeypatch.setattr(asking_natively, "Block", Noted)
    return made


@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_numbers_are_those_of_numpy(normalization: Any, dtype: Any, programs: list[Any]) -> None:
    x = X.astype(dtype)
    model = fitted("MLPClassifier", x, normalization=normalization, dropout=0.2)
    made = model.predict_proba(x)
    assert len(programs) == 1
    assert made.dtype == dtype
    np.testing.assert_allclose(made, in_numpy(model, x, "predict_proba"), **tolerance(dtype))
    assert (model.predict(x) == in_numpy(model, x)).mean() > 0.999
    assert len(programs) == 1


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_activation_is_compiled(name: str, dtype: Any, programs: list[Any]) -> None:
    x = X.astype(dtype)
    model = fitted(x=x, activation=[name, "relu"], normalization="layer")
    np.testing.assert_allclose(model.predict(x), in_numpy(model, x), **tolerance(dtype))
    assert len(programs) == 1


@pytest.mark.parametrize("rows", [64, 65, 127, 128, 1000, 2**14 + 3])
def test_any_number_of_rows(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = fitted(), np.resize(X, (rows, 5))
    expected = in_numpy(model, x)
    monkeypatch.setattr(asking_natively, "WORTH_COMPILING", 1)
    np.testing.assert_allclose(model.predict(x), expected, **tolerance(np.float64))


def test_few_rows_wait_for_no_compiler(programs: list[Any]) -> None:
    model = fitted()
    for rows in (1, 10, 100):
        model.predict(X[:rows])
    assert not programs


def test_layouts_and_kinds_of_inputs() -> None:
    model = fitted()
    expected = model.predict(X)
    for x in (np.asfortranarray(X), X[::-1][::-1], X.tolist(), sparse.csr_array(X), sparse.csc_array(X)):
        np.testing.assert_array_equal(model.predict(x), expected)
    before = X.copy()
    model.predict(X)
    np.testing.assert_array_equal(X, before)


def test_zeros_are_left_out_without_changing_a_bit(programs: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.where(RNG.random((2000, 150)) < 0.8, 0.0, RNG.random((2000, 150)))
    model = fitted(x=x)
    made = model.predict(x)
    monkeypatch.setattr(asking_natively, "mostly_zeros", lambda _: False)
    np.testing.assert_array_equal(model.predict(x), made)
    assert [given[-1] for given in programs] == [True, False]


def test_networks_of_one_shape_share_what_was_compiled(programs: list[Any]) -> None:
    one, other = fitted(random_state=1), fitted(random_state=2, alpha=0.1, dropout=0.3)
    first, second = one.predict(X), other.predict(X)
    assert np.abs(first - second).max() > 0.01
    np.testing.assert_array_equal(one.predict(X), first)
    np.testing.assert_array_equal(other.predict(X), second)
    assert len(programs) == 1
    fitted(hidden_layer_sizes=(40, 21)).predict(X)
    assert len(programs) == 2


def test_new_weights_are_seen_by_the_next_call() -> None:
    model = fitted()
    before = model.predict(X)
    model.partial_fit(X[:200], Y[:200])
    assert np.abs(model.predict(X) - before).max() > 1e-6
    np.testing.assert_allclose(model.predict(X), in_numpy(model, X), **tolerance(np.float64))
    model.model_.load_state({path: 2 * array for path, array in model.model_.state().items()})
    np.testing.assert_allclose(model.predict(X), in_numpy(model, X), **tolerance(np.float64))


def test_a_model_that_was_asked_is_plain_data_and_answers_with_the_same_bits(programs: list[Any]) -> None:
    model = fitted()
    known = set(vars(model))
    made = model.predict(X)
    assert programs
    assert set(vars(model)) == known
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), made)
    with threadpool_limits(1):
        np.testing.assert_array_equal(model.predict(X), made)
    for threads in (2, 3, 100):
        np.testing.assert_array_equal(model.set_params(threads=threads).predict(X), made)


def test_nothing_is_compiled_without_llvmlite_or_where_numpy_was_asked_for(
    programs: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    natively = fitted().predict(X)
    programs.clear()
    np.testing.assert_allclose(fitted(engine="eager").predict(X), natively, rtol=1e-6)
    model = fitted()
    monkeypatch.setattr(asking_natively, "available", lambda: False)
    np.testing.assert_allclose(model.predict(X), natively, **tolerance(np.float64))
    assert not programs


def test_a_function_of_ones_own_may_look_at_all_rows(programs: list[Any]) -> None:
    model = fitted(activation=lambda z: z - z.mean(0, keepdims=True))
    first, last = model.coefs_[0] @ model.coefs_[1] @ model.coefs_[2], model.intercepts_[-1]
    np.testing.assert_allclose(model.predict(X), ((X - X.mean(0)) @ first + last)[:, 0], rtol=1e-9, atol=1e-9)
    assert not programs


def test_several_python_threads_may_ask(programs: list[Any]) -> None:
    models = [fitted(random_state=i) for i in range(3)]
    expected = [in_numpy(model, X) for model in models]  # none is compiled before the threads come
    right: list[bool] = []

    def ask(i: int) -> None:
        right.extend(np.allclose(models[i % 3].predict(X), expected[i % 3], rtol=1e-11) for _ in range(10))

    workers = [threading.Thread(target=ask, args=(i,)) for i in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert right == [True] * 60
    assert len(programs) <= 6


@pytest.mark.skipif(sys.platform != "linux", reason="forks")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_child_of_a_fork_may_ask() -> None:
    model = fitted(threads=2)
    expected = model.predict(X)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        for made in pool.map(model.predict, [X, X]):
            np.testing.assert_array_equal(made, expected)
