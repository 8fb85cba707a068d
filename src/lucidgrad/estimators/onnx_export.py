"""What fitted estimators are in ONNX: from features or columns to labels with probabilities, or to predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from lucidgrad.estimators.labels import labels_of
from lucidgrad.estimators.scores import knows_probabilities
from lucidgrad.onnx.builder import Builder, Ref
from lucidgrad.onnx.pipeline import Pipeline
from lucidgrad.onnx.table import table_inputs
from lucidgrad.training.step import model_dtype

FLOAT64, INT64 = np.dtype(np.float64), np.dtype(np.int64)


def write_classifier(estimator: Any, pipeline: Pipeline) -> None:
    """``input`` (batch, features) → ``label`` and ``probabilities`` (batch, classes).

    With several labels for a sample both are (batch, labels), as ``predict`` and ``predict_proba`` give them. Where the
    loss knows no probabilities there are ``scores`` in their place, as ``decision_function`` gives them.
    """
    logits = _network(estimator, pipeline)
    y_type = estimator._label_binarizer.y_type_
    if not knows_probabilities(estimator.loss):
        _scores(pipeline, logits, estimator.classes_, y_type.startswith("multilabel"))
    elif estimator.out_activation_ == "softmax":
        _exclusive(pipeline, logits, estimator.classes_)
    else:
        _independent(pipeline, logits, estimator.classes_, y_type.startswith("multilabel"))


def _exclusive(pipeline: Pipeline, logits: Ref, classes: Any) -> None:
    probabilities = pipeline.build("Softmax", logits, axis=1)
    _label_of_largest(pipeline, probabilities, classes)
    pipeline.output("probabilities", probabilities)


def _independent(pipeline: Pipeline, logits: Ref, classes: Any, several: bool) -> None:
    """Of several labels, or of two classes with one logit."""
    b = pipeline.build
    probabilities = b("Sigmoid", logits)
    chosen = b.cast(b("Greater", probabilities, b.like(logits, 0.5)), INT64)
    if several:
        pipeline.output("label", chosen)
    else:
        other = b("Sub", b.like(logits, 1.0), probabilities)
        both = b("Concat", other, probabilities, axis=1)
        probabilities = _shaped(both, (logits.shape[0], 2), logits.dtype)
        _label(pipeline, _flat(b, chosen), classes)
    pipeline.output("probabilities", probabilities)


def _scores(pipeline: Pipeline, scores: Ref, classes: Any, several: bool) -> None:
    """Of classes, of the second of two, or of several labels: the largest wins, or what is above 0."""
    b = pipeline.build
    if scores.shape[1] > 1 and not several:
        _label_of_largest(pipeline, scores, classes)
    else:
        chosen = b.cast(b("Greater", scores, b.like(scores, 0.0)), INT64)
        if several:
            pipeline.output("label", chosen)
        else:
            scores = _flat(b, scores)
            _label(pipeline, _flat(b, chosen), classes)
    pipeline.output("scores", scores)


def _label_of_largest(pipeline: Pipeline, scores: Ref, classes: Any) -> None:
    index = _shaped(pipeline.build("ArgMax", scores, axis=1, keepdims=0), scores.shape[:1], INT64)
    _label(pipeline, index, classes)


def _label(pipeline: Pipeline, index: Ref, classes: Any) -> None:
    # Of a single class there are two places too: scikit-learn's perceptron learns it against nothing.
    pipeline.output("label", labels_of(pipeline, np.resize(classes, max(2, len(classes))), index))


def write_regressor(estimator: Any, pipeline: Pipeline) -> None:
    """``input`` (batch, features) → ``prediction`` (batch,), or (batch, targets) for several targets."""
    outputs = _network(estimator, pipeline)
    if estimator.out_activation_ == "exp":
        outputs = pipeline.build("Exp", outputs)
    pipeline.output("prediction", _flat(pipeline.build, outputs) if estimator.n_outputs_ == 1 else outputs)


def write_table_classifier(estimator: Any, pipeline: Pipeline) -> None:
    """An input for each column that is used → ``label`` and ``probabilities`` (batch, classes) in float64.

    Where the loss knows no probabilities there are ``scores`` in their place, as ``decision_function`` gives them.
    """
    b = pipeline.build
    logits = b.cast(_of_table(estimator, pipeline), FLOAT64)
    if knows_probabilities(estimator.loss):
        _exclusive(pipeline, logits, estimator.classes_)
    elif len(estimator.classes_) == 2:
        away = b("MatMul", logits, b.constant(np.array([[-1.0], [1.0]])))
        _scores(pipeline, _shaped(away, (logits.shape[0], 1), FLOAT64), estimator.classes_, several=False)
    else:
        _scores(pipeline, logits, estimator.classes_, several=False)


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
    return pipeline.network(
        estimator.model_, table_inputs(pipeline, estimator.preprocessing_, model_dtype(estimator.model_))
    )


def _network(estimator: Any, pipeline: Pipeline) -> Ref:
    check_is_fitted(estimator)
    given = pipeline.input("input", (int(estimator.n_features_in_),), np.dtype(estimator.coefs_[0].dtype))
    return pipeline.network(estimator.model_, given)


def _flat(b: Builder, x: Ref) -> Ref:
    """(batch, 1) → (batch,)."""
    return _shaped(b("Squeeze", x, b.integers([1])), x.shape[:1], x.dtype)


def _shaped(x: Ref, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Ref:
    return Ref(x.name, shape, dtype)
