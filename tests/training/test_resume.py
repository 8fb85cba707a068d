"""A resumed run is the run that was not interrupted: bit for bit, in a new process, wherever it was cut."""

from __future__ import annotations

import json
import os
import runpy
import signal
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad import nn, optim
from lucidgrad.errors import ArgumentError, CheckpointError
from lucidgrad.io import checkpoint
from lucidgrad.training import Callback, Checkpoint, EarlyStopping, LearningRate, Progress, Run

PROGRAM = Path(__file__).with_name("resumable.py")
RESUMABLE = runpy.run_path(str(PROGRAM))
CASES, PowerCut, train, results = (RESUMABLE[name] for name in ("CASES", "PowerCut", "train", "results"))


def in_a_new_process(folder: Path, optimizer: str, cases: list[str]) -> dict[str, Any]:
    command = [sys.executable, "-W", "error", str(PROGRAM), str(folder), optimizer, json.dumps(cases)]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr
    found: dict[str, Any] = json.loads(child.stdout)
    return found


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "lbfgs"])
def test_a_run_that_was_cut_and_goes_on_in_a_new_process_ends_with_the_same_bits(
    tmp_path: Path, optimizer: str
) -> None:
    expected = {}
    for case, options in CASES.items():
        with pytest.raises(PowerCut):
            train(tmp_path / case, optimizer, **options)
        uninterrupted = {k: v for k, v in options.items() if k not in ("cut", "after_validation")}
        folder = tmp_path / "at once" / case
        expected[case] = results(train(folder, optimizer, **uninterrupted), folder)
    folder = tmp_path / "from the start"
    expected["from the start"] = results(train(folder, optimizer, callbacks=True, layers=True), folder)
    found = in_a_new_process(tmp_path, optimizer, list(CASES))
    assert found == json.loads(json.dumps(expected))
    assert len({v["run"] for v in expected.values()}) >= 3, "the cases are different runs"


@pytest.mark.parametrize("case", ["mid-epoch", "epoch boundary", "after validation"])
def test_the_cut_is_where_its_name_says(tmp_path: Path, case: str) -> None:
    with pytest.raises(PowerCut):
        train(tmp_path, "sgd", **CASES[case])
    state, _ = checkpoint.load(tmp_path)
    place = {name: state["progress"][name] for name in ("epoch", "batch", "step")}
    assert (
        place
        == {
            "mid-epoch": {"epoch": 2, "batch": 3, "step": 17},
            "epoch boundary": {"epoch": 2, "batch": 7, "step": 21},
            "after validation": {"epoch": 3, "batch": 0, "step": 21},
        }[case]
    )


def test_a_process_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    """SIGKILL at any moment: no time to save, nothing to clean up."""
    program = (
        "import runpy, sys, pathlib\n"
        f"train = runpy.run_path({str(PROGRAM)!r})['train']\n"
        "print('begin', flush=True)\n"
        "train(pathlib.Path(sys.argv[1]), 'adam', layers=True, resume=True, epochs=10**6)\n"
    )
    for _ in range(2):
        child = subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "run")], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        earlier = len(checkpoint.steps(tmp_path / "run")) and checkpoint.steps(tmp_path / "run")[-1]
        while not (steps := checkpoint.steps(tmp_path / "run")) or steps[-1] == earlier:
            assert child.poll() is None
        child.kill()
        child.stdout.close()
        child.wait()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one may have been half-written
        state, _ = checkpoint.load(tmp_path / "run")
        epochs = state["progress"]["epoch"] + 2
        resumed = train(tmp_path / "run", "adam", layers=True, resume=True, epochs=epochs)
    at_once = train(tmp_path / "at once", "adam", layers=True, epochs=epochs)
    assert RESUMABLE["digest"](resumed) == RESUMABLE["digest"](at_once)
    assert not list((tmp_path / "run").glob(".*"))


def test_the_same_seed_gives_the_same_bits_however_busy_the_machine_is(tmp_path: Path) -> None:
    stop = threading.Event()

    def busy() -> None:
        a = np.ones((300, 300))
        while not stop.is_set():
            a @ a

    threads = [threading.Thread(target=busy) for _ in range(3)]
    quiet = RESUMABLE["digest"](train(tmp_path / "quiet", "adam", layers=True, epochs=2))
    for thread in threads:
        thread.start()
    try:
        loaded = [RESUMABLE["digest"](train(tmp_path / str(i), "adam", layers=True, epochs=2)) for i in range(5)]
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert loaded == [quiet] * 5


# --- small runs -----------------------------------------------------------------------------------------------------

XOR = lg.data.xor(40, seed=0)


def small(folder: Path | None, epochs: int = 2, callbacks: Any = (), resume: Any = False, **options: Any) -> Run:
    lg.seed(0)
    x, y = options.pop("data", XOR)
    model = options.pop("model", None) or nn.Sequential(nn.Linear(2, 4), lg.functional.tanh, nn.Linear(4, 2))
    given = {"loss": "cross_entropy", "optimizer": optim.Adam(0.05), "batch_size": 16, "progress": False}
    saving = [] if folder is None else [Checkpoint(folder)]
    return lg.fit(model, x, y, epochs=epochs, callbacks=[*callbacks, *saving], resume=resume, **(given | options))


def weights(run: Run) -> dict[str, list[float]]:
    return {path: array.tolist() for path, array in run.model.state().items()}


def test_each_step_and_each_epoch_has_a_key_of_its_own_whatever_was_done_before() -> None:
    fresh, trained = small(None, epochs=0), small(None, epochs=2)
    keys = [trained.key_of(step) for step in range(50)]
    assert len(set(keys)) == 50
    assert keys == [fresh.key_of(step) for step in range(50)]
    assert trained.step_key == keys[trained.step]


def test_a_finished_run_goes_on_when_epochs_is_larger_and_does_nothing_when_it_is_not(tmp_path: Path) -> None:
    at_once = small(None, epochs=5)
    first = small(tmp_path, epochs=3, resume=True)  # there is nothing yet: from the start
    again = small(tmp_path, epochs=3, resume=True)
    assert weights(again) == weights(first)
    assert len(again.history) == 3
    resumed = small(tmp_path, epochs=5, resume=True)
    assert weights(resumed) == weights(at_once)
    assert resumed.history["loss"] == at_once.history["loss"]


@pytest.mark.parametrize("kind", [str, Path])
def test_a_folder_or_one_file_of_it_can_be_named(tmp_path: Path, kind: type) -> None:
    small(tmp_path, epochs=3)
    at_once = small(None, epochs=4)
    folder = small(None, epochs=4, callbacks=[Checkpoint(tmp_path / "a")], resume=kind(tmp_path))
    first = small(None, epochs=4, callbacks=[Checkpoint(tmp_path / "b")], resume=kind(checkpoint.steps(tmp_path)[0]))
    assert weights(folder) == weights(first) == weights(at_once)


@pytest.fixture(autouse=True)
def _interrupts_are_not_ignored() -> Any:
    """A process that a shell starts in the background ignores Ctrl-C; these tests are not about that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class PressesCtrlC(Callback):
    def __init__(self, step: int, times: int = 1) -> None:
        self.step, self.times = step, times

    def on_step_end(self, run: Run) -> None:
        if run.step == self.step:
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)  # to this thread, and handled before the next line


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
def test_ctrl_c_saves_the_step_under_way_and_the_run_goes_on_from_it(tmp_path: Path) -> None:
    at_once = small(None, epochs=4)
    with pytest.raises(KeyboardInterrupt):
        small(tmp_path, epochs=4, callbacks=[PressesCtrlC(step=5)])  # in the middle of the second epoch
    assert checkpoint.steps(tmp_path)[-1].stem == "step-00000005"
    resumed = small(tmp_path, epochs=4, resume=True)
    assert weights(resumed) == weights(at_once)
    assert resumed.stop_reason is None


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
def test_a_second_ctrl_c_ends_at_once_without_saving_a_step_that_may_be_half_done(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        small(tmp_path, epochs=4, callbacks=[PressesCtrlC(step=5, times=2)])
    assert [p.stem for p in checkpoint.steps(tmp_path)] == ["step-00000003"]
    assert weights(small(tmp_path, epochs=4, resume=True)) == weights(small(None, epochs=4))


class StopsAt(Callback):
    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_end(self, run: Run) -> None:
        if run.step == self.step:
            run.stop("enough")


def test_what_a_callback_has_decided_stands_when_the_run_is_resumed(tmp_path: Path) -> None:
    first = small(tmp_path, epochs=4, callbacks=[StopsAt(5)])
    resumed = small(tmp_path, epochs=4, resume=True)
    assert resumed.stop_reason == "enough"
    assert (resumed.step, weights(resumed)) == (5, weights(first))


def test_callbacks_that_only_look_on_may_differ(tmp_path: Path) -> None:
    small(tmp_path, epochs=2, callbacks=[StopsAt(99), Progress()])
    assert weights(small(tmp_path, epochs=3, resume=True)) == weights(small(None, epochs=3))


def schedule(step: int) -> float:
    return 0.1 / (1 + step)


def test_functions_given_to_a_run_are_the_same_in_the_next_process_wherever_they_lie_in_memory(tmp_path: Path) -> None:
    def same(step: int) -> float:
        return schedule(step)

    def make() -> Any:
        exec("def again(step): return 0.1 / (1 + step)", scope := {})
        return scope["again"]

    small(tmp_path, optimizer=optim.SGD(make()))
    one, other = make(), make()
    assert repr(one) != repr(other)
    small(tmp_path, epochs=3, optimizer=optim.SGD(other), resume=True)
    with pytest.raises(CheckpointError, match=r"optimizer: .SGD.*again.* then, .SGD.*same"):
        small(tmp_path, epochs=3, optimizer=optim.SGD(same), resume=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": lg.data.xor(41, seed=0)}, "rows: 40 then, 41 now"),
        ({"data": lg.data.xor(40, seed=1)}, "crc: "),
        ({"data": (np.c_[XOR[0], XOR[0]], XOR[1]), "model": nn.Linear(4, 2)}, r"x: \[2\] then, \[4\] now"),
        ({"validation": 0.5}, "rows: 40 then, 20 now"),
        ({"validation": lg.data.xor(8, seed=1)}, "validation: None then"),
        ({"loss": "squared_error", "data": (XOR[0], XOR[0])}, "loss: .CrossEntropy.* now; crc: "),
        ({"optimizer": optim.Adam(0.06)}, "optimizer: 'Adam.*0.05.* then, 'Adam.*0.06.* now"),
        ({"optimizer": optim.SGD(0.05)}, "optimizer: 'Adam"),
        ({"batch_size": 8}, "batch_size: 16 then, 8 now"),
        ({"batch_size": None}, "batch_size: 16 then, None now"),
        ({"seed": 1}, "seed: 0 then, 1 now"),
        ({"shuffle": False}, "shuffle: True then, False now"),
        ({"metrics": ["accuracy"]}, r"metrics: \[\] then, \['accuracy'\] now"),
        ({"sample_weight": np.linspace(1, 2, 40)}, "crc: "),
        ({"callbacks": [EarlyStopping("loss")]}, r"callbacks \['Checkpoint'\], got \['EarlyStopping', 'Checkpoint'\]"),
        ({"callbacks": [LearningRate(lambda _: 1.0)]}, r"callbacks \['Checkpoint'\], got \['LearningRate'"),
        ({"model": nn.Sequential(nn.Linear(2, 5), nn.Linear(5, 2))}, "expected the model that was saved"),
        ({"model": nn.Linear(2, 2, dtype=np.float64), "data": (XOR[0], XOR[1])}, "expected the"),
    ],
)
def test_resuming_another_run_is_refused_and_says_what_differs(tmp_path: Path, change: Any, message: str) -> None:
    small(tmp_path)
    with pytest.raises(CheckpointError, match=message):
        small(tmp_path, epochs=3, resume=True, **change)


def test_a_run_that_has_lost_its_callback_is_refused(tmp_path: Path) -> None:
    small(tmp_path, callbacks=[EarlyStopping("loss")])
    with pytest.raises(CheckpointError, match=r"callbacks \['EarlyStopping', 'Checkpoint'\], got \['Checkpoint'\]"):
        small(tmp_path, epochs=3, resume=True)


def test_true_needs_a_checkpoint_callback_that_says_where() -> None:
    with pytest.raises(ArgumentError, match=r"resume=True expected a Checkpoint callback .* got \[\]"):
        small(None, resume=True)


def test_a_folder_named_by_hand_has_to_hold_a_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="none"):
        small(tmp_path / "run", resume=tmp_path)


def test_true_does_not_begin_anew_where_all_checkpoints_are_damaged(tmp_path: Path) -> None:
    small(tmp_path)
    for path in checkpoint.steps(tmp_path):
        path.write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"step-00000003.*no manifest"):
        small(tmp_path, epochs=3, resume=True)


@pytest.mark.parametrize("state", [{"weights": 1}, [1, 2], {"settings": 5}], ids=str)
def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path, state: Any) -> None:
    checkpoint.save(tmp_path, 1, state)
    with pytest.raises(CheckpointError, match="the state of a run"):
        small(tmp_path / "run", resume=tmp_path)


def test_a_checkpoint_of_other_versions_is_used_with_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        now = checkpoint.environment()
        patch.setattr(checkpoint, "environment", lambda: now | {"numpy": "1.0"})
        small(tmp_path)
    with pytest.warns(RuntimeWarning, match=r"numpy 1\.0 then, .* now.*last bits") as caught:
        resumed = small(tmp_path, epochs=3, resume=True)
    assert weights(resumed) == weights(small(None, epochs=3))
    assert caught[0].filename == __file__
