"""What can watch and steer a run, one file each."""

from lucidgrad.training.callbacks.callback import Callback as Callback
from lucidgrad.training.callbacks.checkpoint import Checkpoint as Checkpoint
from lucidgrad.training.callbacks.progress import Progress as Progress
