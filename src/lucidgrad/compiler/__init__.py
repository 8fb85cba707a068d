"""From functions of tensors to graphs and machine code: written down by running them, made simpler, compiled."""

from lucidgrad.compiler.interpret import interpret as interpret
from lucidgrad.compiler.jitted import jit as jit
from lucidgrad.compiler.trace import flatten as flatten
from lucidgrad.compiler.trace import trace as trace
