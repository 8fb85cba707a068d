"""Files made to do harm: only our errors, no memory that is not there, no import and nothing executed."""

from __future__ import annotations

import json
import os
import pickle
import tracemalloc
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import lucidgrad as lg
from lucidgrad.errors import ModelFileError
from lucidgrad.functional import tanh
from lucidgrad.nn import Linear, Sequential
from tests.files.forge import entry, file_of, header_of, sign, signed
from tests.io.hostile import load_watched, places, refusal, watched

GOLDEN = Path(__file__).parent / "golden" / "network-1.lucidgrad"


@pytest.fixture(scope="module", autouse=True)
def _everything_is_imported(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("warm") / "x"
    lg.save(Sequential(Linear(1, 1), tanh), path, preprocessing=lg.data.Standardize(np.zeros(1), np.ones(1)))
    lg.load(path)
    with pytest.raises(ModelFileError):
        lg.load(path.parent / "missing")


# --- other formats, and what they have been abused with -------------------------------------------------------------


class Gadget:
    def __reduce__(self) -> Any:
        return os.system, ("touch pwned",)


def zip_of(folder: Path, name: str, data: bytes) -> bytes:
    with zipfile.ZipFile(folder / "z", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, data)
    return (folder / "z").read_bytes()


def npy(header: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: pickle.dumps(Gadget()),
        lambda folder: zip_of(folder, "archive/data.pkl", pickle.dumps(Gadget())),
        lambda folder: zip_of(folder, "config.json", b"0" * 10**7),
        lambda folder: npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776,)}"),
        lambda folder: npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}") + pickle.dumps([Gadget()]),
        lambda folder: b"\x89HDF\r\n\x1a\n" + bytes(500),
        lambda folder: b"",
        lambda folder: bytes(100),
        lambda folder: b"\xff" * 100,
        lambda folder: file_of(header_of({})),
    ],
    ids=["pickle", "torch zip", "zip bomb", "npy bomb", "npy gadget", "hdf5", "empty", "zeros", "ones", "safetensors"],
)
def test_other_formats_are_refused_and_not_tried(make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    refusal(make(tmp_path), tmp_path)
    assert not Path("pwned").exists()


# --- what a right checksum cannot make right ------------------------------------------------------------------------


def content(architecture: Any = None, **changes: Any) -> dict[str, Any]:
    network = {"architecture": architecture, "parameters": {}, "buffers": {}, "tied": {}}
    model = {"network": network, "labels": None, "metrics": {}, "preprocessing": None}
    return {"kind": "network", "written_with": {"lucidgrad": "0"}, "model": model} | changes


def linear(n_in: Any, n_out: Any, **more: Any) -> dict[str, Any]:
    return {"layer": "Linear", "in_features": n_in, "out_features": n_out, "bias": False, **more}


def with_weight(architecture: Any, shape: list[int], dtype: str = "F32", tied: Any = None) -> bytes:
    """A network with one array, at the path "weight"."""
    found = content(architecture)
    name = "/network/parameters/weight"
    found["model"]["network"]["parameters"] = {"weight": {"$array": name}}
    found["model"]["network"]["tied"] = tied or {}
    size = int(np.prod(shape)) * {"F16": 2, "F32": 4, "F64": 8, "I32": 4, "BOOL": 1}[dtype]
    return signed(found, {name: entry(dtype, shape, 0, size)}, bytes(size))


def of_kind(kind: Any) -> dict[str, Any]:
    return {"kind": kind, "written_with": {}, "model": {kind if isinstance(kind, str) else "x": {}}}


def doubled(levels: int) -> dict[str, Any]:
    """A layer that holds twice a layer that holds twice a layer ..."""
    part: dict[str, Any] = {"layer": "Sequential", "layers": [{"function": "tanh"}]}
    path = "." + ".".join("0" * levels)
    for _ in range(levels):
        part = {"layer": "Sequential", "layers": [part, {"same_as": path.removeprefix(".")}]}
        path = path[:-2]
    return part


FORGED: list[tuple[str, bytes, str]] = [
    ("checksum", sign(GOLDEN.read_bytes())[:-1] + b"\x7f", "expected the SHA-256"),
    ("cut off", GOLDEN.read_bytes()[:-4], "bytes of elements"),
    ("no checksum", signed(content()).replace(b"sha256", b"sha512"), "sha256, format, version, content"),
    ("a newer version", signed(content(), version="2"), "Read it with a newer lucidgrad"),
    ("another format", signed(content(), format="model"), "expected to be a model file"),
    ("metadata too many", signed(content(), more="1"), "sha256, format, version, content in its header"),
    ("content no JSON", signed("{"), "the content of x.lucidgrad expected JSON"),
    ("content no object", signed([]), "kind, written_with and model"),
    ("a key twice", signed('{"kind":"network","kind":"weights"}'), "each key of an object once, got 'kind' twice"),
    ("NaN", signed('{"kind":NaN}'), "finite numbers"),
    ("deep", signed('{"kind":' + "[" * 10**5 + "]" * 10**5 + "}"), "nesting of at most 128"),
    ("a large number", signed('{"kind":' + "1" * 10**5 + "}"), "integers of 64 bits"),
    ("half a surrogate pair", signed('{"kind":"\\ud800"}'), "Unicode text"),
    ("kind no text", signed(of_kind(["network"])), "kind to be a name"),
    ("versions no text", signed(content(written_with={"a": 1})), "written_with to be a map of strings"),
    ("a kind to import", signed(of_kind("os")), "expected a kind of network"),
    ("a dotted kind", signed(of_kind("builtins.eval")), "expected a kind of network"),
    ("a path for a kind", signed(of_kind("../../x")), "expected a kind of network"),
    ("no network", signed(content(model=None)), "labels, metrics, network, preprocessing"),
    ("a part too many", signed(content(model={**content()["model"], "code": "1"})), "labels, metrics, network"),
    ("a layer to import", signed(content({"layer": "os.system", "command": "touch pwned"})), "one of Sequential"),
    ("a base class", signed(content({"layer": "Module"})), "one of Sequential, Residual, Linear"),
    ("Lambda", signed(content({"layer": "Lambda", "function": "eval"})), "one of lucidgrad's functions"),
    ("a function to import", signed(content({"function": "eval"})), "one of lucidgrad's functions"),
    ("a dunder", signed(content({"function": "__reduce__"})), "one of lucidgrad's functions"),
    ("a list for a function", signed(content({"function": ["tanh"]})), "got TypeError"),
    ("a function alone", signed(content({"function": "tanh"})), "a layer"),
    ("an unknown option", signed(content({"layer": "Dropout", "p": 0.5, "init": "eval"})), "the options p"),
    (
        "an option of a function that it has not",
        signed(content({"function": "elu", "arguments": [], "options": {"beta": 1}})),
        "unexpected keyword argument 'beta'",
    ),
    (
        "text for an option",
        signed(content({"function": "elu", "arguments": ["__import__('os')"], "options": {}})),
        "an option has to be a number",
    ),
    (
        "a dtype of objects",
        signed(content({"function": "one_hot", "arguments": [2], "options": {"dtype": "O"}})),
        "an option has to be a number",
    ),
    ("no layer", signed(content(3)), "architecture, buffers, parameters, tied, got"),
    ("a layer no object", signed(content({"layer": "Sequential", "layers": [3]})), "a layer or function, got 3"),
    ("layers no list", signed(content({"layer": "Sequential", "layers": 3})), "one of Sequential"),
    ("a probability of 7", signed(content({"layer": "Dropout", "p": 7})), "Dropout expected a probability"),
    ("a probability of true", signed(content({"layer": "Dropout", "p": True})), "p to be a number, got True"),
    ("a shape of text", signed(content({"layer": "Reshape", "shape": ["1"]})), "shape to be a list of sizes"),
    ("a terabyte of weights", signed(content(linear(10**6, 10**6))), "an array of floats of shape (1000000, 1000000)"),
    ("2^62 units", signed(content({"layer": "BatchNorm", "num_features": 2**62, "momentum": 0, "eps": 1})), "an array"),
    ("true for a size", with_weight(linear(True, 1), [1, 1]), "in_features to be an integer"),
    ("1.0 for a size", with_weight(linear(1.0, 1), [1, 1]), "in_features to be an integer"),
    ("a negative size", with_weight(linear(-1, 1), [1, 1]), "in_features to be an integer"),
    ("another shape", with_weight(linear(2, 3), [2, 3]), "an array of floats of shape (3, 2), got float32(2, 3)"),
    ("half precision", with_weight(linear(2, 3), [3, 2], "F16"), "got float16(3, 2)"),
    ("integers for weights", with_weight(linear(2, 3), [3, 2], "I32"), "got int32(3, 2)"),
    ("an array too many", with_weight({"layer": "Flatten"}, [1]), "the arrays of its layers, each once"),
    ("tied to nothing", with_weight(linear(2, 3), [3, 2], tied={"weight": "bias"}), "an array of floats"),
    ("tied to itself elsewhere", with_weight(linear(2, 3), [3, 2], tied={"x.weight": "weight"}), "KeyError"),
    ("tied to a list", with_weight(linear(2, 3), [3, 2], tied={"weight": []}), "TypeError"),
    ("a layer inside of itself", signed(content({"layer": "Residual", "inner": {"same_as": ""}})), "KeyError"),
    ("exponential sharing", signed(content(doubled(40))), "at most 100000 parts"),
    ("an unknown mark", signed(content({"$import": "os"})), "the mark '$import'"),
    ("an array that is not there", signed(content({"$array": "/x"})), "KeyError"),
    ("an array no text", signed(content({"$array": []})), "KeyError"),
]


@pytest.mark.parametrize(("data", "message"), [case[1:] for case in FORGED], ids=[case[0] for case in FORGED])
def test_a_forged_model_is_refused_with_the_reason(data: bytes, message: str, tmp_path: Path) -> None:
    assert message in refusal(data, tmp_path)


def extras(**changes: Any) -> bytes:
    found = content({"layer": "Flatten"})
    found["model"] |= changes
    return signed(found)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (extras(labels=[[]]), "labels to be a list of strings and numbers"),
        (extras(labels="ab"), "labels to be a list"),
        (extras(metrics={"a": "b"}), "metrics to be numbers by name"),
        *(
            (extras(measured_on=x), "measured_on to be numbers of rows")
            for x in (None, [], {}, {"all": 1}, {"test": -1})
        ),
        (extras(measured_on={"test": True}), "measured_on to be numbers of rows of test, validation, training"),
        (extras(preprocessing={"os": 1}), "expected a kind of network"),
        (extras(preprocessing=[1]), "preprocessing to be one model"),
        (extras(preprocessing={"standardize": {}}), "KeyError"),
        (extras(preprocessing={"standardize": {"mean": 1, "scale": 2}}), "an array of float64 has to be there"),
    ],
)
def test_what_goes_with_a_model_is_checked_too(data: bytes, message: str, tmp_path: Path) -> None:
    assert message in refusal(data, tmp_path)


def test_a_scaler_that_would_divide_by_zero_is_refusal(tmp_path: Path) -> None:
    scaler = lg.data.Standardize(np.zeros(2), np.ones(2))
    object.__setattr__(scaler, "scale", np.array([1.0, 0.0]))  # which it refuses itself
    lg.save(scaler, tmp_path / "x")
    with pytest.raises(ModelFileError, match="positive scales of one shape"):
        lg.load(tmp_path / "x")


def test_an_array_cannot_be_asked_for_twice_or_as_another_dtype(tmp_path: Path) -> None:
    fields = {"/x": entry("BOOL", [8], 0, 8)}
    twice = {"a": {"$array": "/x"}, "b": {"$array": "/x"}}
    wide = {"$array": "/x", "dtype": "<f8"}
    assert "KeyError: '/x'" in refusal(signed(content(twice), fields, bytes(8)), tmp_path)
    assert "the dtype '<f8' for an array of bool" in refusal(signed(content(wide), fields, bytes(8)), tmp_path)
    assert "nothing refers to" in refusal(signed(content(), fields, bytes(8)), tmp_path)


def test_what_is_no_regular_file_is_refusal(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with watched(path), pytest.raises(ModelFileError, match="to be a regular file"):
            lg.load(path)
    with (
        watched(tmp_path),
        pytest.raises(ModelFileError, match="expected to be a file that can be read, got IsADirectoryError"),
    ):
        lg.load(tmp_path)


@pytest.mark.parametrize("item", [b"[]", b"{}", b"0.5", b'""'])
def test_a_long_header_takes_at_most_30_times_its_size(item: bytes, tmp_path: Path) -> None:
    data = file_of(b'{"x":[' + (item + b",") * 100_000 + item + b"]}")
    (tmp_path / "x").write_bytes(data)
    tracemalloc.start()
    try:
        with watched(tmp_path / "x"), pytest.raises(ModelFileError, match="exactly dtype, shape and data_offsets"):
            lg.load(tmp_path / "x")
        assert tracemalloc.get_traced_memory()[1] < 30 * len(data)
    finally:
        tracemalloc.stop()


# --- at random ------------------------------------------------------------------------------------------------------


def original() -> bytes:
    return GOLDEN.read_bytes()


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """The golden file with bytes replaced, removed, repeated or put in."""
    data = bytearray(original())
    for _ in range(draw(st.integers(1, 4))):
        # Most of the time in the header, where there is something to break.
        at = draw(st.integers(0, len(data) - 1) | st.integers(8, 8 + int.from_bytes(original()[:8], "little")))
        end = at + draw(st.sampled_from([0, 1, 1, 4, 100]))
        data[at:end] = draw(
            st.binary(max_size=4)
            | st.sampled_from([b"0", b"9", b'"', b"{", b"[", b"-1", b"true", b"1e9", b"null", b'\\"', b"99999999999"])
            | st.just(bytes(data[at : at + 40]))
        )
    return bytes(data)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mutated(), st.booleans())
@example(b"", False)
def test_damaged_files_are_refused_or_read_and_nothing_else(tmp_path: Path, data: bytes, resigned: bool) -> None:
    _loads_or_refuses(tmp_path, sign(data) if resigned else data)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["$array", "layer", "function", "same_as", "Linear", "tanh"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["layer", "layers", "inner", "function", "same_as", "arguments", "options", "$array", "$tuple"]
            )
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_value_at_any_place_is_refused_or_read_and_nothing_else(tmp_path: Path, data: st.DataObject) -> None:
    file = original()
    length = int.from_bytes(file[:8], "little")
    header = json.loads(file[8 : 8 + length])
    inside = json.loads(header["__metadata__"]["content"])
    for tree in (inside, header) if data.draw(st.booleans()) else (inside,):
        holder, key = data.draw(st.sampled_from(list(places(tree))))
        holder[key] = data.draw(JSON)
    if isinstance(header.get("__metadata__"), dict) and "content" in header["__metadata__"]:
        header["__metadata__"]["content"] = json.dumps(inside)
    text = json.dumps(header, separators=(",", ":")).encode()
    _loads_or_refuses(tmp_path, sign(file_of(text, file[8 + length :])))


def _loads_or_refuses(folder: Path, data: bytes) -> None:
    model, _ = load_watched(data, folder, partial(lg.load, strict_finite=True))
    if isinstance(model, lg.nn.Module):
        repr(model)


def test_the_corpus_would_notice_an_import() -> None:
    with pytest.raises(AssertionError, match="compile"), watched():
        compile("1", "", "eval")
