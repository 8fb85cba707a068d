"""What can watch and steer a run, one file each."""

from lucidgrad.training.callbacks.callback import Callback as Callback
from lucidgrad.training.callbacks.checkpoint import Checkpoint as Checkpoint
from lucidgrad.training.callbacks.csv_log import CSVLog as CSVLog
from lucidgrad.training.callbacks.doctor import Doctor as Doctor
from lucidgrad.training.callbacks.early_stopping import EarlyStopping as EarlyStopping
from lucidgrad.training.callbacks.layer_statistics import LayerStatistics as LayerStatistics
from lucidgrad.training.callbacks.learning_rate import LearningRate as LearningRate
from lucidgrad.training.callbacks.learning_rate import ReduceOnPlateau as ReduceOnPlateau
from lucidgrad.training.callbacks.nan_guard import NaNGuard as NaNGuard
from lucidgrad.training.callbacks.progress import Progress as Progress
from lucidgrad.training.callbacks.weight_statistics import WeightStatistics as WeightStatistics
