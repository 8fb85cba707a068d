"""Progress shows where the run is to those who look, and costs those who do not nothing."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from typing import Any

import pytest

from lucidgrad import optim
from lucidgrad.training import Callback, Progress, Run
from lucidgrad.training.callbacks import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal_of(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal to look at; called in the test itself, since pytest takes standard error back before it."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    for name, value in {"TERM": "xterm", "COLUMNS": "160", "LINES": "40"}.items():
        monkeypatch.setenv(name, value)
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_UPDATES", 0.0)
    return stream


def test_a_terminal_gets_a_bar_with_epoch_step_loss_metrics_rate_and_time(
    train: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = terminal_of(monkeypatch)
    run = train(Progress(), validation=0.25, metrics=["accuracy"], batch_size=10, engine="eager")
    shown = terminal.getvalue()
    assert "epoch 1/3  step 2/3  loss " in shown
    assert "epoch 3/3  step 1/3" in shown
    row = run.history.last
    assert f"epoch 3/3  loss {row['loss']:.4f}  accuracy {row['accuracy']:.4f}  validation loss " in shown
    assert "learning rate 0.5" in shown
    assert "0:00:0" in shown  # the time that is left
    assert "━" in shown


@pytest.mark.parametrize("fails", [False, True])
def test_the_cursor_is_visible_again_whatever_ended_the_run(
    train: Any, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    terminal = terminal_of(monkeypatch)

    class Fails(Callback):
        def on_step_end(self, run: Run) -> None:
            if fails and run.step == 2:
                raise RuntimeError

        def on_run_end(self, run: Run) -> None:
            if fails:
                raise ValueError("at the end too")

    callbacks = [Fails(), Progress(), Fails()]
    if fails:
        with pytest.raises(ValueError, match="at the end too"):
            train(*callbacks)
    else:
        train(*callbacks)
    shown = terminal.getvalue()
    hidden, visible = shown.rfind("\x1b[?25l"), shown.rfind("\x1b[?25h")
    assert 0 <= hidden < visible
    assert sys.stderr is terminal, "what rich has put in its place is gone"
    assert shown.endswith("\n") or shown[visible:].startswith("\x1b[?25h")


def test_a_label_stands_in_front(train: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_of(monkeypatch)
    train(Progress(label="2/5 [numbers] in pieces"))
    assert "2/5 [numbers] in pieces  epoch 3/3  loss" in terminal.getvalue()


def test_a_run_that_passes_shows_nothing_at_first_and_leaves_nothing(
    train: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = terminal_of(monkeypatch)
    train(Progress(passing=True), engine="eager")
    assert terminal.getvalue() == ""
    monkeypatch.setattr(progress, "SECONDS_OF_QUIET", 0.0)
    train(Progress(passing=True), engine="eager")
    assert "epoch 1/3  step 1/3" in terminal.getvalue()
    *_, last = terminal.getvalue().split("epoch 3/3")
    assert "\x1b[1A\x1b[2K" in last, "one line up, and clear it"

    output = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})()
    monkeypatch.setattr(sys, "stderr", output)
    train(Progress(passing=True), engine="eager")
    assert "\n" not in output.getvalue()
    assert output.getvalue().split("\r")[-2].strip() == ""


def test_what_others_print_appears_above_the_bar(train: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_of(monkeypatch)

    class Prints(Callback):
        def on_epoch_end(self, run: Run) -> None:
            print(f"[a] word of mine {run.epoch}", file=sys.stderr)

    train(Prints(), Progress())
    assert "[a] word of mine 2" in terminal.getvalue()


def test_what_is_printed_into_a_file_goes_there_and_not_to_the_terminal(
    train: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal, file = terminal_of(monkeypatch), io.StringIO()
    monkeypatch.setattr(sys, "stdout", file)

    class Prints(Callback):
        def on_epoch_end(self, run: Run) -> None:
            print(run.epoch)

    train(Prints(), Progress())
    assert file.getvalue() == "1\n2\n3\n"
    assert "epoch 3/3" in terminal.getvalue()


def test_names_with_brackets_are_shown_as_they_are(train: Any, monkeypatch: pytest.MonkeyPatch, tells: Any) -> None:
    terminal = terminal_of(monkeypatch)
    train(tells("score[red]", [0.5] * 3), Progress())
    assert "score[red] 0.5000" in terminal.getvalue()


def test_it_draws_at_most_ten_times_a_second(train: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal_of(monkeypatch)
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_UPDATES", 0.1)
    drawn = []
    real = progress._Bar.show
    monkeypatch.setattr(progress._Bar, "show", lambda self, *state: (drawn.append(state), real(self, *state)))
    began = time.perf_counter()
    train(Progress(), epochs=100, batch_size=4)  # 1000 steps
    assert len(drawn) <= 2 + (time.perf_counter() - began) / 0.1


def test_nobody_looks_nothing_is_written_and_rich_is_not_loaded() -> None:
    program = (
        "import sys, lucidgrad as lg\n"
        "x, y = lg.data.xor(40, seed=0)\n"
        "lg.fit(lg.nn.Linear(2, 2), x, y, loss='cross_entropy', optimizer=lg.optim.SGD(0.1), epochs=2)\n"
        "print('rich' in sys.modules)\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (result.stdout, result.stderr) == ("False\n", "")


def test_always_writes_a_line_for_an_epoch_into_a_log(train: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_UPDATES", 0.0)
    train(Progress(always=True))
    lines = log.getvalue().splitlines()
    assert [line.split("  ")[0] for line in lines] == ["epoch 1/3", "epoch 2/3", "epoch 3/3", "epoch 3/3", "epoch 3/3"]
    assert "s left" in lines[1]
    assert "\x1b" not in log.getvalue()
    assert "\r" not in log.getvalue()


def test_a_notebook_gets_one_line_that_is_written_over(train: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    output = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})()
    monkeypatch.setattr(sys, "stderr", output)
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_UPDATES", 0.0)
    train(Progress(), engine="eager", batch_size=10)
    shown = output.getvalue()
    states = shown.removesuffix("\n").split("\r")[1:]
    assert shown.count("\n") == 1
    assert any("step 2/4" in state for state in states)
    lengths = [len(state) for state in states]
    assert all(after >= len(before.rstrip()) for before, after in zip(states, lengths[1:], strict=False)), (
        "none shines through"
    )


def test_without_standard_error_it_is_quiet(train: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As under pythonw on Windows."""
    monkeypatch.setattr(sys, "stderr", None)
    for always in (False, True):
        assert train(Progress(always=always)).epoch == 3


def test_a_program_that_has_only_loaded_a_kernel_is_no_notebook(train: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    monkeypatch.setitem(sys.modules, "ipykernel", object())  # type: ignore[arg-type]
    train(Progress())
    assert log.getvalue() == ""


def test_optimisers_without_a_rate_and_sums_of_losses_are_shown_too(
    train: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = terminal_of(monkeypatch)
    from lucidgrad.losses import CrossEntropy

    train(Progress(), optimizer=optim.LBFGS(), batch_size=None)
    assert "learning rate" not in terminal.getvalue()
    run = train(Progress(), loss=CrossEntropy(reduction="sum"), optimizer=optim.SGD(0.01))
    assert f"loss {run.history.last['loss']:.4f}" in terminal.getvalue()


def test_fit_adds_one_only_when_there_is_none(train: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal_of(monkeypatch)
    own = Progress()
    assert train(own, progress=None).callbacks == [own]
    assert [type(c) for c in train(progress=None).callbacks] == [Progress]
    assert train(progress=False).callbacks == []
