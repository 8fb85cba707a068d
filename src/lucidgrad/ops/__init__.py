"""The op table: one row for each operation on arrays, grouped by family.

``TABLE`` finds the rows by itself: adding one to a family file is all it takes.
"""

from lucidgrad.ops import arithmetic, classes, indexing, linalg, movement, reduce, shapes, transcendental
from lucidgrad.ops import random as random
from lucidgrad.ops.op import Op as Op
from lucidgrad.ops.op import Spec as Spec

FAMILIES = (arithmetic, transcendental, reduce, classes, movement, indexing, linalg, random)

TABLE: dict[str, Op] = {row.name: row for family in FAMILIES for row in vars(family).values() if isinstance(row, Op)}

__all__ = ["FAMILIES", "TABLE", "Op", "Spec", "shapes"]
