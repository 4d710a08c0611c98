"""Pictures that take the place of dots, where there is room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_micromap.views.map.camera import Camera
from napari_micromap.views.map.dots import CROSSED, Dots, Ground
from napari_micromap.views.map.levels import NEVER, Levels
from napari_micromap.views.map.packed import Packed, mixed, packed
from napari_micromap.views.map.raster import Box, Frame

Small: TypeAlias = NDArray[np.uint8]  # (h, w) or (h, w, 3)

LARGEST = 128  # logical pixels
_SMALLEST = 34.0  # logical pixels of a picture's longer side at the zoom at which one sees all dots
_GROWTH = 0.3  # power of the zoom by which it grows
_STEP = 1.1  # so that pictures are fitted anew only now and then while one zooms
_LINE, _STRONG, _GAP = (
    2.0,
    1.5,
    2.0,
)  # logical pixels: the frame in the dot's color, of selected ones around it, between
_ZOOMED = 1.2  # at first sight a map is one of dots
_FADED = 0.3
_MOST_BYTES = 96 << 20
_NONE = np.empty(0, np.uint8)


class Pictures:
    """Small pictures of rows, and where they stand for their dots.

    Parameters
    ----------
    levels : Levels
        From which zoom on each row is a picture.
    """

    def __init__(self, levels: Levels) -> None:
        self.levels = levels
        self.lacking: list[int] = []  # rows that the last frame had room for, the most important first
        self._kept: dict[int, Small] = {}
        self._bytes = 0
        self._fitted: dict[int, Packed] = {}
        self._fitted_for = (0, 0)
        self._by_level: tuple[Dots | None, NDArray[np.intp], NDArray[np.uint8]] = (None, np.empty(0, np.intp), _NONE)

    def put(self, pictures: Mapping[int, Small]) -> bool:
        """Keep pictures, in place of those that were not seen for longest; say whether any is new."""
        new = {row: picture for row, picture in pictures.items() if row not in self._kept}
        self._kept.update(new)
        self._bytes += sum(picture.nbytes for picture in new.values())
        while self._bytes > _MOST_BYTES and len(self._kept) > 1:
            row = next(iter(self._kept))
            self._bytes -= self._kept.pop(row).nbytes
            self._fitted.pop(row, None)
        return bool(new)

    def laid_over(self, frame: Frame, camera: Camera, zoom: float, ratio: float) -> Frame:
        """Return the frame with pictures over their dots; the camera is that of device pixels.

        Selected dots that are no pictures themselves stay on top.
        """
        self.lacking = []
        around = 2 * (_LINE + _STRONG) + _GAP
        room = self.levels.roomy_width * camera.scale / ratio - around
        longest = max(_SMALLEST * max(1.0, zoom) ** _GROWTH, min(room, LARGEST))
        pitch = (longest + around) * ratio / camera.scale
        level = self.levels.level_at(pitch)
        if zoom < _ZOOMED or level < self.levels.start:
            return frame
        stepped = _SMALLEST * _STEP ** np.floor(np.log(longest / _SMALLEST) / np.log(_STEP) + 1e-9)
        side = min(stepped, LARGEST) * ratio
        box = max(1, round(side)), max(1, round(side * self.levels.aspect))
        if box != self._fitted_for:
            self._fitted, self._fitted_for = {}, box
        boxes: dict[int, Box] = {}
        pixels = frame.image.view(np.uint32)[..., 0]
        for index, x, y in self._in_sight(frame, camera, level, box):
            row = int(frame.dots.rows[index])
            picture = self._picture(row, box)
            if picture is None:
                self.lacking.append(row)
            elif picture.size:
                boxes[row] = _lay(pixels, frame, index, picture, (x, y), ratio)
        return replace(frame, boxes=boxes)

    def _in_sight(
        self, frame: Frame, camera: Camera, level: int, box: tuple[int, int]
    ) -> list[tuple[int, float, float]]:
        """Return index and device pixel of the dots that are to be pictures, the most important first."""
        dots, (height, width) = frame.dots, frame.ids.shape
        if self._by_level[0] is not dots:
            of_dots = self.levels.of_rows[dots.rows]
            of_dots[dots.kinds == CROSSED] = NEVER
            order = np.argsort(of_dots, kind="stable")
            self._by_level = dots, order, of_dots[order]
        _, order, levels = self._by_level
        some = order[: int(np.searchsorted(levels, level, "right"))]
        x = (dots.x[some] - np.float32(camera.x)) * np.float32(camera.scale) + np.float32(width / 2)
        y = (np.float32(camera.y) - dots.y[some]) * np.float32(camera.scale) + np.float32(height / 2)
        half_width, half_height = box[0] / 2, box[1] / 2
        seen = (x > -half_width) & (x < width + half_width) & (y > -half_height) & (y < height + half_height)
        here = np.flatnonzero(seen)
        return list(zip(some[here].tolist(), x[here].tolist(), y[here].tolist()))

    def _picture(self, row: int, box: tuple[int, int]) -> Packed | None:
        """Return a row's picture as it fits into a box, empty where it cannot be read; None where it is to come."""
        if (fitted := self._fitted.get(row)) is not None:
            return fitted
        small = self._kept.pop(row, None)
        if small is None:
            return None
        self._kept[row] = small  # now the one that was seen last
        self._fitted[row] = made = _fit(small, box)
        return made


def _fit(small: Small, box: tuple[int, int]) -> Packed:
    """Return a picture as colors, as large as fits into a box."""
    from PIL import Image

    if not small.size:
        return np.empty((0, 0), np.uint32)
    height, width = small.shape[:2]
    shrink = min(box[0] / width, box[1] / height)
    size = max(1, round(width * shrink)), max(1, round(height * shrink))
    resized = np.asarray(Image.fromarray(small).resize(size, Image.Resampling.BILINEAR))
    rgba = np.full((*resized.shape[:2], 4), 255, np.uint8)
    rgba[..., :3] = resized[..., None] if resized.ndim == 2 else resized
    colors: Packed = rgba.view(np.uint32)[..., 0]
    return colors


def _lay(pixels: Packed, frame: Frame, index: int, picture: Packed, at: tuple[float, float], ratio: float) -> Box:
    """Lay one picture with its frame over its dot; return where it stands with its frame."""
    dots = frame.dots
    chosen, some_are = index >= dots.selected_from, dots.selected_from < len(dots)
    framed = _framed(picture, dots.colors[index + 1], dots.ground, ratio, chosen, some_are and not chosen)
    height, width = framed.shape
    left, top = round(at[0] - width / 2), round(at[1] - height / 2)
    rows = slice(max(0, top), max(0, top + height))
    columns = slice(max(0, left), max(0, left + width))
    target, ids = pixels[rows, columns], frame.ids[rows, columns]
    first = rows.start - top, columns.start - left
    part = framed[first[0] : first[0] + target.shape[0], first[1] : first[1] + target.shape[1]]
    if some_are:
        # What is selected is never hidden: its dots, with the line around them, stay on top.
        free = ~_widened((ids > dots.selected_from) & (ids != index + 1), max(1, round(ratio)))
        np.copyto(target, part, where=free)
        np.copyto(ids, index + 1, where=free)
    else:
        target[...] = part
        ids[...] = index + 1
    return left / ratio, top / ratio, width / ratio, height / ratio


def _framed(picture: Packed, color: np.uint32, ground: Ground, ratio: float, chosen: bool, faded: bool) -> Packed:
    line, strong = max(1, round(_LINE * ratio)), max(1, round(_STRONG * ratio)) if chosen else 0
    rim = line + strong
    framed = np.full((picture.shape[0] + 2 * rim, picture.shape[1] + 2 * rim), packed(ground.strong), np.uint32)
    framed[strong : framed.shape[0] - strong, strong : framed.shape[1] - strong] = color
    inner = framed[rim : rim + picture.shape[0], rim : rim + picture.shape[1]]
    inner[...] = mixed(packed(ground.rgb), picture, _FADED) if faded else picture
    return framed


def _widened(mask: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    """Return a mask grown by so many pixels to all sides."""
    if not mask.any():
        return mask
    grown = np.pad(mask, by)
    for axis in (0, 1):
        grown = np.logical_or.reduce([np.roll(grown, shift, axis) for shift in range(-by, by + 1)])
    return grown[by:-by, by:-by]
