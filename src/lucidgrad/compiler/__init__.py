"""From functions of tensors to graphs: written down by running them, and run again from the list."""

from lucidgrad.compiler.interpret import interpret as interpret
from lucidgrad.compiler.trace import flatten as flatten
from lucidgrad.compiler.trace import trace as trace
