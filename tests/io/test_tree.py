"""A state comes back as it was, bit for bit, whatever is nested in it."""

import json
import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import lucidgrad as lg
from lucidgrad.errors import ArgumentError, CheckpointError
from lucidgrad.io import flatten, unflatten

DTYPES = [
    np.dtype(code)
    for code in ("?", "i1", "u1", *(o + c for o in "<>" for c in ("i2", "u4", "i8", "u8", "f2", "f4", "f8")))
]
SCALARS = [np.bool_, np.int8, np.uint16, np.int64, np.uint64, np.float16, np.float32, np.float64]


def bits(x: float) -> int:
    return int(struct.unpack(">Q", struct.pack(">d", x))[0])


def same(a: object, b: object) -> bool:
    """The same types and the same bits."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray):
        return (a.shape, a.dtype.str, a.tobytes()) == (b.shape, b.dtype.str, b.tobytes())
    if isinstance(a, np.generic):
        return a.tobytes() == b.tobytes()
    return bits(a) == bits(b) if isinstance(a, float) else a == b


def round_trip(tree: object) -> object:
    """Through what the files hold: the bytes of the arrays and the text of the rest."""
    from safetensors.numpy import load, save

    arrays, plain = flatten(tree)
    return unflatten(load(save(arrays)), json.loads(json.dumps(plain, allow_nan=False)))


@st.composite
def array_of_any_kind(draw: st.DrawFn) -> np.ndarray:
    """Any dtype, bits, byte order, shape (0-d and empty too) and memory layout."""
    dtype = draw(st.sampled_from(DTYPES))
    shape = draw(npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
    if dtype.kind == "b":
        array = draw(npst.arrays(dtype, shape))
    else:
        unsigned = np.dtype(f"{dtype.str[0]}u{dtype.itemsize}")
        array = draw(npst.arrays(unsigned, shape)).view(dtype)
    layout = draw(st.sampled_from(["as it is", "transposed", "backwards", "every other", "broadcast", "read-only"]))
    if layout == "transposed":
        array = array.T
    elif layout == "backwards" and array.ndim:
        array = array[::-1]
    elif layout == "every other" and array.ndim:
        array = array[..., ::2]
    elif layout == "broadcast":
        array = np.broadcast_to(array, (2, *array.shape))
    elif layout == "read-only":
        array.setflags(write=False)
    return array


# Every pattern of 64 bits: all NaNs, infinities, subnormal numbers and zeros of both signs are among them.
FLOATS = st.floats() | st.integers(0, 2**64 - 1).map(lambda n: struct.unpack(">d", struct.pack(">Q", n))[0])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | FLOATS
    | st.text(st.characters())
    | array_of_any_kind()
    | st.sampled_from(SCALARS).flatmap(lambda t: npst.from_dtype(np.dtype(t)))
)
KEYS = st.sampled_from(["", "/", "~", "~1", "a", "a/b", "$array", "$dict", "__metadata__", "\0"]) | st.text(
    st.characters(exclude_categories=["Cs"])
)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.lists(inner, max_size=4).map(tuple) | st.dictionaries(KEYS, inner, max_size=4)
    ),
    max_leaves=20,
)


@given(TREES)
@settings(max_examples=300, deadline=None)
def test_every_tree_comes_back_bit_for_bit(tree: object) -> None:
    assert same(round_trip(tree), tree)


@pytest.mark.long
@given(TREES)
@settings(max_examples=20_000, deadline=None)
def test_very_many_trees_come_back_bit_for_bit(tree: object) -> None:
    assert same(round_trip(tree), tree)


@pytest.mark.parametrize(
    "leaf",
    [
        math.nan, -math.nan, math.inf, -math.inf, -0.0, 5e-324, 1e308, 2**63, -(2**63), -(2**63) - 1,
        pytest.param(10**6000, id="10**6000"), True,
        np.float32("nan"), np.float64(0.1), np.bool_(True), np.uint64(2**64 - 1), "\ud800", "한국어", "",
        np.array(1.5), np.zeros((0, 3)), np.arange(3, dtype=">i4"), np.array([True, False]),
        {"$tuple": [1]}, {"$array": "x"}, {"$new": 1}, {}, [], (), {"a": {}}, [[()]], {"": {"": np.ones(1)}},
    ],
)  # fmt: skip
def test_what_json_cannot_say_comes_back(leaf: object) -> None:
    assert same(round_trip({"x": leaf, "again": [leaf]}), {"x": leaf, "again": [leaf]})


def test_paths_stay_distinct_whatever_the_keys_are() -> None:
    tree = {"a/b": np.array(1), "a": {"b": np.array(2)}, "a~1b": np.array(3), "": {"a": np.array(4)}, "/a": np.array(5)}
    arrays, _ = flatten(tree)
    assert len(arrays) == 5
    assert same(round_trip(tree), tree)


def test_an_array_in_memory_order_is_not_copied_and_no_array_is_changed() -> None:
    plain, strange = np.arange(6.0), np.arange(6.0).reshape(2, 3).T[::-1]
    before = strange.copy()
    arrays, _ = flatten({"plain": plain, "strange": strange})
    assert np.shares_memory(arrays["/plain"], plain)
    assert arrays["/strange"].flags.c_contiguous
    np.testing.assert_array_equal(strange, before)


def test_a_memory_map_is_saved_as_the_array_it_shows(tmp_path: object) -> None:
    mapped = np.memmap(tmp_path / "x.bin", np.float32, "w+", shape=(2, 2))
    mapped[:] = [[1, 2], [3, 4]]
    assert same(round_trip([mapped]), [np.array(mapped)])


def endless() -> list[object]:
    tree: list[object] = []
    tree.append(tree)
    return tree


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"a": [0, lg.Tensor(1.0)]}, "lucidgrad.tensor.Tensor at '/a/1'"),
        ({"a": {"b": object()}}, "builtins.object at '/a/b'"),
        ({1: 2}, "the key 1 at 'its top'"),
        ({"a": {"\ud800": np.ones(1)}}, "at '/a'"),
        (np.array(["a"]), "an array of dtype <U1 at 'its top'"),
        ([np.array([None])], "an array of dtype object at '/0'"),
        ([np.array([1j])], "an array of dtype complex128 at '/0'"),
        ([np.longdouble(1)], "an array of dtype"),
        ([1j], "builtins.complex"),
        ({"s": {1, 2}}, "builtins.set at '/s'"),
        (np.ma.array([1.0], mask=[True]), "numpy.ma.MaskedArray"),
        (endless(), "nested endlessly"),
    ],
)
def test_what_would_not_come_back_is_refused_with_its_place(tree: object, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        flatten(tree)


@pytest.mark.parametrize(
    "plain",
    [
        {"$array": "/missing"}, {"$array": ["/x"]}, {"$array": "/x", "dtype": "O"}, {"$array": "/x", "dtype": 3},
        {"$scalar": "<f4", "hex": "00"}, {"$scalar": "<f4", "hex": "00" * 8}, {"$scalar": "O", "hex": "00"},
        {"$scalar": "<f4"}, {"$float": "00"}, {"$float": "zz"}, {"$float": 1.0}, {"$int": "zz"}, {"$int": None},
        {"$tuple": 5}, {"$dict": [[1]]}, {"$dict": [[["a"], 1]]}, {"$import": "os.system"}, [{"a": {"$x": 0}}],
    ],
)  # fmt: skip
def test_parts_that_do_not_belong_together_are_a_checkpoint_error(plain: object) -> None:
    with pytest.raises(CheckpointError, match="fit together"):
        unflatten({"/x": np.ones(2)}, plain)
