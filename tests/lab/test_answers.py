"""The answers follow from the numbers: the same code says the opposite of opposite measurements."""

from __future__ import annotations

import pytest

from lucidgrad.lab import answers
from lucidgrad.lab.evidence import Evidence, Network, listed, times

N = 10_000


def ask(results, n=N):
    names = ("activation", "layers", "depth", "weights", "overfit", "descent")
    return dict(zip(names, answers(results, test_samples=n, train_samples=60_000), strict=True))


def full_text(answer):
    return " ".join([answer.verdict, *answer.reasons])


def test_the_first_four_questions_are_those_of_the_lab():
    questions = [answer.question for answer in answers([], test_samples=N, train_samples=N)]
    assert questions[:4] == [
        "Does the activation matter?",
        "Are 2 or 3 layers needed?",
        "What goes wrong as depth grows?",
        "How do the weights behave?",
    ]


def test_without_measurements_every_answer_says_so():
    assert all(answer.verdict.startswith("Not measured") for answer in ask([]).values())


# --- does the activation matter? ----------------------------------------------------------------------------------


def activations(result, relu, tanh, identity=0.925, one=0.925, **options):
    return [
        result((), "", one),
        result((128,), "relu", relu, **options),
        result((128,), "tanh", tanh),
        result((128,), "identity", identity, group="control"),
    ]


def test_the_activation_matters_when_the_network_without_one_is_no_better_than_one_layer(result):
    answer = ask(activations(result, 0.981, 0.972))["activation"]
    assert answer.verdict.startswith(
        "Yes: the same network is right for 98.10 % of the test samples with relu, and for"
    )
    assert "92.50 % without any activation" in answer.verdict
    assert "relu is 0.90 points ahead of tanh" in answer.verdict
    assert "linear layers one after another are one linear layer" in answer.reasons[0]
    assert "5.60 points more" in answer.reasons[0]


def test_when_tanh_is_better_than_relu_the_answer_says_that(result):
    answer = ask(activations(result, 0.972, 0.981))["activation"]
    assert "98.10 % of the test samples with tanh" in answer.verdict
    assert "tanh is 0.90 points ahead of relu" in answer.verdict
    assert "tanh 98.10 % and relu 97.20 %" in answer.reasons[1]


def test_a_difference_within_chance_is_called_that(result):
    answer = ask(activations(result, 0.9810, 0.9805))["activation"]
    assert "Which one it is hardly matters" in answer.verdict
    assert "0.05 points between relu and tanh with 2 layers, is no more than chance explains" in answer.verdict


def test_when_the_network_without_an_activation_is_as_good_the_answer_is_no(result):
    answer = ask(activations(result, 0.926, 0.9255, identity=0.925))["activation"]
    assert answer.verdict.startswith("Having one does not, measurably: 92.60 % with relu against 92.50 % without any.")
    assert "which chance alone may explain" in answer.reasons[0]


def test_a_linear_network_that_beats_one_layer_is_explained_by_training(result):
    answer = ask(activations(result, 0.98, 0.98, identity=0.95, one=0.92))["activation"]
    assert "3.00 points less. Linear layers one after another can express no more" in answer.reasons[0]


def test_how_fast_each_activation_gets_there_is_told(result):
    quick = [0.96, 0.97, 0.98, 0.98]
    slow = [0.5, 0.9, 0.97, 0.975]
    results = [result((128,), "relu", 0.98, validation=quick), result((128,), "elu", 0.975, validation=slow)]
    assert "97.5 % of the test samples were first told right by relu after 3 and elu after 4 epochs" in full_text(
        ask(results)["activation"]
    )


def test_a_diverged_network_is_not_the_worst_activation(result):
    results = [*activations(result, 0.98, 0.975), result((128,), "elu", 0.1, status="diverged")]
    assert " elu" not in full_text(ask(results)["activation"])


# --- are 2 or 3 layers needed? ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accuracies", "verdict"),
    [
        (
            (0.925, 0.981, 0.982),
            "2 layers are needed: with one layer the best accuracy is 92.50 %, with 2 layers 98.10 %.",
        ),
        (
            (0.925, 0.965, 0.985),
            "3 layers are needed: with 2 layers the best accuracy is 96.50 %, with 3 layers 98.50 %.",
        ),
        ((0.925, 0.925, 0.926), "No: one layer is enough here (92.50 %)."),
        (
            (0.98, 0.95, 0.9),
            "No: one layer is enough here (98.00 %). With 2 layers it is 95.00 %: 3.00 points less, more",
        ),
    ],
)
def test_as_many_layers_are_needed_as_it_takes(result, accuracies, verdict):
    results = [result((64,) * i, "relu" if i else "", a) for i, a in enumerate(accuracies)]
    assert ask(results)["layers"].verdict.startswith(verdict)


def test_the_step_from_one_depth_to_the_next_is_quoted(result):
    reasons = ask([result((), "", 0.925), result((64,), "relu", 0.981, seconds=7.5)])["layers"].reasons
    assert "2 layers 98.10 % (784-64-10 relu, 2,000 parameters, 7.5 s)" in reasons[0]
    assert reasons[1].startswith("From one layer to 2 layers: 5.60 points up, more than chance explains")
    assert "of 1,000 test samples 75 and 19 are told wrong" in reasons[1]
    down = ask([result((), "", 0.981), result((64,), "relu", 0.925)])["layers"].reasons[1]
    assert "5.60 points down" in down


# --- what goes wrong as depth grows? ------------------------------------------------------------------------------


def series(result, activation, gradients, accuracies, optimizer="sgd"):
    return [
        result(
            (64,) * depth,
            activation,
            accuracy,
            group="depth",
            gradients=[gradient, *[0.5] * depth],
            optimizer=optimizer,
        )
        for depth, (gradient, accuracy) in enumerate(zip(gradients, accuracies, strict=True), start=1)
    ]


def test_a_vanishing_gradient_is_named_with_its_size(result):
    answer = ask(series(result, "sigmoid", [0.2, 0.02, 0.002], [0.9, 0.6, 0.1]))["depth"]
    assert "With sigmoid the gradient vanishes: through 3 hidden layers, 100 times less" in answer.verdict
    assert "learning fails with it: accuracy is 90.00 % with 1 hidden layer and 10.00 % with 3" in answer.verdict
    assert "0.2 with 1, 0.02 with 2 and 0.002 with 3: a factor of 0.1 for each layer more" in answer.reasons[0]
    assert "With 3 it is no better than guessing one of 10 classes" in answer.reasons[1]


def test_a_gradient_that_keeps_its_size_is_not_said_to_vanish(result):
    answer = ask(series(result, "sigmoid", [0.2, 0.19, 0.17], [0.9, 0.93, 0.95]))["depth"]
    assert "vanishes" not in answer.verdict
    assert "keeps its size (to a factor of 1.2), and learning does not suffer" in answer.verdict
    assert "guessing" not in full_text(answer)


def test_an_exploding_gradient_is_named(result):
    answer = ask(series(result, "relu", [0.1, 1.0, 50.0], [0.9, 0.9, 0.9]))["depth"]
    assert "With relu the gradient explodes: through 3 hidden layers, 500 times as much of it" in answer.verdict


def test_a_gradient_of_nothing_is_named(result):
    answer = ask(series(result, "relu", [0.1, 0.0], [0.9, 0.1]))["depth"]
    assert "no gradient at all reaches the first layer of 2 hidden layers" in answer.verdict


@pytest.mark.parametrize(("adam", "words"), [(0.9, "small, not useless"), (0.1, "no remedy here")])
def test_what_adam_makes_of_it_is_told(result, adam, words):
    deep = result((64, 64), "sigmoid", adam, group="depth", optimizer="adam")
    answer = ask([*series(result, "sigmoid", [0.2, 0.001], [0.9, 0.1]), deep])["depth"]
    (reason,) = [r for r in answer.reasons if r.startswith("Adam")]
    assert f"to {100 * adam:.2f} % where plain gradient descent came to 10.00 %" in reason
    assert words in reason


def test_without_a_depth_series_the_gap_is_all_there_is(result):
    results = [result((), "", 0.9, train=0.92), result((64,), "relu", 0.95, train=1.0)]
    answer = ask(results)["depth"]
    assert answer.verdict.startswith("No gradients were measured")
    assert "1: +2.00 points, 1.0 s and 2: +5.00 points, 1.0 s" in answer.reasons[0]


# --- how do the weights behave? -----------------------------------------------------------------------------------


def test_growing_weights_are_told_layer_by_layer(result):
    results = [
        result((), "", 0.92, weights=[(0.1, 1.0)]),
        result((64,), "relu", 0.98, weights=[(0.1, 0.8), (0.2, 0.4)]),
    ]
    answer = ask(results)["weights"]
    assert answer.verdict.startswith(
        "They grow: max|w| becomes 10 times what it was at the start in 784-10, 4 times in 784-64-10 relu."
    )
    assert "the largest weight lies in the first layer in 1, in the last in 0" in answer.reasons[0]
    assert "max|w| in 784-64-10 relu: layer 1 from 0.10 to 0.80 (8 times) and layer 2 from 0.20 to 0.40 (2 times)." in (
        answer.reasons
    )


def test_shrinking_weights_are_not_said_to_grow(result):
    results = [result((), "", 0.92, weights=[(1.0, 0.5)]), result((64,), "relu", 0.98)]
    assert ask(results)["weights"].verdict.startswith("The largest weight grows in 1 of 2 networks")


def test_weights_that_had_not_stopped_are_told_from_those_that_stand_still(result):
    linear = result((64,), "relu", 0.98, validation=[0.9] * 8)
    assert (
        "They had not stopped: the last quarter of the epochs added 25 % of the growth"
        in ask([linear])["weights"].verdict
    )
    still = result((64,), "relu", 0.98, validation=[0.9] * 8)
    for row in still.history.rows:
        row["max_abs_weight"] = {"0.weight": 0.4, "2.weight": 0.4}
    answer = ask([still])["weights"]
    assert "By the end they stand still" in answer.verdict
    for row, rate in zip(still.history.rows, (1, 2, 4, 4, 2, 1, 0.5, 0.1), strict=True):
        row["learning_rate"] = rate
    assert "The schedule has a part in that" in full_text(ask([still])["weights"])


@pytest.mark.parametrize(("sign", "words"), [(1, "go with larger gaps"), (-1, "go with smaller gaps")])
def test_weights_and_gaps_are_compared_by_rank(result, sign, words):
    results = [
        result((8 * i,), "relu", 0.9, train=0.95 + sign * 0.01 * i, weights=[(0.1, 0.2 * i), (0.1, 0.1)])
        for i in range(1, 6)
    ]
    assert f"larger weights {words}" in full_text(ask(results)["weights"])
    assert f"{sign:+.2f}" in full_text(ask(results)["weights"])


# --- overfitting, and the whole set against minibatches -----------------------------------------------------------


def test_a_gap_and_a_rising_test_loss_are_overfitting(result):
    results = [
        result((), "", 0.92, train=0.925, losses=(0.4, 0.3, 0.29)),
        result((64,), "relu", 0.95, train=1.0, losses=(0.3, 0.2, 0.4)),
    ]
    answer = ask(results)["overfit"]
    assert answer.verdict == (
        "1 of 2 networks is better on training than on test samples, by up to 5.00 points in 784-64-10 relu; and "
        "the test loss of 1 of 2 rose again before the end."
    )
    assert "was lowest after epoch 2 (0.200 nats) and ended at 0.400, 100 % above that" in answer.reasons[1]


def test_without_a_gap_there_is_no_overfitting(result):
    answer = ask([result((), "", 0.92, train=0.921)])["overfit"]
    assert answer.verdict.startswith(
        "Not by their accuracy: the widest gap, 0.10 points in 784-10, is no more than chance"
    )
    assert answer.verdict.endswith("the test loss of none has begun to rise.")


def descent(result, mini, whole):
    return [
        result((64,), "relu", mini[-1], group="descent", validation=mini, batch_size=50, seconds=4.0),
        result((64,), "relu", whole[-1], group="descent", validation=whole, batch_size=None, seconds=2.0),
    ]


def test_minibatches_and_the_whole_set_are_compared_after_as_many_epochs(result):
    answer = ask(descent(result, [0.9, 0.95], [0.5, 0.7, 0.8, 0.9]))["descent"]
    assert answer.verdict == (
        "Minibatches: after 2 epochs, which is 2,400 steps over minibatches and 2 over the whole set, accuracy is "
        "95.00 % and 70.00 %."
    )
    assert "95.00 % (training loss 0.100) after 2 epochs, the whole set at 90.00 % (0.100) after 4" in answer.reasons[1]
    assert (
        "To 90 % of the test samples it took the minibatches 1 epoch (2.0 s of training) and the whole set 4 (2.0 s)"
        in (answer.reasons[2])
    )


def test_when_the_whole_set_is_ahead_it_is_named(result):
    assert ask(descent(result, [0.6, 0.7], [0.8, 0.9]))["descent"].verdict.startswith("The whole set: after 2 epochs")
    assert ask(descent(result, [0.6, 0.9], [0.8, 0.9]))["descent"].verdict == (
        "After 2 epochs both are right for 90.00 % of the test samples."
    )


# --- how large a difference has to be -----------------------------------------------------------------------------


def test_two_standard_errors_of_independent_shares(result):
    a, b = Network((result(test=0.9),)), Network((result(test=0.9),))
    assert Evidence([], N, N).chance(a, b) == pytest.approx(2 * (2 * 0.9 * 0.1 / N) ** 0.5, rel=1e-3)


def test_networks_that_are_wrong_on_the_same_samples_are_told_apart_by_less(result):
    a = Network((result(test=0.9, mistakes=list(range(1000))),))
    b = Network((result(test=0.895, mistakes=list(range(1050))),))
    assert Evidence([], N, N).chance(a, b) == pytest.approx(2 * 52**0.5 / N)


def test_the_deviation_over_seeds_counts(result):
    same = Network(tuple(result(test=0.9, mistakes=list(range(1000)), seed=i) for i in range(4)))
    spread = Network(
        tuple(result(test=t, mistakes=list(range(1000)), seed=i) for i, t in enumerate((0.88, 0.89, 0.91, 0.92)))
    )
    e = Evidence([], N, N)
    assert e.chance(same, spread) > 2 * spread.deviation / 4**0.5 > e.chance(same, same)
    assert e.accuracy(spread) == "90.00 ± 1.83 %"


def test_a_few_test_samples_bear_fewer_digits():
    assert Evidence([], 359, 1438).percent(0.98333) == "98.3 %"
    assert Evidence([], N, 60_000).percent(0.98333) == "98.33 %"


def test_lists_and_factors_read_as_english():
    assert [listed("abc"[:n]) for n in (1, 2, 3)] == ["a", "a and b", "a, b and c"]
    assert [times(f) for f in (1.25, 9.94, 52.3, 1234.5)] == ["1.2 times", "9.9 times", "52 times", "1,234 times"]
