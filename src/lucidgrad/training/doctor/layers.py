"""Illnesses of layers: gradients that explode or vanish on the way back, units that are dead or saturated."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, TypeAlias

import numpy as np

from lucidgrad.training.doctor.examination import Examination
from lucidgrad.training.doctor.look import Activation, Look, layer_name
from lucidgrad.training.doctor.verdict import Verdict

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

EXPLODED, EXPLODED_ILL = 20.0, 5.0
VANISHED = 1e-3
DEAD_SHARE = 0.5
LEAST_SAMPLES = 30
SATURATED_AT_START, SATURATED_AT_END = 0.5, 0.8
STILL_ILL = 0.2
"""Below this share of the loss before training a network works, whatever its units look like."""


def exploding_gradients(e: Examination) -> Iterator[Verdict]:
    """The gradient of a weight is many times that of the outputs that it acts on."""
    # What explodes only on the way there was driven by steps too long: another illness.
    moment, look = ("end", e.at_end) if e.at_start is None else ("start", e.at_start)
    if look is None:
        return
    grown = {path: amplification(look, path) for path in look.matrices}
    if grown and max(grown.values()) > (EXPLODED_ILL if e.knows_nothing else EXPLODED):
        path = max(grown, key=lambda p: grown[p])
        evidence = {"amplification": grown[path], "moment": moment, "per_layer": grown}
        yield Verdict("exploding_gradients", evidence, layer=layer_name(path, e.run.model))


def amplification(look: Look, path: str) -> float:
    """How much larger dL/dw is than dL/df: about the product of the layers between, whatever the loss and the batch.

    A layer h → W h has ||dL/dW|| <= ||dL/df|| sqrt(batch * in_features) rms(h), so for outputs f = W h it is at most
    the size of h. What the inputs of the network are larger than 1 is not counted.
    """
    gradient = look.gradients[path].astype(np.float64)
    slope = float(np.linalg.norm(look.output_gradient.astype(np.float64)))
    size = np.sqrt(len(look.output_gradient) * gradient.shape[-1])
    inputs = 1.0 if look.first_input is None else max(1.0, _rms(look.first_input))
    value = float(np.linalg.norm(gradient)) / (slope * size * inputs) if slope else 0.0
    return value if np.isfinite(value) else 0.0  # no number: another illness


def vanishing_gradients(e: Examination) -> Iterator[Verdict]:
    """The first layers have a gradient thousands of times smaller than the last, and the network learns badly.

    Or all of them have one that is thousands of times smaller than at the outputs, and it learns nothing: weights that
    begin too small make small what goes forward as well, and the layers starve together.
    """
    if e.at_end is not None and e.at_end.loss < STILL_ILL * e.start_loss:
        return
    looks = (("end", e.at_end), ("start", e.at_start))
    signs = [_vanished, _starved] if e.knows_nothing else [_vanished]
    for sign, (moment, look) in product(signs, looks):
        found = None if look is None else sign(look)
        if look is not None and found is not None:
            weakest, strongest = found
            sizes = {path: _rms(look.gradients[path]) for path in look.matrices}
            evidence = {"shrunk": amplification(look, weakest), "moment": moment}
            evidence |= {"small": sizes[weakest], "large": sizes[strongest]}
            evidence |= {"strongest": layer_name(strongest, e.run.model), "per_layer": sizes}
            yield Verdict("vanishing_gradients", evidence, layer=layer_name(weakest, e.run.model))
            return


def _starved(look: Look) -> tuple[str, str] | None:
    """The weight that least comes back to of the outputs' gradient, and that with the largest gradient."""
    shrunk = {path: amplification(look, path) for path in look.matrices}
    paths = [path for path, size in shrunk.items() if size > 0]
    if len(paths) < 2 or min(shrunk[p] for p in paths) > VANISHED:
        return None
    return min(paths, key=lambda p: shrunk[p]), max(paths, key=lambda p: _rms(look.gradients[p]))


def _vanished(look: Look) -> tuple[str, str] | None:
    """The weight with the smallest gradient, and that with the largest after it, where it is far larger."""
    sizes = {path: _rms(look.gradients[path]) for path in look.matrices}
    paths = [path for path, size in sizes.items() if 0 < size < np.inf]
    if len(paths) < 3:
        return None
    weakest, strongest = min(paths, key=lambda p: sizes[p]), max(paths, key=lambda p: sizes[p])
    inputs = 1.0 if look.first_input is None else min(1.0, _rms(look.first_input))  # not what small inputs make small
    ratio = sizes[weakest] / (sizes[strongest] * inputs) if inputs else 1.0
    return (weakest, strongest) if ratio < VANISHED and paths.index(weakest) < paths.index(strongest) else None


def dead_relu(e: Examination) -> Iterator[Verdict]:
    """Half of the units of a layer are 0 for every sample."""
    for activation in _final(e):
        if activation.kind != "relu" or len(activation.values) < LEAST_SAMPLES:
            continue
        dead = (activation.values == 0).all(axis=0)
        if dead.mean() >= DEAD_SHARE:
            evidence = {"dead": int(dead.sum()), "units": dead.size, "share": float(dead.mean())}
            yield Verdict("dead_relu", evidence, layer=activation.layer)


def saturated_activations(e: Examination) -> Iterator[Verdict]:
    """Most values of a tanh or sigmoid lie at their limits from the start, or in the end without any use."""
    found: dict[str, Verdict] = {}
    for moment, look, limit in (("start", e.at_start, SATURATED_AT_START), ("end", e.at_end, SATURATED_AT_END)):
        if look is None or (moment == "end" and look.loss < STILL_ILL * e.start_loss):
            continue
        for activation in look.activations:
            share = saturation(activation)
            if share > limit:
                evidence = {"share": share, "activation": activation.kind, "moment": moment}
                found.setdefault(activation.layer, Verdict("saturated_activations", evidence, layer=activation.layer))
    yield from found.values()


def saturation(activation: Activation) -> float:
    """The share of values within 1% of the limits of tanh (-1, 1) or sigmoid (0, 1); 0 for other kinds."""
    if activation.kind == "tanh":
        return float((abs(activation.values) > 0.98).mean())
    if activation.kind == "sigmoid":
        return float((abs(activation.values - 0.5) > 0.49).mean())
    return 0.0


def _final(e: Examination) -> list[Activation]:
    look = e.at_end or e.at_start
    return [] if look is None else look.activations


def _rms(values: Array) -> float:
    return float(np.sqrt((values.astype(np.float64) ** 2).mean())) if values.size else 0.0
