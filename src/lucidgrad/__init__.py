"""lucidgrad: a neural-network framework you can see through.

This file is the table of contents; the package reads top to bottom as a story.
"""

# 4 GRADIENTS
from lucidgrad import autograd as autograd
from lucidgrad import compiler as compiler
from lucidgrad import functional as functional
from lucidgrad import ops as ops
from lucidgrad.autograd import detect_anomaly as detect_anomaly
from lucidgrad.autograd import enable_grad as enable_grad
from lucidgrad.autograd import no_grad as no_grad
from lucidgrad.functional import concatenate as concatenate
from lucidgrad.functional import maximum as maximum
from lucidgrad.functional import minimum as minimum
from lucidgrad.functional import one_hot as one_hot
from lucidgrad.functional import ones as ones
from lucidgrad.functional import stack as stack
from lucidgrad.functional import take as take
from lucidgrad.functional import where as where
from lucidgrad.functional import zeros as zeros
from lucidgrad.gradcheck import gradcheck as gradcheck
from lucidgrad.random import Key as Key
from lucidgrad.random import next_key as next_key
from lucidgrad.random import seed as seed
from lucidgrad.random import use_key as use_key
from lucidgrad.tensor import Tensor as Tensor
from lucidgrad.tensor import grad as grad
from lucidgrad.tensor import tensor as tensor

__version__ = "0.1.0"
