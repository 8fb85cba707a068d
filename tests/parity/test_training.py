"""A whole training run, minibatches and all, ends in the weights that PyTorch ends in."""

from __future__ import annotations

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad import nn, optim
from lucidgrad.data import batches, epoch_order

torch = pytest.importorskip("torch", reason="PyTorch is not installed: `make parity` installs it")

ROWS, FEATURES, CLASSES, BATCH, EPOCHS = 210, 6, 3, 32, 5


def our_network() -> nn.Module:
    with lg.use_key(lg.Key(2)):
        return nn.Sequential(
            # A bias in front of a batch norm has no gradient but rounding noise, which Adam would blow up.
            nn.Linear(FEATURES, 16, bias=False, dtype=np.float64),
            nn.BatchNorm(16, dtype=np.float64),
            lg.functional.tanh,
            nn.Linear(16, 12, dtype=np.float64),
            nn.LayerNorm(12, dtype=np.float64),
            lg.functional.relu,
            nn.Linear(12, CLASSES, dtype=np.float64),
        )


def their_network() -> object:
    network = torch.nn.Sequential(
        torch.nn.Linear(FEATURES, 16, bias=False),
        torch.nn.BatchNorm1d(16),
        torch.nn.Tanh(),
        torch.nn.Linear(16, 12),
        torch.nn.LayerNorm(12),
        torch.nn.ReLU(),
        torch.nn.Linear(12, CLASSES),
    ).double()
    state = {name: torch.from_numpy(value.copy()) for name, value in our_network().state().items()}
    network.load_state_dict(state, strict=False)  # theirs also counts the batches of the batch norm
    return network


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_five_epochs_of_minibatches_end_in_the_same_weights_and_losses(name: str) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((ROWS, FEATURES)), rng.integers(0, CLASSES, ROWS)
    schedule = optim.cosine(0.05, steps=EPOCHS * 7, final=0.001)
    ours = {"sgd": optim.SGD(schedule, momentum=0.9, nesterov=True), "adamw": optim.AdamW(schedule)}[name]
    run = lg.fit(
        our_network(), x, y, loss="cross_entropy", optimizer=ours, epochs=EPOCHS, batch_size=BATCH, progress=False
    )

    network = their_network()
    theirs = {
        "sgd": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
        "adamw": lambda p: torch.optim.AdamW(p, lr=0.05),
    }[name](network.parameters())
    step, losses = 0, []
    for epoch in range(EPOCHS):
        total = 0.0
        for index in batches(epoch_order(ROWS, run.order_key, epoch), BATCH):
            for group in theirs.param_groups:
                group["lr"] = schedule(step)
            theirs.zero_grad()
            loss = torch.nn.functional.cross_entropy(network(torch.from_numpy(x[index])), torch.from_numpy(y[index]))
            loss.backward()
            theirs.step()
            total += loss.item() * len(index)
            step += 1
        losses.append(total / ROWS)
    assert run.history["loss"] == pytest.approx(losses, rel=1e-9)
    for path, value in run.model.state().items():
        np.testing.assert_allclose(value, network.state_dict()[path].numpy(), rtol=1e-8, atol=1e-10)
