"""The operators and methods of Tensor: the language in which models and vjp rules are written.

Each is one row of the op table, or a few lines composed of them. What applying a row means, is said by ``apply``.
"""

from lucidgrad.operators.elementwise import Elementwise
from lucidgrad.operators.reductions import Reductions


class Operators(Elementwise, Reductions):
    """Everything that is said by applying rows. A concrete class says what an array is and what applying means."""

    __slots__ = ()
