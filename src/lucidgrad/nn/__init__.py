"""The layers: parts of networks that have weights or running state, and the containers that put them together.

Functions without weights, such as ``relu``, are in ``lucidgrad.functional``; containers take both.
"""

from lucidgrad.nn import init as init
from lucidgrad.nn.containers import Flatten as Flatten
from lucidgrad.nn.containers import Reshape as Reshape
from lucidgrad.nn.containers import Residual as Residual
from lucidgrad.nn.containers import Sequential as Sequential
from lucidgrad.nn.dropout import Dropout as Dropout
from lucidgrad.nn.embedding import Embedding as Embedding
from lucidgrad.nn.linear import Linear as Linear
from lucidgrad.nn.members import MemberLinear as MemberLinear
from lucidgrad.nn.members import MemberMean as MemberMean
from lucidgrad.nn.members import Members as Members
from lucidgrad.nn.module import Module as Module
from lucidgrad.nn.norm import BatchNorm as BatchNorm
from lucidgrad.nn.norm import LayerNorm as LayerNorm
from lucidgrad.nn.table_input import TableInput as TableInput
