"""Data: where samples come from, what is done to them first, and in which order a network sees them.

Drawn from a seed (``xor``, ``moons``, ...), shipped with scikit-learn (``digits``) or published (``mnist``): every
function that draws gives ``x, y``, every function that loads gives a ``Dataset``. What is about tables is imported
when it is first used: who trains on images does not wait for it.
"""

import importlib
from typing import TYPE_CHECKING, Any

# The names stand in the order of the story.
# isort: off

# What a data set is
from lucidgrad.data.dataset import Dataset as Dataset

# Drawn from a seed: classes
from lucidgrad.data.synthetic import xor as xor
from lucidgrad.data.synthetic import moons as moons
from lucidgrad.data.synthetic import circles as circles
from lucidgrad.data.synthetic import spirals as spirals
from lucidgrad.data.synthetic import blobs as blobs

# Drawn from a seed: curves
from lucidgrad.data.curves import sine as sine
from lucidgrad.data.curves import step as step
from lucidgrad.data.curves import polynomial as polynomial

# Images
from lucidgrad.data.digits import digits as digits
from lucidgrad.data.mnist import mnist as mnist
from lucidgrad.data.mnist import fashion_mnist as fashion_mnist
from lucidgrad.data.idx import read_idx as read_idx
from lucidgrad.data.idx import write_idx as write_idx

# Before training
from lucidgrad.data.transforms import Standardize as Standardize
from lucidgrad.data.transforms import standardize as standardize
from lucidgrad.data.transforms import one_hot as one_hot
from lucidgrad.data.split import train_validation_split as train_validation_split
from lucidgrad.data.split import split_indices as split_indices

# The order of samples
from lucidgrad.data.loader import epoch_order as epoch_order
from lucidgrad.data.loader import batches as batches
from lucidgrad.data.loader import batch_count as batch_count

if TYPE_CHECKING:
    # Tables of columns of any kind, and out of files
    from lucidgrad.data import table as table
    from lucidgrad.data.table_file import open_table as open_table
    from lucidgrad.data.table_file import read_table as read_table

_OF_TABLES = {"table": "table", "open_table": "table_file", "read_table": "table_file"}


def __getattr__(name: str) -> Any:
    if name not in _OF_TABLES:
        raise AttributeError(f"module 'lucidgrad.data' has no attribute {name!r}")
    module = importlib.import_module(f"lucidgrad.data.{_OF_TABLES[name]}")
    return module if name == _OF_TABLES[name] else getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_OF_TABLES})
