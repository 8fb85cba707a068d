"""Files that strangers may have written: tensors and text, checked before they are believed, never code."""

from lucidgrad.files.container import Content as Content
from lucidgrad.files.container import read as read
from lucidgrad.files.container import write as write
