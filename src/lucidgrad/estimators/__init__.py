"""Estimators with the conventions of scikit-learn, trained by the native engine."""

from lucidgrad.estimators.classifier import MLPClassifier as MLPClassifier
from lucidgrad.estimators.regressor import MLPRegressor as MLPRegressor
from lucidgrad.estimators.tabular import TabularClassifier as TabularClassifier
from lucidgrad.estimators.tabular import TabularRegressor as TabularRegressor
