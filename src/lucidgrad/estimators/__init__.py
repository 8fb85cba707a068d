"""Estimators with the conventions of scikit-learn, trained by the native engine."""

from lucidgrad.estimators.classifier import MLPClassifier as MLPClassifier
from lucidgrad.estimators.regressor import MLPRegressor as MLPRegressor
from lucidgrad.estimators.table_classifier import TabularClassifier as TabularClassifier
from lucidgrad.estimators.table_regressor import TabularRegressor as TabularRegressor
