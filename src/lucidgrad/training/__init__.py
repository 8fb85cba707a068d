"""Training: the loop, what it writes down, what can watch and steer it, and asking the trained model."""

from lucidgrad.training.callbacks import Callback as Callback
from lucidgrad.training.evaluate import evaluate as evaluate
from lucidgrad.training.evaluate import predict as predict
from lucidgrad.training.evaluate import predict_class as predict_class
from lucidgrad.training.evaluate import predict_proba as predict_proba
from lucidgrad.training.fit import fit as fit
from lucidgrad.training.history import History as History
from lucidgrad.training.run import Run as Run
