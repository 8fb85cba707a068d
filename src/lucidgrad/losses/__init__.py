"""Losses: how far predictions are from targets, as one number that training makes small.

A class where options are kept (``CrossEntropy(label_smoothing=0.1)``), a function for a single call
(``cross_entropy(logits, labels)``), a name in ``LOSSES`` for the command line.
"""

from lucidgrad.losses.base import Loss as Loss
from lucidgrad.losses.choose import LOSSES as LOSSES
from lucidgrad.losses.choose import as_loss as as_loss
from lucidgrad.losses.classification import CrossEntropy as CrossEntropy
from lucidgrad.losses.classification import Hinge as Hinge
from lucidgrad.losses.classification import Logistic as Logistic
from lucidgrad.losses.classification import cross_entropy as cross_entropy
from lucidgrad.losses.classification import hinge as hinge
from lucidgrad.losses.classification import logistic as logistic
from lucidgrad.losses.quantiles import Quantile as Quantile
from lucidgrad.losses.quantiles import quantile as quantile
from lucidgrad.losses.regression import AbsoluteError as AbsoluteError
from lucidgrad.losses.regression import Huber as Huber
from lucidgrad.losses.regression import LogCosh as LogCosh
from lucidgrad.losses.regression import Poisson as Poisson
from lucidgrad.losses.regression import SquaredError as SquaredError
from lucidgrad.losses.regression import absolute_error as absolute_error
from lucidgrad.losses.regression import huber as huber
from lucidgrad.losses.regression import log_cosh as log_cosh
from lucidgrad.losses.regression import poisson as poisson
from lucidgrad.losses.regression import squared_error as squared_error
