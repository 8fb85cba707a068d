"""Machine code among other things that go on: Ctrl-C, other threads, forks, files larger than memory, no llvmlite."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad import nn, optim
from lucidgrad.compiler import trace
from lucidgrad.compiler.program import Program

rng = np.random.default_rng(8)
X, Y = rng.standard_normal((600, 20)).astype(np.float32), rng.integers(0, 3, 600)
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")


def child(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code), *arguments]


def lines_of(code: str, *arguments: str) -> list[str]:
    """What a Python process prints that runs the code."""
    done = subprocess.run(child(code, *arguments), capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split("\n")[:-1]


def trained(seed: int, threads: int = 2, epochs: int = 3) -> dict[str, Any]:
    with lg.use_key(lg.Key(seed)):
        model = nn.Sequential(nn.Linear(20, 64), lg.functional.relu, nn.Dropout(0.2), nn.Linear(64, 3))
    lg.fit(
        model, X, Y, loss="cross_entropy", optimizer=optim.Adam(0.01), epochs=epochs, batch_size=32, seed=seed,
        engine="native", threads=threads,
    )  # fmt: skip
    return dict(model.state())


def same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    return all(np.array_equal(a[path], b[path]) for path in a)


INTERRUPTED = """
    import signal, sys
    import numpy as np, lucidgrad as lg
    signal.signal(signal.SIGINT, signal.default_int_handler)
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((4000, 64)).astype(np.float32), rng.integers(0, 5, 4000)

    class Watch(lg.training.Callback):
        def on_run_begin(self, run):
            self.run = run
        def on_epoch_end(self, run):
            if run.epoch == 3:
                print("training", flush=True)

    def fit(callback, epochs=10**6):
        with lg.use_key(lg.Key(0)):
            model = lg.nn.Sequential(lg.nn.Linear(64, 96), lg.functional.tanh, lg.nn.Linear(96, 5))
        options = dict(loss="cross_entropy", optimizer=lg.optim.Adam(1e-3), batch_size=32, threads=2)
        return lg.fit(model, x, y, epochs=epochs, engine="native", callbacks=[callback], **options)

    class Until(lg.training.Callback):
        def on_step_end(self, run):
            if run.step == self.step:
                run.stop("enough")

    for _ in range(int(sys.argv[1])):
        watch = Watch()
        try:
            fit(watch)
        except KeyboardInterrupt:
            pass
        run = watch.run
        print("stopped", run.stop_reason, flush=True)
        until = Until()
        until.step = run.step
        again = fit(until)
        intact = all(np.array_equal(a, again.model.state()[p]) for p, a in run.model.state().items())
        print("intact" if intact else f"changed in step {run.step}", flush=True)
"""


@pytest.mark.parametrize("times", [2, pytest.param(50, marks=pytest.mark.long)])
def test_ctrl_c_ends_a_run_between_two_steps(times):
    with subprocess.Popen(child(INTERRUPTED, str(times)), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(times):
            assert process.stdout.readline() == "training\n"
            process.send_signal(signal.SIGINT)
            assert process.stdout.readline() == "stopped interrupted\n"
            assert process.stdout.readline() == "intact\n"
        assert process.wait(60) == 0


def test_other_python_threads_run_meanwhile():
    graph = trace(lambda a, b: a @ b, lg.Tensor(np.ones((400, 400))), lg.Tensor(np.ones((400, 400))))
    program = Program(graph)
    memory = np.ones((3, 400, 400), np.float32)
    for buffer, array in zip([*program.plan.inputs, *program.plan.outputs], memory, strict=True):
        assert buffer is not None
        program.table[buffer.slot] = array.ctypes.data
    done = threading.Event()
    call = threading.Thread(target=lambda: (program.run(100), done.set()))
    count = 0
    call.start()
    while not done.is_set():
        count += 1
    call.join()
    assert count > 1000
    assert (memory[2] == 400).all()


def test_trainings_in_several_python_threads_give_the_bits_they_give_alone():
    alone = [trained(seed) for seed in range(4)]
    together: list[dict[str, Any]] = [{}] * 4

    def work(seed: int) -> None:
        together[seed] = trained(seed)

    workers = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    assert all(map(same, alone, together))


@needs_fork
def test_the_child_of_a_fork_trains_on():
    code = """
        import os, sys
        sys.path.insert(0, sys.argv[1])
        from tests.training.test_native_manners import same, trained
        before = trained(3)
        child = os.fork()
        if not child:
            os._exit(0 if same(trained(3), before) else 1)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), same(trained(3), before))
    """
    assert lines_of(code, str(Path(__file__).parents[2])) == ["0 True"]


@needs_proc
def test_a_memory_map_trains_without_being_copied(tmp_path):
    code = """
        import sys
        import numpy as np, lucidgrad as lg

        def own_megabytes():
            line = next(l for l in open("/proc/self/status") if l.startswith("RssAnon"))
            return int(line.split()[1]) / 1024

        x = np.lib.format.open_memmap(sys.argv[1], "w+", np.float32, (100_000, 784))  # 314 MB, on the disk alone
        y = np.zeros(len(x), np.int64)
        model = lg.nn.Linear(784, 10)
        options = dict(loss="cross_entropy", optimizer=lg.optim.SGD(0.1), batch_size=100, engine="native")
        lg.fit(model, x[:1000], y[:1000], epochs=1, **options)
        before = own_megabytes()
        lg.fit(model, x, y, epochs=1, **options)
        lg.predict(model, x, engine="native")
        print(round(own_megabytes() - before))
    """
    (grown,) = map(int, lines_of(code, str(tmp_path / "x.npy")))
    assert grown < 60


def test_without_llvmlite_everything_runs_eagerly():
    code = """
        import importlib.machinery as machinery, warnings
        real = machinery.PathFinder.find_spec
        hidden = lambda cls, name, *rest: None if name.split(".")[0] == "llvmlite" else real(name, *rest)
        machinery.PathFinder.find_spec = classmethod(hidden)
        import numpy as np, lucidgrad as lg
        from lucidgrad.compiler.machine import description
        print(description())
        model, x, y = lg.nn.Linear(4, 2), np.ones((30, 4)), np.zeros(30, int)
        for engine in ("auto", "native"):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                run = lg.fit(model, x, y, loss="cross_entropy", optimizer=lg.optim.SGD(0.1), epochs=2, engine=engine)
            print(len(run.history), [str(w.message) for w in caught])
        print(lg.predict(model, x).shape, float(lg.jit(lambda a: a * 2)(np.ones(1))[0]))
    """
    assert lines_of(code) == [
        "native engine: none, because llvmlite is not installed; everything runs eagerly",
        "2 []",
        "2 ['fit trains eagerly: llvmlite is not installed']",
        "(30, 2) 2.0",
    ]
