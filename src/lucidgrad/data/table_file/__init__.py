"""Tables out of files: CSV, TSV and Parquet, compressed or not, whole or a part at a time."""

from lucidgrad.data.table_file.open import Batch as Batch
from lucidgrad.data.table_file.open import TableFile as TableFile
from lucidgrad.data.table_file.open import open_table as open_table
from lucidgrad.data.table_file.open import read_table as read_table
