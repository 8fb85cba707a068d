"""Asking a trained 784-128-10: one row at a time, and 10,000 rows; lucidgrad and whoever is installed, taking turns.

python -m benchmarks.predict
"""

from __future__ import annotations

import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

import lucidgrad as lg
from benchmarks.cases import case_named, load
from benchmarks.timing import in_turn, machine, table

SIZES = 784, 128, 10
THREADS = 2


def lucidgrad_ways(weights):
    with lg.use_key(lg.Key(0)):
        model = lg.nn.Sequential(lg.nn.Linear(784, 128), lg.functional.relu, lg.nn.Linear(128, 10))
    names = ("0.weight", "0.bias", "2.weight", "2.bias")
    model.load_state(dict(zip(names, (a.T if a.ndim == 2 else a for a in weights), strict=True)))
    ask = lg.Predictor(model, (784,), threads=THREADS)
    return ask, ask


def numpy_ways(weights):
    w1, b1, w2, b2 = weights
    return (lambda x: np.maximum(x @ w1 + b1, 0) @ w2 + b2,) * 2


def torch_ways(weights):
    import torch

    torch.set_num_threads(THREADS)
    w1, b1, w2, b2 = (torch.from_numpy(a.T.copy() if a.ndim == 2 else a) for a in weights)

    @torch.inference_mode()
    def ask(x):
        linear = torch.nn.functional.linear
        return linear(torch.relu(linear(torch.from_numpy(x), w1, b1)), w2, b2).numpy()

    return ask, ask


def jax_ways(weights):
    import jax

    given = [jax.device_put(a) for a in weights]
    compiled = jax.jit(lambda w1, b1, w2, b2, x: jax.nn.relu(x @ w1 + b1) @ w2 + b2)
    return (lambda x: np.asarray(compiled(*given, x)),) * 2


def onnxruntime_ways(weights):
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    names = ("w1", "b1", "w2", "b2")
    nodes = [
        helper.make_node("Gemm", ["x", "w1", "b1"], ["h"]),
        helper.make_node("Relu", ["h"], ["a"]),
        helper.make_node("Gemm", ["a", "w2", "b2"], ["y"]),
    ]
    outside = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n", k]) for n, k in (("x", 784), ("y", 10))]
    constants = [numpy_helper.from_array(a, n) for n, a in zip(names, weights, strict=True)]
    graph = helper.make_graph(nodes, "net", outside[:1], outside[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    with tempfile.TemporaryDirectory() as folder:
        onnx.save(model, str(Path(folder) / "net.onnx"))
        session = onnxruntime.InferenceSession(str(Path(folder) / "net.onnx"), options)
    return (lambda x: session.run(None, {"x": x})[0],) * 2


WAYS = {
    "lucidgrad": lucidgrad_ways,
    "NumPy": numpy_ways,
    "onnxruntime": onnxruntime_ways,
    "torch": torch_ways,
    "jax": jax_ways,
}


def main(rounds: int = 7, repeats: int = 300) -> None:
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal(s).astype(np.float32) / 28 for s in ((784, 128), (128,), (128, 10), (10,))]
    print(machine())
    asked = {}
    for name, make in WAYS.items():
        if name in ("lucidgrad", "NumPy") or find_spec(name) is not None:
            asked[name] = make(weights)
        else:
            print(f"{name}: not installed here")
    for source, many in (inputs(), ("made up, without zeros", rng.random((10_000, 784), dtype=np.float32))):
        expected = asked["NumPy"][1](many[:300])
        for _, ask in asked.values():
            np.testing.assert_allclose(ask(many[:300]), expected, atol=1e-4)
        rows = {name: many[7] if name == "lucidgrad" else many[7:8] for name in WAYS}
        single = {name: lambda f=f, x=rows[name]: f(x) for name, (f, _) in asked.items()}
        title = f"one row of 784-128-10 ({source})"
        print(f"\n{table(title, in_turn(single, rounds, repeats), 'lucidgrad', 'µs')}")
        together = {name: lambda f=f, x=many: f(x) for name, (_, f) in asked.items()}
        title = f"10,000 rows, {THREADS} threads ({source})"
        print(f"\n{table(title, in_turn(together, rounds), 'lucidgrad')}")


def inputs() -> tuple[str, np.ndarray[Any, Any]]:
    """Where 10,000 rows are from, and these: the test images of MNIST, where they are."""
    data = load(case_named("mlp-sgd"))
    return data.source, data.x_test


if __name__ == "__main__":
    main()
