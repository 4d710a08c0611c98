"""The way of dots from one map to another."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_micromap.views.map.camera import Camera, Size
from napari_micromap.views.map.dots import Dots


@dataclass(frozen=True, eq=False, slots=True)
class Glide:
    """Dots on their way.

    Parameters
    ----------
    x, y : (m,) float32
        Where each of ``dots`` starts.
    dots : Dots
        Dots at the end of the way.
    camera : Camera
        Where one looks, all the time.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    dots: Dots
    camera: Camera

    @property
    def longest(self) -> float:
        """The longest way of a dot, in pixels."""
        ways = np.hypot(self.dots.x - self.x, self.dots.y - self.y)
        return float(ways.max(initial=0.0)) * self.camera.scale

    def at(self, part: float) -> Dots:
        """Return the dots after a part (0 to 1) of the time; they set off and arrive gently."""
        if part >= 1:
            return self.dots
        eased = np.float32(part * part * (3 - 2 * part))
        return replace(self.dots, x=self.x + (self.dots.x - self.x) * eased, y=self.y + (self.dots.y - self.y) * eased)


def glide(old: Dots, before: Camera, new: Dots, after: Camera, size: Size) -> Glide:
    """Let each dot set off from the pixel where it is, so that nothing jumps; new dots stand where they belong."""
    started = after.to_map(before.to_screen(np.stack([old.x, old.y], axis=1), size), size)
    rows = 1 + max(old.rows.max(initial=-1), new.rows.max(initial=-1))
    starts = np.full((rows, 2), np.nan, np.float32)
    starts[old.rows] = started
    ends = np.stack([new.x, new.y], axis=1)
    way = np.where(np.isfinite(starts[new.rows]), starts[new.rows], ends)
    return Glide(way[:, 0], way[:, 1], new, after)
