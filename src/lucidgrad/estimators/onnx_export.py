"""What fitted estimators are in ONNX: from features or columns to labels and probabilities, or to predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from lucidgrad.estimators.labels import labels_of
from lucidgrad.onnx.builder import Builder, Ref
from lucidgrad.onnx.pipeline import Pipeline
from lucidgrad.onnx.table import table_inputs

FLOAT64, INT64 = np.dtype(np.float64), np.dtype(np.int64)


def write_classifier(estimator: Any, pipeline: Pipeline) -> None:
    """``input`` (batch, features) → ``label`` and ``probabilities`` (batch, classes).

    With several labels for a sample both are (batch, labels), as ``predict`` and ``predict_proba`` give them.
    """
    logits = _network(estimator, pipeline)
    several = estimator._label_binarizer.y_type_.startswith("multilabel")
    classifier_outputs(pipeline, logits, estimator.classes_, several, estimator.out_activation_ == "softmax")


def classifier_outputs(pipeline: Pipeline, logits: Ref, classes: Any, several: bool, softmax: bool) -> None:
    """Labels and probabilities from logits: of exclusive classes, of two with one logit, or of independent labels."""
    b = pipeline.build
    if softmax:
        probabilities = b("Softmax", logits, axis=1)
        index = _shaped(b("ArgMax", probabilities, axis=1, keepdims=0), logits.shape[:1], INT64)
    else:
        probabilities = b("Sigmoid", logits)
        chosen = b.cast(b("Greater", probabilities, b.like(logits, 0.5)), INT64)
        if several:
            pipeline.output("label", chosen)
            pipeline.output("probabilities", probabilities)
            return
        index = _flat(b, chosen)
        other = b("Sub", b.like(logits, 1.0), probabilities)
        both = b("Concat", other, probabilities, axis=1)
        probabilities = _shaped(both, (logits.shape[0], 2), logits.dtype)
    # Of a single class there are two places too: scikit-learn's perceptron learns it against nothing.
    pipeline.output("label", labels_of(pipeline, np.resize(classes, max(2, len(classes))), index))
    pipeline.output("probabilities", probabilities)


def write_regressor(estimator: Any, pipeline: Pipeline) -> None:
    """``input`` (batch, features) → ``prediction`` (batch,), or (batch, targets) for several targets."""
    outputs = _network(estimator, pipeline)
    if estimator.out_activation_ == "exp":
        outputs = pipeline.build("Exp", outputs)
    pipeline.output("prediction", _flat(pipeline.build, outputs) if estimator.n_outputs_ == 1 else outputs)


def write_table_classifier(estimator: Any, pipeline: Pipeline) -> None:
    """An input for each column that is used → ``label`` and ``probabilities`` (batch, classes) in float64."""
    logits = pipeline.build.cast(_of_table(estimator, pipeline), FLOAT64)
    classifier_outputs(pipeline, logits, estimator.classes_, several=False, softmax=True)


def write_table_regressor(estimator: Any, pipeline: Pipeline) -> None:
    """An input for each column that is used → ``prediction`` (batch,) or (batch, targets) in float64."""
    b, scaling = pipeline.build, estimator.target_scaling_
    outputs = _of_table(estimator, pipeline)
    values = b.cast(outputs, FLOAT64)
    if estimator._poisson:
        values = b("Exp", values)
    values = b("Add", b("Mul", values, b.constant(scaling.scale)), b.constant(scaling.center))
    values = _shaped(values, outputs.shape, FLOAT64)
    pipeline.output("prediction", _flat(b, values) if estimator._one else values)


def _of_table(estimator: Any, pipeline: Pipeline) -> Ref:
    check_is_fitted(estimator)
    return pipeline.network(estimator.model_, table_inputs(pipeline, estimator.preprocessing_, np.float32))


def _network(estimator: Any, pipeline: Pipeline) -> Ref:
    check_is_fitted(estimator)
    given = pipeline.input("input", (int(estimator.n_features_in_),), np.dtype(estimator.coefs_[0].dtype))
    return pipeline.network(estimator.model_, given)


def _flat(b: Builder, x: Ref) -> Ref:
    """(batch, 1) → (batch,)."""
    return _shaped(b("Squeeze", x, b.integers([1])), x.shape[:1], x.dtype)


def _shaped(x: Ref, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Ref:
    return Ref(x.name, shape, dtype)
