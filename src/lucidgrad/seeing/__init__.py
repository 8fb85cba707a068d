"""Seeing through it: the graph as a picture, the chain rule written out, and a training step in slow motion."""

from lucidgrad.seeing.draw import Drawing as Drawing
from lucidgrad.seeing.draw import draw as draw
from lucidgrad.seeing.explain import explain as explain
from lucidgrad.seeing.explanation import Explanation as Explanation
from lucidgrad.seeing.record import Recorder as Recorder
from lucidgrad.seeing.record import Recording as Recording
from lucidgrad.seeing.record import record as record
