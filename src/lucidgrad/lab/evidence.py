"""The results in the order in which questions ask for them, and how large a difference has to be to mean something."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lucidgrad.lab.plan import Group
from lucidgrad.lab.result import Result


@dataclass(frozen=True)
class Network:
    """The results of one network with all the seeds it was trained with."""

    results: tuple[Result, ...]

    @property
    def first(self) -> Result:
        """The result with the first seed."""
        return self.results[0]

    @property
    def label(self) -> str:
        """Such as ``2 layers, relu``."""
        return self.first.trial.label

    @property
    def name(self) -> str:
        """Such as ``784-128-10 relu``."""
        return self.first.name

    @property
    def layers(self) -> int:
        """Layers with weights."""
        return self.first.trial.layers

    @property
    def activation(self) -> str:
        """By name; ``""`` for one layer."""
        return self.first.trial.activation

    @property
    def status(self) -> str:
        """The worst of all seeds."""
        statuses = [result.status for result in self.results]
        return next((s for s in ("diverged", "interrupted") if s in statuses), "done")

    @property
    def accuracy(self) -> float:
        """On the test samples, the mean over the seeds."""
        return self.mean("test_accuracy")

    @property
    def deviation(self) -> float:
        """The standard deviation of the test accuracy over the seeds; 0 for a single one."""
        return self.spread("test_accuracy")

    def mean(self, name: str) -> float:
        """The mean of a measurement over the seeds."""
        return float(np.mean([getattr(result, name) for result in self.results]))

    def spread(self, name: str) -> float:
        """The standard deviation of a measurement over the seeds; 0 for a single one."""
        values = [getattr(result, name) for result in self.results]
        return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


@dataclass(frozen=True)
class Evidence:
    """All results, grouped.

    Parameters
    ----------
    results
        Of a run of the lab.
    test_samples
        How many samples accuracies were measured on.
    train_samples
        How many there were to train on.
    """

    results: Sequence[Result]
    test_samples: int
    train_samples: int

    @property
    def networks(self) -> list[Network]:
        """The compared networks, without the one that has no activation unless that was asked for."""
        return _networks(self.of("main"))

    @property
    def sound(self) -> list[Network]:
        """The compared networks that did not diverge."""
        return [network for network in self.networks if network.status != "diverged"]

    @property
    def linear(self) -> Network | None:
        """A network with hidden layers but without an activation."""
        candidates = _networks([*self.of("control"), *self.of("main")])
        return next((n for n in candidates if n.activation == "identity" and n.status != "diverged"), None)

    def of(self, group: Group) -> list[Result]:
        """The results of a group."""
        return [result for result in self.results if result.trial.group == group]

    def of_depth(self, layers: int) -> list[Network]:
        """The sound networks of so many layers that have an activation (or, of one layer, need none)."""
        return [n for n in self.sound if n.layers == layers and n.activation != "identity"]

    @property
    def depths(self) -> list[int]:
        """The numbers of layers there are sound networks of."""
        return sorted({n.layers for n in self.sound if n.activation != "identity"})

    def best_of_depth(self, layers: int) -> Network:
        """The network of so many layers that is right most often."""
        return max(self.of_depth(layers), key=lambda n: n.accuracy)

    def chance(self, a: Network, b: Network) -> float:
        """How far two accuracies may lie apart by chance alone: two standard errors of their difference.

        Both are judged on the same n samples, so what counts is on how many of them they disagree: with d_i the
        difference on sample i, the standard error is sqrt(sum d_i^2 + 2) / n, as in McNemar's test (1947), with one
        disagreement each way added so that few samples are not taken for certain. Where it is not known which samples
        were told wrong, they are taken for independent shares, sqrt(p (1 - p) / n) each. The standard errors of
        the means over the seeds come on top.
        """
        n = self.test_samples
        right_a, right_b = self._right(a), self._right(b)
        if right_a is None or right_b is None:
            samples = math.hypot(_share_error(a.accuracy, n), _share_error(b.accuracy, n))
        else:
            samples = math.sqrt(float(np.sum((right_a - right_b) ** 2)) + 2) / n
        return 2 * math.hypot(samples, _seed_error(a), _seed_error(b))

    def _right(self, network: Network) -> np.ndarray[tuple[int], np.dtype[np.float64]] | None:
        """For each test sample, the share of the seeds with which it was told right."""
        right = np.ones(self.test_samples)
        for result in network.results:
            if result.mistakes is None:
                return None
            right[result.mistakes] -= 1 / len(network.results)
        return right

    # --- numbers in words ---------------------------------------------------------------------------------------

    @property
    def _digits(self) -> int:
        return 2 if self.test_samples >= 5000 else 1

    def percent(self, share: float) -> str:
        """``98.12 %``, with as many digits as the number of test samples bears."""
        return f"{100 * share:.{self._digits}f} %"

    def points(self, difference: float) -> str:
        """``0.53 points``: a difference of percentages."""
        return f"{100 * abs(difference):.{self._digits}f} points"

    def accuracy(self, network: Network) -> str:
        """The accuracy of a network, with its standard deviation where there are several seeds."""
        if len(network.results) == 1:
            return self.percent(network.accuracy)
        deviation = f"{100 * network.deviation:.{self._digits}f}"
        return f"{100 * network.accuracy:.{self._digits}f} ± {deviation} %"


def _share_error(p: float, n: int) -> float:
    """The standard error of a share p of n samples, with (right + 1) / (n + 2) for p, so that 100 % is not certain."""
    p = (p * n + 1) / (n + 2)
    return math.sqrt(p * (1 - p) / n)


def _seed_error(network: Network) -> float:
    return network.deviation / math.sqrt(len(network.results))


def listed(items: Iterable[str]) -> str:
    """``a``, ``a and b``, or ``a, b and c``."""
    words = list(items)
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def times(factor: float) -> str:
    """``1.4 times``, ``52 times``, or ``1,200 times``."""
    return f"{factor:.2g} times" if factor < 10 else f"{factor:,.0f} times"


def _networks(results: Sequence[Result]) -> list[Network]:
    groups: dict[tuple[tuple[int, ...], str], list[Result]] = {}
    for result in results:
        groups.setdefault((result.trial.widths, result.trial.activation), []).append(result)
    return [Network(tuple(group)) for group in groups.values()]
