"""The benchmarks run: on the smallest case, with the peers that are there in any case."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import page
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


@pytest.mark.parametrize("module", ["predict", "cold", "estimators", "footprint", "mnist_accuracy", "eager_step"])
def test_every_benchmark_explains_itself(module):
    text = (ROOT / "benchmarks" / f"{module}.py").read_text()
    assert text.startswith('"""')
    assert f"python -m benchmarks.{module}" in text or f"python benchmarks/{module}.py" in text
