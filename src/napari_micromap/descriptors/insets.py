"""Insets, letter boxes and colored marks that somebody put onto a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_THIN, _LONG = 2, 24  # pixels: sides of the smallest bar, such as that of a scale
_SMALL_BOX = 12  # pixels: the shorter side of a letter box
_MOST = 0.45  # of the picture: something larger is no inset
_STRAIGHT = 0.93  # of a box's area, holes filled, that is covered
_COLORED = 0.15  # of the gray range by which channels of a mark differ
_FEW_COLORED = 0.25  # of the picture: if more is colored, its color belongs to it


def insets(picture: NDArray[Any]) -> NDArray[np.bool_]:
    """Find what does not belong to a specimen: (h, w) True in framed insets, letter boxes, bars and colored marks.

    A frame or box is of one and the same value, the darkest or the brightest there is, and straight. Letters that were
    written into a picture without a box are not found.

    Parameters
    ----------
    picture : (h, w) or (h, w, 3)
    """
    gray = picture if picture.ndim == 2 else picture[..., :3].mean(axis=-1)
    found = np.zeros(gray.shape, bool)
    for value in (gray.min(), gray.max()):
        found |= _boxes(gray == value)
    if picture.ndim == 3:
        found |= _colored(picture)
    return found


def _boxes(flat: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Fill the straight boxes and frames among places of one value."""
    from scipy import ndimage

    found = np.zeros(flat.shape, bool)
    labels, count = ndimage.label(flat)
    for index, place in enumerate(ndimage.find_objects(labels, count), start=1):
        height, width = (side.stop - side.start for side in place)
        short, long = min(height, width), max(height, width)
        if short < _THIN or long < _LONG or height * width > _MOST * flat.size:
            continue
        if short < _SMALL_BOX and long < 4 * short:
            continue
        inside = ndimage.binary_fill_holes(labels[place] == index)
        if inside.mean() >= _STRAIGHT:
            found[place] |= inside
    return found


def _colored(picture: NDArray[Any]) -> NDArray[np.bool_]:
    """Return marks in color on a picture that is gray elsewhere."""
    from scipy import ndimage

    channels = picture[..., :3].astype(np.float32)
    span = max(float(channels.max() - channels.min()), 1e-12)
    colored = np.ptp(channels, axis=-1) > _COLORED * span
    if not colored.any() or colored.mean() > _FEW_COLORED:
        return np.zeros(colored.shape, bool)
    marks: NDArray[np.bool_] = ndimage.binary_dilation(colored, iterations=2)
    return marks
