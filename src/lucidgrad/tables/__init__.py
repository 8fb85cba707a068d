"""From a table in a file to a model, a report and predictions: what the commands for tables do.

``make_plan`` reads a table and decides what is learned from what, ``train`` trains and measures, ``write_report``
writes the page, and ``predict_file`` and ``evaluate_file`` ask a model about further files.
"""

# isort: off
from lucidgrad.tables.plan import Plan as Plan
from lucidgrad.tables.plan import Wishes as Wishes
from lucidgrad.tables.plan import make_plan as make_plan
from lucidgrad.tables.trained import Trained as Trained
from lucidgrad.tables.trained import train as train
from lucidgrad.tables.measuring import Measured as Measured
from lucidgrad.tables.measuring import measure as measure
from lucidgrad.tables.report import write_report as write_report
from lucidgrad.tables.predict import evaluate_file as evaluate_file
from lucidgrad.tables.predict import predict_file as predict_file
