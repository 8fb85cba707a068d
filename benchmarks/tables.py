"""How good the estimators for tables are, beside scikit-learn's perceptron and its boosted trees.

``python -m benchmarks.tables`` prints the mean test score over five seeds, each with a split of its own, and the
seconds of a fit; ``--problems iris wine`` and ``--seeds 2`` make it shorter. The peers get what their manuals tell to
do: the perceptron imputed and scaled numbers with indicators, one-hot categories, scaled targets; both get dates as
a time and as its parts.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import TransformedTargetRegressor, make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.metrics import accuracy_score, d2_absolute_error_score, r2_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import lucidgrad as lg
from benchmarks.table_problems import PROBLEMS, Problem

NAMES = ("lucidgrad", "perceptron", "boosted trees")


def perceptron(problem: Problem, seed: int) -> Any:
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    columns = make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_include="category")),
    )
    if problem.is_classification:
        return make_pipeline(columns, MLPClassifier(max_iter=500, random_state=seed))
    return TransformedTargetRegressor(
        make_pipeline(columns, MLPRegressor(max_iter=500, random_state=seed)), transformer=StandardScaler()
    )


def boosted_trees(problem: Problem, seed: int) -> Any:
    kind = HistGradientBoostingClassifier if problem.is_classification else HistGradientBoostingRegressor
    return kind(categorical_features="from_dtype", random_state=seed)


def for_peers(X: pd.DataFrame) -> pd.DataFrame:
    """Text as categories, dates as days and their parts."""
    X = X.copy()
    for name in X.select_dtypes("datetime").columns:
        at = X.pop(name).dt
        parts = {"year": at.year, "month": at.month, "dayofyear": at.day_of_year, "weekday": at.day_of_week}
        X = X.assign(**{f"{name} {part}": values.astype(float) for part, values in parts.items()})
        X[f"{name} day"] = X[f"{name} year"] * 365.25 + X[f"{name} dayofyear"]
    for name in X.select_dtypes(exclude="number").columns:
        X[name] = X[name].astype("category")
    return X


def score(problem: Problem, model: Any, X: pd.DataFrame, y: Any) -> float:
    if problem.score == "auc":
        return float(roc_auc_score(y, model.predict_proba(X)[:, 1]))
    measure = {"accuracy": accuracy_score, "r2": r2_score, "d2": d2_absolute_error_score}[problem.score]
    return float(measure(y, model.predict(X)))


def measure(name: str, who: str, seed: int, **options: Any) -> tuple[float, float]:
    """Test score and seconds of a fit."""
    problem = PROBLEMS[name]
    X, y = problem.make(np.random.default_rng(seed + 100))
    if who != "lucidgrad":
        X = for_peers(X)
    parts = train_test_split(X, y, test_size=0.25, random_state=seed, stratify=y if problem.is_classification else None)
    kind = lg.TabularClassifier if problem.is_classification else lg.TabularRegressor
    make: dict[str, Callable[[], Any]] = {
        "lucidgrad": lambda: kind(random_state=seed, **options),
        "perceptron": lambda: perceptron(problem, seed),
        "boosted trees": lambda: boosted_trees(problem, seed),
    }
    began = time.perf_counter()
    with warnings.catch_warnings():
        if who != "lucidgrad":
            warnings.simplefilter("ignore")  # perceptrons that have not converged, categories nobody has seen
        model = make[who]().fit(parts[0], parts[2])
        seconds = time.perf_counter() - began
        return score(problem, model, parts[1], parts[3]), seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--problems", nargs="*", default=list(PROBLEMS), choices=list(PROBLEMS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", choices=NAMES, help="measure one of them")
    parser.add_argument("--keep", type=Path, help="a JSON file of results, which is read and added to")
    options = parser.parse_args()
    kept = json.loads(options.keep.read_text()) if options.keep and options.keep.exists() else {}
    print(f"{'':24}{'':10}" + "".join(f"{who:>24}" for who in NAMES))
    for name in options.problems:
        cells = []
        for who in NAMES:
            rows = kept.setdefault(name, {}).setdefault(who, [])
            if options.only in (None, who):
                rows += [measure(name, who, seed) for seed in range(len(rows), options.seeds)]
            got = np.array(rows[: options.seeds]) if rows else np.full((1, 2), np.nan)
            cells.append(f"{got[:, 0].mean():.4f} ±{got[:, 0].std():.4f} {np.median(got[:, 1]):6.1f} s")
            if options.keep:
                options.keep.write_text(json.dumps(kept))
        print(f"{name:24}{PROBLEMS[name].score:10}" + "".join(f"{cell:>24}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
