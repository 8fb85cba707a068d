"""The command line as a whole: what it says about itself, and how it fails."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

import lucidgrad
from lucidgrad import interrupt
from lucidgrad.cli import main as cli
from lucidgrad.compiler.machine import description
from lucidgrad.errors import ArgumentError

run = CliRunner().invoke


def test_the_version_is_that_of_the_package_and_the_engine_is_named():
    result = run(cli.app, ["--version"])
    assert result.exit_code == 0
    first, second, third = result.output.splitlines()
    assert first == f"lucidgrad {lucidgrad.__version__}"
    assert second == f"Python {platform.python_version()}, NumPy {np.__version__}"
    assert third == description()
    assert "LLVM" in third


def test_help_names_every_command():
    result = run(cli.app, ["--help"])
    assert result.exit_code == 0
    assert all(command in result.output for command in ("lab", "data", "--version"))


@pytest.mark.parametrize("command", ["lab", "data"])
def test_every_command_explains_itself(command):
    for option in ("--help", "-h"):
        result = run(cli.app, [command, option], env={"COLUMNS": "120"})
        assert result.exit_code == 0
        assert "Usage" in result.output


def test_the_help_of_the_lab_names_every_option():
    output = run(cli.app, ["lab", "--help"], env={"COLUMNS": "120"}).output
    options = (
        "--task --layers --widths --activations --optimizer --learning-rate --schedule --epochs --batch-size --dropout "
        "--weight-decay --seed --seeds --dtype --data --output --quick --networks-only --no-download --json"
    )
    assert [option for option in options.split() if option not in output] == []


def test_without_a_command_there_is_help():
    assert "Usage" in run(cli.app, []).output


def test_an_unknown_command_is_not_understood():
    result = run(cli.app, ["labb"])
    assert result.exit_code == 2
    assert "labb" in result.output


def failing(error):
    def app():
        raise error

    return app


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ArgumentError("two\nlines"), 1, "lucidgrad: two lines\n"),
        (PermissionError(13, "Permission denied", "here"), 1, "lucidgrad: [Errno 13] Permission denied: 'here'\n"),
        (OSError(), 1, "lucidgrad: OSError\n"),
        (KeyboardInterrupt(), 130, "lucidgrad: interrupted\n"),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(monkeypatch, capsys, error, code, line):
    monkeypatch.setattr(cli, "app", failing(error))
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == code
    assert capsys.readouterr().err == line


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            ImportError("numpy.core.multiarray failed to import"),
            "interrupted (ImportError: numpy.core.multiarray failed",
        ),
        (OSError(28, "No space left on device"), "interrupted ([Errno 28] No space left on device)"),
        (SystemExit(1), ""),  # Typer has said why
    ],
)
def test_what_fails_after_ctrl_c_is_an_interrupt_and_says_what_failed(monkeypatch, capsys, error, line):
    def app():
        interrupt.note()
        raise error

    for came, code in ((app, 130), (failing(SystemExit(1)), 1)):
        monkeypatch.setattr(cli, "app", came)
        with pytest.raises(SystemExit) as caught:
            cli.main()
        assert caught.value.code == code, "what came to one command is not told of the next"
    assert capsys.readouterr().err.startswith(f"lucidgrad: {line}" if line else "")


def test_ctrl_c_while_arguments_are_looked_at_is_told_too(monkeypatch, capsys):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.platform, "python_version", interrupted)
    monkeypatch.setattr(sys, "argv", ["lucidgrad", "--version"])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 130
    assert capsys.readouterr().err == "lucidgrad: interrupted\n"


@pytest.mark.skipif(os.name == "nt", reason="signals are of POSIX")
def test_ctrl_c_that_passed_through_exec_is_none_that_nobody_caught(tmp_path):
    """With python -m Python ended itself by the signal then, in the place of the exit code: -2 instead of 130."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, platform, signal\n"
        "platform.python_version = lambda: exec('os.kill(os.getpid(), signal.SIGINT)\\nfor _ in range(9): pass')\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    command = [sys.executable, "-m", "lucidgrad", "--version"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60, env=environment)
    assert (done.returncode, done.stderr) == (130, b"lucidgrad: interrupted\n")


def test_ctrl_c_in_the_moment_in_which_a_command_leaves_is_told_too(monkeypatch, capsys):
    def interrupted(error):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_leave", interrupted)
    monkeypatch.setattr(cli, "app", failing(SystemExit(0)))
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert (caught.value.code, capsys.readouterr().err) == (130, "lucidgrad: interrupted\n")


def test_a_mistake_of_our_own_is_not_hidden(monkeypatch):
    monkeypatch.setattr(cli, "app", failing(ZeroDivisionError("a bug")))
    with pytest.raises(ZeroDivisionError):
        cli.main()


def test_the_package_can_be_run_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "lucidgrad", "--version"], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.startswith(f"lucidgrad {lucidgrad.__version__}\n")
