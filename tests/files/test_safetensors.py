"""Each check of the reader: a file that it must refuse, and files that it must read."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from lucidgrad.errors import ArgumentError, ModelFileError
from lucidgrad.files import safetensors
from lucidgrad.files.safetensors import DTYPES, LARGEST_HEADER_BYTES
from tests.files.forge import entry, file_of, header_of


def read(data: bytes) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    return safetensors.read(io.BytesIO(data), len(data), "x.lucidgrad")


def one(dtype: str, shape: Any, begin: Any, end: Any, data: bytes, **more: Any) -> bytes:
    return file_of(header_of({"x": entry(dtype, shape, begin, end, **more)}), data)


F4 = np.float32(1.5).tobytes()

# (what it is, the file, a part of the message)
FORGED: list[tuple[str, bytes, str]] = [
    ("1 empty", b"", "at least 8 bytes, got 0"),
    ("1 seven bytes", b"\x00" * 7, "at least 8 bytes, got 7"),
    ("2 header longer than the file", (100).to_bytes(8, "little") + b"{}", "a header of at most 2 bytes"),
    ("2 header of 2^64 - 1", b"\xff" * 8 + b"{}", "one of 18446744073709551615 bytes"),
    ("3 no UTF-8", file_of(b'{"\xff":1}'), "a header in UTF-8, got invalid start byte"),
    ("3 byte order mark", file_of(b"\xef\xbb\xbf{}"), "begins with {"),
    ("3 UTF-16", file_of("{}".encode("utf-16-le")), "nothing but spaces"),
    ("3 surrogate in UTF-8", file_of(b'{"\xed\xa0\x80":1}'), "a header in UTF-8"),
    ("3 half of a surrogate pair", file_of(b'{"__metadata__":{"a":"\\ud800"}}'), "Unicode text"),
    ("4 leading space", file_of(b" {}"), "begins with {"),
    ("4 empty header", file_of(b""), "begins with {"),
    ("5 NUL padding", file_of(b"{}\x00"), "nothing but spaces"),
    ("5 newline padding", file_of(b"{}\n"), "nothing but spaces"),
    ("5 second object", file_of(b"{}{}"), "JSON, got Extra data"),
    ("6 a list", file_of(b"[]"), "begins with {"),
    ("6 nested lists", file_of(b'{"x":' + b"[" * 200 + b"]" * 200 + b"}"), "nesting of at most 128"),
    ("6 nested endlessly", file_of(b'{"x":' + b"[" * 200_000 + b"]" * 200_000 + b"}"), "nesting of at most 128"),
    ("6 open lists", file_of(b'{"x":' + b"[" * 200_000 + b"}"), "nesting of at most 128"),
    (
        "7 a name twice",
        file_of(
            b'{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
            b"1",
        ),
        "each key of an object once, got 'x' twice",
    ),
    ("8 a field twice", file_of(b'{"x":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}', b"1"), "twice"),
    ("9 a field too many", one("F32", [1], 0, 4, F4, device="cuda"), "exactly dtype, shape and data_offsets"),
    ("9 a field too few", file_of(header_of({"x": {"dtype": "F32", "shape": []}})), "exactly dtype, shape and data"),
    ("9 no object", file_of(header_of({"x": [1]})), "exactly dtype, shape and data_offsets, got [1]"),
    ("10 NaN", file_of(b'{"x":NaN}'), "finite numbers, got NaN"),
    ("10 Infinity", file_of(b'{"x":-Infinity}'), "finite numbers, got -Infinity"),
    ("10 1e999", file_of(b'{"x":1e999}'), "finite numbers, got '1e999'"),
    ("11 true for a size", one("F32", [True], 0, 4, F4), "shape to be a list of integers"),
    ("11 1.0 for a size", one("F32", [1.0], 0, 4, F4), "shape to be a list of integers"),
    ("11 text for a size", one("F32", ["1"], 0, 4, F4), "shape to be a list of integers"),
    ("11 negative size", one("F32", [-1, -1], 0, 4, F4), "shape to be a list of integers"),
    ("11 2^63", one("F32", [2**63], 0, 4, F4), "integers of 64 bits"),
    ("11 a number of a million digits", file_of(b'{"x":' + b"9" * 10**6 + b"}"), "integers of 64 bits"),
    ("11 shape no list", one("F32", 1, 0, 4, F4), "shape to be a list of integers"),
    ("11 true for an offset", one("F32", [1], False, 4, F4), "data_offsets to be a list of integers"),
    (
        "11 three offsets",
        file_of(header_of({"x": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1, 1]}}), b"1"),
        "two offsets",
    ),
    ("12 unknown dtype", one("BF16", [2], 0, 4, F4), "a dtype of BOOL, U8, I8"),
    ("12 object dtype", one("O", [1], 0, 8, F4 * 2), "a dtype of BOOL, U8, I8"),
    ("12 dtype no text", one(["F32"], [1], 0, 4, F4), "a dtype of BOOL, U8, I8"),  # type: ignore[arg-type]
    ("13 65 axes", one("F32", [1] * 65, 0, 4, F4), "at most 64 axes, got 65"),
    ("14 a product past 2^64", one("F32", [2**32, 2**32], 0, 0, b""), "a shape that can be"),
    ("14 a huge axis beside an empty one", one("F32", [0, 2**62], 0, 0, b""), "a shape that can be"),
    ("14 a terabyte", one("F32", [2**38], 0, 2**40, b""), "bytes of elements"),
    ("15 too few bytes for the shape", one("F32", [2], 0, 4, F4), "two offsets 8 bytes apart"),
    ("15 offsets backwards", one("F32", [1], 4, 0, F4), "two offsets 4 bytes apart"),
    ("16 first not at 0", one("F32", [1], 4, 8, F4 * 2), "at byte 0"),
    (
        "16 a hole",
        file_of(header_of({"a": entry("F32", [1], 0, 4), "b": entry("F32", [1], 8, 12)}), F4 * 3),
        "array 'b' at byte 4, behind the one before it, got 8",
    ),
    (
        "16 an overlap",
        file_of(header_of({"a": entry("F32", [2], 0, 8), "b": entry("F32", [1], 4, 8)}), F4 * 2),
        "array 'b' at byte 8",
    ),
    (
        "16 the same bytes twice",
        file_of(header_of({"a": entry("F32", [1], 0, 4), "b": entry("F32", [1], 0, 4)}), F4),
        "array 'b' at byte 4",
    ),
    ("17 bytes behind the last", one("F32", [1], 0, 4, F4 + b"!"), "4 bytes of elements, got 5"),
    ("17 cut off", one("F32", [2], 0, 8, F4), "8 bytes of elements, got 4"),
    (
        "18 empty inside of another",
        file_of(header_of({"a": entry("F32", [2], 0, 8), "b": entry("F32", [0], 4, 4)}), F4 * 2),
        "array 'b' at byte 8",
    ),
    ("19 metadata no object", file_of(b'{"__metadata__":[]}'), "__metadata__ to be a map of strings"),
    ("19 metadata of numbers", file_of(b'{"__metadata__":{"a":1}}'), "__metadata__ to be a map of strings"),
    ("20 NUL in a name", file_of(header_of({"a\0": entry("F32", [1], 0, 4)}), F4), "printable characters"),
    ("20 newline in a name", file_of(header_of({"a\n": entry("F32", [1], 0, 4)}), F4), "printable characters"),
    ("20 name of 1025", file_of(header_of({"a" * 1025: entry("F32", [1], 0, 4)}), F4), "printable characters"),
    ("20 empty name", file_of(header_of({"": entry("F32", [1], 0, 4)}), F4), "printable characters"),
    ("21 a boolean of 7", one("BOOL", [2], 0, 2, b"\x01\x07"), "booleans of 0 and 1, got 7"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "message"), [case[1:] for case in FORGED], ids=[case[0] for case in FORGED])
def test_a_forged_file_is_refused_with_the_reason(data: bytes, message: str) -> None:
    with pytest.raises(ModelFileError) as caught:
        read(data)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 500


def test_a_header_longer_than_the_limit_is_refused_before_it_is_read() -> None:
    class Endless(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            assert size == 8, "the header was read"
            return super().read(size)

    data = Endless((LARGEST_HEADER_BYTES + 1).to_bytes(8, "little"))
    with pytest.raises(ModelFileError, match=f"a header of at most {LARGEST_HEADER_BYTES} bytes"):
        safetensors.read(data, 2**40, "x")


def test_a_file_that_shrinks_while_it_is_read_is_refused() -> None:
    data = one("F32", [2], 0, 8, F4 * 2)
    with pytest.raises(ModelFileError, match="8 bytes of array 'x', got 7"):
        safetensors.read(io.BytesIO(data[:-1]), len(data), "x")
    with pytest.raises(ModelFileError, match="more bytes, got"):
        safetensors.read(io.BytesIO(data[:20]), len(data), "x")


def test_names_are_names_and_never_paths() -> None:
    name = "../../etc/passwd"
    assert read(file_of(header_of({name: entry("F32", [1], 0, 4)}), F4))[1] == {name: np.float32(1.5)}


def test_empty_arrays_may_stand_between_others() -> None:
    fields = {"b": entry("F32", [1], 0, 4), "c": entry("F32", [0, 3], 4, 4), "a": entry("U8", [0], 0, 0)}
    arrays = read(file_of(header_of(fields), F4))[1]
    assert {name: x.shape for name, x in arrays.items()} == {"a": (0,), "b": (1,), "c": (0, 3)}


def test_what_the_reference_writes_is_read(tmp_path: Any) -> None:
    from safetensors.numpy import save

    arrays = {"b": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.array([True, False]), "c": np.array(7)}
    metadata, found = read(save(arrays, {"made": "elsewhere"}))
    assert metadata == {"made": "elsewhere"}
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array, strict=True)


def encoded(arrays: dict[str, np.ndarray], metadata: dict[str, str]) -> bytes:
    head, ordered = safetensors.encode(arrays, metadata)
    return head + b"".join(x.tobytes() for x in ordered)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_is_written_is_read_here_and_by_the_reference(data: Any) -> None:
    from safetensors.numpy import load

    names = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20)
    array = st.sampled_from([*DTYPES.values()]).flatmap(
        lambda dtype: npst.arrays(dtype, npst.array_shapes(min_dims=0, min_side=0, max_dims=3, max_side=4))
    )
    arrays = data.draw(st.dictionaries(names.filter(lambda n: n != "__metadata__"), array, max_size=4))
    metadata = data.draw(st.dictionaries(st.text(max_size=5), st.text(max_size=9), max_size=2))
    file = encoded(arrays, metadata)
    for found in (read(file)[1], load(file)):
        assert found.keys() == arrays.keys()
        for name, array in arrays.items():
            assert (found[name].shape, found[name].tobytes()) == (array.shape, array.tobytes())
    assert read(file)[0] == metadata


def test_every_array_begins_at_a_multiple_of_its_elements() -> None:
    arrays = {"a": np.ones(3, bool), "b": np.ones(3), "c": np.ones(1, np.float32), "d": np.ones(1, np.int16)}
    file = encoded(arrays, {})
    length = int.from_bytes(file[:8], "little")
    for name, field in json.loads(file[8 : 8 + length]).items():
        if name != "__metadata__":
            assert (8 + length + field["data_offsets"][0]) % arrays[name].itemsize == 0


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"__metadata__": np.ones(1)}, "not __metadata__"),
        ({"a\0": np.ones(1)}, "printable characters"),
        ({"x": np.ones(1, ">f4")}, "little-endian, got dtype >f4"),
        ({"x": np.ones((2, 3)).T}, "C-contiguous"),
        ({"x": np.array(["a"])}, "got dtype <U1"),
    ],
)
def test_what_could_not_be_read_is_not_written(arrays: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        safetensors.encode(arrays, {})


def test_a_header_that_could_not_be_read_is_not_written() -> None:
    with pytest.raises(ArgumentError, match="Keep what is long"):
        safetensors.encode({}, {"words": "x" * LARGEST_HEADER_BYTES})
