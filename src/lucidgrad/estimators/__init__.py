"""Estimators with the conventions of scikit-learn, trained by the native engine."""

from lucidgrad.estimators.mlp import MLPClassifier as MLPClassifier
from lucidgrad.estimators.mlp import MLPRegressor as MLPRegressor
