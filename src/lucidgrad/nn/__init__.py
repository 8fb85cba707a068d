"""The layers: parts of networks that have weights or running state, and the containers that put them together."""

from lucidgrad.nn import init as init
from lucidgrad.nn.containers import Flatten as Flatten
from lucidgrad.nn.containers import Reshape as Reshape
from lucidgrad.nn.containers import Residual as Residual
from lucidgrad.nn.containers import Sequential as Sequential
from lucidgrad.nn.linear import Linear as Linear
from lucidgrad.nn.module import Module as Module
