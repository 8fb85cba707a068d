"""Files of every kind, forged and damaged: a kind whose golden file is there is attacked here without further ado."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from tests.files.forge import entry
from tests.io.golden_files import FILES, FOLDER, Golden
from tests.io.hostile import Parts, damaged, forged, load_watched, refusal, retyped, use

EVERY = pytest.mark.parametrize("golden", FILES, ids=lambda g: g.path.stem)
MUTATIONS = (forged, retyped, damaged)


@pytest.fixture(scope="module", autouse=True)
def _everything_is_imported() -> None:
    for golden in FILES:
        use(golden.load(golden.path), golden.given)


@EVERY
def test_a_whole_file_is_read_with_nothing_else_touched(golden: Golden, tmp_path: Path) -> None:
    model, _ = load_watched(golden.path.read_bytes(), tmp_path, golden.load)
    assert model is not None


def attack(golden: Golden, folder: Path, seeds: range) -> tuple[int, int]:
    """How many files were refused, and how many read."""
    data, taken = golden.path.read_bytes(), 0
    for seed in seeds:
        for mutate in MUTATIONS:
            bad = mutate(data, random.Random(f"{golden.path.stem} {seed} {mutate.__name__}"))
            model, _ = load_watched(bad, folder, golden.load)
            if model is not None:
                taken += 1
                use(model, golden.given)
    return len(seeds) * len(MUTATIONS) - taken, taken


@EVERY
@pytest.mark.filterwarnings("ignore:.*has NaN or infinity:RuntimeWarning")
def test_forged_files_are_refused_or_read_and_nothing_else(golden: Golden, tmp_path: Path) -> None:
    refused, taken = attack(golden, tmp_path, range(25))
    assert refused > taken > 0  # it is neither blind nor destroys all that it touches


@EVERY
@pytest.mark.long
@pytest.mark.filterwarnings("ignore:.*has NaN or infinity:RuntimeWarning")
def test_many_forged_files_are_refused_or_read_and_nothing_else(golden: Golden, tmp_path: Path) -> None:
    attack(golden, tmp_path, range(25, 2000))


# --- by hand ----------------------------------------------------------------------------------------------------------


def settings(p: Parts) -> Any:
    (model,) = (v for k, v in p.content["model"].items() if k not in ("labels", "metrics", "preprocessing"))
    return model["settings"]


def model(p: Parts) -> Any:
    return p.content["model"][p.content["kind"]]


def put(p: Parts, node: Any, key: Any, values: Any) -> None:
    """Another array at a place of the file, behind the others."""
    array = np.ascontiguousarray(values)
    name, at = f"/forged/{len(p.header)}", len(p.elements)
    dtype = {"float64": "F64", "float32": "F32", "int64": "I64"}[array.dtype.name]
    node[key] = {"$array": name}
    p.header[name] = entry(dtype, list(array.shape), at, at + array.nbytes)
    p.elements += array.tobytes()


def without(p: Parts, node: Any, key: Any, values: Any) -> None:
    """Another array in place of one, which is not in the file any more."""
    name = node[key]["$array"]
    begin, end = p.header.pop(name)["data_offsets"]
    p.elements = p.elements[:begin] + p.elements[end:]
    for other in p.header.values():
        if "data_offsets" in other and other["data_offsets"][0] >= end:
            other["data_offsets"] = [n - (end - begin) for n in other["data_offsets"]]
    put(p, node, key, values)


def network(p: Parts, *layers: Any, **arrays: Any) -> None:
    """Other layers between the first and nothing."""
    net = model(p)["network"]
    first = net["architecture"]["layers"][0]
    keep = {k: v for k, v in net["parameters"].items() if k.startswith("0.")}
    for name, at in [(k, v["$array"]) for k, v in net["parameters"].items() if k not in keep]:
        without(p, net["parameters"], name, np.zeros(0, np.float32))
        p.header.pop(net["parameters"].pop(name)["$array"])
        assert at
    net["architecture"]["layers"] = [first, *layers]
    for name, values in arrays.items():
        put(p, net["parameters"], name.replace("_", "."), values)


def layer(name: str, **options: Any) -> dict[str, Any]:
    return {"layer": name, **options}


WIDE = np.zeros((3000, 16), np.float32)
NAN = float("nan")

CASES: dict[str, tuple[str, Callable[[Parts], Any], str]] = {
    "a million units": (
        "mlp_classifier-1",
        lambda p: settings(p).update(hidden_layer_sizes=10**6),
        "hidden_layer_sizes",
    ),
    "a size of 2^62": ("mlp_classifier-1", lambda p: settings(p).update(max_iter=2**62, batch_size=-1), "batch_size"),
    "a module for an activation": (
        "mlp_classifier-1",
        lambda p: settings(p).update(activation="os.system"),
        "activation",
    ),
    "an activation to import": (
        "mlp_classifier-1",
        lambda p: settings(p).update(activation={"function": "system"}),
        "one of lucidgrad's functions",
    ),
    "an activation that makes a terabyte": (
        "mlp_classifier-1-extras",
        lambda p: settings(p).update(activation={"function": "one_hot", "arguments": [2**40], "options": {}}),
        "activations have to keep shapes",
    ),
    "an option that no float can be": (
        "mlp_classifier-1-extras",
        lambda p: settings(p).update(
            activation={"function": "elu", "arguments": [], "options": {"alpha": {"$int": "0x" + "f" * 400}}}
        ),
        "an option has to be a number of at most 64 bits",
    ),
    "an activation that no loop of scikit-learn's has": (
        "mlp_classifier-1",
        lambda p: settings(p).update(activation="gelu"),
        "an activation of scikit-learn",
    ),
    "an object to import": (
        "mlp_classifier-1-extras",
        lambda p: settings(p).update(optimizer={"object": "Popen", "options": {}}),
        "KeyError",
    ),
    "an optimizer inside of an optimizer": (
        "mlp_classifier-1-extras",
        lambda p: settings(p).update(
            optimizer={"object": "Adam", "options": {"learning_rate": {"object": "Adam", "options": {}}}}
        ),
        "",
    ),
    "a loss with other options": (
        "mlp_regressor-1-folds",
        lambda p: settings(p)["loss"]["options"].update(command="ls"),
        "unexpected keyword",
    ),
    "a quantile of 7": (
        "mlp_regressor-1-folds",
        lambda p: settings(p)["loss"]["options"].update(q=7),
        "Quantile expected",
    ),
    "NaN for a step": ("mlp_classifier-1", lambda p: settings(p).update(alpha={"$float": "7ff8000000000000"}), "alpha"),
    "a key of lists": (
        "mlp_classifier-1",
        lambda p: settings(p).update(class_weight={"pairs": [[[], 1]]}),
        "TypeError",
    ),
    "an unknown part": ("mlp_classifier-1", lambda p: model(p).update(code="1"), "it has to have"),
    "an unknown setting": ("mlp_classifier-1", lambda p: settings(p).update(code="1"), "settings have to be of"),
    "weights that are text": ("mlp_classifier-1", lambda p: model(p)["coefs"].__setitem__(0, "w"), "nothing refers to"),
    "a history of text": (
        "mlp_classifier-1",
        lambda p: model(p)["progress"].update(loss_curve_=["a"] * 10**5),
        "loss_curve_ has to be",
    ),
    "one class for three outputs": (
        "mlp_classifier-1",
        lambda p: model(p)["target"]["classes"].update(strings=["a"]),
        "as many as its outputs",
    ),
    "two classes out of several labels": (
        "mlp_classifier-1",
        lambda p: model(p)["target"].update(type="multilabel-indicator"),
        "has to fit its classes",
    ),
    "variances below 0": (
        "mlp_classifier-1-extras",
        lambda p: without(p, model(p)["norms"][0], "running_var", np.full(4, -1.0)),
        "variances of its norms",
    ),
    "norms of another size": (
        "mlp_classifier-1-extras",
        lambda p: without(p, model(p)["norms"][0], "weight", np.ones(10**5)),
        "mismatches",
    ),
    "folds that are not there": (
        "mlp_regressor-1-folds",
        lambda p: without(p, model(p)["calibration"], "folds", np.full(60, 2**40)),
        "those of its models",
    ),
    "scores of another shape": (
        "mlp_regressor-1-folds",
        lambda p: without(p, model(p)["calibration"], "scores", np.zeros((2, 3, 4))),
        "one for each output",
    ),
    "an estimator inside of itself": (
        "mlp_regressor-1-folds",
        lambda p: model(p)["calibration"]["models"].__setitem__(0, json.loads(json.dumps(model(p)))),
        "KeyError",
    ),
    "a scale of NaN": (
        "tabular_regressor-1",
        lambda p: without(p, model(p)["target"], "scale", np.array([NAN])),
        "positive scale",
    ),
    "an infinite scale": (
        "tabular_regressor-1",
        lambda p: without(p, model(p)["target"], "scale", np.array([np.inf])),
        "has to be finite",
    ),
    "a center of NaN": (
        "tabular_regressor-1",
        lambda p: without(p, model(p)["target"], "center", np.array([NAN])),
        "has to be finite",
    ),
    "knots of NaN": (
        "table-1",
        lambda p: without(p, p.content["model"]["table"]["columns"][0]["encoding"], "knots", np.full(3, NAN)),
        "knots of an encoding is no",
    ),
    "a scale of NaN in a column": (
        "tabular_regressor-1",
        lambda p: model(p)["preprocessing"]["columns"][0]["encoding"].update(scale={"$float": "7ff8000000000000"}),
        "scale of an encoding is no",
    ),
    "a scale of 0": (
        "tabular_regressor-1",
        lambda p: model(p)["preprocessing"]["columns"][0]["encoding"].update(scale=0.0),
        "a positive scale",
    ),
    "a negative count": (
        "table-1",
        lambda p: p.content["model"]["table"]["columns"][0].update(rows=-1),
        "a kind and counts",
    ),
    "a format of dates that is code": (
        "table-1",
        lambda p: p.content["model"]["table"]["columns"][3].update(format="%Z{}"),
        "format that is known",
    ),
    "a column twice": (
        "table-1",
        lambda p: p.content["model"]["table"]["columns"][1].update(name="size"),
        "each with a name of its own",
    ),
    "an encoding of another kind": (
        "table-1",
        lambda p: p.content["model"]["table"]["columns"][1]["encoding"].update(encoding="numeric"),
        "the encoding of its kind",
    ),
    "a kind to import": (
        "table-1",
        lambda p: p.content["model"]["table"]["columns"][1].update(kind="os"),
        "a kind and counts",
    ),
    "a newer version of a table": (
        "table-1",
        lambda p: p.content["model"]["table"].update(version=2),
        "newer lucidgrad",
    ),
    "a hundred thousand categories": (
        "tabular_classifier-1",
        lambda p: model(p)["preprocessing"]["columns"][1]["encoding"].update(categories=["a"] * 10**5),
        "numbers and codes of its columns",
    ),
    "an activation of a terabyte in a table's network": (
        "tabular_regressor-1",
        lambda p: model(p)["network"]["architecture"]["layers"].__setitem__(
            3, {"function": "one_hot", "arguments": [2**40], "options": {}}
        ),
        "activations between them",
    ),
    "layers that make a product of their sizes": (
        "tabular_regressor-1",
        lambda p: network(
            p,
            layer("Members", members=3000, features=16),
            layer("Linear", in_features=16, out_features=3000, bias=False),
            layer("Linear", in_features=3000, out_features=1, bias=False),
            **{"1_weight": WIDE, "2_weight": WIDE, "3_weight": np.zeros((1, 3000), np.float32)},
        ),
        "has to give 1 output",
    ),
    "a history of a history": (
        "tabular_regressor-1",
        lambda p: model(p).update(history=[{"a": {"b": {"c": 1}}}]),
        "made of numbers",
    ),
    "columns by the billion": ("tabular_regressor-1", lambda p: model(p).update(features=2**40), "as many features as"),
    "classes of objects": (
        "tabular_classifier-1",
        lambda p: model(p)["classes"].update(strings=[["os"]] * 3),
        "labels have to be strings",
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.filterwarnings("ignore:.*has NaN or infinity:RuntimeWarning")
def test_a_forged_estimator_is_refused_with_the_reason(case: str, tmp_path: Path) -> None:
    name, forge, message = CASES[case]
    parts = Parts((FOLDER / f"{name}.lucidgrad").read_bytes())
    forge(parts)
    assert message in refusal(parts.file(), tmp_path)


def test_one_long_label_among_many_short_ones_takes_no_more_memory_than_the_file(tmp_path: Path) -> None:
    parts = Parts((FOLDER / "mlp_classifier-1.lucidgrad").read_bytes())
    labels = ["a"] * 20_000 + ["b" * 20_000]
    model(parts)["target"]["classes"].update(strings=labels)
    assert "as many as its outputs" in refusal(parts.file(), tmp_path)
    assert lg.estimators.labels.from_tree({"strings": labels, "objects": False})[-1] == labels[-1]
    assert lg.estimators.labels.from_tree({"strings": ["a", "bc"], "objects": False}).dtype.kind == "U"


def test_a_key_of_a_setting_twice_is_refused(tmp_path: Path) -> None:
    parts = Parts((FOLDER / "tabular_classifier-1.lucidgrad").read_bytes())
    text = json.dumps(parts.content).replace('"dtype": "float32"', '"dtype": "float32", "dtype": "float64"')
    assert "each key of an object once, got 'dtype' twice" in refusal(parts.file(text), tmp_path)


def test_estimators_within_estimators_end_where_nesting_does(tmp_path: Path) -> None:
    parts = Parts((FOLDER / "mlp_regressor-1-folds.lucidgrad").read_bytes())
    text = json.dumps(parts.content)
    at = text.index('"models": [') + len('"models": [')
    deep = text[:at] + '{"calibration": {"models": [' * 10**4 + "]}}" * 10**4 + text[at:]
    assert "nesting of at most 128" in refusal(parts.file(deep), tmp_path)
