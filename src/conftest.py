"""Import the chapters as users do, before pytest imports their files one by one to run the examples in them.

A file whose name is that of a function in it (``compiler/trace.py``) would else stand in the function's place.
"""

from __future__ import annotations

import lucidgrad

for _chapter in lucidgrad._CHAPTERS:
    getattr(lucidgrad, _chapter)
