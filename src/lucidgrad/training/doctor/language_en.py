"""The doctor in English."""

from __future__ import annotations

from lucidgrad.training.doctor.language import Language, Message

ENGLISH = Language(
    heading="Findings in a run of {epochs}: {count}",
    healthy="Nothing to find fault with in this run of {epochs}.",
    epoch="1 epoch",
    epochs="{n} epochs",
    remedy="Remedy",
    terms={
        "start": "before training",
        "end": "after training",
        "data": "in the data, in row",
        "output": "in the output of",
        "gradient": "in the gradient of",
        "update": "in the update of",
        "weights": "in the weights",
        "accuracy": "accuracy",
        "r2": "R²",
    },
    messages={
        "unscaled_inputs": Message(
            "unscaled inputs",
            "The inputs have a root mean square of {rms:.3g}, and that of feature {feature} is {largest:.3g}; layers "
            "begin with weights that are made for inputs around 1.",
            "Scale every feature to mean 0 and deviation 1 with lucidgrad.data.Standardize (fitted on the training "
            "samples alone), or divide pixels by 255.",
        ),
        "unscaled_targets": Message(
            "unscaled targets",
            "The targets have mean {mean:.3g} and deviation {deviation:.3g}; the network begins with outputs around 1 "
            "and has to grow into that scale first.",
            "Train on (y - mean) / deviation, and multiply predictions back.",
        ),
        "class_imbalance": Message(
            "class imbalance",
            "Class {largest} has {most} samples and class {smallest} only {fewest}, a ratio of {ratio:.3g} to 1. Of "
            "the rare class {recall:.0%} are recognised, of the frequent one {recall_largest:.0%}.",
            "Weigh the classes, as with CrossEntropy(class_weight=...) in inverse proportion to their counts, and "
            "judge by recall or F1 instead of accuracy.",
        ),
        "leaking_rows": Message(
            "validation rows that are in the training set",
            "{shared} of {rows} validation rows ({share:.1%}) are also training rows, number for number: the "
            "validation judges what was learned by heart.",
            "Remove duplicates before the split, or split by the thing that repeats (patient, customer, document). If "
            "the features take only a few values, some of these may be chance.",
        ),
        "shuffled_labels": Message(
            "labels that look shuffled",
            "The {neighbours} nearest neighbours of a sample agree with its target no better than chance "
            "(z = {z:.2g}, over {rows} rows): the targets seem to have nothing to do with the inputs.",
            "Look at some rows with their targets. x and y may have been sorted, shuffled or filtered apart, or joined "
            "by a wrong key.",
        ),
        "first_nan": Message(
            "numbers that are not finite",
            "The first NaN or infinity was seen in epoch {epoch}, step {step}: {kind} {place}. The numbers before it "
            "were finite.",
            "Check the data for NaN first, then lower the learning rate or clip the gradients "
            "(lucidgrad.optim.clipped). The callback NaNGuard stops there, with the last sound weights.",
        ),
        "learning_rate_too_high": Message(
            "learning rate too high",
            "The loss was {start:.4g} before the first step and {worst:.4g} in its worst epoch, {epoch}. {steps} more "
            "steps at the learning rate {rate:.3g} bring {before:.4g} to {at:.4g}, at a tenth of it to {tenth:.4g}.",
            "Divide the learning rate by 3 to 10; lucidgrad.find_learning_rate suggests one.",
        ),
        "learning_rate_too_low": Message(
            "learning rate too low",
            "From {start:.4g} the loss came down to {before:.4g} only. {steps} more steps at the learning rate "
            "{rate:.3g} bring {at:.4g}, at {factor:,} times that {better:.4g}.",
            "Multiply the learning rate by {factor:,}; lucidgrad.find_learning_rate suggests one.",
        ),
        "exploding_gradients": Message(
            "exploding gradients",
            "On the way back to layer {layer} the gradient grows to {amplification:.3g} times what it is at the "
            "outputs, per weight and sample ({moment}).",
            "Begin with smaller weights (he_normal or glorot_normal of lucidgrad.nn.init), put LayerNorm or "
            "BatchNorm between the layers, or clip with lucidgrad.optim.clipped(..., max_norm=1.0).",
        ),
        "vanishing_gradients": Message(
            "vanishing gradients",
            "On the way back to layer {layer} the gradient shrinks to {shrunk:.2g} times what it is at the outputs, "
            "per weight and sample (root mean squares of {small:.2g} there and {large:.2g} in layer {strongest}, "
            "{moment}): the first layers hardly learn.",
            "Use relu or gelu instead of sigmoid or tanh, an initialiser that fits the activation, Residual or "
            "normalising layers, or fewer layers.",
        ),
        "dead_relu": Message(
            "dead ReLUs",
            "After layer {layer}, {dead} of {units} ReLUs ({share:.0%}) give 0 for every sample that was looked at: no "
            "gradient reaches their weights.",
            "Lower the learning rate, begin with biases of 0 and he_normal weights, scale the inputs, or use "
            "leaky_relu or gelu.",
        ),
        "saturated_activations": Message(
            "saturated activations",
            "After layer {layer}, {share:.0%} of the values of {activation} are within 1% of their limits ({moment}), "
            "where the slope is next to 0.",
            "Scale the inputs, begin with smaller weights (glorot_normal), lower the learning rate, or use relu.",
        ),
        "growing_weights": Message(
            "growing weights",
            "The largest |w| of {path} went from {first:.3g} to {last:.3g} and was still growing in epoch {epoch}.",
            "Add weight decay (AdamW, or lucidgrad.optim.regularized), lower the learning rate, or stop earlier.",
        ),
        "overfitting": Message(
            "overfitting",
            "Since epoch {epoch} the validation loss rises, from {best:.4g} to {last:.4g}, while the training loss "
            "goes on falling, from {train_best:.4g} to {train_last:.4g}.",
            "Stop there (EarlyStopping keeps the best weights), or take more data, fewer units, Dropout, or weight "
            "decay.",
        ),
        "underfitting": Message(
            "underfitting",
            "The training loss has not moved since epoch {epoch}, and the network's {score} on training samples is "
            "{reached:.3g}, while their {neighbours} nearest neighbours reach {possible:.3g}: there is more to learn.",
            "Add units or a hidden layer with a nonlinear activation, or weaken the regularisation.",
        ),
    },
)
