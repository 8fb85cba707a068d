"""What holds for every callback that the package offers."""

from __future__ import annotations

import doctest
import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lucidgrad.errors import ArgumentError
from lucidgrad.io import flatten, unflatten
from lucidgrad.training import Callback, callbacks

OFFERED = [c for c in vars(callbacks).values() if isinstance(c, type) and issubclass(c, Callback) and c is not Callback]


def make(kind: type[Callback], folder: Path) -> Any:
    given: dict[str, Any] = {
        "Checkpoint": {"folder": folder / "checkpoints", "monitor": "loss"},
        "CSVLog": {"path": folder / "log.csv"},
        "EarlyStopping": {"monitor": "loss"},
        "LearningRate": {"function": lambda epoch: 0.9**epoch},
        "ReduceOnPlateau": {"monitor": "loss"},
    }
    return kind(**given.get(kind.__name__, {}))


def test_all_of_them_are_offered_by_training_too() -> None:
    import lucidgrad.training as training

    assert len(OFFERED) == 10
    assert all(getattr(training, c.__name__) is c for c in OFFERED)


@pytest.mark.parametrize("kind", OFFERED)
def test_it_is_final_and_its_documentation_has_an_example(kind: type[Callback]) -> None:
    assert getattr(kind, "__final__", False)
    assert doctest.DocTestParser().get_examples(inspect.getdoc(kind) or "")


@pytest.mark.parametrize("kind", OFFERED)
def test_its_state_can_be_saved_and_put_into_another(kind: type[Callback], tmp_path: Path, train: Any) -> None:
    callback = make(kind, tmp_path)
    train(callback)
    arrays, plain = flatten(callback.state())
    again = make(kind, tmp_path)
    again.load_state(unflatten(arrays, json.loads(json.dumps(plain))))
    arrays_again, plain_again = flatten(again.state())
    assert plain_again == plain
    assert {k: v.tobytes() for k, v in arrays_again.items()} == {k: v.tobytes() for k, v in arrays.items()}


@pytest.mark.parametrize("kind", OFFERED)
def test_one_object_serves_one_run_after_the_other(kind: type[Callback], tmp_path: Path, train: Any) -> None:
    import shutil

    callback = make(kind, tmp_path)
    first = train(callback)
    shutil.rmtree(tmp_path / "checkpoints", ignore_errors=True)
    second = train(callback)
    assert second.history["loss"] == first.history["loss"]
    assert second.history["learning_rate"] == first.history["learning_rate"]
    assert flatten(callback.state())[1] == flatten(callback.state())[1]


@pytest.mark.parametrize("kind", OFFERED)
def test_its_run_end_can_be_called_when_its_run_begin_was_not(kind: type[Callback], tmp_path: Path, train: Any) -> None:
    """Another callback, in front of it, may have failed there."""

    class Fails(Callback):
        def on_run_begin(self, run: Any) -> None:
            raise RuntimeError("the reason")

    with pytest.raises(RuntimeError, match="the reason"):
        train(Fails(), make(kind, tmp_path))


def test_the_order_in_which_they_are_given_does_not_matter_to_what_is_saved(tmp_path: Path, train: Any) -> None:
    from lucidgrad.io import checkpoint

    states = []
    for place in (0, 1):
        saving = callbacks.Checkpoint(tmp_path / str(place))
        given: list[Callback] = [callbacks.EarlyStopping("loss"), callbacks.WeightStatistics()]
        given.insert(2 * place, saving)
        train(*given)
        state, _ = checkpoint.load(tmp_path / str(place))
        saved = {c["type"]: c["state"] for c in state["callbacks"]}
        states.append((saved["EarlyStopping"]["best"], state["history"][-1]["std_weight"]))
    assert states[0] == states[1]


def test_importing_the_package_loads_none_of_the_libraries_that_only_some_callbacks_need() -> None:
    program = "import sys, lucidgrad; print([m for m in ('rich', 'safetensors') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


def test_something_else_than_a_callback_is_refused(train: Any) -> None:
    with pytest.raises(ArgumentError, match=r"callbacks expected Callback objects, got <class .*EarlyStopping"):
        train(callbacks.EarlyStopping)


def test_a_hook_that_fails_at_the_end_does_not_keep_the_others_from_theirs(train: Any) -> None:
    ended = []

    class Ends(Callback):
        def __init__(self, name: str, error: Callable[[], Exception] | None = None) -> None:
            self.name, self.error = name, error

        def on_run_end(self, run: Any) -> None:
            ended.append(self.name)
            if self.error:
                raise self.error()

    with pytest.raises(ValueError, match="second"):
        train(Ends("first"), Ends("second", lambda: ValueError("second")), Ends("third"))
    assert ended == ["third", "second", "first"]
