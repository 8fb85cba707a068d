"""How do the weights behave? How far the largest of each layer grows, in which layer, and whether it goes on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lucidgrad.lab.answers.answer import Answer
from lucidgrad.lab.evidence import Evidence, Network, listed, times
from lucidgrad.lab.result import Result

QUESTION = "How do the weights behave?"


def how_do_the_weights_behave(e: Evidence) -> Answer:
    """The answer from max|w| of each layer before the first step and after each epoch."""
    results = [n.first for n in e.sound if n.first.start_max_abs_weights]
    if not results:
        return Answer(QUESTION, "Not measured: no network was trained to the end of an epoch.")
    growth = {r.name: r.max_abs_weight / max(r.start_max_abs_weights.values()) for r in results}
    grew = [name for name, factor in growth.items() if factor > 1]
    late = float(np.median([_late_share(r) for r in results]))
    if len(grew) == len(results):
        verdict = "They grow" if len(results) > 1 else "It grows"
    else:
        verdict = f"The largest weight grows in {len(grew)} of {len(results)} networks"
    smallest, largest = min(growth, key=growth.__getitem__), max(growth, key=growth.__getitem__)
    verdict += f": max|w| becomes {times(growth[largest])} what it was at the start in {largest}"
    verdict += f", {times(growth[smallest])} in {smallest}" if smallest != largest else ""
    verdict += f". {_when(late)}"
    reasons = [
        _where(results),
        *(_layer_by_layer(r) for r in _one_of_each_depth(e)),
        *_schedule(results, late),
        *_with_gap(e.sound),
    ]
    return Answer(QUESTION, verdict, tuple(reasons))


def _when(late: float) -> str:
    manner = (
        "By the end they stand still" if late < 0.05 else "They slow down" if late < 0.2 else "They had not stopped"
    )
    return f"{manner}: the last quarter of the epochs added {100 * max(late, 0):.0f} % of the growth."


def _late_share(result: Result) -> float:
    """Which part of the growth of max|w| fell into the last quarter of the epochs."""
    path = max(result.max_abs_weights, key=result.max_abs_weights.__getitem__)
    curve = [result.start_max_abs_weights[path], *(row["max_abs_weight"][path] for row in result.history)]
    growth = curve[-1] - curve[0]
    return (curve[-1] - curve[-1 - len(result.history) // 4]) / growth if growth else 0.0


def _where(results: Sequence[Result]) -> str:
    deep = [r for r in results if len(r.sizes) > 2]
    if not deep:
        return "There is one layer of weights only, so that there is nothing to compare it with."
    first = [r for r in deep if _place_of_largest(r) == 0]
    last = [r for r in deep if _place_of_largest(r) == len(r.sizes) - 2]
    return (
        f"Of {len(deep)} networks with hidden layers, the largest weight lies in the first layer in {len(first)}, in "
        f"the last in {len(last)}, in between in {len(deep) - len(first) - len(last)}."
    )


def _place_of_largest(result: Result) -> int:
    return int(np.argmax(list(result.max_abs_weights.values())))


def _one_of_each_depth(e: Evidence) -> list[Result]:
    return [e.best_of_depth(layers).first for layers in e.depths]


def _layer_by_layer(result: Result) -> str:
    rows = []
    for i, (path, end) in enumerate(result.max_abs_weights.items()):
        start = result.start_max_abs_weights[path]
        rows.append(f"layer {i + 1} from {start:.2f} to {end:.2f} ({times(end / start)})")
    return f"max|w| in {result.name}: {listed(rows)}."


def _schedule(results: Sequence[Result], late: float) -> list[str]:
    """Weights that stand still may do so because the learning rate has gone."""
    rates = results[0].history["learning_rate"]
    if late < 0.2 and len(rates) > 1 and rates[-1] < 0.1 * max(rates):
        ratio = max(rates) / rates[-1] if rates[-1] else float("inf")
        text = (
            f"The schedule has a part in that: the learning rate of the last step is {rates[-1]:.1g}, {times(ratio)} "
            "less than in the epoch where it was highest."
        )
        return [text]
    return []


def _with_gap(networks: Sequence[Network]) -> list[str]:
    """Whether the networks with the larger weights are those that overfit more."""
    if len(networks) < 5:
        return []
    weights = [n.mean("max_abs_weight") for n in networks]
    gaps = [n.mean("gap") for n in networks]
    rank = _rank_correlation(weights, gaps)
    if not np.isfinite(rank):
        return []
    relation = (
        "go with larger gaps" if rank > 0.6 else "go with smaller gaps" if rank < -0.6 else "say little about the gap"
    )
    text = (
        f"Among the {len(networks)} networks, larger weights {relation} between training and test accuracy (Spearman's "
        f"rank correlation {rank:+.2f})."
    )
    return [text]


def _rank_correlation(a: Sequence[float], b: Sequence[float]) -> float:
    from scipy.stats import rankdata

    x, y = rankdata(a), rankdata(b)
    spread = float(np.std(x) * np.std(y))
    return float(np.mean((x - x.mean()) * (y - y.mean()))) / spread if spread else float("nan")
