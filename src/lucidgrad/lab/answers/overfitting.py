"""Do the networks overfit? The gap between training and test samples, and whether the test loss rises again."""

from __future__ import annotations

import math

from lucidgrad.lab.answers.answer import Answer
from lucidgrad.lab.evidence import Evidence, Network, listed

QUESTION = "Do the networks overfit?"
RISE = 0.05
"""A test loss that ends that share above its lowest value is said to have risen again."""


def do_the_networks_overfit(e: Evidence) -> Answer:
    """The answer from all compared networks."""
    if not e.sound:
        return Answer(QUESTION, "Not measured: no network was trained to the end of an epoch.")
    wide = [n for n in e.sound if n.mean("gap") > _chance(e, n)]
    risen = [n for n in e.sound if _rise(n) > RISE]
    widest = max(e.sound, key=lambda n: n.mean("gap"))
    gap = f"{100 * widest.mean('gap'):.2f} points in {widest.name}"
    if wide:
        verdict = f"{_some(len(wide), len(e.sound))} better on training than on test samples, by up to {gap}"
        verdict += _and_loss(len(risen), len(e.sound))
    else:
        verdict = f"Not by their accuracy: the widest gap, {gap}, is no more than chance explains"
        verdict += _but_loss(len(risen), len(e.sound))
    gaps = listed(
        f"{n.name} {e.percent(n.mean('train_accuracy'))} / {e.percent(n.accuracy)}"
        for n in sorted(e.sound, key=lambda n: -n.mean("gap"))
    )
    return Answer(
        QUESTION, verdict, (f"Accuracy on training / test samples, the widest gap first: {gaps}.", *_losses(e))
    )


def _some(n: int, of: int) -> str:
    return "All networks are" if n == of else f"{n} of {of} networks {'is' if n == 1 else 'are'}"


def _and_loss(risen: int, of: int) -> str:
    if not risen:
        return "; but the test loss of none has begun to rise."
    return f"; and the test loss of {'all' if risen == of else f'{risen} of {of}'} rose again before the end."


def _but_loss(risen: int, of: int) -> str:
    if not risen:
        return ", and the test loss of none has begun to rise."
    return f"; but the test loss of {'all' if risen == of else f'{risen} of {of}'} rose again before the end."


def _losses(e: Evidence) -> list[str]:
    """Where the test loss was lowest, for the networks in which it moved furthest from there."""
    risen = sorted((n for n in e.sound if _rise(n) > RISE), key=lambda n: -_rise(n))
    texts = []
    for n in risen[:3]:
        best = n.first.history.best("validation_loss")
        last = n.first.history.last
        texts.append(
            f"The test loss of {n.name} was lowest after epoch {best['epoch']} ({best['validation_loss']:.3f} nats) "
            f"and ended at {last['validation_loss']:.3f}, {100 * _rise(n):.0f} % above that, while its accuracy went "
            f"from {e.percent(best['validation_accuracy'])} to {e.percent(last['validation_accuracy'])}."
        )
    return texts


def _rise(network: Network) -> float:
    """How far the test loss of the last epoch is above the lowest, as a share of that."""
    history = network.first.history
    lowest = float(history.best("validation_loss")["validation_loss"])
    last = float(history.last["validation_loss"])
    # Below a thousandth of a nat, a rise is one of no importance.
    return (last - lowest) / lowest if last - lowest > 1e-3 else 0.0


def _chance(e: Evidence, network: Network) -> float:
    """Two standard errors of the difference between a share of the training and one of the test samples."""
    variance = 0.0
    for p, n in ((network.mean("train_accuracy"), e.train_samples), (network.accuracy, e.test_samples)):
        q = (p * n + 1) / (n + 2)
        variance += q * (1 - q) / n
    return 2 * math.sqrt(variance)
