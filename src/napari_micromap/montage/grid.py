"""The pixels of a montage: their size, and where they lie in the scene."""

from __future__ import annotations

import math
from dataclasses import dataclass

from napari_micromap.montage.arrangement import Arrangement

_MOST_DOUBLINGS = 6
_SMALL = 1.0  # pixels a scene unit: viewers keep the coarsest level as a whole
_CLEARLY_LESS = 0.45  # of the exact level's, so that viewers that count in larger pixels do not take it instead


@dataclass(frozen=True)
class Grid:
    """Levels of pixels that have their upper left corner in common.

    Parameters
    ----------
    top, left : float
        Scene units: that corner.
    pixel : float
        Scene units: the side of a pixel of level 0.
    shapes : (height, width) in pixels of each level, finest first
    exact : int
        The level whose pixels are those of the screen.
    """

    top: float
    left: float
    pixel: float
    shapes: tuple[tuple[int, int], ...]
    exact: int

    def places(self, level: int) -> tuple[float, float, float, float]:
        """Return top, left, pixel height and pixel width of a level, in scene units."""
        down, across = (self.shapes[0][axis] / self.shapes[level][axis] for axis in (0, 1))
        return self.top, self.left, down * self.pixel, across * self.pixel

    def resolution(self, level: int) -> float:
        """Return pixels a scene unit of a level."""
        return self.shapes[level][1] / self.shapes[0][1] / self.pixel

    def fits(self, zoom: float, anchor: tuple[float, float]) -> bool:
        """Say whether the exact level still has the pixels of a screen; see :func:`grid_for`."""
        top, left, height, width = self.places(self.exact)
        if abs(height * zoom - 1) > 1e-4:
            return False
        off = ((anchor[0] - top) / height, (anchor[1] - left) / width)
        return all(abs(part - round(part)) < 0.02 for part in off)


def grid_for(arrangement: Arrangement, zoom: float, anchor: tuple[float, float] = (0.0, 0.0)) -> Grid:
    """Lay pixels over a page so that those of one level are the pixels of a screen.

    A picture that is shown pixel by pixel is as sharp as the screen; between levels, viewers blur or leave out.

    Parameters
    ----------
    zoom : float
        Screen pixels a scene unit.
    anchor : (y, x)
        A place in the scene where an edge of screen pixels lies.
    """
    finest = float(arrangement.own.max(initial=1.0))
    doublings = min(max(0, math.ceil(math.log2(finest / zoom))), _MOST_DOUBLINGS)
    begin = [place - math.ceil(place * zoom) / zoom for place in anchor]
    sides = [
        max(1, math.ceil((side - first) * zoom - 1e-9))
        for side, first in zip((arrangement.height, arrangement.width), begin)
    ]
    shapes = [(sides[0] << k, sides[1] << k) for k in range(doublings, -1, -1)]
    if zoom > _SMALL:
        less = min(_SMALL / zoom, _CLEARLY_LESS)
        shapes.append((max(1, round(sides[0] * less)), max(1, round(sides[1] * less))))
    return Grid(begin[0], begin[1], 1 / zoom / 2**doublings, tuple(shapes), doublings)
