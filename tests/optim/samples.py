"""One row for each optimizer and each way of working it has; the contract tests run over all of them.

The learning rates are such that the problems of the contract are solved in its number of steps.
"""

from lucidgrad import optim

SAMPLES: dict[str, optim.Optimizer] = {
    "sgd": optim.SGD(0.1),
    "sgd with momentum": optim.SGD(0.05, momentum=0.8),
    "sgd with nesterov": optim.SGD(0.05, momentum=0.8, nesterov=True),
    "sgd with weight decay": optim.SGD(0.1, momentum=0.5, weight_decay=1e-3),
    "adam": optim.Adam(0.05),
    "adamw": optim.AdamW(0.05, weight_decay=1e-3),
    "rmsprop": optim.RMSprop(optim.cosine(0.05, 400)),
    "rmsprop centered": optim.RMSprop(optim.cosine(0.05, 400), alpha=0.9, centered=True),
    "rmsprop with momentum": optim.RMSprop(optim.cosine(0.02, 400), momentum=0.7, centered=True),
    "adagrad": optim.Adagrad(0.5),
    "adagrad from one": optim.Adagrad(0.5, initial_accumulator=1.0),
    "lion": optim.Lion(optim.cosine(0.05, 400)),
    "lion with weight decay": optim.Lion(optim.cosine(0.05, 400), weight_decay=1e-3),
    "clipped by norm": optim.clipped(optim.Adam(0.05), max_norm=1.0),
    "clipped by value": optim.clipped(optim.SGD(0.1), max_value=0.5),
    "regularized": optim.regularized(optim.SGD(0.1), l1=1e-4, l2=1e-4),
    "regularized and clipped": optim.regularized(optim.clipped(optim.Adam(0.05), max_norm=1.0), l2=1e-4, exclude=()),
    "lbfgs": optim.LBFGS(max_iterations=50),
}

STEPPING = {name: optimizer for name, optimizer in SAMPLES.items() if not optimizer.full_batch}
