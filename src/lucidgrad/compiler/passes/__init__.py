"""From graphs to graphs that compute the same: each pass is a function of one graph that makes a new one."""

from lucidgrad.compiler.passes.cse import cse as cse
from lucidgrad.compiler.passes.dead_code import dead_code as dead_code
from lucidgrad.compiler.passes.expand import expand as expand
from lucidgrad.compiler.passes.pipeline import EXACT as EXACT
from lucidgrad.compiler.passes.pipeline import NATIVE as NATIVE
from lucidgrad.compiler.passes.pipeline import pipeline as pipeline
from lucidgrad.compiler.passes.simplify import simplify as simplify
from lucidgrad.compiler.passes.turn import turn as turn
