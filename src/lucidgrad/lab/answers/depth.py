"""What goes wrong as depth grows? The gradient on its way back to the first layer, and what is learned with it."""

from __future__ import annotations

from lucidgrad.errors import counted
from lucidgrad.lab.answers.answer import Answer
from lucidgrad.lab.evidence import Evidence, Network, listed, times
from lucidgrad.lab.result import Result

QUESTION = "What goes wrong as depth grows?"
FAR = 10.0
"""A gradient that many times smaller or larger is said to vanish or to explode."""

Series = list[Result]


def what_goes_wrong_as_depth_grows(e: Evidence) -> Answer:
    """The answer from the depth series, and from how the gap and the time grow among the compared networks."""
    series = [s for s in _series(e) if len(s) > 1]
    gaps = [_gap_by_depth(e)] if len(e.depths) > 1 else []
    if not series:
        if not gaps:
            return Answer(QUESTION, "Not measured: it takes networks of different depths.")
        return Answer(
            QUESTION, "No gradients were measured at different depths; the gap and the time were.", tuple(gaps)
        )
    verdict = " ".join(_verdict(e, s) for s in series)
    reasons = [text for s in series for text in (_gradients(s), _accuracies(e, s))]
    return Answer(QUESTION, verdict, (*reasons, *_with_adam(e), *gaps))


def _series(e: Evidence) -> list[Series]:
    """The results of the depth series by plain gradient descent: for each activation, from shallow to deep."""
    groups: dict[str, Series] = {}
    for result in e.of("depth"):
        if result.trial.optimizer == "sgd":
            groups.setdefault(result.trial.activation, []).append(result)
    return [sorted(group, key=lambda r: len(r.sizes)) for group in groups.values()]


def _verdict(e: Evidence, series: Series) -> str:
    shallow, deep = series[0], series[-1]
    ratio = _first(deep) / _first(shallow)
    name = deep.trial.activation
    accuracy = (
        f"accuracy is {e.percent(shallow.test_accuracy)} with {_hidden(shallow)} and {e.percent(deep.test_accuracy)} "
        f"with {_hidden(deep)}"
    )
    if not ratio > 0:  # 0, or NaN
        return f"With {name} no gradient at all reaches the first layer of {_hidden(deep)}; {accuracy}."
    if ratio < 1 / FAR:
        start = (
            f"With {name} the gradient vanishes: through {_hidden(deep)}, {times(1 / ratio)} less of it reaches the "
            f"first layer than through {_hidden(shallow)}"
        )
    elif ratio > FAR:
        start = (
            f"With {name} the gradient explodes: through {_hidden(deep)}, {times(ratio)} as much of it reaches the "
            f"first layer as through {_hidden(shallow)}"
        )
    else:
        start = f"With {name} the gradient keeps its size (to a factor of {max(ratio, 1 / ratio):.2g})"
    lost = shallow.test_accuracy - deep.test_accuracy
    link = {True: ", and learning fails with it", False: ", and learning does not suffer"}
    return f"{start}{link[lost > _chance(e, shallow, deep)]}: {accuracy}."


def _gradients(series: Series) -> str:
    shallow, deep = series[0], series[-1]
    steps = len(deep.sizes) - len(shallow.sizes)
    numbers = listed(f"{_first(r):.2g} with {len(r.trial.widths)}" for r in series)
    factor = (_first(deep) / _first(shallow)) ** (1 / steps)
    per_layer = f"a factor of {factor:.2g} for each layer more" if factor > 0 else "nothing is left of it"
    last = deep.gradient_norms[0][list(deep.gradient_norms[0])[-1]]
    inside = f"In the deepest network the last layer's is {last:.2g}"
    return (
        f"Before training, with {deep.trial.activation} and so many hidden layers, the norm of the gradient of the "
        f"first layer's weights is {numbers}: {per_layer}. {inside}."
    )


def _accuracies(e: Evidence, series: Series) -> str:
    trial = series[0].trial
    numbers = listed(f"{len(r.trial.widths)}: {e.percent(r.test_accuracy)}" for r in series)
    guessing = [r for r in series if r.test_accuracy < 1.25 / r.sizes[-1]]
    text = (
        f"After {counted(trial.epochs, 'epoch')} of plain gradient descent (learning rate {trial.learning_rate:g}, "
        f"{counted(trial.widths[0], 'unit')} in each hidden layer), with {trial.activation}, accuracy by hidden "
        f"layers is {numbers}."
    )
    if guessing:
        depths = listed(str(len(r.trial.widths)) for r in guessing)
        text += f" With {depths} it is no better than guessing one of {guessing[0].sizes[-1]} classes."
    return text


def _with_adam(e: Evidence) -> list[str]:
    """The deepest network once more, by an optimiser whose steps do not shrink with the gradient."""
    texts = []
    for result in e.of("depth"):
        if result.trial.optimizer == "sgd":
            continue
        twin = next((r for r in e.of("depth") if r.trial.optimizer == "sgd" and r.name == result.name), None)
        if twin is not None:
            helped = result.test_accuracy - twin.test_accuracy > _chance(e, result, twin)
            texts.append(
                f"{result.trial.optimizer.capitalize()}, which divides every gradient by its usual size, brought "
                f"{_hidden(result)} with {result.trial.activation} to {e.percent(result.test_accuracy)} where plain "
                f"gradient descent came to {e.percent(twin.test_accuracy)}: "
                + ("the gradient was small, not useless." if helped else "that alone was no remedy here.")
            )
    return texts


def _gap_by_depth(e: Evidence) -> str:
    networks = [e.best_of_depth(layers) for layers in e.depths]
    gaps = listed(f"{n.layers}: {100 * n.mean('gap'):+.2f} points, {n.mean('seconds'):.1f} s" for n in networks)
    return (
        "Depth also has its price. By layers, the best network's overfit gap (accuracy on training less on test "
        f"samples) and its time: {gaps}."
    )


def _first(result: Result) -> float:
    """The norm of the gradient that reaches the first layer before training."""
    return next(iter(result.gradient_norms[0].values()))


def _chance(e: Evidence, a: Result, b: Result) -> float:
    return e.chance(Network((a,)), Network((b,)))


def _hidden(result: Result) -> str:
    n = len(result.trial.widths)
    return counted(n, "hidden layer")
