"""A process that saves without a pause is killed at random moments: what it reported as saved can be loaded."""

import os
import random
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from lucidgrad.io import checkpoint

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")

# Goes on from the newest checkpoint as a resumed run does, and reports each step when it is saved.
SAVES_WITHOUT_A_PAUSE = """
import sys, warnings
import numpy as np
from lucidgrad.io import checkpoint
folder = sys.argv[1]
checkpoint.clean(folder)
warnings.simplefilter("ignore")  # the parent looks at what was left behind
step = checkpoint.load(folder)[0]["step"] if checkpoint.steps(folder) else 0
print("begin", step, flush=True)
while True:
    step += 1
    tree = {"w": np.full(2**16, step), "step": step, "text": "x" * 2**14}
    checkpoint.save(folder, step, tree, keep=3)
    checkpoint.save(folder, "best", tree)
    print("saved", step, flush=True)
"""


def kill_while_saving(folder: Path, seconds: float) -> tuple[int, int]:
    """Let a child save for some time, kill it, and return the step it began at and the last it reported, or 0."""
    command = [sys.executable, "-c", SAVES_WITHOUT_A_PAUSE, str(folder)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout is not None
    try:
        first_line = child.stdout.readline()
        time.sleep(seconds)
    finally:
        os.kill(child.pid, signal.SIGKILL)
        rest, errors = child.communicate()
    assert (child.returncode, errors) == (-signal.SIGKILL, b"")
    begin = int(first_line.split()[1])
    reported = [int(line.split()[1]) for line in rest.splitlines(keepends=True) if line.endswith(b"\n")]
    return begin, reported[-1] if reported else 0


def check_kills(folder: Path, kills: int, seed: int) -> dict[str, int]:
    chance = random.Random(seed)
    seen = {"kills": 0, "saves": 0, "temporaries left": 0, "unfinished passed over": 0, "one further": 0}
    expected = last_reported = 0
    for _ in range(kills):
        begin, reported = kill_while_saving(folder, chance.uniform(0, 0.12))
        assert begin == expected, "the next start goes on from what the parent could load"
        last_reported = reported or last_reported
        reported = reported or begin  # what this child found is as good as reported
        seen["temporaries left"] += len(list(folder.glob(".*.tmp")))
        checkpoint.clean(folder)  # as the next start does
        assert not list(folder.glob(".*"))
        if not folder.exists() or (reported == 0 and not checkpoint.steps(folder)):
            continue  # killed before the first was there
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            loaded, _ = checkpoint.load(folder)
        seen["unfinished passed over"] += len(caught)
        assert loaded["step"] in (reported, reported + 1), "no save that was reported is lost"
        np.testing.assert_array_equal(loaded["w"], np.full(2**16, loaded["step"]))
        for path in checkpoint.steps(folder):  # every one that counts can be read, not only the newest
            checkpoint.load(path)
        if last_reported:
            best = checkpoint.load(folder / "best.json")[0]["step"]
            assert last_reported <= best <= loaded["step"]
        expected = loaded["step"]
        seen["one further"] += loaded["step"] - reported
        seen["kills"] += 1
        seen["saves"] += loaded["step"] - begin
    return seen


def test_killed_12_times_while_saving_nothing_reported_is_lost(tmp_path: Path) -> None:
    seen = check_kills(tmp_path, 12, seed=0)
    assert seen["kills"] > 6
    assert seen["saves"] > 6  # of some dozens, where nothing else runs


@pytest.mark.long
def test_killed_200_times_while_saving_nothing_reported_is_lost(tmp_path: Path) -> None:
    seen = check_kills(tmp_path, 200, seed=1)
    print(seen)
    assert seen["kills"] > 180
    assert seen["temporaries left"] > 20, "the kills hit the middle of writing"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree, _ = checkpoint.load(tmp_path)
    checkpoint.save(tmp_path, tree["step"] + 1, tree, keep=3)
    checkpoint.save(tmp_path, "best", tree)
    assert len(list(tmp_path.iterdir())) == 2 * 4, "one more save, and what the killed ones left is gone"
