"""Tables to judge estimators by: scikit-learn's own, and generated ones of which is known what there is to find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets


@dataclass(frozen=True)
class Problem:
    """A table with its targets; ``score`` is "accuracy", "auc" (ROC), "r2", or "d2" (of absolute errors)."""

    make: Callable[[np.random.Generator], tuple[pd.DataFrame, Any]]
    score: str

    @property
    def is_classification(self) -> bool:
        return self.score in ("accuracy", "auc")


N = 2000


def _bundled(name: str) -> Callable[[np.random.Generator], tuple[pd.DataFrame, Any]]:
    def make(rng: np.random.Generator) -> tuple[pd.DataFrame, Any]:
        X, y = getattr(datasets, f"load_{name}")(return_X_y=True, as_frame=True)
        return X, (np.asarray(y)[:, 0] if name == "linnerud" else np.asarray(y))

    return make


def _noise(rng: np.random.Generator, names: str, n: int = N) -> dict[str, Any]:
    return {name: rng.normal(size=n) for name in names}


def categories(rng: np.random.Generator) -> tuple[pd.DataFrame, Any]:
    """Effects of categories, one with 60 of them, and of two together."""
    sizes = {"shop": 60, "brand": 12, "colour": 5, "season": 4}
    codes = {name: rng.integers(size, size=N) for name, size in sizes.items()}
    effects = {name: rng.normal(size=size) for name, size in sizes.items()}
    both = rng.normal(size=(5, 4))
    number = _noise(rng, "pq")
    y = sum(effects[name][codes[name]] for name in sizes) + both[codes["colour"], codes["season"]] + number["p"]
    table = {name: [f"{name} {c}" for c in code] for name, code in codes.items()} | number
    return pd.DataFrame(table), y + 0.5 * rng.normal(size=N)


def rare_categories(rng: np.random.Generator) -> tuple[pd.DataFrame, Any]:
    """Two hundred places, few rows of most of them; the class depends on the place and on a number."""
    place = np.minimum(rng.geometric(0.02, N), 200)
    effect = rng.normal(size=201)
    number = _noise(rng, "abc")
    y = (1.5 * effect[place] + number["a"] * np.sign(effect[place]) + 0.5 * rng.normal(size=N) > 0).astype(int)
    return pd.DataFrame({"place": [f"p{c}" for c in place], **number}), y


def missing_not_at_random(rng: np.random.Generator) -> tuple[pd.DataFrame, Any]:
    """Incomes are missing where they are high, and that says something."""
    income, age, debt = np.exp(rng.normal(size=N)), rng.uniform(18, 80, N), rng.gamma(2.0, 1.0, N)
    risk = 1.2 * debt - 1.5 * np.log(income) + 0.03 * (age - 50)
    y = (risk + rng.logistic(size=N) > 1.0).astype(int)
    table = {"income": np.where((income > 1.5) & (rng.random(N) < 0.7), np.nan, income), "age": age, "debt": debt}
    table["kind"] = np.where(rng.random(N) < 0.2, None, np.where(risk > 0.5, "tenant", "owner"))
    return pd.DataFrame(table), y


def dates(rng: np.random.Generator) -> tuple[pd.DataFrame, Any]:
    """A trend, a season and weekends."""
    day = np.datetime64("2018-01-01") + rng.integers(0, 1800, N)
    count = (day - np.datetime64("2018-01-01")).astype(int)
    temperature = 10 - 8 * np.cos(2 * np.pi * count / 365.25) + rng.normal(0, 3, N)
    y = 0.002 * count + 2 * np.sin(2 * np.pi * count / 365.25) + 1.5 * ((count + 0) % 7 >= 5) + 0.1 * temperature
    return pd.DataFrame({"day": day.astype("datetime64[us]"), "temperature": temperature}), y + 0.4 * rng.normal(size=N)


def interactions(rng: np.random.Generator) -> tuple[pd.DataFrame, Any]:
    """Friedman's first problem (1991): a product inside of a sine, a parabola, two lines, five columns of nothing."""
    X, y = datasets.make_friedman1(N, noise=1.0, random_state=int(rng.integers(2**31)))
    return pd.DataFrame(X, columns=[f"x{i}" for i in range(10)]), y


def heavy_tails(rng: np.random.Generator) -> tuple[pd.DataFrame, Any]:
    """Noise with a tail so heavy that it has no variance, and inputs over five orders of magnitude."""
    a, b, c = np.exp(2 * rng.normal(size=N)), np.exp(rng.normal(size=N)), rng.normal(size=N)
    return pd.DataFrame({"a": a, "b": b, "c": c}), np.log(a) * c + 2 * np.log(b) + 0.5 * rng.standard_t(2, N)


def imbalanced(rng: np.random.Generator) -> tuple[pd.DataFrame, Any]:
    """One row in twenty-five, by a rule of three numbers and a category."""
    x = rng.normal(size=(N, 6))
    group = rng.integers(4, size=N)
    score = x[:, 0] + x[:, 1] * x[:, 2] + (group == 2) + 0.5 * rng.normal(size=N)
    table = pd.DataFrame(x, columns=list("abcdef")).assign(group=[f"g{g}" for g in group])
    return table, (score > np.quantile(score, 0.96)).astype(int)


def steps(rng: np.random.Generator) -> tuple[pd.DataFrame, Any]:
    """A function of thresholds, as a tree would have it."""
    x = rng.uniform(size=(N, 5))
    y = 2.0 * (x[:, 0] > 0.3) + 1.5 * (x[:, 1] > 0.7) * (x[:, 2] < 0.5) - 1.0 * (x[:, 3] > 0.9)
    return pd.DataFrame(x, columns=list("abcde")), y + 0.3 * rng.normal(size=N)


def wide(rng: np.random.Generator) -> tuple[pd.DataFrame, Any]:
    """Sixty columns, of which six matter, in three classes."""
    X, y = datasets.make_classification(
        1500, 60, n_informative=6, n_redundant=4, n_classes=3, random_state=int(rng.integers(2**31))
    )
    return pd.DataFrame(X, columns=[f"x{i}" for i in range(60)]), y


PROBLEMS: dict[str, Problem] = {
    "iris": Problem(_bundled("iris"), "accuracy"),
    "wine": Problem(_bundled("wine"), "accuracy"),
    "breast_cancer": Problem(_bundled("breast_cancer"), "accuracy"),
    "digits": Problem(_bundled("digits"), "accuracy"),
    "diabetes": Problem(_bundled("diabetes"), "r2"),
    "categories": Problem(categories, "r2"),
    "rare_categories": Problem(rare_categories, "accuracy"),
    "missing_not_at_random": Problem(missing_not_at_random, "accuracy"),
    "dates": Problem(dates, "r2"),
    "interactions": Problem(interactions, "r2"),
    "heavy_tails": Problem(heavy_tails, "d2"),
    "imbalanced": Problem(imbalanced, "auc"),
    "steps": Problem(steps, "r2"),
    "wide": Problem(wide, "accuracy"),
}
