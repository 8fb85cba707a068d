"""Optimizers change parameters, schedules say how fast; wrap one to vary it: ``clipped(Adam(), max_norm=1.0)``."""

from lucidgrad.optim.adam import Adam as Adam
from lucidgrad.optim.elementwise import Elementwise as Elementwise
from lucidgrad.optim.optimizer import Optimizer as Optimizer
from lucidgrad.optim.optimizer import Params as Params
from lucidgrad.optim.optimizer import Scalar as Scalar
from lucidgrad.optim.optimizer import Schedule as Schedule
from lucidgrad.optim.optimizer import State as State
from lucidgrad.optim.sgd import SGD as SGD

OPTIMIZERS: dict[str, type[Optimizer]] = {"sgd": SGD, "adam": Adam}
"""By the name that the command line and saved runs use."""
