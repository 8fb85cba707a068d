"""lucidgrad: a neural-network framework you can see through.

This file is the table of contents; the package reads top to bottom as a story. Importing it loads the tensors alone;
each other chapter is loaded when it is first used, so that a process starts quickly.
"""

# isort: off
# Before all else, which takes a second: from here on Ctrl-C is no traceback where this is the command.
import lucidgrad.interrupt as _interrupt  # noqa: F401

# isort: on
import importlib
from typing import TYPE_CHECKING, Any

# 0 WHAT CAN GO WRONG, each error with what was expected, what came, and what to do
from lucidgrad import errors as errors

# 4 GRADIENTS: tensors, the op table, the walk backwards, functions without weights, randomness as a value
from lucidgrad import autograd as autograd
from lucidgrad import functional as functional
from lucidgrad import ops as ops
from lucidgrad.autograd import detect_anomaly as detect_anomaly
from lucidgrad.autograd import enable_grad as enable_grad
from lucidgrad.autograd import no_grad as no_grad
from lucidgrad.functional import concatenate as concatenate
from lucidgrad.functional import maximum as maximum
from lucidgrad.functional import minimum as minimum
from lucidgrad.functional import one_hot as one_hot
from lucidgrad.functional import ones as ones
from lucidgrad.functional import stack as stack
from lucidgrad.functional import take as take
from lucidgrad.functional import where as where
from lucidgrad.functional import zeros as zeros
from lucidgrad.gradcheck import gradcheck as gradcheck
from lucidgrad.random import Key as Key
from lucidgrad.random import next_key as next_key
from lucidgrad.random import seed as seed
from lucidgrad.random import use_key as use_key
from lucidgrad.tensor import Tensor as Tensor
from lucidgrad.tensor import grad as grad
from lucidgrad.tensor import tensor as tensor

if TYPE_CHECKING:
    # 1 DATA
    from lucidgrad import data as data

    # 2 LAYERS
    from lucidgrad import nn as nn

    # 3 LOSS, and what is only reported
    from lucidgrad import losses as losses
    from lucidgrad import metrics as metrics

    # 5 UPDATE
    from lucidgrad import optim as optim

    # 6 COMPILED: functions written down as graphs, and as machine code
    from lucidgrad import compiler as compiler
    from lucidgrad.compiler.jitted import jit as jit

    # 7 TRAINED
    from lucidgrad import training as training
    from lucidgrad.training.doctor.examine import doctor as doctor
    from lucidgrad.training.history import History as History
    from lucidgrad.training.run import Run as Run
    from lucidgrad.training.evaluate import evaluate as evaluate
    from lucidgrad.training.fit import fit as fit
    from lucidgrad.training.learning_rate import find_learning_rate as find_learning_rate
    from lucidgrad.training.evaluate import predict as predict
    from lucidgrad.training.evaluate import predict_class as predict_class
    from lucidgrad.training.evaluate import predict_proba as predict_proba
    from lucidgrad.training.predictor import Predictor as Predictor
    from lucidgrad.training.report import compile_report as compile_report

    # 8 SHIPPED: estimators, tables and files
    from lucidgrad import estimators as estimators
    from lucidgrad import tables as tables
    from lucidgrad.estimators.classifier import MLPClassifier as MLPClassifier
    from lucidgrad.estimators.regressor import MLPRegressor as MLPRegressor
    from lucidgrad.estimators.table_classifier import TabularClassifier as TabularClassifier
    from lucidgrad.estimators.table_regressor import TabularRegressor as TabularRegressor
    from lucidgrad import io as io
    from lucidgrad import onnx as onnx
    from lucidgrad.io.model_file import load as load
    from lucidgrad.io.model_file import save as save

    # 9 SHOWN
    from lucidgrad import lab as lab
    from lucidgrad import plot as plot
    from lucidgrad import seeing as seeing
    from lucidgrad.seeing.draw import draw as draw
    from lucidgrad.seeing.explain import explain as explain
    from lucidgrad.seeing.record import Recorder as Recorder
    from lucidgrad.seeing.record import record as record

__version__ = "0.1.0"

# What is loaded on first use: chapters, and the names that are taken from one.
_CHAPTERS = (
    *("data", "nn", "losses", "metrics", "optim", "compiler", "training"),
    *("estimators", "tables", "io", "onnx", "plot", "seeing", "lab"),
)
_NAMES = {
    "compiler": ("jit",),
    "seeing": ("Recorder", "draw", "explain", "record"),
    "training": (
        "History",
        "Predictor",
        "Run",
        "evaluate",
        "find_learning_rate",
        "fit",
        "predict",
        "predict_class",
        "predict_proba",
    ),
    "training.doctor": ("doctor",),
    "training.report": ("compile_report",),
    "estimators": ("MLPClassifier", "MLPRegressor", "TabularClassifier", "TabularRegressor"),
    "io": ("load", "save"),
}
_CHAPTER_OF = {name: chapter for chapter, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _CHAPTERS:
        return importlib.import_module(f"lucidgrad.{name}")
    if name in _CHAPTER_OF:
        return getattr(importlib.import_module(f"lucidgrad.{_CHAPTER_OF[name]}"), name)
    raise AttributeError(f"module 'lucidgrad' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_CHAPTERS, *_CHAPTER_OF})
