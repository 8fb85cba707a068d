"""Threads meet at barriers whatever their number, nobody is left waiting, and pools survive errors and forks."""

from __future__ import annotations

import ctypes
import gc
import os
import subprocess
import sys
import threading
import time
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="machine code is made with llvmlite")

from lucidgrad.compiler.machine import Library, compile_text
from lucidgrad.compiler.threads import Barrier, Pool, barrier_text, borrowed

# Each thread writes its round into its own place, meets the others, and reads the places of all.
ROUNDS = """
define i64 @rounds(ptr %state, i64 %threads, i64 %rounds, ptr %places, i64 %me) {
entry:
  %mine = getelementptr i64, ptr %places, i64 %me
  br label %round
round:
  %i = phi i64 [ 0, %entry ], [ %after, %next ]
  %wrong = phi i64 [ 0, %entry ], [ %worse, %next ]
  store i64 %i, ptr %mine, align 8
  %a = call i64 @lucidgrad_barrier(ptr %state, i64 %threads)
  %stopped = icmp ne i64 %a, 0
  br i1 %stopped, label %gone, label %read
read:
  %j = phi i64 [ 0, %round ], [ %k, %read ]
  %w = phi i64 [ %wrong, %round ], [ %worse, %read ]
  %place = getelementptr i64, ptr %places, i64 %j
  %seen = load i64, ptr %place, align 8
  %differs = icmp ne i64 %seen, %i
  %one = zext i1 %differs to i64
  %worse = add i64 %w, %one
  %k = add i64 %j, 1
  %again = icmp ult i64 %k, %threads
  br i1 %again, label %read, label %next
next:
  %b = call i64 @lucidgrad_barrier(ptr %state, i64 %threads)
  %after = add i64 %i, 1
  %more = icmp ult i64 %after, %rounds
  br i1 %more, label %round, label %done
done:
  ret i64 %worse
gone:
  ret i64 -1
}
"""


@pytest.fixture(scope="module")
def library() -> Library:
    return compile_text(barrier_text() + ROUNDS, ["rounds"])


def rounds_of(library: Library) -> Any:
    word = ctypes.c_int64
    return library.function("rounds", [ctypes.c_void_p, word, word, ctypes.c_void_p, word], word)


def meet(library: Library, pool: Pool, threads: int, rounds: int) -> list[int]:
    barrier, places, wrong = Barrier(), np.zeros(threads, np.int64), [99] * threads
    native = rounds_of(library)

    def run(me: int) -> None:
        wrong[me] = native(barrier.address, threads, rounds, places.ctypes.data, me)

    pool.run(run, [(me,) for me in range(threads)], barrier)
    return wrong


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_ten_thousand_rounds_and_each_thread_sees_what_the_others_wrote(library: Library, threads: int) -> None:
    assert meet(library, Pool(threads), threads, 5000 if threads < 8 else 1000) == [0] * threads


def test_a_stop_lets_go_who_waits(library: Library) -> None:
    barrier, places, native = Barrier(), np.zeros(2, np.int64), rounds_of(library)
    result: list[int] = []
    waiting = threading.Thread(target=lambda: result.append(native(barrier.address, 2, 5, places.ctypes.data, 0)))
    waiting.start()
    time.sleep(0.05)
    assert waiting.is_alive()
    barrier.stop()
    waiting.join(5)
    assert result == [-1]
    assert barrier.stopped
    barrier.reset()
    assert not barrier.stopped


def test_an_error_of_one_call_stops_the_barrier_and_is_raised(library: Library) -> None:
    pool, native, places = Pool(2), rounds_of(library), np.zeros(2, np.int64)
    for broken in (0, 1):
        barrier, seen = Barrier(), []

        def run(me: int, barrier: Barrier = barrier, seen: list[int] = seen, broken: int = broken) -> None:
            if me == broken:
                raise ValueError("left")
            seen.append(native(barrier.address, 2, 5, places.ctypes.data, me))

        with pytest.raises(ValueError, match="left"):
            pool.run(run, [(0,), (1,)], barrier)
        assert seen == [-1]
    assert meet(library, pool, 2, 10) == [0, 0]


def test_threads_that_may_have_a_core_each_do_not_give_it_away_for_a_short_wait() -> None:
    assert Barrier(1).spins > 10 * Barrier(10**6).spins
    assert Barrier().spins == Barrier(10**6).spins


def test_calls_are_handed_over_quickly_and_threads_are_kept() -> None:
    pool, who, times = Pool(2), set(), []
    for _ in range(300):
        start = time.perf_counter()
        pool.run(lambda: who.add(threading.current_thread()), [(), ()])
        times.append(time.perf_counter() - start)
    assert len(who) == 2
    assert threading.current_thread() in who
    assert np.median(times) < 0.005


def test_python_threads_use_pools_side_by_side(library: Library) -> None:
    shared, wrong = Pool(2), []

    def use(own: bool) -> None:
        for _ in range(20):
            if own:
                with borrowed(2) as pool:
                    wrong.extend(meet(library, pool, 2, 50))
            else:
                wrong.extend(meet(library, shared, 2, 50))

    users = [threading.Thread(target=use, args=(own,)) for own in (True, True, False, False)]
    for user in users:
        user.start()
    for user in users:
        user.join(60)
    assert wrong == [0] * 160


def test_a_pool_that_nobody_holds_ends_its_threads() -> None:
    pool, who = Pool(3), set()
    pool.run(lambda: who.add(threading.current_thread()), [()] * 3)
    workers = who - {threading.current_thread()}
    assert len(workers) == 2
    assert all(worker.is_alive() for worker in workers)
    del pool
    gc.collect()
    for worker in workers:
        worker.join(10)
    assert not any(worker.is_alive() for worker in workers)


def in_a_process(body: str) -> str:
    head = "import os, threading\nfrom lucidgrad.compiler.threads import Barrier, Pool, borrowed\n"
    done = subprocess.run([sys.executable, "-c", head + body], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_the_child_of_a_fork_has_threads_of_its_own() -> None:
    out = in_a_process("""
import warnings
warnings.simplefilter("ignore")  # Python 3.12 warns of forks beside threads
pool = Pool(3)
pool.run(lambda: None, [()] * 3)
with borrowed(2) as kept:
    kept.run(lambda: None, [()] * 2)
child = os.fork()
seen = []
pool.run(seen.append, [(1,), (2,), (3,)])
with borrowed(2) as kept:
    kept.run(seen.append, [(4,), (5,)])
if child == 0:
    os._exit(0 if sorted(seen) == [1, 2, 3, 4, 5] else 1)
print(os.waitpid(child, 0)[1], sorted(seen))
""")
    assert out.split("\n")[0] == "0 [1, 2, 3, 4, 5]"


def test_a_process_ends_although_its_pools_wait() -> None:
    assert in_a_process("pool = Pool(4)\npool.run(lambda: None, [()] * 4)\nprint('end')\n") == "end\n"
