"""Training: the loop, what it writes down, what can watch and steer it, and asking the trained model."""

from lucidgrad.training.callbacks import Callback as Callback
from lucidgrad.training.callbacks import Checkpoint as Checkpoint
from lucidgrad.training.callbacks import CSVLog as CSVLog
from lucidgrad.training.callbacks import Doctor as Doctor
from lucidgrad.training.callbacks import EarlyStopping as EarlyStopping
from lucidgrad.training.callbacks import LayerStatistics as LayerStatistics
from lucidgrad.training.callbacks import LearningRate as LearningRate
from lucidgrad.training.callbacks import NaNGuard as NaNGuard
from lucidgrad.training.callbacks import Progress as Progress
from lucidgrad.training.callbacks import ReduceOnPlateau as ReduceOnPlateau
from lucidgrad.training.callbacks import WeightStatistics as WeightStatistics
from lucidgrad.training.evaluate import evaluate as evaluate
from lucidgrad.training.evaluate import predict as predict
from lucidgrad.training.evaluate import predict_class as predict_class
from lucidgrad.training.evaluate import predict_proba as predict_proba
from lucidgrad.training.fit import fit as fit
from lucidgrad.training.history import History as History
from lucidgrad.training.learning_rate import LearningRateSearch as LearningRateSearch
from lucidgrad.training.learning_rate import find_learning_rate as find_learning_rate
from lucidgrad.training.predictor import Predictor as Predictor
from lucidgrad.training.run import Run as Run
