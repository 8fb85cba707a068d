"""exp, log, tanh and their kin as instructions: polynomials of our own, with the same bits on every CPU.

Each function takes a builder and registers of float32 or float64, scalars or vectors, and gives a register. Only
operations that IEEE 754 rounds correctly are used, fused multiply-adds among them; NaN, infinities, the sign of zero
and denormals are those of NumPy.
"""

from lucidgrad.compiler.mathlib.error_function import erf as erf
from lucidgrad.compiler.mathlib.exponential import exp as exp
from lucidgrad.compiler.mathlib.exponential import expm1 as expm1
from lucidgrad.compiler.mathlib.formats import at_least as at_least
from lucidgrad.compiler.mathlib.formats import at_most as at_most
from lucidgrad.compiler.mathlib.logarithm import log as log
from lucidgrad.compiler.mathlib.logarithm import log1p as log1p
from lucidgrad.compiler.mathlib.power import integer_power as integer_power
from lucidgrad.compiler.mathlib.power import power as power
from lucidgrad.compiler.mathlib.power import whole_power as whole_power
from lucidgrad.compiler.mathlib.sigmoid import sigmoid as sigmoid
from lucidgrad.compiler.mathlib.sigmoid import softplus as softplus
from lucidgrad.compiler.mathlib.sigmoid import tanh as tanh
from lucidgrad.compiler.mathlib.trigonometric import LIMIT as LIMIT
from lucidgrad.compiler.mathlib.trigonometric import cos as cos
from lucidgrad.compiler.mathlib.trigonometric import sin as sin
