"""Bytes: what is written to the disk, and read from it without trust."""

from lucidgrad.io import checkpoint as checkpoint
from lucidgrad.io import kinds as kinds
from lucidgrad.io.model_file import ModelFile as ModelFile
from lucidgrad.io.model_file import load as load
from lucidgrad.io.model_file import read_model as read_model
from lucidgrad.io.model_file import save as save
from lucidgrad.io.tree import flatten as flatten
from lucidgrad.io.tree import unflatten as unflatten
