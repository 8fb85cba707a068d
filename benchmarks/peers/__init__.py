"""The frameworks that are measured, one file each, written for speed as their own experts would write it.

A peer's file has ``prepare(case, data, threads, seed) -> Trainer`` and is loaded in a process of its own; this one
loads none of them.
"""

from __future__ import annotations

from benchmarks.peers.peer import Trainer
from benchmarks.peers.registry import PEERS, Peer

__all__ = ["PEERS", "Peer", "Trainer"]
