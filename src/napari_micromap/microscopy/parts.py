"""Parts of large pictures, read without the rest where the format allows."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_micromap.microscopy.decoding import check_size, decoding
from napari_micromap.microscopy.files import PictureFile, open_picture
from napari_micromap.microscopy.pixels import gray_if_equal, pixels_of
from napari_micromap.microscopy.tiff import TiffPicture

Box: TypeAlias = tuple[int, int, int, int]  # top, left, height, width in pixels

KEPT_BYTES = 2**28  # of pictures that can only be decoded as a whole


class Wholes:
    """Pictures that cannot be read in parts, kept decoded while their parts are asked for; safe for threads."""

    def __init__(self, limit: int = KEPT_BYTES) -> None:
        self._limit = limit
        self._kept: dict[tuple[str, int], NDArray[Any]] = {}
        self._lock = Lock()

    def read(self, file: PictureFile, page: int) -> NDArray[Any]:
        """Decode a page, or take it from what is kept; the one that was not asked for longest goes first."""
        key = str(file.path), page
        with self._lock:  # two that want the same picture decode it once
            pixels = self._kept.pop(key, None)
            if pixels is None:
                pixels = pixels_of(file, page)
            self._kept[key] = pixels
            while len(self._kept) > 1 and sum(one.nbytes for one in self._kept.values()) > self._limit:
                del self._kept[next(iter(self._kept))]
        return pixels


def read_part(path: Path, page: int, box: Box, wholes: Wholes | None = None) -> NDArray[Any]:
    """Read a part of a picture, as :func:`napari_micromap.microscopy.pixels.read_pixels` reads all of it.

    Of TIFF files only the strips or tiles that it touches are read and decoded, of uncompressed ones only its rows;
    other formats are decoded as a whole.

    Parameters
    ----------
    box : four int
        Top, left, height and width; what lies outside the picture is left out.
    wholes : Wholes, optional
        Keeps what had to be decoded as a whole.

    Raises
    ------
    Unreadable
        With the reason.
    """
    with open_picture(path) as file:
        if isinstance(file, TiffPicture) and file.has_parts(page):
            height, width = file.size(page)
            top, left, tall, wide = _inside(box, height, width)
            check_size((tall, wide), file.dtype(page))
            with decoding():
                return np.ascontiguousarray(gray_if_equal(file.part(page, (top, left, tall, wide))))
        pixels = pixels_of(file, page) if wholes is None else wholes.read(file, page)
    top, left, tall, wide = _inside(box, *pixels.shape[:2])
    return np.ascontiguousarray(pixels[top : top + tall, left : left + wide])


def _inside(box: Box, height: int, width: int) -> Box:
    top, left = min(max(0, box[0]), height), min(max(0, box[1]), width)
    return top, left, max(0, min(height, box[0] + box[2]) - top), max(0, min(width, box[1] + box[3]) - left)
