"""Module finds what is inside of it, takes arrays, saves itself whole, and says what is wrong."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad import Key, Tensor
from lucidgrad.errors import ArgumentError, DtypeError, ShapeError
from lucidgrad.functional import leaky_relu, relu
from lucidgrad.nn import BatchNorm, Dropout, Embedding, Flatten, Linear, Module, Residual, Sequential


class Everything(Module):
    """Tensors and modules wherever they can be; no call of super().__init__()."""

    def __init__(self) -> None:
        self.scale = Tensor([1.0, 2.0])
        self.table = {"a": Tensor(1.0), "b": [Linear(2, 3), (Tensor(3.0),)]}
        self.blocks = [Linear(2, 2), Linear(2, 2, bias=False)]
        self.mean = lg.tensor([0.0])
        self.again = self.scale
        self.name, self.key, self.count = "every thing", Key(0), 3

    def forward(self, x: Tensor) -> Tensor:
        self.kept = x * self.scale
        return self.blocks[0](self.kept)


def test_parameters_are_found_through_lists_tuples_dicts_and_modules_each_once_in_order_of_definition() -> None:
    assert list(Everything().parameters()) == [
        "scale",
        "table.a",
        "table.b.0.weight",
        "table.b.0.bias",
        "table.b.1.0",
        "blocks.0.weight",
        "blocks.0.bias",
        "blocks.1.weight",
    ]


def test_buffers_are_the_tensors_that_do_not_require_gradients() -> None:
    model = Everything()
    assert list(model.buffers()) == ["mean"]
    model.blocks[0].weight.requires_grad = False  # frozen
    assert list(model.buffers()) == ["blocks.0.weight", "mean"]
    assert "blocks.0.weight" not in model.parameters()


def test_modules_are_found_by_path_and_the_root_has_none() -> None:
    model = Everything()
    assert list(model.modules()) == ["", "table.b.0", "blocks.0", "blocks.1"]
    assert model.modules()[""] is model


def test_a_result_that_forward_keeps_is_no_parameter() -> None:
    model = Everything()
    before = model.parameters().keys()
    model([[1.0, 2.0]])
    assert model.kept.requires_grad
    assert model.parameters().keys() == before


def test_a_module_that_holds_the_one_above_it_is_walked_shown_and_summed_up_once() -> None:
    model = Sequential(Linear(2, 2))
    model[0].owner = model
    assert list(model.parameters()) == ["0.weight", "0.bias"]
    assert "(owner): ..." in repr(model)
    assert "6 parameters" in model.summary((2,))


def test_weights_that_two_layers_share_are_one_parameter() -> None:
    encoder, decoder = Linear(3, 3), Linear(3, 3)
    decoder.weight = encoder.weight
    model = Sequential(encoder, decoder)
    assert list(model.parameters()) == ["0.weight", "0.bias", "1.bias"]
    twin = copy.deepcopy(model)
    assert twin[0].weight is twin[1].weight
    assert twin[0].weight is not encoder.weight


def test_a_dataclass_can_be_a_module() -> None:
    @dataclass
    class Scaled(Module):
        factor: float
        inner: Linear

        def forward(self, x: Tensor) -> Tensor:
            return self.factor * self.inner(x)

    model = Scaled(2.0, Linear(2, 1))
    assert list(model.parameters()) == ["inner.weight", "inner.bias"]
    assert model([[1.0, 1.0]]).shape == (1, 1)


# --- calls --------------------------------------------------------------------------------------------------------


class Spy(Module):
    """Keeps what forward was given."""

    def forward(self, *inputs: Any, **options: Any) -> Any:
        self.inputs, self.options = inputs, options
        return inputs[0]


def test_arrays_and_lists_become_constant_tensors_and_all_else_is_handed_on() -> None:
    spy = Spy()
    x, key, number = lg.Tensor([1.0]), Key(1), 3
    spy(x, [1.0, 2.0], np.float32(2), key, number, None, "text", mode=5)
    assert spy.inputs[0] is x
    assert isinstance(spy.inputs[1], Tensor)
    assert not spy.inputs[1].requires_grad
    assert isinstance(spy.inputs[2], Tensor)
    assert spy.inputs[3:] == (key, number, None, "text")
    assert spy.options == {"mode": 5}


def test_a_list_of_tensors_keeps_their_history() -> None:
    spy = Spy()
    tensors = [lg.Tensor([1.0]), lg.Tensor([2.0])]
    assert spy(tensors) is tensors


@pytest.mark.parametrize("given", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_take_the_dtype_of_the_parameters(dtype: Any, given: Any) -> None:
    layer = Linear(2, 1, dtype=dtype)
    for recording in (lg.enable_grad(), lg.no_grad()):
        with recording:
            assert layer(np.ones((3, 2), given)).dtype == dtype
    assert layer([[0.5, 0.5]]).dtype == dtype


def test_without_parameters_arrays_of_float64_keep_their_precision() -> None:
    for recording in (lg.enable_grad(), lg.no_grad()):
        with recording:
            assert Flatten()(np.ones((2, 2))).dtype == np.float64
            assert Flatten()([[0.5, 0.5]]).dtype == np.float32
            assert Flatten()(np.ones((2, 2), ">f4")).dtype == np.float32


def test_images_of_bytes_go_in_as_they_are() -> None:
    images = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)
    model = Sequential(Flatten(), Linear(4, 1))
    assert model.layers[0](images).dtype == np.uint8
    expected = model(images.astype(np.float32)).numpy()
    np.testing.assert_array_equal(model(images).numpy(), expected)
    with lg.no_grad():
        np.testing.assert_array_equal(model(images).numpy(), expected)


def test_an_array_changed_after_the_call_does_not_change_the_gradient() -> None:
    layer = Linear(2, 1, key=Key(0))
    x = np.ones((1, 2), np.float32)
    loss = layer(x).sum()
    x[:] = 100.0
    np.testing.assert_array_equal(lg.grad(loss, layer.weight).numpy(), [[1.0, 1.0]])


def test_without_recording_an_array_of_the_right_dtype_is_not_copied_nor_made_writeable_elsewhere() -> None:
    spy, x = Spy(), np.ones((3, 2), np.float32)
    with lg.no_grad():
        y = spy(x)
    assert np.shares_memory(y.numpy(), x)
    assert not y.numpy().flags.writeable
    assert x.flags.writeable


def test_text_is_refused() -> None:
    with pytest.raises(DtypeError, match="encode text labels as integers"):
        Linear(2, 1)([["a", "b"]])


def test_a_module_without_forward_says_what_to_write() -> None:
    class Empty(Module):
        pass

    with pytest.raises(ArgumentError, match=r"Empty expected a method forward\(self, x\), got none\. Define what"):
        Empty()([1.0])


# --- state --------------------------------------------------------------------------------------------------------


def test_load_state_lists_every_mismatch_and_loads_nothing() -> None:
    model = Sequential(Linear(2, 3), BatchNorm(3))
    before = model.state()
    state = {
        "0.weight": np.zeros((3, 2)),
        "0.bias": np.zeros(4, np.float32),
        "1.weight": np.zeros(3, np.float32),
        "1.bias": np.zeros(3, np.float32),
        "1.running_mean": np.zeros(3, np.float32),
        "2.weight": np.zeros(1),
    }
    with pytest.raises(ArgumentError) as caught:
        model.load_state(state)
    assert str(caught.value) == (
        "expected the state of this Sequential, got 4 mismatches:\n"
        "  1.running_var is missing\n"
        "  2.weight is not in the model\n"
        "  0.weight is float32(3, 2) in the model and float64(3, 2) here\n"
        "  0.bias is float32(3,) in the model and float32(4,) here\n"
        "Nothing was loaded. Build the model with the options it was saved with."
    )
    assert all(model.state()[path] is array for path, array in before.items())


def test_loading_keeps_the_tensors_and_copies_the_arrays() -> None:
    model = Linear(2, 1)
    weight = model.weight
    arrays = {"weight": np.ones((1, 2), np.float32), "bias": np.ones(1, np.float32)}
    model.load_state(arrays)
    arrays["weight"][:] = 5
    assert model.weight is weight
    assert weight.requires_grad
    np.testing.assert_array_equal(weight.numpy(), [[1.0, 1.0]])


def test_two_tensors_of_one_path_are_an_error_and_not_one_lost() -> None:
    model = Spy()
    model.table = {1: Tensor(1.0), "1": Tensor(2.0)}
    with pytest.raises(ArgumentError, match=r"Spy expected one tensor for each path, got two at table\.1\. Rename"):
        model.parameters()


# --- how it looks -------------------------------------------------------------------------------------------------


class Net(Module):
    def __init__(self) -> None:
        self.width, self.activation, self._hidden = 4, relu, 5
        self.embed = Embedding(10, 4)
        self.blocks = [Residual(Linear(4, 4)), partial(leaky_relu, negative_slope=0.2), lambda x: x]
        self.spare = Dropout(0.5)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.blocks[1](self.blocks[0](self.embed(x)))
        return h, h.sum(-1)


def test_repr_is_a_tree_with_options_parts_and_functions() -> None:
    assert repr(Net()) == (
        "Net(width=4, activation=relu\n"
        "  (embed): Embedding(num_embeddings=10, embedding_dim=4)\n"
        "  (blocks.0): Residual(\n"
        "    (inner): Linear(in_features=4, out_features=4)\n"
        "  )\n"
        "  (blocks.1): leaky_relu(negative_slope=0.2)\n"
        "  (blocks.2): <lambda>\n"
        "  (spare): Dropout(p=0.5)\n"
        ")"
    )


def test_the_summary_is_a_table_of_layers_shapes_and_counts() -> None:
    model = Sequential(Flatten(), Linear(784, 128), relu, Residual(Linear(128, 128)), BatchNorm(128), Linear(128, 10))
    assert model.summary((28, 28)) == (
        "path     layer                                                 output        parameters\n"
        "---------------------------------------------------------------------------------------\n"
        "         Sequential                                            (batch, 10)            0\n"
        "0        Flatten                                               (batch, 784)           0\n"
        "1        Linear(in_features=784, out_features=128)             (batch, 128)     100,480\n"
        "2        relu                                                  (batch, 128)           0\n"
        "3        Residual                                              (batch, 128)           0\n"
        "3.inner  Linear(in_features=128, out_features=128)             (batch, 128)      16,512\n"
        "4        BatchNorm(num_features=128, momentum=0.1, eps=1e-05)  (batch, 128)         256\n"
        "5        Linear(in_features=128, out_features=10)              (batch, 10)        1,290\n"
        "---------------------------------------------------------------------------------------\n"
        "118,538 parameters, 256 numbers in buffers, 475,176 bytes"
    )


def test_the_summary_says_what_did_not_run_and_shows_several_outputs() -> None:
    lines = Net().summary((3,), input_dtype=np.int64).splitlines()
    assert lines[2].split() == ["Net(width=4,", "activation=relu)", "(batch,", "3,", "4),", "(batch,", "3)", "0"]
    assert "not run" in next(line for line in lines if line.startswith("spare"))


def test_the_summary_without_an_input_shape_has_no_column_of_outputs() -> None:
    text = Linear(2, 3).summary()
    assert text.splitlines()[0].split() == ["path", "layer", "parameters"]
    assert "batch" not in text


def test_a_summary_takes_no_random_numbers_and_keeps_a_forward_of_the_objects_own() -> None:
    class Noisy(Module):
        def forward(self, x: Tensor) -> Tensor:
            return x + lg.next_key().normal(x.shape)

    model = Noisy()
    own = model.forward
    model.forward = lambda x: own(x)
    kept = model.forward
    lg.seed(4)
    expected = lg.next_key()
    lg.seed(4)
    assert "(batch, 2)" in model.summary((2,))
    assert model.forward is kept
    assert lg.next_key() == expected


def test_a_summary_that_fails_leaves_the_model_as_it_was() -> None:
    model = Sequential(Linear(2, 2), Dropout(0.5))
    with pytest.raises(ShapeError, match="in layer 0"):
        model.summary((3,))
    assert all(part.training for part in model.modules().values())
    assert "forward" not in vars(model)
    assert model.summary((2,)).count("(batch, 2)") == 3
