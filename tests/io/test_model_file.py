"""Model files: every layer and function comes back as it was, and what cannot come back is not saved."""

from __future__ import annotations

import inspect
import os
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad import Key, Tensor, functional
from lucidgrad.data import Standardize
from lucidgrad.errors import ArgumentError, ModelFileError
from lucidgrad.functional import ACTIVATIONS, tanh
from lucidgrad.io import kinds
from lucidgrad.io.functions import FUNCTIONS
from lucidgrad.nn import BatchNorm, Dropout, Linear, Module, Residual, Sequential
from tests.nn.samples import SAMPLES, Sample

EVERY_LAYER = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.lucidgrad"


def saved(model: Any, path: Path, **options: Any) -> Any:
    lg.save(model, path, **options)
    return lg.load(path)


def assert_same(loaded: Module, model: Module, x: Any) -> None:
    """Equal in structure, in every bit of its state, in what is learned, and in what it computes."""
    assert repr(loaded) == repr(model)
    for mine, other in ((loaded.parameters(), model.parameters()), (loaded.buffers(), model.buffers())):
        assert list(mine) == list(other)
        for name, tensor in mine.items():
            np.testing.assert_array_equal(tensor.numpy(), other[name].numpy(), strict=True)
    training = model.training
    np.testing.assert_array_equal(loaded(x).numpy(), model.eval()(x).numpy(), strict=True)
    model.train(training)


@DTYPES
@EVERY_LAYER
def test_every_layer_comes_back_as_it_was(sample: Sample, dtype: Any, path: Path) -> None:
    model = sample.make(Key(3), dtype)
    model(sample.input(dtype))  # moves running statistics
    loaded = saved(model, path)
    assert not any(module.training for module in loaded.modules().values())
    assert_same(loaded, model, sample.input(dtype))


@EVERY_LAYER
def test_every_layer_can_be_trained_after_it_was_loaded(sample: Sample, path: Path) -> None:
    loaded = saved(sample.make(Key(3), np.float32), path).train()
    before = loaded.state()
    for tensor in loaded.parameters().values():
        tensor.data = tensor.data + 1
    assert all((loaded.state()[name] == before[name] + 1).all() for name in loaded.parameters())


# Public functions of lucidgrad.functional that cannot stand in a Sequential, as they do not take one tensor first.
NO_LAYERS = {"where", "concatenate", "stack", "zeros", "ones", "linear"}
OPTIONS: dict[str, Any] = {
    "one_hot": {"classes": 4, "dtype": np.dtype(np.float64)}, "is_class": {"classes": 4},
    "take": {"indices": [2, 0], "axis": 1},
    "maximum": {"b": 0.25}, "minimum": {"b": 0.25}, "clip": {"low": -0.5, "high": float("inf")},
    "leaky_relu": {"negative_slope": 0.2}, "elu": {"alpha": 2}, "gelu": {"approximate": True}, "softmax": {"axis": 0},
    "mean": {"axis": (0, 1), "keepdims": True}, "argmax": {"axis": -1}, "flatten": {"start": 1},
}  # fmt: skip


def test_every_function_that_can_stand_between_layers_is_in_the_table() -> None:
    public = {
        name
        for name, f in vars(functional).items()
        if inspect.isfunction(f) and f.__module__ == functional.__name__ and not name.startswith("_")
    }
    assert public - NO_LAYERS <= FUNCTIONS.keys()
    assert ACTIVATIONS.keys() <= FUNCTIONS.keys()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_comes_back_with_its_options(name: str, path: Path) -> None:
    function = FUNCTIONS[name]
    x = np.abs(np.random.default_rng(5).normal(size=(3, 4))) + 0.1
    if name in ("one_hot", "is_class"):
        x = np.arange(3)
    variants = [partial(function, **OPTIONS[name])] if name in OPTIONS else []
    if name not in ("one_hot", "is_class", "take", "maximum", "minimum"):
        variants.append(function)
    for variant in variants:
        assert_same(saved(Sequential(variant), path), Sequential(variant), x)


def test_a_function_is_known_by_each_of_its_names(path: Path) -> None:
    model = Sequential(Tensor.tanh, lg.ops.transcendental.sin, partial(functional.minimum, 0.5), Tensor.abs)
    x = np.linspace(-1, 1, 6).reshape(2, 3)
    np.testing.assert_array_equal(saved(model, path)(x).numpy(), model(x).numpy())


def test_frozen_weights_come_back_frozen(path: Path) -> None:
    model = Sequential(Linear(2, 3), Linear(3, 1))
    model[0].weight.requires_grad = False
    loaded = saved(model, path)
    assert list(loaded.parameters()) == ["0.bias", "1.weight", "1.bias"]
    assert list(loaded.buffers()) == ["0.weight"]


def test_a_layer_that_is_there_twice_comes_back_as_one(path: Path) -> None:
    shared = Linear(3, 3)
    loaded = saved(Sequential(shared, tanh, Residual(shared)), path)
    assert loaded[0] is loaded[2].inner
    assert len(loaded.parameters()) == 2


def test_a_tensor_that_is_there_twice_comes_back_as_one(path: Path) -> None:
    model = Sequential(Linear(3, 3), tanh, Linear(3, 3))
    model[2].weight = model[0].weight
    loaded = saved(model, path)
    assert loaded[2].weight is loaded[0].weight
    assert loaded[2].bias is not loaded[0].bias
    assert_same(loaded, model, np.ones((1, 3)))


def test_what_goes_with_a_model_comes_back_too(path: Path) -> None:
    scaler = Standardize.fit(np.arange(6.0).reshape(3, 2))
    lg.save(
        Linear(2, 3), path, labels=np.array(["red", "green", "藍"]), metrics={"accuracy": 0.97}, preprocessing=scaler
    )
    found = lg.io.read_model(path)
    assert (found.kind, found.labels, found.metrics) == ("network", ["red", "green", "藍"], {"accuracy": 0.97})
    assert found.written_with["lucidgrad"] == lg.__version__
    np.testing.assert_array_equal(found.preprocessing.mean, scaler.mean)
    np.testing.assert_array_equal(found.preprocessing.scale, scaler.scale)
    assert repr(found.model) == "Linear(in_features=2, out_features=3)"


class Mine(Linear):
    pass


def marked(layer: Any) -> Any:
    layer.mark = 1
    return layer


def computed() -> Linear:
    layer = Linear(2, 2)
    layer.weight = layer.weight * 2
    return layer


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Sequential(Linear(2, 2), lambda x: x), "the function .*<lambda> at '1'"),
        (Sequential(partial(tanh, lambda: 1)), "the function .*partial.* at '0'"),
        (Sequential(Sequential(Mine(2, 2))), "the class tests.*Mine at '0.0'"),
        (Mine(2, 2), "the class .*Mine at 'its top'"),
        (marked(Linear(2, 2)), "a Linear with other attributes than lucidgrad gave it at 'its top'"),
        (marked(Sequential()), "the class .*Sequential at 'its top'"),
        (Sequential(computed()), "a tensor that was computed at '0.weight'"),
    ],
)
def test_what_could_not_come_back_is_not_saved(model: Any, message: str, path: Path) -> None:
    with pytest.raises(ArgumentError, match=message) as caught:
        lg.save(model, path)
    assert "model.save(path)" in str(caught.value)
    assert not path.exists()


def test_only_models_are_saved(path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"expected one of .*Module.*, got a dict"):
        lg.save({}, path)
    with pytest.raises(ArgumentError, match="labels expected strings and numbers, got a bytes"):
        lg.save(Linear(1, 1), path, labels=[b"a"])
    with pytest.raises(ArgumentError, match="labels expected a list of strings and numbers, got 'red'"):
        lg.save(Linear(1, 1), path, labels="red")
    with pytest.raises(ArgumentError, match="metrics expected numbers by name, got 'good' as 'accuracy'"):
        lg.save(Linear(1, 1), path, metrics={"accuracy": "good"})  # type: ignore[dict-item]
    assert not path.exists()


@pytest.mark.parametrize("told", [{"test": 0}, {"testing": 3}, {"test": 2.0}, {"test": True}, {}, 36, "test"])
def test_rows_that_were_measured_are_counted_by_part(told: Any, path: Path) -> None:
    with pytest.raises(ArgumentError, match="measured_on expected how many rows of test, validation, training") as e:
        lg.save(Linear(1, 1), path, metrics={"accuracy": 1.0}, measured_on=told)
    assert f"got {told!r}. Name the rows: measured_on={{'test': 1200}}." in str(e.value)
    with pytest.raises(ArgumentError, match="got no metrics"):
        lg.save(Linear(1, 1), path, measured_on={"test": 3})
    assert not path.exists()
    lg.save(Linear(1, 1), path, metrics={"accuracy": 1.0}, measured_on={"test": np.int64(3)})
    assert lg.io.read_model(path).measured_on == {"test": 3}


def test_a_network_nested_too_deep_to_be_read_is_not_saved(path: Path) -> None:
    model: Any = tanh
    for _ in range(80):
        model = Sequential(model)
    with pytest.raises(ArgumentError, match="nested to a depth of 128"):
        lg.save(model, path)


# --- a Module of one's own ------------------------------------------------------------------------------------------


class Own(Module):
    def __init__(self, width: int = 4) -> None:
        self.hidden = {"a/b~c": Linear(2, width)}
        self.norm = BatchNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.hidden["a/b~c"](x))


def test_the_weights_of_an_own_module_come_back(path: Path) -> None:
    model, other = Own(), Own()
    model(np.random.default_rng(1).normal(size=(5, 2)))
    model.save(path)
    other.load(path)
    for name, array in model.state().items():
        np.testing.assert_array_equal(other.state()[name], array, strict=True)


def test_the_weights_of_a_saved_network_load_into_its_like(path: Path) -> None:
    model, other = Sequential(Linear(2, 3)), Sequential(Linear(2, 3))
    lg.save(model, path)
    other.load(path)
    np.testing.assert_array_equal(other[0].weight.numpy(), model[0].weight.numpy())


def test_the_weights_of_another_model_change_nothing(path: Path) -> None:
    Own(4).save(path)
    model = Own(5)
    before = model.state()
    with pytest.raises(ArgumentError, match=r"hidden.a/b~c.weight is float32\(5, 2\) in the model and float32\(4, 2\)"):
        model.load(path)
    assert all((model.state()[name] == before[name]).all() for name in before)


def test_weights_alone_are_no_model(path: Path) -> None:
    Own().save(path)
    with pytest.raises(ModelFileError, match="expected to hold a model, got weights alone"):
        lg.load(path)


def test_a_model_of_another_kind_has_no_weights_to_load(path: Path) -> None:
    lg.save(Standardize(np.zeros(1), np.ones(1)), path)
    assert isinstance(lg.load(path), Standardize)
    with pytest.raises(ModelFileError, match="expected to hold the weights of a module, got a model of kind 'standard"):
        Linear(1, 1).load(path)


# --- files ----------------------------------------------------------------------------------------------------------


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        lg.save(SAMPLES["Sequential"].make(Key(1), np.float32), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_reference_reads_the_arrays(path: Path) -> None:
    from safetensors.numpy import load_file

    model = Linear(2, 3)
    lg.save(model, path)
    np.testing.assert_array_equal(load_file(path)["/network/parameters/weight"], model.weight.numpy())


def test_a_save_that_fails_leaves_what_was_there(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lg.save(Linear(1, 1), path)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ModelFileError, match="No space left on device") as caught:
        lg.save(Linear(9, 9), path)
    assert caught.value.errno == 28
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    assert path.read_bytes() == before


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"missing.lucidgrad expected to be a file that can be read, got FileNotF"):
        lg.load(tmp_path / "missing.lucidgrad")


def test_a_file_that_is_not_there_is_looked_for_in_a_folder_that_has_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelFileError, match=f"Look at the folder .*{tmp_path.name}"):
        lg.load("missing.lucidgrad")


def test_nan_among_the_weights_is_told_or_refused(path: Path) -> None:
    model = Linear(1, 1)
    model.bias.data = np.array([np.nan], np.float32)
    lg.save(model, path)
    with pytest.warns(
        RuntimeWarning, match=r"model.lucidgrad has NaN or infinity in '/network/parameters/bias'"
    ) as seen:
        lg.load(path)
    assert seen[0].filename == __file__
    with pytest.raises(ModelFileError, match="expected finite numbers, got NaN or infinity in"):
        lg.load(path, strict_finite=True)
    with pytest.raises(ModelFileError, match="expected finite numbers"):
        Linear(1, 1).load(path, strict_finite=True)


# --- kinds ----------------------------------------------------------------------------------------------------------


def test_every_provider_registers_its_kind() -> None:
    for name in kinds.PROVIDERS:
        assert kinds.kind_named(name).name == name


def test_a_kind_is_registered_once_and_under_a_name_of_the_table() -> None:
    with pytest.raises(ArgumentError, match="got 'other'"):
        kinds.register(kinds.Kind("other", dict, dict, dict))
    with pytest.raises(ArgumentError, match="got 'network'"):
        kinds.register(kinds.Kind("network", dict, dict, dict))


def test_a_chapter_adds_a_kind_with_a_network_inside(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lucidgrad.io import network

    class Classifier:
        def __init__(self, net: Module, classes: tuple[str, ...]) -> None:
            self.net, self.classes = net, classes

    monkeypatch.setitem(kinds.PROVIDERS, "classifier", "tests")
    monkeypatch.setattr(kinds, "_KINDS", dict(kinds._KINDS))
    kinds.register(
        kinds.Kind(
            "classifier",
            Classifier,
            lambda c: {"net": network.to_tree(c.net), "classes": c.classes},
            lambda tree: Classifier(network.from_tree(tree["net"]), tree["classes"]),
        )
    )
    model = Classifier(Sequential(Linear(2, 2), Dropout(0.1)), ("a", "b"))
    loaded = saved(model, path)
    assert loaded.classes == ("a", "b")
    assert_same(loaded.net, model.net, np.ones((2, 2)))
