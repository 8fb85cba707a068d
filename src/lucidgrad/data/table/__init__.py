"""Tables: columns of any kind, guessed or given, become the numbers and codes that a network takes."""

from lucidgrad.data.table.column import KINDS as KINDS
from lucidgrad.data.table.column import SCALINGS as SCALINGS
from lucidgrad.data.table.column import Column as Column
from lucidgrad.data.table.frame import Table as Table
from lucidgrad.data.table.frame import table_of as table_of
from lucidgrad.data.table.guess import guess_kinds as guess_kinds
from lucidgrad.data.table.preprocessing import TablePreprocessing as TablePreprocessing
