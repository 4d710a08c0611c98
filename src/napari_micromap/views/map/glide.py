"""The way from one look of the map to another."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_micromap.views.map.camera import Camera, Size
from napari_micromap.views.map.dots import Dots


@dataclass(frozen=True, eq=False, slots=True)
class Glide:
    """Dots and camera on their way.

    Parameters
    ----------
    x, y : (m,) float32
        Where each of ``dots`` starts.
    dots : Dots
        Dots at the end of the way.
    start, end : Camera
        Where one looks at the beginning and at the end.
    seconds : float
        How long it takes.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    dots: Dots
    start: Camera
    end: Camera
    seconds: float

    def at(self, part: float) -> tuple[Dots, Camera]:
        """Return dots and camera after a part (0 to 1) of the time; it sets off and arrives gently."""
        if part >= 1:
            return self.dots, self.end
        eased = np.float32(part * part * (3 - 2 * part))
        x = self.x + (self.dots.x - self.x) * eased
        y = self.y + (self.dots.y - self.y) * eased
        return replace(self.dots, x=x, y=y), self.start.toward(self.end, float(eased))


def camera_glide(dots: Dots, start: Camera, end: Camera, seconds: float) -> Glide:
    """Move only the camera."""
    return Glide(dots.x, dots.y, dots, start, end, seconds)


def morph(old: Dots, before: Camera, new: Dots, after: Camera, size: Size, seconds: float) -> Glide:
    """Let each dot set off from the pixel where it is, so that nothing jumps; dots without an old place stay put."""
    pixels = before.to_screen(np.stack([old.x, old.y], axis=1), size)
    started = after.to_map(pixels, size).astype(np.float32)
    by_row = np.full((1 + max(old.rows.max(initial=-1), new.rows.max(initial=-1)), 2), np.nan, np.float32)
    by_row[old.rows] = started
    ends = np.stack([new.x, new.y], axis=1)
    starts = np.where(np.isfinite(by_row[new.rows]), by_row[new.rows], ends)
    return Glide(starts[:, 0], starts[:, 1], new, after, after, seconds)
