"""Insets, letter boxes and colored marks that somebody put onto a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.descriptors.filters import closed, opened

_NEAR = 0.04  # of the gray range: lossy files spread a flat value so far
_SOLID = 9  # pixels: the side of the smallest flat square in a box
_SHORT = 16  # pixels: a smaller box holds no letter, and may be a saturated grain
_LETTERS = 15  # pixels that are bridged between the flat places of one box: letters
_RIM = 0.93  # of a box's rim that is flat
_MOST = 0.45  # of the picture: something larger is no inset
_LINE = 60  # pixels: the shortest side of a frame
_COLORED = 0.15  # of the gray range by which channels of a mark differ
_FEW_COLORED = 0.25  # of the picture: if more is colored, its color belongs to it


def insets(picture: NDArray[Any]) -> NDArray[np.bool_]:
    """Find what does not belong to a specimen: (h, w) True in framed insets, letter boxes and colored marks.

    A box or frame is flat, as dark or as bright as anything there is, and straight. Letters that were written into a
    picture without a box are not found.

    Parameters
    ----------
    picture : (h, w) or (h, w, 3)
    """
    gray = np.asarray(picture if picture.ndim == 2 else picture[..., :3].mean(axis=-1), np.float32)
    low, high = float(gray.min()), float(gray.max())
    found = np.zeros(gray.shape, bool)
    if high > low:
        for flat in (gray <= low + _NEAR * (high - low), gray >= high - _NEAR * (high - low)):
            found |= _boxes(flat) | _frames(flat)
    if picture.ndim == 3:
        found |= _colored(picture)
    return found


def _boxes(flat: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Find boxes by their solid parts; letters in them are bridged, and their rim must be flat and straight."""
    solid = opened(flat, (_SOLID, _SOLID))
    return _straight(flat, closed(solid, (_LETTERS, _LETTERS))) if solid.any() else solid


def _frames(flat: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Find frames: straight lines across and down that meet."""
    lines = opened(flat, (1, _LINE)) | opened(flat, (_LINE, 1))
    return _straight(flat, lines) if lines.any() else lines


def _straight(flat: NDArray[np.bool_], parts: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Fill those parts whose bounding box has a flat rim."""
    from scipy import ndimage

    found = np.zeros(flat.shape, bool)
    for place in ndimage.find_objects(ndimage.label(parts, np.ones((3, 3), bool))[0]):
        box = flat[place]
        rims = (box[0], box[-1], box[:, 0], box[:, -1])
        if min(box.shape) < _SHORT:
            continue
        if box.size <= _MOST * flat.size and min(float(rim.mean()) for rim in rims) >= _RIM:
            found[place] = True
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
