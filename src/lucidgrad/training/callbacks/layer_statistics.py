"""Write down how the weights and activations of each layer are spread, so that a picture can show them over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, final

import numpy as np
from numpy.typing import ArrayLike

from lucidgrad.training.callbacks.callback import Callback

if TYPE_CHECKING:
    from lucidgrad.training.run import Run

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
QUANTILES = {"5%": 0.05, "25%": 0.25, "50%": 0.5, "75%": 0.75, "95%": 0.95}
LOOKED_AT = 256


@final
class LayerStatistics(Callback):
    """Adds two columns to the history: ``weights`` and ``activations``, each with the quantiles of every layer.

    ``weights`` by the path of the parameter; ``activations`` by layer and kind, such as ``"0 relu"``, for each relu,
    tanh and sigmoid: those of ``x`` in evaluation mode. Each has ``{"5%": ..., "25%": ..., "50%": ..., "75%": ...,
    "95%": ...}``. ``lucidgrad.plot.weights_over_epochs`` and ``activations_over_epochs`` draw them.

    Parameters
    ----------
    x : (n, ...), optional
        The samples to look at. None: 256 of the training samples.

    Attributes
    ----------
    start : dict
        The two columns before the first step.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> from lucidgrad.training import LayerStatistics, fit
    >>> x, y = lg.data.xor(40, seed=0)
    >>> model = lg.nn.Sequential(lg.nn.Linear(2, 8), lg.functional.tanh, lg.nn.Linear(8, 2))
    >>> run = fit(model, x, y, loss="cross_entropy", optimizer=lg.optim.SGD(0.5), epochs=2,
    ...           callbacks=[LayerStatistics()])
    >>> list(run.history.last["activations"]), list(run.history.last["weights"])
    (['0 tanh'], ['0.weight', '2.weight'])
    """

    def __init__(self, x: ArrayLike | None = None) -> None:
        self.x = x
        self.start: dict[str, Any] = {}

    def on_run_begin(self, run: Run) -> None:
        """Look at the layers before the first step."""
        self.start = self._columns(run)

    def on_epoch_end(self, run: Run) -> None:
        """Add the columns to the row of the epoch."""
        run.history.last.update(self._columns(run))

    def _columns(self, run: Run) -> dict[str, Any]:
        from lucidgrad.training.doctor.look import look_at_activations
        from lucidgrad.training.samples import Samples

        assert run.samples is not None  # set before the first step
        samples = (
            run.samples if self.x is None else Samples.of(self.x, None, None, run.samples.dtype, "LayerStatistics")
        )
        rows = np.unique(np.linspace(0, len(samples) - 1, min(len(samples), LOOKED_AT)).astype(np.int64))
        found = look_at_activations(run.model, samples.batch(rows)[0])
        weights = {path: _quantiles(p.numpy()) for path, p in run.parameters.items() if p.ndim > 1}
        return {"weights": weights, "activations": {f"{a.layer} {a.kind}": _quantiles(a.values) for a in found}}


def _quantiles(values: Array) -> dict[str, float]:
    with np.errstate(all="ignore"):  # a model that has diverged has statistics too
        found = np.quantile(values.astype(np.float64), list(QUANTILES.values()))
    return dict(zip(QUANTILES, map(float, found), strict=True))
