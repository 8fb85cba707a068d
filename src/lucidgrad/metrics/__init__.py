"""Metrics: what is reported about predictions, and not differentiated.

A function for a whole set (``accuracy(predictions, targets)``); a Metric to be added up over batches; a name in
``METRICS`` for training and the command line.
"""

from lucidgrad.metrics.base import Metric as Metric
from lucidgrad.metrics.choose import METRICS as METRICS
from lucidgrad.metrics.choose import as_metric as as_metric
from lucidgrad.metrics.classification import Accuracy as Accuracy
from lucidgrad.metrics.classification import LogLoss as LogLoss
from lucidgrad.metrics.classification import TopK as TopK
from lucidgrad.metrics.classification import ZeroOne as ZeroOne
from lucidgrad.metrics.classification import accuracy as accuracy
from lucidgrad.metrics.classification import log_loss as log_loss
from lucidgrad.metrics.classification import top_k_accuracy as top_k_accuracy
from lucidgrad.metrics.confusion import F1 as F1
from lucidgrad.metrics.confusion import ConfusionMatrix as ConfusionMatrix
from lucidgrad.metrics.confusion import Precision as Precision
from lucidgrad.metrics.confusion import Recall as Recall
from lucidgrad.metrics.confusion import confusion_matrix as confusion_matrix
from lucidgrad.metrics.confusion import f1 as f1
from lucidgrad.metrics.confusion import precision as precision
from lucidgrad.metrics.confusion import recall as recall
from lucidgrad.metrics.regression import R2 as R2
from lucidgrad.metrics.regression import MeanAbsoluteError as MeanAbsoluteError
from lucidgrad.metrics.regression import MeanSquaredError as MeanSquaredError
from lucidgrad.metrics.regression import mean_absolute_error as mean_absolute_error
from lucidgrad.metrics.regression import mean_squared_error as mean_squared_error
from lucidgrad.metrics.regression import r2_score as r2_score
from lucidgrad.metrics.zero_one import zero_one_loss as zero_one_loss
