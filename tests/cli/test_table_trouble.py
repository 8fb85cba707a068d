"""What people's files have in them, through the commands: each trouble is a line that names it, or does no harm."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

import lucidgrad as lg
from tests.cli.test_tables import QUICK, call

N = 120
WORDS = ("Köln", "Zürich", "Bonn")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def text(row: Callable[[int], str] | None = None, header: str = "größe,stadt,y") -> str:
    """A table of text whose rows are made by a function of their number."""
    rng = np.random.default_rng(0)
    plain = [f"{v:.3f},{WORDS[i % 3]},{'ja' if v > 0 else 'nein'}" for i, v in enumerate(rng.normal(size=N))]
    rows = plain if row is None else [row(i) for i in range(N)]
    return "\n".join([header, *rows, ""])


def replaced(line: int, by: str) -> bytes:
    """The table with another text on a line, counted from 1."""
    lines = text().split("\n")
    lines[line - 1] = by
    return "\n".join(lines).encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "t.csv expected a table, got an empty file"),
        (b"\n\n", "t.csv expected a table, got an empty file"),
        (b"a,b,y\n", "t.csv expected rows, got a header alone"),
        (text(lambda i: f"{i / 2},a,same").encode(), "2 classes in the target 'y', got 'same' in all 120 rows"),
        (text(lambda i: f"{i / 2},a,").encode(), "expected values in the target 'y', got none in any row"),
        (text(lambda i: f",,{i % 2}").encode(), "got größe: empty, no values; stadt: empty, no values"),
        (text().encode("latin-1"), "line 1 expected names of columns in UTF-8, got the byte 0xF6"),
        (text(header="a,b,y").encode("latin-1"), "line 2, column 'b' expected text in UTF-8, got the byte 0xF6"),
        (text().encode("utf-16-le"), "(there are zeros in it). Save it as CSV or Parquet, or name its encoding"),
        (replaced(32, "1,2,3,4"), "t.csv line 32 expected 3 fields as in the header, got 4 ('4' is behind the last"),
        (replaced(32, "1"), "t.csv line 32 expected 3 fields as in the header, got 1 (there is nothing for 'stadt')"),
        (replaced(32, '1,"Köln,ja'), "t.csv line 32 expected a quotation that ends"),
        (replaced(1, "a,a,y"), "line 1 expected a name of its own for each column, got 'a' for the columns 1 and 2"),
        (bytes(range(256)) * 20, "t.csv expected text, got bytes that are none"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_learned_from_is_told_with_its_place(
    monkeypatch: Any, capsys: Any, content: bytes, message: str
) -> None:
    Path("t.csv").write_bytes(content)
    assert call(monkeypatch, "train", "t.csv", "--target", "y", *QUICK) == 1
    errors = capsys.readouterr().err
    assert message in errors
    assert errors.count("\n") == 1
    assert [p.name for p in Path().iterdir()] == ["t.csv"]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-16-le", "utf-8-sig"])
def test_other_encodings_are_read_when_they_are_named_or_have_a_mark(monkeypatch: Any, encoding: str) -> None:
    Path("t.csv").write_text(text(), encoding=encoding)
    marked = encoding in ("utf-16", "utf-8-sig")
    told = () if marked else ("--encoding", encoding)
    assert call(monkeypatch, "train", "t.csv", "--target", "y", *QUICK, "-q", "--no-report", *told) == 0
    Path("new.csv").write_text(text(), encoding="utf-8")
    assert call(monkeypatch, "predict", "t.lucidgrad", "new.csv", "-o", "out.csv") == 0
    assert polars.read_csv("out.csv").height == N


def test_a_column_without_values_is_left_out_and_a_few_odd_values_are_told(monkeypatch: Any, capsys: Any) -> None:
    rng = np.random.default_rng(0)
    rows = [f"{v:.3f},,{'ja' if v > 0 else 'nein'}" for v in rng.normal(size=N)]
    rows[28] = "viel,,ja"
    Path("t.csv").write_text("\n".join(["a,none,y", *rows, ""]), encoding="utf-8")
    assert call(monkeypatch, "train", "t.csv", "--target", "y", *QUICK, "--no-report") == 0
    said = capsys.readouterr().out
    assert "empty (left out)" in said
    assert (
        "Note: t.csv, column 'a': 1 value is no number and counts as missing; the first is 'viel' on line 30." in said
    )
    Path("new.csv").write_text("a\n0.5\n-0.5\n", encoding="utf-8")
    assert call(monkeypatch, "predict", "t.lucidgrad", "new.csv", "-o", "out.csv") == 0, (
        "what is left out is not needed"
    )


def test_columns_may_be_in_any_order_and_one_that_is_missing_is_named(monkeypatch: Any, capsys: Any) -> None:
    Path("t.csv").write_text(text(), encoding="utf-8")
    assert call(monkeypatch, "train", "t.csv", "--target", "y", *QUICK, "-q", "--no-report") == 0
    frame = polars.read_csv("t.csv")
    frame.with_columns(extra=polars.lit(1)).select("y", "stadt", "extra", "größe").write_csv("other.csv")
    for name in ("t", "other"):
        assert call(monkeypatch, "predict", "t.lucidgrad", f"{name}.csv", "-o", f"{name}.out.csv") == 0
    assert Path("t.out.csv").read_bytes() == Path("other.out.csv").read_bytes()
    frame.select("größe", "y").write_csv("less.csv")
    capsys.readouterr()
    for command in (
        ("predict", "t.lucidgrad", "less.csv", "-o", "less.out.csv"),
        ("evaluate", "t.lucidgrad", "less.csv"),
    ):
        assert call(monkeypatch, *command) == 1
        assert (
            "less.csv expected the column 'stadt' of training, got a table of größe, y. Add it"
            in capsys.readouterr().err
        )
    assert not Path("less.out.csv").exists()


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="measures memory in KiB")
def test_ten_thousand_columns_are_learned_and_asked_in_a_gigabyte(monkeypatch: Any, capsys: Any) -> None:
    import resource

    rng = np.random.default_rng(0)
    x = rng.normal(size=(150, 10_000)).round(3)
    names = [f"c{i}" for i in range(10_000)]
    y = np.where(x[:, 17] > 0, "yes", "no")
    polars.DataFrame({**dict(zip(names, x.T, strict=True)), "y": y}).write_csv("wide.csv")
    train = ["train", "wide.csv", "--target", "y", "--epochs", "2", "--no-report"]
    for command in (train, ["predict", "wide.lucidgrad", "wide.csv", "-o", "out.csv"]):
        subprocess.run([sys.executable, "-m", "lucidgrad", *command], check=True, capture_output=True, timeout=600)
        assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 2**20  # KiB
    polars.read_csv("wide.csv").drop("c17", "c18").write_csv("less.csv")
    assert call(monkeypatch, "predict", "wide.lucidgrad", "less.csv", "-o", "less.out.csv") == 1
    assert "expected the columns 'c17', 'c18' of training" in capsys.readouterr().err


# --- interrupted --------------------------------------------------------------------------------------------------

POSIX = pytest.mark.skipif(os.name == "nt", reason="signals are of POSIX")
LONG_TRAINING = ["train", "t.csv", "--target", "y", "-o", "m.lucidgrad", "--epochs", "100000", "--patience", "100000"]


# What Ctrl-C does while Python itself starts is Python's affair: an exit code of 1, or the signal.
STARTED = """
import sys
sys.argv[0] = "lucidgrad"
import lucidgrad.interrupt
print("has started", flush=True)
from lucidgrad.cli.main import main
main()
"""


def killed(sent: signal.Signals, command: list[str], when: Callable[[subprocess.Popen[bytes]], Any]) -> Any:
    """Send a signal to a command that has started when ``when(process)`` returns."""
    process = subprocess.Popen(
        [sys.executable, "-c", STARTED, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    while process.stdout.readline() != b"has started\n":
        assert process.poll() is None
    when(process)
    process.send_signal(sent)
    _, errors = process.communicate(timeout=300)
    return process.returncode, errors


def until_it_trains(process: subprocess.Popen[bytes]) -> None:
    assert process.stdout is not None
    while b"To say when to stop" not in process.stdout.readline():
        assert process.poll() is None
    time.sleep(0.5)


@POSIX
def test_a_training_that_is_interrupted_says_so_and_leaves_what_was_there() -> None:
    Path("t.csv").write_text(text(), encoding="utf-8")
    Path("m.lucidgrad").write_bytes(b"old")
    code, errors = killed(signal.SIGINT, LONG_TRAINING, until_it_trains)
    assert (code, errors) == (130, b"lucidgrad: interrupted\n")
    assert Path("m.lucidgrad").read_bytes() == b"old"
    assert sorted(p.name for p in Path().iterdir()) == ["m.lucidgrad", "t.csv"]


@POSIX
@pytest.mark.parametrize("is_late", [False, True])
def test_an_interrupt_while_a_command_is_loaded_is_told_and_one_after_its_work_is_too_late(is_late: bool) -> None:
    interrupt = "os.kill(os.getpid(), signal.SIGINT)"
    program = (
        "import os, signal, sys; sys.argv = ['lucidgrad', '--help']\n"
        "class Finder:\n"
        "    def find_spec(name, path, target=None):\n"
        f"        if name == 'lucidgrad.cli.main' and not {is_late}: {interrupt}\n"
        "sys.meta_path.insert(0, Finder)\n"
        "from lucidgrad.cli.main import main\n"
        "try: main()\n"
        f"finally: {interrupt}\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, timeout=60)
    expected = (0, b"") if is_late else (130, b"lucidgrad: interrupted\n")
    assert (done.returncode, done.stderr) == expected
    assert (b"Usage" in done.stdout) == is_late


@POSIX
def test_who_imports_the_package_keeps_what_it_does_on_an_interrupt() -> None:
    program = "import signal, lucidgrad; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=60)
    assert done.stdout == b"True\n"


def is_whole(path: Path, like: bytes) -> bool:
    """Whether a file is all there; models and reports hold seconds, which differ from run to run."""
    if path.suffix == ".lucidgrad":
        return lg.io.read_model(path).kind == "tabular_classifier"
    if path.suffix == ".parquet":  # whose pieces may be laid out in another way
        return polars.read_parquet(path).equals(polars.read_parquet(like))
    content = path.read_bytes()
    return content.rstrip().endswith(b"</html>") if path.suffix == ".html" else content == like


def run_whole(command: list[str]) -> float:
    """Seconds that a command took, of which nothing is left but what it wrote."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "lucidgrad", *command], check=True, capture_output=True, timeout=600)
    assert not list(Path().glob(".*")), "what killed ones have left of its files is gone"
    return time.perf_counter() - began


@pytest.mark.long
@POSIX
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_commands_that_are_killed_at_any_moment_leave_old_or_whole_files(sent: signal.Signals) -> None:
    Path("t.csv").write_text(text(), encoding="utf-8")
    rows = text().split("\n")
    Path("new.csv").write_text("\n".join([rows[0], *rows[1:-1] * 2000, ""]), encoding="utf-8")
    train = ["train", "t.csv", "--target", "y", "-o", "m.lucidgrad", "--epochs", "5"]
    predict = ["predict", "m.lucidgrad", "new.csv", "--keep", "größe", "-o"]
    draw = random.Random(0)
    for command, outputs in (
        (train, ["m.lucidgrad", "m.html"]),
        ([*predict, "out.csv"], ["out.csv"]),
        ([*predict, "out.parquet"], ["out.parquet"]),
    ):
        seconds = run_whole(command)
        whole = {name: Path(name).read_bytes() for name in outputs}
        for _ in range(12):
            for name in outputs:
                Path(name).write_bytes(b"old")
            code, errors = killed(sent, command, lambda _, s=seconds: time.sleep(draw.uniform(0, 1.1 * s)))
            assert code in ((0, 130) if sent == signal.SIGINT else (0, -signal.SIGKILL)), errors
            assert b"Traceback" not in errors
            for name in outputs:
                assert Path(name).read_bytes() == b"old" or is_whole(Path(name), whole[name])
            if sent == signal.SIGINT:
                assert not list(Path().glob(".*"))
        run_whole(command)
        for name in outputs:
            Path(name).write_bytes(whole[name])


@pytest.mark.long
@POSIX
@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_predictions_that_are_killed_while_they_are_written_leave_the_old_file(name: str) -> None:
    Path("t.csv").write_text(text(), encoding="utf-8")
    rows = text().split("\n")
    Path("new.csv").write_text("\n".join([rows[0], *rows[1:-1] * 5000, ""]), encoding="utf-8")
    run_whole(["train", "t.csv", "--target", "y", "-o", "m.lucidgrad", "--epochs", "1", "--no-report"])
    command = ["predict", "m.lucidgrad", "new.csv", "-o", name, "--keep", "stadt"]
    draw = random.Random(0)

    def until_it_writes(process: subprocess.Popen[bytes]) -> None:
        before = set(Path().glob(f".{name}.*.tmp"))
        while set(Path().glob(f".{name}.*.tmp")) <= before:
            assert process.poll() is None
            time.sleep(0.001)
        time.sleep(draw.uniform(0, 0.3))

    for _ in range(8):
        Path(name).write_bytes(b"old")
        code, errors = killed(signal.SIGKILL, command, until_it_writes)
        assert (code, errors) == (-signal.SIGKILL, b"")
        assert Path(name).read_bytes() == b"old"
        assert len(list(Path().glob(".*.tmp"))) == 1, "that of the one before was removed by this one"
    run_whole(command)
    made = polars.read_csv(name) if name.endswith("csv") else polars.read_parquet(name)
    assert made.height == 5000 * N
