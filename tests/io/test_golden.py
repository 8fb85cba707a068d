"""Files of every version are read for ever, to the numbers they gave on the day they were written."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.files import container
from lucidgrad.files.container import FORMAT_VERSION
from lucidgrad.io.kinds import PROVIDERS
from lucidgrad.io.layers import LAYERS
from lucidgrad.nn.weights_file import KIND as WEIGHTS
from tests.io.golden_files import FILES, FOLDER, RECIPES, Golden, asked, write

EVERY = pytest.mark.parametrize("golden", FILES, ids=lambda g: g.path.stem)


def test_each_kind_has_a_golden_file_of_each_version_of_the_format() -> None:
    wanted = {(kind, version) for kind in (*PROVIDERS, WEIGHTS) for version in range(1, FORMAT_VERSION + 1)}
    lacking = wanted - {(g.kind, g.version) for g in FILES}
    assert not lacking, "Add a recipe to tests/io/golden_files.py and run: python -m tests.io.golden_files"


def test_each_recipe_has_been_written_and_each_layer_is_in_a_golden_file() -> None:
    assert {g.path.stem for g in FILES} >= RECIPES.keys()
    everything = "".join(str(container.read(g.path).plain) for g in FILES)
    assert [name for name in LAYERS if f"'layer': '{name}'" not in everything] == []
    assert sum(p.stat().st_size for p in FOLDER.iterdir()) < 100_000


@EVERY
def test_a_golden_file_is_read_and_predicts_what_it_did(golden: Golden) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = golden.load(golden.path)
        assert (container.read(golden.path).kind, golden.version) == (golden.kind, FORMAT_VERSION)
        assert golden.made
        for method, made in golden.made.items():
            assert_same(asked(model, method, golden.inputs()), made)


def test_what_goes_with_a_model_is_read_too() -> None:
    found = lg.io.read_model(FOLDER / "network-1.lucidgrad")
    assert (found.labels, found.metrics) == (["no", "yes"], {"accuracy": 0.75})
    assert isinstance(found.preprocessing, lg.data.Standardize)
    assert found.measured_on is None, "it was written before there was such a thing"
    assert lg.io.read_model(FOLDER / "network-1-measured.lucidgrad").measured_on == {"validation": 2, "test": 1200}


@EVERY
def test_a_golden_file_that_is_saved_again_is_the_same_model(golden: Golden, tmp_path: Any) -> None:
    before = golden.load(golden.path)
    write(before, tmp_path / "again.lucidgrad")
    again = golden.load(tmp_path / "again.lucidgrad")
    for method in golden.made:
        assert asked(again, method, golden.inputs()) == asked(before, method, golden.inputs())


def assert_same(made: Any, stored: Any) -> None:
    """Names, labels and whole numbers exactly, numbers to rounding."""
    if isinstance(made, list) and made and isinstance(made[0], list):
        assert len(made) == len(stored)
        for a, b in zip(made, stored, strict=True):
            assert_same(a, b)
    elif isinstance(made, list) and made and isinstance(made[0], float):
        np.testing.assert_allclose(made, stored, rtol=1e-5, atol=1e-6)
    else:
        assert made == stored
