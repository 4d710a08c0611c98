"""Which dots lie inside an outline."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_micromap.atlas import Rows


def rows_inside(polygon: ArrayLike, positions: NDArray[np.floating]) -> Rows:
    """Return the sorted rows whose positions lie inside a closed outline.

    An outline that crosses itself, as drawn by hand, holds all that it winds around.

    Parameters
    ----------
    polygon : (k, 2) array
        Corners in map coordinates; the last is joined to the first.
    positions : (n, 2) array
        NaN for rows that are not on the map; they are never inside.
    """
    corners = np.asarray(polygon, np.float64).reshape(-1, 2)
    if len(np.unique(corners, axis=0)) < 3:
        return np.empty(0, np.intp)
    near = _rows_in_box(corners.min(axis=0), corners.max(axis=0), positions)
    shape = _enclosed(corners)
    if shape.is_empty or not len(near):
        return np.empty(0, np.intp)
    from shapely import contains_xy, prepare

    prepare(shape)
    inside: NDArray[np.bool_] = contains_xy(shape, positions[near, 0], positions[near, 1])
    return near[inside]


def _rows_in_box(low: NDArray[Any], high: NDArray[Any], positions: NDArray[np.floating]) -> Rows:
    x, y = positions[:, 0], positions[:, 1]  # NaN compares false
    return np.flatnonzero((x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1]))


def _enclosed(corners: NDArray[np.float64]) -> Any:
    """Return the area around which the outline winds, as a shapely geometry."""
    from shapely import LinearRing, Polygon, get_parts, node, point_on_surface, polygonize, union_all

    simple = Polygon(corners)
    if simple.is_valid:
        return simple
    faces = get_parts(polygonize([node(LinearRing(corners))]))
    return union_all([face for face in faces if _winding(corners, point_on_surface(face)) != 0])


def _winding(corners: NDArray[np.float64], point: Any) -> int:
    """Count how often the closed outline goes around a point, counter-clockwise positive."""
    around = corners - [point.x, point.y]
    following = np.roll(around, -1, axis=0)
    turn = around[:, 0] * following[:, 1] - around[:, 1] * following[:, 0]
    up = (around[:, 1] <= 0) & (following[:, 1] > 0) & (turn > 0)
    down = (around[:, 1] > 0) & (following[:, 1] <= 0) & (turn < 0)
    return int(up.sum() - down.sum())
