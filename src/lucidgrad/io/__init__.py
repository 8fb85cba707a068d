"""Bytes: what is written to the disk, and read from it without trust."""

from lucidgrad.io import checkpoint as checkpoint
from lucidgrad.io.tree import flatten as flatten
from lucidgrad.io.tree import unflatten as unflatten
