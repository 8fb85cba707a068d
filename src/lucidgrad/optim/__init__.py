"""Optimizers change parameters, schedules say how fast; wrap one to vary it: ``clipped(Adam(), max_norm=1.0)``."""

from lucidgrad.optim.adagrad import Adagrad as Adagrad
from lucidgrad.optim.adam import Adam as Adam
from lucidgrad.optim.adamw import AdamW as AdamW
from lucidgrad.optim.clip import clipped as clipped
from lucidgrad.optim.clip import global_norm as global_norm
from lucidgrad.optim.elementwise import Elementwise as Elementwise
from lucidgrad.optim.lbfgs import LBFGS as LBFGS
from lucidgrad.optim.lbfgs import Minimized as Minimized
from lucidgrad.optim.lion import Lion as Lion
from lucidgrad.optim.optimizer import Optimizer as Optimizer
from lucidgrad.optim.optimizer import Params as Params
from lucidgrad.optim.optimizer import Scalar as Scalar
from lucidgrad.optim.optimizer import Schedule as Schedule
from lucidgrad.optim.optimizer import State as State
from lucidgrad.optim.plateau import Plateau as Plateau
from lucidgrad.optim.regularize import regularized as regularized
from lucidgrad.optim.rmsprop import RMSprop as RMSprop
from lucidgrad.optim.schedules import SCHEDULES as SCHEDULES
from lucidgrad.optim.schedules import constant as constant
from lucidgrad.optim.schedules import cosine as cosine
from lucidgrad.optim.schedules import exponential as exponential
from lucidgrad.optim.schedules import one_cycle as one_cycle
from lucidgrad.optim.schedules import step_decay as step_decay
from lucidgrad.optim.schedules import warm_up as warm_up
from lucidgrad.optim.sgd import SGD as SGD
from lucidgrad.optim.transformed import Transformed as Transformed

OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "adam": Adam,
    "adamw": AdamW,
    "rmsprop": RMSprop,
    "adagrad": Adagrad,
    "lion": Lion,
    "lbfgs": LBFGS,
}
"""By the name that the command line and saved runs use."""
