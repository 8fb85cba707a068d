"""Does the activation matter? Compared with none at all, with one another, and in how fast they get there."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lucidgrad.lab.answers.answer import Answer
from lucidgrad.lab.evidence import Evidence, Network, listed

QUESTION = "Does the activation matter?"


def does_the_activation_matter(e: Evidence) -> Answer:
    """The answer from the networks that differ in nothing but their activation."""
    spreads = [(layers, *_extremes(e.of_depth(layers))) for layers in e.depths if len(e.of_depth(layers)) > 1]
    rival = _rival(e)
    if not spreads and rival is None:
        return Answer(QUESTION, "Not measured: it takes two networks that differ in nothing but their activation.")
    reasons = [] if rival is None else [_without_any(e, rival)]
    for layers, best, worst in spreads:
        reasons += [_apart(e, layers, best, worst), _pace(e, layers)]
    return Answer(QUESTION, _verdict(e, rival, spreads), tuple(reasons))


def _rival(e: Evidence) -> Network | None:
    """The best network of the shape of the one without an activation."""
    linear = e.linear
    same = [] if linear is None else [n for n in e.of_depth(linear.layers) if n.first.sizes == linear.first.sizes]
    return max(same, key=lambda n: n.accuracy, default=None)


def _verdict(e: Evidence, rival: Network | None, spreads: Sequence[tuple[int, Network, Network]]) -> str:
    parts = []
    linear = e.linear
    if rival is not None and linear is not None:
        gain = rival.accuracy - linear.accuracy
        if gain > e.chance(rival, linear):
            parts.append(
                f"Yes: the same network is right for {e.percent(rival.accuracy)} of the test samples with "
                f"{rival.activation}, and for {e.percent(linear.accuracy)} without any activation."
            )
        else:
            parts.append(
                f"Having one does not, measurably: {e.percent(rival.accuracy)} with {rival.activation} against "
                f"{e.percent(linear.accuracy)} without any."
            )
    if spreads:
        parts.append(_verdict_between(e, spreads))
    return " ".join(parts)


def _verdict_between(e: Evidence, spreads: Sequence[tuple[int, Network, Network]]) -> str:
    telling = [s for s in spreads if s[1].accuracy - s[2].accuracy > e.chance(s[1], s[2])]
    layers, best, worst = max(telling or spreads, key=lambda s: s[1].accuracy - s[2].accuracy)
    difference = e.points(best.accuracy - worst.accuracy)
    if telling:
        return (
            f"Which one it is matters as well: with {layers} layers, {best.activation} is {difference} ahead of "
            f"{worst.activation}."
        )
    return (
        f"Which one it is hardly matters for the result: the widest difference, {difference} between {best.activation} "
        f"and {worst.activation} with {layers} layers, is no more than chance explains."
    )


def _without_any(e: Evidence, rival: Network) -> str:
    linear = e.linear
    assert linear is not None  # there is no rival without it
    text = f"Without an activation, {linear.name} reached {e.accuracy(linear)}. "
    if 1 in e.depths:
        one = e.best_of_depth(1)
        difference = linear.accuracy - one.accuracy
        if abs(difference) <= e.chance(linear, one):
            text += (
                f"One layer alone, {one.name}, reached {e.accuracy(one)}, and the difference of {e.points(difference)} "
                "is no more than chance explains: linear layers one after another are one linear layer. "
            )
        else:
            text += (
                f"One layer alone, {one.name}, reached {e.accuracy(one)}, {e.points(difference)} "
                f"{'less' if difference > 0 else 'more'}. Linear layers one after another can express no more than one "
                "linear layer, so this is a difference in how far training came. "
            )
    gain = rival.accuracy - linear.accuracy
    text += f"With {rival.activation}, the same network reached {e.accuracy(rival)}: {e.points(gain)} "
    text += "more" if gain >= 0 else "less"
    if abs(gain) <= e.chance(rival, linear):
        text += f", which chance alone may explain (up to {e.points(e.chance(rival, linear))})"
    return text + "."


def _apart(e: Evidence, layers: int, best: Network, worst: Network) -> str:
    others = sorted(e.of_depth(layers), key=lambda n: -n.accuracy)
    ranking = listed(f"{n.activation} {e.accuracy(n)}" for n in others)
    difference, chance = best.accuracy - worst.accuracy, e.chance(best, worst)
    verdict = "more than chance explains" if difference > chance else "no more than chance explains"
    return (
        f"With {layers} layers: {ranking}. Best and worst are {e.points(difference)} apart, {verdict} (two standard "
        f"errors: {e.points(chance)})."
    )


def _pace(e: Evidence, layers: int) -> str:
    """How many epochs each activation takes to an accuracy that all of them reach."""
    networks = e.of_depth(layers)
    target = math.floor(200 * min(_highest(n) for n in networks)) / 200
    epochs = sorted((_epochs_to(n, target), n.activation) for n in networks)
    pace = listed(f"{activation} after {n}" for n, activation in epochs)
    return f"On the way there, {100 * target:g} % of the test samples were first told right by {pace} epochs."


def _highest(network: Network) -> float:
    return float(max(network.first.history["validation_accuracy"]))


def _epochs_to(network: Network, target: float) -> int:
    return 1 + next(i for i, share in enumerate(network.first.history["validation_accuracy"]) if share >= target)


def _extremes(networks: Sequence[Network]) -> tuple[Network, Network]:
    return max(networks, key=lambda n: n.accuracy), min(networks, key=lambda n: n.accuracy)
