"""The benchmarks run: on the smallest case, with the peers that are there in any case."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import arithmetic, compile_time, costs, page
from benchmarks.cases import CASES, load
from benchmarks.footprint import megabytes, needed

ROOT = Path(__file__).parents[2]


def test_the_smallest_case_is_measured_beside_scikit_learn():
    command = [sys.executable, "-m", "benchmarks.page", "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    (best,) = page.epochs_of(done.stdout).values()
    assert set(best) == {"lucidgrad", "scikit-learn"}
    assert all(seconds > 0 for seconds in best.values())


def test_a_benchmark_that_fails_is_named_and_not_left_out():
    assert page.measured("no_such_benchmark").startswith("Failed: ")


def test_the_chart_shows_every_peer(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "CHART", tmp_path / "chart.png")
    page.draw({"small": {"lucidgrad": 1.0, "JAX": 3.0}, "large": {"lucidgrad": 2.0, "JAX": 2.5, "PyTorch": 4.0}})
    assert (tmp_path / "chart.png").stat().st_size > 5_000


def test_the_page_has_a_place_for_what_is_measured():
    text = page.PAGE.read_text()
    assert text.index(page.BEGIN) < text.index(page.END)


def test_the_size_of_a_package_includes_what_it_needs():
    names = needed("scikit-learn", set())
    assert {"scikit-learn", "numpy", "scipy"} <= names
    assert megabytes(names) > megabytes({"numpy"}) > 1


def test_the_share_of_the_best_product_is_held_against_the_fastest_of_all():
    measured = {"NumPy 512": [2.0, 1.0], "JAX 512": [4.0], "2-3, batch 4, SGD": [4.0, 8.0]}
    work = {"NumPy 512": 4e9, "JAX 512": 4e9, "2-3, batch 4, SGD": 8e9}
    text = arithmetic.report(measured, work, threads=2)
    assert "best sgemm: NumPy 512, 4 GFLOP/s" in text
    assert "| 2-3, batch 4, SGD | 1 | 2 | 33% | 50% |" in text


def test_everything_whose_cost_is_told_trains_in_machine_code():
    case = replace(next(c for c in CASES if c.key == "mlp-adam"), sizes=(20, 128, 10), rows=200)
    data = load(case)
    for way in costs.WAYS.values():
        trainer = costs.trainer(case, data, 1, way)
        assert np.isfinite(trainer.epoch())
        trainer.close()


def test_the_first_step_of_a_network_is_timed():
    assert compile_time.first_step("tiny") > 0


SCRIPTS = (
    "predict", "cold", "estimators", "estimators_predict", "footprint", "mnist_accuracy", "eager_step", "arithmetic",
    "compile_time",
)  # fmt: skip


@pytest.mark.parametrize("module", [*SCRIPTS, "costs", "accuracy"])
def test_every_benchmark_explains_itself(module):
    text = (ROOT / "benchmarks" / f"{module}.py").read_text()
    assert text.startswith('"""')
    assert f"python -m benchmarks.{module}" in text or f"python benchmarks/{module}.py" in text
