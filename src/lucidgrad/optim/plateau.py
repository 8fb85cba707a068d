"""Plateau: the learning rate falls when a metric has stopped to get better."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from typing import Literal, TypeAlias, final

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.optim.checks import check_count, check_number

PlateauState: TypeAlias = dict[str, float]


@final
@dataclass(frozen=True)
class Plateau:
    """The rule of PyTorch's ReduceLROnPlateau as a pure function: state and metric in, state out.

    Multiply the learning rate by ``state["factor"]``. A callback of training does this after every epoch.

    Parameters
    ----------
    mode
        Whether the metric is better when smaller ("min", a loss) or larger ("max", an accuracy).
    factor
        What the rate is multiplied by at a plateau.
    patience
        Epochs without a better metric that are borne; the one after that lowers the rate.
    threshold
        How much better than the best is better: ...
    threshold_mode
        ... as a share of the best ("rel") or in units of the metric ("abs").
    cooldown
        Epochs after a fall during which none is counted as bad.
    min_factor
        The rate does not fall below this share of what it was at first.

    Notes
    -----
    A metric of NaN is never better. Unlike PyTorch there is no ``eps``: a fall is taken however small it is.

    Examples
    --------
    >>> from lucidgrad.optim import Plateau
    >>> plateau = Plateau(patience=1, factor=0.5)
    >>> state = plateau.init()
    >>> for loss in (3.0, 2.0, 2.0, 2.0, 1.0):
    ...     state = plateau.update(state, loss)
    >>> state
    {'factor': 0.5, 'best': 1.0, 'bad_epochs': 0, 'cooldown': 0}
    """

    mode: Literal["min", "max"] = "min"
    _: KW_ONLY
    factor: float = 0.1
    patience: int = 10
    threshold: float = 1e-4
    threshold_mode: Literal["rel", "abs"] = "rel"
    cooldown: int = 0
    min_factor: float = 0.0

    def __post_init__(self) -> None:
        _check_choice("mode", self.mode, ("min", "max"))
        _check_choice("threshold_mode", self.threshold_mode, ("rel", "abs"))
        check_number("Plateau(factor=...)", self.factor, "(0, 1)", "The rate falls to this share: 0.1 is usual")
        check_count("Plateau(patience=...)", self.patience, "It is a number of epochs: 10 is usual", least=0)
        check_number("Plateau(threshold=...)", self.threshold, "[0, inf)", "1e-4 is usual")
        check_count("Plateau(cooldown=...)", self.cooldown, "It is a number of epochs: 0 is usual", least=0)
        check_number("Plateau(min_factor=...)", self.min_factor, "[0, 1]", "0 is no limit")

    def init(self) -> PlateauState:
        """The state before the first metric: plain numbers, so that it can be saved as text."""
        return {"factor": 1.0, "best": math.inf if self.mode == "min" else -math.inf, "bad_epochs": 0, "cooldown": 0}

    def update(self, state: PlateauState, metric: float) -> PlateauState:
        """The state after one more epoch with this metric. What is passed in stays as it is.

        Parameters
        ----------
        state
            From ``init`` or the previous ``update``.
        metric
            Of this epoch.
        """
        factor, best, bad_epochs, cooldown = (state[k] for k in ("factor", "best", "bad_epochs", "cooldown"))
        better = self._is_better(metric, best)
        best, bad_epochs = (metric, 0) if better else (best, bad_epochs + 1)
        if cooldown > 0:
            cooldown, bad_epochs = cooldown - 1, 0
        if bad_epochs > self.patience:
            factor, cooldown, bad_epochs = max(factor * self.factor, self.min_factor), self.cooldown, 0
        return {"factor": factor, "best": float(best), "bad_epochs": bad_epochs, "cooldown": cooldown}

    def _is_better(self, metric: float, best: float) -> bool:
        if self.mode == "min":
            return metric < (best * (1 - self.threshold) if self.threshold_mode == "rel" else best - self.threshold)
        return metric > (best * (1 + self.threshold) if self.threshold_mode == "rel" else best + self.threshold)


def _check_choice(name: str, value: str, choices: tuple[str, str]) -> None:
    if value not in choices:
        raise ArgumentError(
            explain(f"Plateau({name}=...) expected one of {choices}", repr(value), f"Use {choices[0]!r}")
        )
