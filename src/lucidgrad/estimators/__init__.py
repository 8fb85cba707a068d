"""Estimators with the conventions of scikit-learn, trained by the native engine."""

from lucidgrad.estimators.mlp import MLPClassifier as MLPClassifier
from lucidgrad.estimators.mlp import MLPRegressor as MLPRegressor
from lucidgrad.estimators.tabular import TabularClassifier as TabularClassifier
from lucidgrad.estimators.tabular import TabularRegressor as TabularRegressor
