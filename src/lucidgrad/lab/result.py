"""What one training run of the lab has measured: numbers only, so that questions can be answered from numbers alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias

from lucidgrad.lab.plan import Trial
from lucidgrad.training import History

Status: TypeAlias = Literal["done", "diverged", "interrupted"]
Norms: TypeAlias = dict[str, float]


@dataclass
class Result:
    """The measurements of a trial.

    Parameters
    ----------
    trial
        What was trained.
    sizes
        Inputs, hidden units, outputs.
    parameters
        How many numbers were learned.
    train_accuracy, test_accuracy, train_loss, test_loss
        Of the network as it was at the end; the losses are cross-entropies in nats.
    seconds
        Of the training steps alone.
    history
        Its rows have, besides what ``fit`` writes, ``training_accuracy`` and ``training_loss``: with the weights at
        the end of the epoch, on training samples, and so comparable with ``validation_accuracy`` and
        ``validation_loss``, which are those of the test samples.
    start_max_abs_weight
        The largest absolute weight of each parameter before the first step, by path.
    gradient_norms
        The Euclidean norm of the loss's gradient for each weight matrix by path: before training, then after each
        epoch.
    mistakes
        The numbers of the test samples that were told wrong, where they are known.
    status
        ``done``; ``diverged`` when the loss is not finite; ``interrupted`` when it was stopped before its last epoch.

    Examples
    --------
    >>> from lucidgrad.lab import default_settings, load_task, run_lab
    >>> task = load_task("xor")
    >>> (result,) = run_lab(task, default_settings(task, layers=(1,), epochs=2, depths=(), descent_epochs=0)).results
    >>> result.sizes, result.parameters, result.status
    ((2, 2), 6, 'done')
    """

    trial: Trial
    sizes: tuple[int, ...]
    parameters: int
    train_accuracy: float
    test_accuracy: float
    train_loss: float
    test_loss: float
    seconds: float
    history: History
    start_max_abs_weight: Norms = field(default_factory=dict)
    gradient_norms: list[Norms] = field(default_factory=list)
    mistakes: list[int] | None = None
    status: Status = "done"

    @property
    def gap(self) -> float:
        """How much better the network is on what it was trained on: accuracy on training less on test samples."""
        return self.train_accuracy - self.test_accuracy

    @property
    def name(self) -> str:
        """Sizes and activation, such as ``784-128-10 relu``."""
        activation = "" if self.trial.activation in ("", "identity") else f" {self.trial.activation}"
        return "-".join(map(str, self.sizes)) + activation

    @property
    def max_abs_weight(self) -> float:
        """The largest absolute weight of all layers at the end; biases do not count."""
        return max(self.max_abs_weights.values(), default=float("nan"))

    @property
    def max_abs_weights(self) -> Norms:
        """The largest absolute weight of each layer at the end, by path."""
        return _weights(self.history.last.get("max_abs_weight", self.start_max_abs_weight))

    @property
    def start_max_abs_weights(self) -> Norms:
        """The same before the first step."""
        return _weights(self.start_max_abs_weight)

    def record(self) -> dict[str, Any]:
        """Everything as plain data, for JSON."""
        return {
            **asdict(self.trial),
            "label": self.trial.label,
            "layers": self.trial.layers,
            "sizes": list(self.sizes),
            "parameters": self.parameters,
            "status": self.status,
            "train_accuracy": self.train_accuracy,
            "test_accuracy": self.test_accuracy,
            "train_loss": self.train_loss,
            "test_loss": self.test_loss,
            "gap": self.gap,
            "seconds": self.seconds,
            "max_abs_weight": self.max_abs_weight,
            "start_max_abs_weight": self.start_max_abs_weight,
            "gradient_norms": self.gradient_norms,
            "mistakes": self.mistakes,
            "history": self.history.rows,
        }


def _weights(norms: Norms) -> Norms:
    """Those of weight matrices, without the biases."""
    return {path: value for path, value in norms.items() if path.endswith("weight")}
