"""Dots, and where one looks at them: the map without a widget."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from napari_micromap.views.map.camera import Camera, Size, fit
from napari_micromap.views.map.dots import Dots, diameter
from napari_micromap.views.map.newcomers import ring_newcomers
from napari_micromap.views.map.pictures import Pictures
from napari_micromap.views.map.raster import Box, Frame, draw

_SLACK = 2.0  # logical pixels by which the middle of a dot may be out of sight
_LARGE = 600_000  # device pixels: a smaller map is never slow
_SLOW = 0.02  # seconds for a frame, after which what moves is drawn with fewer pixels
_COARSE = 0.5  # of the device's pixels across
_REACH = 5.0  # logical pixels from a dot's middle within which it is under the pointer


class Scene:
    """What the canvas shows, drawn when it is asked for; all lengths are logical pixels."""

    def __init__(self) -> None:
        self.dots: Dots | None = None
        self.camera = Camera()
        self.fitted = True  # the camera follows the dots until a user moves it
        self.size: Size = (1.0, 1.0)
        self._pictures: Pictures | None = None
        self._new: NDArray[np.bool_] | None = None
        self._ratio = 1.0
        self._home: Camera | None = None
        self._frame: Frame | None = None
        self._drawn_ratio = 1.0  # of the last frame
        self._moving = False
        self._took = 0.0  # processor seconds for the last frame with all pixels

    @property
    def empty(self) -> bool:
        """Whether there is nothing to see."""
        return self.dots is None or not len(self.dots)

    @property
    def home(self) -> Camera:
        """Where one sees all."""
        if self._home is None:
            self._home = self.home_of(self.dots)
        return self._home

    @property
    def dot(self) -> float:
        """Diameter of a dot; it grows as one zooms in."""
        return 0.0 if self.dots is None else diameter(len(self.dots), self.camera.scale / self.home.scale)

    @property
    def frame(self) -> Frame | None:
        """The drawn dots, in device pixels, or larger ones while a hand moves them and they are slow to draw."""
        if self._frame is None and self.dots is not None:
            began = time.thread_time()
            slow = self._took > _SLOW and self.size[0] * self.size[1] * self._ratio**2 > _LARGE
            self._drawn_ratio = self._ratio * (_COARSE if self._moving and slow else 1.0)
            self._frame = self._drawn(self.dots, self._drawn_ratio)
            if self._drawn_ratio == self._ratio:
                self._took = time.thread_time() - began
        return self._frame

    def _drawn(self, dots: Dots, ratio: float) -> Frame:
        size = (max(1, round(self.size[0] * ratio)), max(1, round(self.size[1] * ratio)))
        camera = self.camera.scaled(ratio)
        frame = draw(dots, camera, size, ratio, self.dot)
        if self._pictures is not None:
            zoom = self.camera.scale / self.home.scale
            frame = self._pictures.laid_over(frame, camera, zoom, ratio)
        if self._new is not None:
            ring_newcomers(frame, self._new, camera, self.dot, ratio)
        return frame

    def move(self) -> None:
        """Prefer many frames to fine ones, as a hand moves the map."""
        self._moving = True

    def rest(self) -> bool:
        """Prefer fine frames again; say whether the last one was not."""
        self._moving = False
        coarse = self._frame is not None and self._drawn_ratio != self._ratio
        if coarse:
            self._frame = None
        return coarse

    @property
    def pictures(self) -> Pictures | None:
        """What stands for dots where there is room."""
        return self._pictures

    @pictures.setter
    def pictures(self, pictures: Pictures | None) -> None:
        self._pictures = pictures
        self.redraw()

    def ring(self, new: NDArray[np.bool_] | None) -> None:
        """Ring the dots of these rows, which joined since the map was made."""
        self._new = new
        self.redraw()

    def redraw(self) -> None:
        """Draw anew when it is next asked for."""
        self._frame = None

    def box_of(self, row: int) -> Box | None:
        """Return where a picture stands for a row's dot in the last frame."""
        return None if self._frame is None else self._frame.boxes.get(row)

    def home_of(self, dots: Dots | None) -> Camera:
        """Return where one would see all of these dots."""
        return Camera() if dots is None or not len(dots) else fit(*dots.corners, self.size)

    def show(self, dots: Dots | None, camera: Camera | None = None) -> None:
        """Take these dots; where one looks stays, if nothing else is said."""
        if dots is None:
            self.fitted = True
        self.dots = dots
        self._home = None
        self._frame = None
        if camera is not None:
            self.camera = camera

    def resize(self, size: Size, ratio: float) -> None:
        """Take another size; what was in the middle stays there, and all stays in sight where it was."""
        if (size, ratio) != (self.size, self._ratio):
            self.size, self._ratio = size, ratio
            self._home = None
            self._frame = None
            if self.fitted:
                self.camera = self.home

    def look(self, camera: Camera) -> None:
        """Look elsewhere, because a user wants to."""
        self.camera = camera
        self.fitted = False
        self._frame = None

    def zoom(self, factor: float, at: tuple[float, float]) -> None:
        """Zoom about a pixel, as far as makes sense."""
        factor = self.home.allowed(self.camera.scale * factor) / self.camera.scale
        self.look(self.camera.zoomed(factor, at, self.size))

    def fit(self) -> None:
        """Look at all dots."""
        self.fitted = True
        self.camera = self.home
        self._frame = None

    def would_be_in_sight(self, dots: Dots) -> bool:
        """Say whether none of these dots would be out of sight."""
        corners = self.camera.to_screen(np.array(dots.corners), self.size)
        return bool((corners >= -_SLACK).all() and (corners <= np.array(self.size) + _SLACK).all())

    def all_in_sight(self) -> bool:
        """Say whether no dot is out of sight."""
        return self.dots is None or self.would_be_in_sight(self.dots)

    def place_of(self, row: int) -> tuple[float, float] | None:
        """Return the pixel of a row's dot, also where it is out of sight."""
        found = np.flatnonzero(self.dots.rows == row) if self.dots is not None else ()
        if self.dots is None or not len(found):
            return None
        place = np.stack([self.dots.x[found], self.dots.y[found]], axis=1)
        at = self.camera.to_screen(place, self.size)[0]
        return float(at[0]), float(at[1])

    def row_at(self, x: float, y: float) -> int | None:
        """Return the row whose dot is under a pixel, or very near."""
        if self.frame is None:
            return None
        frame, ratio = self.frame, self._drawn_ratio
        return frame.row_at(x * ratio, y * ratio, max(0.0, _REACH - self.dot / 2) * ratio)
