"""Strips and tiles of a TIFF page, only those that a part of it touches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray


def part_of_page(page: Any, box: tuple[int, int, int, int]) -> NDArray[Any]:
    """Read a part of a page, not yet in right colors.

    Parameters
    ----------
    page : tifffile.TiffPage
    box : four int
        Top, left, height and width, inside the page.

    Returns
    -------
    (h, w) or (h, w, samples)
    """
    top, left, height, width = box
    samples = int(page.samplesperpixel)
    part = np.zeros((height, width, samples), page.dtype)
    if not part.size:
        return part if samples > 1 else part[..., 0]
    plain = page.compression == 1 and page.predictor == 1 and page.bitspersample == page.dtype.itemsize * 8
    if plain and page.is_contiguous and (page.planarconfig == 1 or samples == 1) and page.fillorder == 1:
        part[...] = _rows(page, top, height)[:, left : left + width]
    else:
        for planes, first, start, pixels in _segments(page, box):
            y0, x0 = max(top, first), max(left, start)
            y1, x1 = min(top + height, first + pixels.shape[0]), min(left + width, start + pixels.shape[1])
            part[y0 - top : y1 - top, x0 - left : x1 - left, planes] = pixels[
                y0 - first : y1 - first, x0 - start : x1 - start
            ]
    return part if samples > 1 else part[..., 0]


def _rows(page: Any, top: int, height: int) -> NDArray[Any]:
    """Read whole rows of a page whose numbers lie one behind the other; (h, image width, samples)."""
    handle, samples = page.parent.filehandle, int(page.samplesperpixel)
    dtype = np.dtype(page.parent.byteorder + page.dtype.char)
    line = int(page.imagewidth) * samples
    handle.seek(page.dataoffsets[0] + top * line * dtype.itemsize)
    return np.asarray(handle.read_array(dtype, height * line).reshape(height, -1, samples))


def _segments(
    page: Any, box: tuple[int, int, int, int]
) -> Iterator[tuple[slice, int, int, NDArray[Any]]]:  # fmt: skip
    """Decode what the box touches; yields the samples, the first row, the first column, and (h, w, samples) pixels."""
    top, left, height, width = box
    tall, wide = (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, page.imagewidth)
    tall = min(int(tall), int(page.imagelength)) if not page.is_tiled else int(tall)
    across, down = -(-int(page.imagewidth) // int(wide)), -(-int(page.imagelength) // tall)
    separate = page.planarconfig == 2 and page.samplesperpixel > 1
    handle, tables = page.parent.filehandle, page.jpegtables
    for plane in range(int(page.samplesperpixel) if separate else 1):
        for line in range(top // tall, (top + height - 1) // tall + 1):
            for column in range(left // int(wide), (left + width - 1) // int(wide) + 1):
                index = (plane * down + line) * across + column
                handle.seek(page.dataoffsets[index])
                data = handle.read(page.databytecounts[index])
                kept = {"jpegtables": tables} if tables is not None else {}
                decoded, _, shape = page.decode(data, index, **kept)
                if decoded is None:
                    raise ValueError("a piece of it is empty")
                pixels = decoded.reshape(decoded.shape[-3:])[: shape[1], : shape[2]]
                yield (slice(plane, plane + 1) if separate else slice(None)), line * tall, column * int(wide), pixels
