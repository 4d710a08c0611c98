"""Where one looks at the map, and how closely."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Points: TypeAlias = NDArray[np.floating]  # (k, 2)
Place: TypeAlias = tuple[float, float]
Size: TypeAlias = tuple[float, float]  # width, height in pixels

_LARGEST_ZOOM = 1e5  # beyond it float32 positions are farther apart than pixels


@dataclass(frozen=True, slots=True)
class Camera:
    """The point of the map in the middle of the picture, and how many pixels a unit has; the map's y points up.

    Parameters
    ----------
    x, y : float
        Map coordinates in the middle of the picture.
    scale : float
        Pixels per map unit.
    """

    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0

    def to_screen(self, points: Points, size: Size) -> NDArray[np.float64]:
        """Turn (k, 2) map coordinates into pixels of a picture of this size."""
        points = np.asarray(points, np.float64)
        return np.stack(
            [(points[:, 0] - self.x) * self.scale + size[0] / 2, (self.y - points[:, 1]) * self.scale + size[1] / 2],
            axis=1,
        )

    def to_map(self, pixels: Points, size: Size) -> NDArray[np.float64]:
        """Turn (k, 2) pixels of a picture of this size into map coordinates."""
        pixels = np.asarray(pixels, np.float64)
        return np.stack(
            [(pixels[:, 0] - size[0] / 2) / self.scale + self.x, self.y - (pixels[:, 1] - size[1] / 2) / self.scale],
            axis=1,
        )

    def zoomed(self, factor: float, at: Place, size: Size) -> Camera:
        """Zoom so that what lies under the pixel ``at`` stays there."""
        (x, y), scale = self.to_map(np.array([at]), size)[0], self.scale * factor
        return Camera(float(x - (at[0] - size[0] / 2) / scale), float(y + (at[1] - size[1] / 2) / scale), scale)

    def panned(self, dx: float, dy: float) -> Camera:
        """Move the picture by so many pixels."""
        return replace(self, x=self.x - dx / self.scale, y=self.y + dy / self.scale)

    def scaled(self, ratio: float) -> Camera:
        """Look at the same place with ``ratio`` times as many pixels, as on a dense screen."""
        return replace(self, scale=self.scale * ratio)

    def allowed(self, scale: float) -> float:
        """Keep a zoom within what makes sense, if this camera shows all."""
        return float(np.clip(scale, self.scale / 8, self.scale * _LARGEST_ZOOM))


def fit(lowest: Place, highest: Place, size: Size, margin: float = 18.0) -> Camera:
    """Show all between two opposite corners of the map, with so many pixels of ground around."""
    extent = highest[0] - lowest[0], highest[1] - lowest[1]
    room = max(size[0] - 2 * margin, 16.0), max(size[1] - 2 * margin, 16.0)
    scale = min((pixels / units for pixels, units in zip(room, extent) if units > 0), default=min(room))
    return Camera((lowest[0] + highest[0]) / 2, (lowest[1] + highest[1]) / 2, scale)
