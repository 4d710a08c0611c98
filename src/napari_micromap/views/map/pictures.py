"""Pictures that take the place of dots, where there is room."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_micromap.views.map.camera import Camera
from napari_micromap.views.map.dots import CROSSED, LARGEST_DOT, Dots
from napari_micromap.views.map.levels import NEVER, Levels
from napari_micromap.views.map.packed import Packed, mixed, packed
from napari_micromap.views.map.raster import Box, Frame

Small: TypeAlias = NDArray[np.uint8]  # (h, w) or (h, w, 3)

LARGEST = 128  # logical pixels
_SMALLEST = 34.0  # logical pixels of a picture's longer side at the zoom at which one sees all dots
_GROWTH = 0.3  # power of the zoom by which it grows
_STEP = 1.1  # so that pictures are fitted anew only now and then while one zooms
_LINE, _STRONG, _GAP = 2.0, 1.5, 2.0  # logical pixels: frame in the dot's color, selected ones' around it, between
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
        # Of the pictures in the last frame: as large as they are there, and with their frames.
        self._fitted: dict[int, Packed] = {}
        self._fitted_for = (0, 0)
        self._framed: dict[int, Packed] = {}
        self._framed_for: tuple[Dots | None, float] = (None, 1.0)
        self._by_level: tuple[Dots | None, NDArray[np.intp], NDArray[np.uint8]] = (None, np.empty(0, np.intp), _NONE)

    def put(self, pictures: Mapping[int, Small]) -> bool:
        """Keep pictures, in place of those that were not seen for longest; say whether any is new."""
        new = {row: picture for row, picture in pictures.items() if row not in self._kept}
        self._kept.update(new)
        self._bytes += sum(picture.nbytes for picture in new.values())
        while self._bytes > _MOST_BYTES and len(self._kept) > 1:
            row = next(iter(self._kept))
            self._bytes -= self._kept.pop(row).nbytes
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
        return replace(frame, boxes=self._lay_all(frame, self._in_sight(frame, camera, level, box), box, ratio))

    def _lay_all(
        self, frame: Frame, places: list[tuple[int, float, float]], box: tuple[int, int], ratio: float
    ) -> dict[int, Box]:
        """Lay pictures over their dots; return where each stands."""
        dots = frame.dots
        if box != self._fitted_for:
            self._fitted, self._fitted_for, self._framed_for = {}, box, (None, 1.0)
        if self._framed_for[0] is not dots or self._framed_for[1] != ratio:
            self._framed, self._framed_for = {}, (dots, ratio)
        framed: dict[int, tuple[int, Packed, float, float]] = {}
        for index, x, y in places:
            row = int(dots.rows[index])
            picture = self._picture(row, box)
            if picture is None:
                self.lacking.append(row)
            elif picture.size:
                whole = self._framed.get(row)
                framed[row] = index, _framed(picture, dots, index, ratio) if whole is None else whole, x, y
        self._fitted = {row: self._fitted[row] for row in framed}
        self._framed = {row: whole for row, (_, whole, _, _) in framed.items()}
        free = _free(frame, framed.values(), ratio)
        pixels = frame.image.view(np.uint32)[..., 0]
        return {
            row: _lay(pixels, frame, index, whole, (x, y), ratio, free) for row, (index, whole, x, y) in framed.items()
        }

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


def _framed(picture: Packed, dots: Dots, index: int, ratio: float) -> Packed:
    """Return a picture with a frame in its dot's color, and another one around it where the dot is selected."""
    chosen, some_are = index >= dots.selected_from, dots.selected_from < len(dots)
    line, strong = max(1, round(_LINE * ratio)), max(1, round(_STRONG * ratio)) if chosen else 0
    rim, ground = line + strong, dots.ground
    framed = np.full((picture.shape[0] + 2 * rim, picture.shape[1] + 2 * rim), packed(ground.strong), np.uint32)
    framed[strong : framed.shape[0] - strong, strong : framed.shape[1] - strong] = dots.colors[index + 1]
    inner = framed[rim : rim + picture.shape[0], rim : rim + picture.shape[1]]
    inner[...] = mixed(packed(ground.rgb), picture, _FADED) if some_are and not chosen else picture
    return framed


def _free(frame: Frame, framed: Collection[tuple[int, Packed, float, float]], ratio: float) -> NDArray[np.bool_] | None:
    """Return where pictures may lie: what is selected is never hidden, but by its own picture; None for everywhere."""
    selected_from = frame.dots.selected_from
    if selected_from == len(frame.dots) or not framed:
        return None
    stays = frame.ids > selected_from
    reach = round(LARGEST_DOT * ratio)
    for index, _, x, y in framed:
        if index >= selected_from:
            here = (
                slice(max(0, round(y) - reach), max(0, round(y) + reach)),
                slice(max(0, round(x) - reach), max(0, round(x) + reach)),
            )
            stays[here] &= frame.ids[here] != index + 1
    for _ in range(max(1, round(ratio))):  # with the line around them
        stays = _widened(stays)
    return ~stays


def _lay(
    pixels: Packed, frame: Frame, index: int, framed: Packed, at: tuple[float, float], ratio: float,
    free: NDArray[np.bool_] | None,
) -> Box:  # fmt: skip
    """Lay one picture with its frame over its dot; return where it stands."""
    height, width = framed.shape
    left, top = round(at[0] - width / 2), round(at[1] - height / 2)
    here = slice(max(0, top), max(0, top + height)), slice(max(0, left), max(0, left + width))
    target, ids = pixels[here], frame.ids[here]
    first = here[0].start - top, here[1].start - left
    part = framed[first[0] : first[0] + target.shape[0], first[1] : first[1] + target.shape[1]]
    if free is None:
        target[...] = part
        ids[...] = index + 1
    else:
        np.copyto(target, part, where=free[here])
        np.copyto(ids, index + 1, where=free[here])
    return left / ratio, top / ratio, width / ratio, height / ratio


def _widened(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a mask grown by a pixel to all sides."""
    wide = mask.copy()
    wide[:, 1:] |= mask[:, :-1]
    wide[:, :-1] |= mask[:, 1:]
    grown = wide.copy()
    grown[1:] |= wide[:-1]
    grown[:-1] |= wide[1:]
    return grown
