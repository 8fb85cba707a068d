"""A peer in a process of its own, which works only when it is told to: started by ``python -m benchmarks.child``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC", "NUM_CPU_THREADS")


class Child:
    """The parent's end: one order, one answer, each a line of JSON.

    Between its turns a child is stopped where the system can do that: threads that OpenMP and OpenBLAS keep spinning
    for a while after their work would slow down whoever comes next.
    """

    def __init__(self, peer: str, case: str, threads: int) -> None:
        environment = os.environ | dict.fromkeys(THREADS, str(threads))
        if threads == 1:
            environment["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
        command = [sys.executable, "-m", "benchmarks.child", peer, case, str(threads)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def ask(self, epochs: int) -> dict[str, Any]:
        """Seconds of so many epochs; an error as ``{"error": ...}``."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self._signal("SIGCONT")
            self.process.stdin.write(f"{epochs}\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
            self._signal("SIGSTOP")
        except BrokenPipeError:
            line = ""
        answer: dict[str, Any] = json.loads(line) if line else {"error": "the process ended"}
        return answer

    def _signal(self, name: str) -> None:
        if hasattr(signal, name) and self.process.poll() is None:
            self.process.send_signal(getattr(signal, name))

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()


def main() -> None:
    """The child's end."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what frameworks print is no answer
    peer, key, threads = sys.argv[1:]
    trainer = None
    for line in sys.stdin:
        epochs = int(line)
        try:
            if trainer is None:
                from benchmarks.cases import case_named, load
                from benchmarks.peers import PEERS

                case = case_named(key)
                data = load(case)
                start = time.perf_counter()
                trainer = PEERS[peer].prepare(case, data, int(threads))
                trainer.epoch()
                answer = {"seconds": time.perf_counter() - start, "source": data.source}
            else:
                answer = {"seconds": trainer.timed(epochs)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
