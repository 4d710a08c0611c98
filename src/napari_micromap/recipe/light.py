"""Uneven light taken out, local contrast raised."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from napari_micromap.recipe.contrast import Gray, gray_window, windowed
from napari_micromap.recipe.resizing import resized

COARSE = 128  # pixels a side, about, in which what is large is looked for
TILES = 8  # a side
LEVELS = 256
FLAT = 1e-6  # of the range of gray: what rounding leaves of an even picture


def evened(gray: Gray, width: float, percents: tuple[float, float]) -> Gray:
    """Take away what is larger than ``width`` (a share of the shorter side), as uneven light is; then stretch again.

    Parameters
    ----------
    gray : (h, w)
        0 black to 1 white.
    percents : low, high
        Percentiles that become black and white.
    """
    rest = gray - background(gray, width)
    if np.ptp(rest) <= FLAT:
        return np.full(gray.shape, 0.5, np.float32)
    return windowed(rest, gray_window(rest, *percents))


def background(gray: Gray, width: float) -> Gray:
    """Return what is large in an (h, w) picture: its slope, and the rest smoothed by a Gaussian.

    ``width``, a share of the shorter side, is four times the Gaussian's spread.
    """
    from scipy import ndimage

    height, across = gray.shape
    shrink = min(1.0, COARSE / min(gray.shape))
    coarse = resized(gray, max(1, round(height * shrink)), max(1, round(across * shrink)))
    # The slope first: mirrored at the edges, as smoothing needs it, it would be a roof.
    middle, down, along = _slope(coarse)
    rest = coarse - _plane(middle, down, along, coarse.shape)
    smooth = ndimage.gaussian_filter(rest, width * min(coarse.shape) / 4, mode="reflect")
    held = np.asarray(0.5 + smooth / 4, np.float32)  # within 0–1, as pictures are
    back: Gray = 4 * (resized(held, height, across) - np.float32(0.5)) + _plane(middle, down, along, gray.shape)
    return back


def _slope(gray: Gray) -> tuple[float, float, float]:
    """Return mean, and rise from edge to edge along both sides, of the plane that fits best."""
    rises = []
    for axis, length in enumerate(gray.shape):
        place = _places(length)
        spread = float((place**2).sum())
        rises.append(float(place @ gray.mean(axis=1 - axis)) / spread if spread else 0.0)
    return float(gray.mean()), rises[0], rises[1]


def _plane(middle: float, down: float, along: float, shape: tuple[int, ...]) -> Gray:
    rows, columns = (_places(length).astype(np.float32) for length in shape)
    plane: Gray = np.float32(middle) + np.float32(down) * rows[:, None] + np.float32(along) * columns
    return plane


def _places(length: int) -> NDArray[np.float64]:
    """Return the centers of pixels along a side, −½ to ½."""
    return (np.arange(length) + 0.5) / length - 0.5


def locally_equalized(gray: Gray, limit: float) -> Gray:
    """Spread the gray values of each part of a picture, with a limit to how far noise is raised (CLAHE).

    Each of 8 × 8 parts gets the table that makes its histogram even; between their centers the tables are blended.
    Karel Zuiderveld, Graphics Gems IV (1994), doi:10.1016/B978-0-12-336156-1.50061-6.

    Parameters
    ----------
    gray : (h, w)
        0 black to 1 white.
    limit : float
        Largest share of a part's pixels that one of 256 levels may count for.
    """
    if np.ptp(gray) <= FLAT:
        return gray
    levels = np.rint(gray * (LEVELS - 1)).astype(np.uint8)
    edges = [np.unique(np.linspace(0, length, TILES + 1).round().astype(int)) for length in gray.shape]
    rows, columns = (list(pairwise(edge.tolist())) for edge in edges)
    tables = np.array([[_table(levels[a:b, c:d], limit) for c, d in columns] for a, b in rows])
    (above, below, down), (left, right, along) = (_between(edge, length) for edge, length in zip(edges, gray.shape))
    made = np.empty(gray.shape, np.float32)
    for row in range(gray.shape[0]):
        line, weight = levels[row], down[row]
        # tables of this row's parts, blended down; then along
        blended = (1 - weight) * tables[above[row]] + weight * tables[below[row]]
        made[row] = (1 - along) * blended[left, line] + along * blended[right, line]
    return made


def _table(levels: NDArray[np.uint8], limit: float) -> NDArray[np.float32]:
    """Return the gray value that each level becomes in one part."""
    share = np.bincount(levels.ravel(), minlength=LEVELS) / levels.size
    most = max(limit, 1.5 / LEVELS)
    over = np.maximum(share - most, 0).sum()
    share = np.minimum(share, most) + over / LEVELS  # what was cut off is spread over all levels
    # Half of a level's own share lies below it: so black and white trade places when a picture is inverted.
    table: NDArray[np.float32] = (np.cumsum(share) - share / 2).astype(np.float32)
    return table


def _between(edges: NDArray[np.intp], length: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """Return of each pixel along one side the parts whose centers it lies between, and how near it is to the second."""
    centers = (edges[:-1] + edges[1:] - 1) / 2
    place = np.interp(np.arange(length), centers, np.arange(len(centers)))
    before = np.floor(place).astype(np.intp)
    return before, np.minimum(before + 1, len(centers) - 1), (place - before).astype(np.float32)
