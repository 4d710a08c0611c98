"""Dots drawn into a picture, by arrays alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil, pi
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_micromap.views.map.camera import Camera
from napari_micromap.views.map.crowd import draw_crowd
from napari_micromap.views.map.dots import Dots, diameter
from napari_micromap.views.map.sheet import Seen, Sheet
from napari_micromap.views.map.soft import draw_soft

Box: TypeAlias = tuple[float, float, float, float]  # left, top, width, height in logical pixels
Ids: TypeAlias = NDArray[np.int32]  # (h, w): 1 + index of the dot on top, 0 for ground

# More dots in sight, or more pixels of them, have no soft edges, and one line around all that touch.
_SOFT_UP_TO = 20_000
_SOFT_PIXELS_UP_TO = 400_000


@dataclass(frozen=True, eq=False, slots=True)
class Frame:
    """A drawn map.

    Parameters
    ----------
    image : (h, w, 4) uint8
        Opaque RGBA.
    ids : (h, w) int32
        1 + index into ``dots`` of what is on top, 0 for ground.
    dots : Dots
        What was drawn.
    boxes : mapping of row to Box
        Where pictures stand for their dots.
    """

    image: NDArray[np.uint8]
    ids: Ids
    dots: Dots
    boxes: Mapping[int, Box] = field(default_factory=dict)

    @property
    def rows(self) -> NDArray[np.int32]:
        """Row under each pixel, (h, w); -1 for ground."""
        return np.concatenate([np.array([-1], np.int32), self.dots.rows])[self.ids]

    def row_at(self, x: float, y: float, reach: float = 0.0) -> int | None:
        """Return the row under a pixel, or the nearest within so many pixels; None on empty ground."""
        column, line, r = int(x), int(y), ceil(reach)
        height, width = self.ids.shape
        if not (0 <= column < width and 0 <= line < height):
            return None
        if (under := int(self.ids[line, column])) or not r:
            return int(self.dots.rows[under - 1]) if under else None
        top, left = max(0, line - r), max(0, column - r)
        lines, columns = np.nonzero(self.ids[top : line + r + 1, left : column + r + 1])
        distance = np.hypot(lines + top - line, columns + left - column)
        if not len(distance) or distance.min() > reach:
            return None
        nearest = int(distance.argmin())
        return int(self.dots.rows[self.ids[lines[nearest] + top, columns[nearest] + left] - 1])


def draw(dots: Dots, camera: Camera, size: tuple[int, int], ratio: float = 1.0, dot: float | None = None) -> Frame:
    """Draw dots into a picture of ``size`` (width, height) device pixels.

    The cost follows the picture more than the dots: each dot writes its number into one pixel, or into its few, and
    only then pixels get colors.

    Parameters
    ----------
    dots : Dots
        What to draw.
    camera : Camera
        Where to look, in device pixels.
    size : (int, int)
        Width and height of the picture in device pixels.
    ratio : float
        Device pixels per logical pixel.
    dot : float
        Diameter of a dot in logical pixels; by their number if left out.
    """
    dot = diameter(len(dots)) if dot is None else dot
    sheet = Sheet(size[0], size[1], ratio, radius=dot * ratio / 2)
    seen = _in_sight(dots, camera, sheet)
    pixels_of_dots = min(size[0] * size[1], len(seen.index) * pi * (sheet.radius + ratio) ** 2)
    soft = len(seen.index) <= _SOFT_UP_TO and pixels_of_dots <= _SOFT_PIXELS_UP_TO
    pixels, ids = (draw_soft if soft else draw_crowd)(dots, seen, sheet)
    return Frame(pixels.view(np.uint8).reshape(size[1], size[0], 4), ids, dots)


def _in_sight(dots: Dots, camera: Camera, sheet: Sheet) -> Seen:
    rim = sheet.pad / 2  # what lies in the outer half of the rim touches nothing that is seen
    across, up = (sheet.inner_width / 2 + rim) / camera.scale, (sheet.inner_height / 2 + rim) / camera.scale
    inside = (dots.x > np.float32(camera.x - across)) & (dots.x < np.float32(camera.x + across))
    inside &= (dots.y > np.float32(camera.y - up)) & (dots.y < np.float32(camera.y + up))
    index = np.flatnonzero(inside).astype(np.int32)
    x, y = (dots.x, dots.y) if len(index) == len(dots) else (dots.x[index], dots.y[index])
    x = x - np.float32(camera.x)
    x *= np.float32(camera.scale)
    x += np.float32(sheet.inner_width / 2 + sheet.pad)
    y = y - np.float32(camera.y)
    y *= np.float32(-camera.scale)
    y += np.float32(sheet.inner_height / 2 + sheet.pad)
    at = y.astype(np.int32)
    at *= np.int32(sheet.width)
    at += x.astype(np.int32)
    return Seen(index, x, y, at.astype(np.intp))
