"""L-BFGS: for few samples and smooth losses, the whole set at once reaches a minimum to many digits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar, TypeAlias, final

import numpy as np

from lucidgrad.errors import ArgumentError, ShapeError, explain
from lucidgrad.optim.checks import check_count, check_number
from lucidgrad.optim.optimizer import Optimizer, Params, Scalar, Schedule, State, first_step
from lucidgrad.tensor import Tensor

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
LossAndGrads: TypeAlias = Callable[[dict[str, Array]], tuple[float, dict[str, Array]]]


@dataclass(frozen=True)
class Minimized:
    """How a minimisation ended.

    Attributes
    ----------
    loss : float
        At the parameters that are returned.
    iterations, evaluations : int
        Steps taken, and how often the loss and its gradients were computed for them.
    converged : bool
        Whether a tolerance was met; otherwise ``message`` says what ended it, such as the limit of iterations.
    message
        What ended it, in SciPy's words.

    Examples
    --------
    >>> from lucidgrad.optim import LBFGS
    >>> import lucidgrad as lg
    >>> _, info = LBFGS().minimize(lambda p: (float((p["x"] ** 2).sum()), {"x": 2 * p["x"]}), {"x": lg.Tensor([1.0])})
    >>> info.loss, info.converged
    (0.0, True)
    """

    loss: float
    iterations: int
    evaluations: int
    converged: bool
    message: str


@final
@dataclass(frozen=True)
class LBFGS(Optimizer):
    """Quasi-Newton steps from the last few gradients (Liu and Nocedal 1989), by SciPy's L-BFGS-B (Zhu et al. 1997).

    It looks for the best step along its direction, which takes several evaluations of the loss of all samples: it
    works on the full batch and takes no single steps. In ``fit(..., batch_size=None)`` each epoch is one
    ``minimize``, and nothing is carried over from one to the next, so resuming gives the same bits.
    A float32 model has a loss of seven digits, which ends the line search early: for many digits use float64.

    Parameters
    ----------
    max_iterations
        Steps of one ``minimize``, at most.
    history_size
        How many pairs of steps and gradient changes stand for the curvature (m in the papers).
    gradient_tolerance
        Converged when no element of the gradient is larger than this.
    loss_tolerance
        Converged when a step lowers the loss f by less than this times max(|f|, |f_new|, 1).

    Examples
    --------
    >>> import lucidgrad as lg
    >>> from lucidgrad.optim import LBFGS
    >>> params = {"x": lg.Tensor([3.0], dtype="float64")}
    >>> def loss_and_grads(p):
    ...     return float(((p["x"] - 1) ** 2).sum()), {"x": 2 * (p["x"] - 1)}
    >>> found, info = LBFGS().minimize(loss_and_grads, params)
    >>> found["x"], info.converged
    (Tensor([1.], dtype=float64), True)
    """

    full_batch: ClassVar[bool] = True
    _: KW_ONLY
    max_iterations: int = 20
    history_size: int = 10
    gradient_tolerance: float = 1e-5
    loss_tolerance: float = 2.220446049250313e-09
    # Of the quasi-Newton step, which the line search tries first.
    learning_rate: float | Schedule = field(default=1.0, init=False, repr=False)

    def __post_init__(self) -> None:
        check_count("LBFGS(max_iterations=...)", self.max_iterations, "20 per epoch is usual")
        check_count("LBFGS(history_size=...)", self.history_size, "5 to 20 is usual")
        check_number("LBFGS(gradient_tolerance=...)", self.gradient_tolerance, "[0, inf)", "1e-5 is usual")
        check_number("LBFGS(loss_tolerance=...)", self.loss_tolerance, "[0, inf)", "2e-9 is usual")

    def init(self, params: Params) -> State:
        """The state is the count of steps alone."""
        return {"step": first_step()}

    def update(
        self, params: Params, grads: Params, state: State, learning_rate: Scalar | None = None
    ) -> tuple[Params, State]:
        """There is no single step from one gradient: raise and say what to do instead."""
        raise ArgumentError(
            explain(
                "LBFGS expected the loss of the full batch, which it evaluates several times per step",
                "the gradients of one step",
                "Train with fit(..., batch_size=None), or call LBFGS().minimize(loss_and_grads, params)",
            )
        )

    def minimize(self, loss_and_grads: LossAndGrads, params: Params) -> tuple[Params, Minimized]:
        """Go downhill from ``params``.

        Parameters
        ----------
        loss_and_grads
            From arrays by path, in the shapes and dtypes of ``params``, to the loss and its gradients by path.
            It has to be the same function at each call: no dropout with new units, no new batch.
        params
            Where to start; not changed.

        Returns
        -------
        New parameters, and how it ended. SciPy works in float64 throughout; the results are cast back.

        Raises
        ------
        ArgumentError, ShapeError
            When paths or shapes of the gradients are not those of the parameters.
        """
        from scipy.optimize import minimize

        start = _joined([p.numpy() for p in params.values()])
        if not start.size:  # nothing to move; SciPy asks for one variable at least
            loss, _ = loss_and_grads(_split(start, params))
            return dict(params), Minimized(float(loss), 0, 1, True, "there are no parameters")

        def objective(x: Array) -> tuple[float, Array]:
            loss, grads = loss_and_grads(_split(x, params))
            _check(params, grads)
            return float(loss), _joined([grads[path] for path in params])

        with np.errstate(all="ignore"):
            found = minimize(objective, start, method="L-BFGS-B", jac=True, options=self._options())
        new = {path: Tensor.wrap(array) for path, array in _split(found.x, params).items()}
        return new, Minimized(
            float(found.fun), int(found.nit), int(found.nfev), bool(found.success), str(found.message)
        )

    def _options(self) -> Any:
        return {
            "maxiter": self.max_iterations,
            "maxcor": self.history_size,
            "gtol": self.gradient_tolerance,
            "ftol": self.loss_tolerance,
            "maxfun": 1_000_000_000,  # the iterations are the budget
        }


def _joined(arrays: list[Array]) -> Array:
    """All elements in one float64 vector."""
    return np.concatenate([np.zeros(0), *(np.asarray(a, np.float64).ravel() for a in arrays)])


def _split(x: Array, params: Params) -> dict[str, Array]:
    """The vector as arrays of the parameters' shapes and dtypes: copies, read-only, since SciPy reuses ``x``."""
    arrays = {}
    at = 0
    for path, p in params.items():
        arrays[path] = array = x[at : at + p.size].reshape(p.shape).astype(p.dtype)
        array.setflags(write=False)
        at += p.size
    return arrays


def _check(params: Params, grads: dict[str, Array]) -> None:
    if grads.keys() != params.keys():
        raise ArgumentError(
            explain(
                f"loss_and_grads expected to return gradients for {sorted(params)}",
                f"{sorted(grads)}",
                "Return a dict with the paths of the arrays it was given",
            )
        )
    for path, p in params.items():
        if np.shape(grads[path]) != p.shape:
            raise ShapeError(
                explain(
                    f"the gradient of {path} expected shape {p.shape}",
                    f"{np.shape(grads[path])}",
                    "A gradient has the shape of its parameter",
                )
            )
