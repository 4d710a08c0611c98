"""Right pixels and headers from files of any kind."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.microscopy import VENDORS
from napari_micromap.microscopy.decoding import DECODING_ERRORS, decoding
from napari_micromap.microscopy.files import open_picture
from napari_micromap.microscopy.header import Header

if TYPE_CHECKING:
    from napari_micromap.microscopy.files import PictureFile


def read_pixels(path: Path, page: int = 0) -> NDArray[Any]:
    """Read one picture with its data bar.

    Gray stored as RGB comes back as gray; alpha is dropped; orientation tags are followed; indexed pictures become
    gray or RGB; black and white becomes 0 and 255. Else the values are those in the file, in its number format.

    Returns
    -------
    (h, w) or (h, w, 3) array

    Raises
    ------
    Unreadable
        With the reason.
    """
    with open_picture(path) as file:
        return pixels_of(file, page)


def read_header(path: Path, page: int = 0) -> Header:
    """Read what a file says about one of its pictures, without decoding it.

    Raises
    ------
    Unreadable
        If it is no picture; a header that cannot be understood only leaves its fields empty.
    """
    with open_picture(path) as file:
        return header_of(file, page)


def pixels_of(file: PictureFile, page: int) -> NDArray[Any]:
    """Decode a page of an open file; see :func:`read_pixels`."""
    return np.ascontiguousarray(gray_if_equal(file.pixels(page)))


def header_of(file: PictureFile, page: int) -> Header:
    """Read the header of a page of an open file; see :func:`read_header`."""
    with decoding():
        height, width = file.size(page)
        written = _written(file, page)
        return Header(width=width, height=height, dtype=file.dtype(page), pages=len(file.pages), **written)


def _written(file: PictureFile, page: int) -> dict[str, Any]:
    for read in VENDORS:
        try:
            found = read(file, page)
        except DECODING_ERRORS:  # a picture is no worse for a header that nobody understands
            continue
        if found is not None:
            return {field.name: getattr(found, field.name) for field in fields(found)}
    return {}


def gray_if_equal(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return one channel of a picture whose three are the same."""
    if pixels.ndim == 2:
        return pixels
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    few = (slice(None, None, 16), slice(None, None, 16))  # real colors show in a few pixels
    for where in (few, ...):
        if not (np.array_equal(red[where], green[where]) and np.array_equal(green[where], blue[where])):
            return pixels
    return green
