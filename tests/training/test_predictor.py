"""Asking a model in machine code gives what asking it eagerly gives, for any number of rows and after any change."""

import itertools
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad import nn
from lucidgrad.errors import ArgumentError, ShapeError
from lucidgrad.training.predictor import BLOCK, PART, SINGLY
from tests.nn.samples import SAMPLES

rng = np.random.default_rng(11)


def network(*sizes: int, dtype: Any = np.float32) -> nn.Sequential:
    with lg.use_key(lg.Key(5)):
        layers: list[Any] = []
        for a, b in itertools.pairwise(sizes):
            layers += [nn.Linear(a, b, dtype=dtype), lg.functional.tanh]
    return nn.Sequential(*layers[:-1])


def close(a: Any, b: Any) -> None:
    np.testing.assert_allclose(a, b, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("n", [0, 1, 2, SINGLY, SINGLY + 1, PART, PART + 1, BLOCK - 1, BLOCK, BLOCK + 1, 1000])
def test_any_number_of_rows(n):
    model = network(20, 33, 3)
    x = rng.standard_normal((n, 20)).astype(np.float32)
    got = lg.Predictor(model, (20,))(x)
    assert got.shape == (n, 3)
    if n:
        close(got, lg.predict(model, x, engine="eager"))


def test_one_row_has_no_batch_axis():
    model = network(5, 4, 2)
    x = rng.standard_normal(5)
    got = lg.Predictor(model, (5,))(x)
    assert got.shape == (2,)
    close(got, lg.predict(model, x[None], engine="eager")[0])


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_same_bits_for_any_number_of_threads_and_any_company(threads):
    model = network(64, 128, 10)
    x = rng.standard_normal((700, 64)).astype(np.float32)
    alone = np.stack([lg.Predictor(model, (64,), threads=1)(row) for row in x[:3]])
    got = lg.Predictor(model, (64,), threads=threads)(x)
    np.testing.assert_array_equal(got[:3], alone)
    ask = lg.Predictor(model, (64,), threads=1)
    for n in (2, SINGLY, SINGLY + 1, 40, 700):
        np.testing.assert_array_equal(ask(x[:n]), got[:n])
        np.testing.assert_array_equal(ask(x[n - 1]), got[n - 1])


@pytest.mark.parametrize(
    "given",
    [
        lambda x: x.astype(np.float64),
        lambda x: np.asfortranarray(x),
        lambda x: x[::-1],
        lambda x: np.repeat(x, 2, axis=1)[:, ::2],
        lambda x: x.astype(">f4"),
        lambda x: x.tolist(),
        lambda x: np.broadcast_to(x[:1], x.shape),
    ],
    ids=["float64", "columns first", "backwards", "every second", "big-endian", "list", "one row many times"],
)
def test_any_layout_of_the_inputs(given: Callable[[Any], Any]):
    model = network(8, 6, 2)
    x = given(rng.standard_normal((300, 8)).astype(np.float32))
    close(lg.Predictor(model, (8,))(x), lg.predict(model, np.asarray(x, np.float32), engine="eager"))


def with_zeros(rows: int = 300) -> np.ndarray[Any, Any]:
    x = rng.random((rows, 150), np.float32)
    return np.where(rng.random(x.shape) < 0.8, np.float32(0), x)


def of_relu() -> nn.Sequential:
    with lg.use_key(lg.Key(5)):
        return nn.Sequential(nn.Linear(150, 130), lg.functional.relu, nn.Linear(130, 100))


def test_zeros_are_left_out_without_changing_a_bit(monkeypatch):
    model, x = of_relu(), with_zeros()
    alone = np.stack([lg.Predictor(model, (150,))(row) for row in x[:5]])
    got = lg.Predictor(model, (150,))(x)
    monkeypatch.setattr("lucidgrad.training.predictor.mostly_zeros", lambda _: False)
    dense = lg.Predictor(model, (150,))(x)
    assert got.tobytes() == dense.tobytes()
    assert alone.tobytes() == dense[:5].tobytes()


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["0.weight", "2.weight"])
def test_zero_times_a_weight_that_is_not_finite_is_seen(name, wrong):
    model, x = of_relu(), np.zeros((300, 150), np.float32)
    healthy = model.state()
    ask = lg.Predictor(model, (150,))
    expected = ask(x)
    weight = healthy[name].copy()
    weight[..., -1] = wrong
    model.load_state(healthy | {name: weight})
    for made in (ask(x), ask(x[0])):
        assert np.isnan(made).any()
    model.load_state(healthy)
    assert ask(x).tobytes() == expected.tobytes()
    assert ask(x[0]).tobytes() == expected[0].tobytes()


def test_pixels_are_widened_as_they_are_read():
    model = network(12, 4)
    x = rng.integers(0, 256, (300, 12)).astype(np.uint8)
    close(lg.Predictor(model, (12,), dtype=np.uint8)(x), lg.predict(model, x, engine="eager"))
    close(lg.predict(model, x, engine="native"), lg.predict(model, x, engine="eager"))


def test_a_memory_map_is_read_where_it_lies(tmp_path):
    x = rng.standard_normal((3000, 16)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    model = network(16, 8, 2)
    got = lg.predict(model, np.load(tmp_path / "x.npy", mmap_mode="r"), engine="native")
    np.testing.assert_array_equal(got, lg.predict(model, x, engine="native"))


def test_one_row_of_a_memory_map_is_a_part_of_its_own(tmp_path):
    model, x = network(6, 3), rng.standard_normal((257 * 64, 6)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    ask = lg.Predictor(model, (6,))
    parts = [made for _, made in ask.parts(np.load(tmp_path / "x.npy", mmap_mode="r"), np.array([3]))]
    close(np.concatenate(parts), ask(x[3:4]))


def test_one_row_and_one_row_below_each_other_take_turns():
    model = lg.nn.Sequential(lg.nn.Linear(7, 3))
    ask, rows = lg.Predictor(model, (7,)), np.random.default_rng(0).random((4, 7), np.float32)
    for row in rows:
        assert (
            ask(row).tobytes()
            == ask(row[np.newaxis])[0].tobytes()
            == ask(rows)[rows.tolist().index(row.tolist())].tobytes()
        )


def test_new_parameters_are_seen_by_the_next_call():
    model = network(6, 5, 2)
    ask, x = lg.Predictor(model, (6,)), rng.standard_normal((4, 6)).astype(np.float32)
    before = ask(x)
    model.load_state({path: array * 2 for path, array in model.state().items()})
    assert np.abs(ask(x) - before).max() > 0.01
    close(ask(x), lg.predict(model, x, engine="eager"))
    close(ask(x[0]), lg.predict(model, x, engine="eager")[0])


@pytest.mark.parametrize("n", [1, 2, SINGLY, SINGLY + 1, BLOCK])
def test_old_parameters_that_come_back_are_seen_by_the_next_call(n):
    model = network(6, 5, 2)
    ask, x = lg.Predictor(model, (6,)), rng.standard_normal((n, 6)).astype(np.float32)
    first, arrays = ask(x[0]), {path: p.detach() for path, p in model.parameters().items()}
    model.load_state({path: array * 2 for path, array in model.state().items()})
    assert np.abs(ask(x)[0] - first).max() > 0.01
    for path, p in model.parameters().items():
        p.data = arrays[path]
    np.testing.assert_array_equal(ask(x[0]), first)
    np.testing.assert_array_equal(ask(x)[0], first)


def test_an_index_that_pointed_outside_is_not_remembered():
    model = nn.Sequential(nn.Embedding(50, 3))
    ask = lg.Predictor(model, (), dtype=np.int64)
    bad, good = np.arange(30), np.arange(SINGLY + 2)
    bad[20] = 99
    with pytest.raises(ArgumentError, match="points outside"):
        ask(bad)
    assert ask(good).shape == (len(good), 3)


def test_parameters_whose_loading_was_interrupted_are_loaded_again(monkeypatch):
    model, x = network(6, 5, 2), rng.standard_normal((4, 6)).astype(np.float32)
    ask = lg.Predictor(model, (6,))
    ask(x)
    state = model.state()
    model.load_state({path: array * 2 for path, array in state.items()})
    with monkeypatch.context() as patch:
        patch.setattr("lucidgrad.training.memory.pack", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            ask(x)
    close(ask(x), lg.predict(model, x, engine="eager"))


def test_a_changed_layer_is_seen_by_predict():
    """The parameters are the same, what is done with them is not."""
    linear = nn.Linear(4, 4, key=lg.Key(2))
    x = rng.standard_normal((10, 4)).astype(np.float32)
    activation = [lg.functional.tanh]
    model = nn.Sequential(linear, lambda h: activation[0](h))
    first = lg.predict(model, x, engine="native")
    activation[0] = lg.functional.relu
    second = lg.predict(model, x, engine="native")
    close(first, np.tanh(linear(x).numpy()))
    close(second, np.maximum(linear(x).numpy(), 0))


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_every_layer_is_asked_natively_as_eagerly(name):
    sample = SAMPLES[name]
    model, x = sample.make(lg.Key(3), np.float32), sample.input(np.float32)
    close(lg.predict(model, x, engine="native"), lg.predict(model, x, engine="eager"))


def test_the_model_is_left_as_it_was():
    model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5), nn.BatchNorm(4))
    model.train()
    before = model.state()
    lg.predict(model, np.zeros((300, 4)), engine="native")
    assert all(m.training for m in model.modules().values())
    for path, array in model.state().items():
        np.testing.assert_array_equal(array, before[path])


def test_evaluate_counts_every_row_once():
    model = network(10, 16, 4)
    x, y, weight = rng.standard_normal((1000, 10)), rng.integers(0, 4, 1000), rng.random(1000)
    weight[::3] = 0
    options: dict[str, Any] = {"loss": "cross_entropy", "metrics": ["accuracy"], "sample_weight": weight}
    native, eager = (lg.evaluate(model, x, y, engine=e, **options) for e in ("native", "eager"))
    assert native["accuracy"] == pytest.approx(eager["accuracy"], abs=1e-9)
    assert native["loss"] == pytest.approx(eager["loss"], rel=1e-6)


def test_several_python_threads_may_ask():
    model = network(30, 40, 3)
    ask, x = lg.Predictor(model, (30,)), rng.standard_normal((8, 600, 30)).astype(np.float32)
    expected, got = [ask(part) for part in x], [np.empty(0)] * 8

    def work(i: int) -> None:
        for _ in range(20):
            got[i] = ask(x[i])

    workers = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_rows_of_another_shape_are_refused():
    ask = lg.Predictor(network(5, 2), (5,))
    with pytest.raises(ShapeError, match=r"rows of shape \(5,\), got an array of shape \(3, 4\)"):
        ask(np.zeros((3, 4)))


def test_a_row_may_be_a_single_number_and_so_may_its_output():
    model = nn.Sequential(nn.Linear(3, 1), lambda z: z[:, 0])
    x = rng.standard_normal((4, 3)).astype(np.float32)
    ask = lg.Predictor(model, (3,))
    assert [float(ask(row)) for row in x] == ask(x).tolist() == lg.predict(model, x, engine="native").tolist()
    words = nn.Embedding(5, 2)
    ask = lg.Predictor(words, (), dtype=np.int64)
    np.testing.assert_array_equal([ask(3), ask(np.int64(1))], words.weight.numpy()[[3, 1]])


def test_an_unknown_engine_is_refused():
    with pytest.raises(ArgumentError, match="engine expected one of"):
        lg.predict(network(5, 2), np.zeros((3, 5)), engine="fast")


def test_a_model_that_cannot_be_compiled_is_asked_eagerly_and_says_so_once():
    class Looks(nn.Module):
        def __init__(self) -> None:
            self.linear = nn.Linear(3, 2)

        def forward(self, x: lg.Tensor) -> lg.Tensor:
            return self.linear(x) * float(x.sum())

    model, x = Looks(), np.ones((4, 3))
    with pytest.warns(RuntimeWarning, match="asked eagerly"):
        first = lg.predict(model, x, engine="native")
    np.testing.assert_array_equal(lg.predict(model, x, engine="native"), first)
