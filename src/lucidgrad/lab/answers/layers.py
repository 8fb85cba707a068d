"""Are 2 or 3 layers needed? As many as it takes for none of the others to be measurably better."""

from __future__ import annotations

from itertools import pairwise

from lucidgrad.lab.answers.answer import Answer
from lucidgrad.lab.evidence import Evidence, Network, listed

QUESTION = "Are 2 or 3 layers needed?"


def are_more_layers_needed(e: Evidence) -> Answer:
    """The answer from the best network of each number of layers."""
    if len(e.depths) < 2:
        return Answer(QUESTION, "Not measured: it takes networks with different numbers of layers.")
    networks = [e.best_of_depth(layers) for layers in e.depths]
    best = max(networks, key=lambda n: n.accuracy)
    enough = next(n for n in networks if best.accuracy - n.accuracy <= e.chance(best, n))
    reasons = [_ladder(e, networks), *(_step(e, a, b) for a, b in pairwise(networks))]
    return Answer(QUESTION, _verdict(e, networks, enough), tuple(reasons))


def _verdict(e: Evidence, networks: list[Network], enough: Network) -> str:
    fewer = [n for n in networks if n.layers < enough.layers]
    more = [n for n in networks if n.layers > enough.layers]
    if not fewer:
        text = f"No: {_layers(enough.layers)} is enough here ({e.percent(enough.accuracy)})."
    else:
        text = (
            f"{_layers(enough.layers)} are needed: with {_layers(fewer[-1].layers)} the best accuracy is "
            f"{e.percent(fewer[-1].accuracy)}, with {_layers(enough.layers)} {e.percent(enough.accuracy)}."
        )
    if more:
        after = max(more, key=lambda n: n.accuracy)
        difference = after.accuracy - enough.accuracy
        text += (
            f" With {_layers(after.layers)} it is {e.percent(after.accuracy)}: {e.points(difference)} "
            f"{'more' if difference >= 0 else 'less'}, "
            f"{'no more' if abs(difference) <= e.chance(after, enough) else 'more'} than chance explains."
        )
    return text


def _ladder(e: Evidence, networks: list[Network]) -> str:
    rows = (
        f"{_layers(n.layers)} {e.accuracy(n)} ({n.name}, {n.first.parameters:,} parameters, {n.mean('seconds'):.1f} s)"
        for n in networks
    )
    return f"The best of each number of layers: {listed(rows)}."


def _step(e: Evidence, fewer: Network, more: Network) -> str:
    difference, chance = more.accuracy - fewer.accuracy, e.chance(more, fewer)
    head = f"From {_layers(fewer.layers)} to {_layers(more.layers)}:"
    if abs(difference) <= chance:
        verdict = f"{e.points(difference)} {'up' if difference >= 0 else 'down'}, no more than chance explains"
    else:
        verdict = f"{e.points(difference)} {'up' if difference > 0 else 'down'}, more than chance explains"
    wrong, still_wrong = 1 - fewer.accuracy, 1 - more.accuracy
    mistakes = f"; of 1,000 test samples {1000 * wrong:.0f} and {1000 * still_wrong:.0f} are told wrong"
    return f"{head} {verdict} (two standard errors: {e.points(chance)}){mistakes}."


def _layers(n: int) -> str:
    return "one layer" if n == 1 else f"{n} layers"
