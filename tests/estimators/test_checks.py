"""scikit-learn's own checks of estimators: all of them, none expected to fail, whatever settings of ours are on."""

import collections
import json
import os
import re
import subprocess
import sys
import warnings
from typing import Any

import pytest
from sklearn.utils.estimator_checks import check_estimator

import lucidgrad as lg

# 67 of scikit-learn's MLPClassifier and one for class_weight, of which one is about decision_function, which it lacks.
COUNTS = {"MLPClassifier": {"passed": 67, "skipped": 1}, "MLPRegressor": {"passed": 60}}

EVERYTHING: dict[str, list[dict[str, Any]]] = {
    "MLPClassifier": [
        {},
        {
            "dropout": 0.1, "normalization": "batch", "activation": ["gelu"], "optimizer": "adamw",
            "schedule": "cosine", "class_weight": "balanced", "engine": "eager",
        },
    ],
    "MLPRegressor": [
        {},
        {
            "dropout": 0.1, "normalization": "layer", "activation": "silu", "loss": "huber", "optimizer": "rmsprop",
            "engine": "eager",
        },
    ],
}  # fmt: skip
ONE_BY_ONE: list[tuple[str, dict[str, Any]]] = [
    *(
        (name, options)
        for name in COUNTS
        for options in (
            {"dropout": 0.1}, {"normalization": "batch"}, {"normalization": "layer"}, {"activation": "elu"},
            {"optimizer": "adamw", "schedule": "one_cycle"}, {"optimizer": "lbfgs"}, {"engine": "eager"},
            {"callbacks": [lg.training.Callback()]},
        )
    ),
    ("MLPClassifier", {"loss": lg.losses.CrossEntropy()}),
    ("MLPClassifier", {"class_weight": "balanced"}),
    ("MLPRegressor", {"loss": "absolute_error"}),
    ("MLPRegressor", {"loss": lg.losses.LogCosh()}),
    ("MLPRegressor", {"calibration": 2}),
]  # fmt: skip


def counted(name: str, options: dict[str, Any]) -> tuple[dict[str, int], list[str]]:
    """How many checks ended in which way, and what did not pass."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = getattr(lg, name)(max_iter=40, learning_rate_init=0.01, **options)
        made = check_estimator(model, on_skip=None, on_fail=None)
    troubles = [f"{m['check_name']}: {m['exception']}" for m in made if m["status"] not in ("passed", "skipped")]
    return dict(collections.Counter(m["status"] for m in made)), troubles


@pytest.mark.parametrize("name", COUNTS)
def test_all_checks_pass_with_scikit_learns_settings_and_with_ours(name):
    """In a process of its own, as SciPy asks for array API when it is imported. Natively too among the long tests."""
    pytest.importorskip("pandas")
    script = (
        "import json, sys; from tests.estimators.test_checks import EVERYTHING, counted\n"
        f"print(json.dumps([counted({name!r}, options) for options in EVERYTHING[{name!r}]]))"
    )
    environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
    made = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
    for counts, troubles in json.loads(made.stdout):
        assert troubles == []
        assert counts == COUNTS[name]


def named(value):
    """A name for a setting; an object has that of its class, as its own text may hold an address."""
    return value if isinstance(value, str) else re.sub(r"<\S*?(\w+) object at 0x\w+>", r"\1", str(value))


@pytest.mark.long
@pytest.mark.parametrize(("name", "options"), ONE_BY_ONE, ids=named)
def test_all_checks_pass_with_each_setting(name, options):
    counts, troubles = counted(name, options)
    assert troubles == []
    expected = sum(COUNTS[name].values())
    if "balanced" in options.values() or "lbfgs" in options.values():
        assert counts["passed"] + counts.get("skipped", 0) == expected
    else:
        assert counts["passed"] >= expected - 4  # without array API some are skipped
