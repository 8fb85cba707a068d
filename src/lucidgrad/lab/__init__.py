"""The lab: train perceptrons of one, two and three layers, measure them, and answer what was asked from what came out.

``lucidgrad lab`` on the command line is ``run_lab`` followed by ``write_report``. The first four questions are those of
the lesson: does the activation matter, are 2 or 3 layers needed, what goes wrong as depth grows, how do the weights
behave. Two more are about overfitting and minibatches.
"""

# The names stand in the order of the story.
# isort: off

from lucidgrad.lab.task import TASKS as TASKS
from lucidgrad.lab.task import Task as Task
from lucidgrad.lab.task import load_task as load_task
from lucidgrad.lab.settings import Settings as Settings
from lucidgrad.lab.settings import default_settings as default_settings
from lucidgrad.lab.plan import Trial as Trial
from lucidgrad.lab.plan import plan as plan
from lucidgrad.lab.network import perceptron as perceptron
from lucidgrad.lab.result import Result as Result
from lucidgrad.lab.experiment import Experiment as Experiment
from lucidgrad.lab.experiment import run_lab as run_lab
from lucidgrad.lab.answers import Answer as Answer
from lucidgrad.lab.answers import answers as answers
from lucidgrad.lab.report import write_report as write_report
