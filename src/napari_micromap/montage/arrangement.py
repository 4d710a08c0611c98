"""Where each tile of a montage stands, and how finely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_micromap.atlas import Features, Rows
from napari_micromap.montage.scales import one_scale

Boxes: TypeAlias = NDArray[np.float64]  # (k, 4) top, left, height, width of the specimens, in scene units

TILE = 192.0  # scene units: the width of a tile
GUTTER = 8.0  # between two frames
FRAME = 3.0  # around a specimen
LABEL = 17.0  # the strip below a frame that its label needs
_TALLEST = 1.5 * TILE  # taller pictures become narrower tiles instead
_FALLBACK = (3, 4)  # height and width of a picture whose size nobody wrote down
LARGEST_SIDE = 8192  # pixels: a page is kept in memory as finely as one picture of this side allows
_FINEST = 64.0  # pixels a scene unit


@dataclass(frozen=True, eq=False)
class Arrangement:
    """One page of a gallery: which micrographs, in which order, and where.

    Parameters
    ----------
    rows : (k,) int
        Rows of the atlas in the order shown.
    boxes : (k, 4) float
        Top, left, height and width of each specimen, in scene units.
    sizes : (k, 2) int
        Height and width of what is shown of each specimen, in its own pixels.
    height, width : float
        Of all, with frames, labels and gutters.
    page, pages : int
        Which page this is, counted from 0, and how many there are.
    total : int
        How many micrographs are on all pages.
    cuts : (k, 4) float or None
        Top, left, height and width of what is shown, as shares of the whole specimen; None for all of it.
    um_per_unit : float or None
        µm a scene unit, where all tiles have the same scale.
    """

    rows: NDArray[np.intp]
    boxes: Boxes
    sizes: NDArray[np.intp]
    height: float
    width: float
    page: int = 0
    pages: int = 1
    total: int = 0
    cuts: NDArray[np.float64] | None = None
    um_per_unit: float | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def tile_at(self, y: float, x: float) -> int | None:
        """Return the tile whose specimen, frame or label is there."""
        top, left, height, width = self.boxes.T
        below = height + FRAME + LABEL
        here = (y >= top - FRAME) & (y < top + below) & (x >= left - FRAME) & (x < left + width + FRAME)
        return int(np.argmax(here)) if here.any() else None

    def tile_of(self, row: int) -> int | None:
        """Return the tile that shows a row of the atlas."""
        where = np.flatnonzero(self.rows == row)
        return int(where[0]) if len(where) else None

    @cached_property
    def own(self) -> NDArray[np.float64]:
        """(k,) pixels a scene unit of each picture itself; finer, it would show nothing more."""
        return np.minimum(self.sizes[:, 1] / self.boxes[:, 3], _FINEST)

    @property
    def kept(self) -> float:
        """Pixels a scene unit at which a whole page is kept in memory."""
        return LARGEST_SIDE / max(self.height, self.width)


def arrange(
    rows: Rows, sizes: NDArray[Any], aspect: float = 1.5, page: int = 0, pages: int = 1,
    total: int | None = None, um_per_px: NDArray[np.floating] | None = None,
) -> Arrangement:  # fmt: skip
    """Arrange pictures of these sizes in lines of tiles of the same width, as many a line as fill the view best.

    Parameters
    ----------
    sizes : (k, 2)
        Height and width in pixels; NaN or 0 where unknown.
    aspect : float
        Width over height of the view.
    um_per_px : (k,), optional
        With it, pictures are cut so that all have the same scale; NaN where unknown.
    """
    sizes = np.array(sizes, np.float64).reshape(-1, 2)
    sizes[~(np.isfinite(sizes) & (sizes > 0)).all(axis=1)] = _FALLBACK
    same = None if um_per_px is None else one_scale(sizes, np.asarray(um_per_px, float), _TALLEST / TILE)
    widths, um_per_unit = np.full(len(sizes), TILE), None
    if same is not None:
        sizes, widths, um_per_unit = same.sizes.astype(float), TILE * same.widths, same.field_um / TILE
    heights = widths * sizes[:, 0] / sizes[:, 1]
    if same is None:
        shrink = np.minimum(1.0, _TALLEST / heights)
        heights, widths = heights * shrink, widths * shrink
    columns = _best_columns(heights, aspect)
    tops, height = _lines(heights, columns)
    pitch = TILE + 2 * FRAME + GUTTER
    lefts = GUTTER + FRAME + pitch * (np.arange(len(rows)) % columns)
    boxes = np.stack([np.repeat(tops, columns)[: len(rows)], lefts, heights, widths], axis=1)
    return Arrangement(
        np.asarray(rows, np.intp), boxes, np.rint(sizes).astype(np.intp), height, GUTTER + pitch * columns,
        page, pages, len(rows) if total is None else total, None if same is None else same.cuts, um_per_unit,
    )  # fmt: skip


def typical_first(rows: Rows, features: Features | None) -> NDArray[np.intp]:
    """Order rows by their distance to their mean in feature space, nearest first; as they are without features."""
    if features is None or len(rows) == 0:
        return np.asarray(rows, np.intp)
    near = features[rows].astype(np.float32)
    finite = np.isfinite(near).all(axis=1)
    if not finite.any():
        return np.asarray(rows, np.intp)
    distances = np.linalg.norm(near - near[finite].mean(axis=0), axis=1)
    return np.asarray(rows, np.intp)[np.argsort(distances, kind="stable")]  # NaN comes last


def _lines(heights: NDArray[np.float64], columns: int) -> tuple[NDArray[np.float64], float]:
    """Return the top of each line's specimens, and the height of all lines."""
    tallest = np.maximum.reduceat(heights, np.arange(0, len(heights), columns))
    pitches = tallest + 2 * FRAME + LABEL + GUTTER
    return GUTTER + FRAME + np.concatenate([[0.0], np.cumsum(pitches[:-1])]), float(GUTTER + pitches.sum())


def _best_columns(heights: NDArray[np.float64], aspect: float) -> int:
    def zoom(columns: int) -> float:
        return min(aspect / (columns * (TILE + 2 * FRAME + GUTTER)), 1 / _lines(heights, columns)[1])

    candidates: Sequence[int] = range(1, len(heights) + 1)
    return max(candidates, key=zoom)
