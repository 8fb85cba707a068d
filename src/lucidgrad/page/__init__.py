"""HTML pages that need nothing else: pictures in the text of the page, one look for all, text escaped by default."""

from lucidgrad.page.page import Image as Image
from lucidgrad.page.page import address as address
from lucidgrad.page.page import png_image as png_image
from lucidgrad.page.page import render as render
from lucidgrad.page.page import to_json as to_json
