"""Rings around dots that joined since the map was made."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_micromap.views.map.camera import Camera
from napari_micromap.views.map.packed import Rgb, packed
from napari_micromap.views.map.raster import Frame

BLUE: Rgb = (80, 160, 235)
_AWAY, _THICK = 2.0, 1.4  # logical pixels: from the dot's edge to the ring, and of the ring


def ring_newcomers(frame: Frame, new: NDArray[np.bool_], camera: Camera, dot: float, ratio: float) -> None:
    """Draw rings into a frame around the dots of new rows, and frames around pictures that stand for them.

    Parameters
    ----------
    frame : Frame
        Is drawn into.
    new : (n,) bool
        The rows.
    camera : Camera
        That of device pixels.
    dot : float
        Diameter of a dot in logical pixels.
    ratio : float
        Device pixels per logical pixel.
    """
    pixels, (height, width) = frame.image.view(np.uint32)[..., 0], frame.ids.shape
    color, line = packed(BLUE), max(1, round(_THICK * ratio))
    for row, box in frame.boxes.items():
        if row < len(new) and new[row]:
            left, top, right, bottom = (
                round(edge * ratio) for edge in (box[0], box[1], box[0] + box[2], box[1] + box[3])
            )
            rows, columns = slice(max(0, top), max(0, bottom)), slice(max(0, left), max(0, right))
            for edge in (slice(max(0, top), max(0, top + line)), slice(max(0, bottom - line), max(0, bottom))):
                pixels[edge, columns] = color
            for edge in (slice(max(0, left), max(0, left + line)), slice(max(0, right - line), max(0, right))):
                pixels[rows, edge] = color
    dots = frame.dots
    rows_of_new = np.setdiff1d(np.flatnonzero(new), list(frame.boxes))
    some = np.flatnonzero(np.isin(dots.rows, rows_of_new))
    x = (dots.x[some] - camera.x) * camera.scale + width / 2
    y = (camera.y - dots.y[some]) * camera.scale + height / 2
    inner = (dot / 2 + _AWAY) * ratio
    reach = int(np.ceil(inner + line))
    step = np.arange(-reach, reach + 1)
    distance = np.hypot(step[:, None], step[None, :])
    lines, shifts = np.nonzero((distance >= inner) & (distance < inner + line))
    at_y = np.floor(y).astype(int)[:, None] + step[lines]
    at_x = np.floor(x).astype(int)[:, None] + step[shifts]
    seen = (at_y >= 0) & (at_y < height) & (at_x >= 0) & (at_x < width)
    pixels[at_y[seen], at_x[seen]] = color
