"""Which parts of a picture the network sees, and how large a pixel of them is."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_micromap.recipe.contrast import Gray
from napari_micromap.recipe.resizing import resized
from napari_micromap.recipe.steps import Recipe

Cuts: TypeAlias = NDArray[np.int32]  # (n, 4) top, left, height, width in pixels
Squares: TypeAlias = NDArray[np.float32]  # (w, side, side), 0 black to 1 white

MOST_ENLARGED = 1.5  # times; more would show the network blur that no material has
# A window is blank where less than this share of the picture's gray range is left after fine noise was averaged out.
# Measured on 460 windows of 8 sets of real micrographs: 0.058 and more in fine blocks, 0.028 and more in coarse ones;
# noise of a tenth of the gray range on nothing leaves 0.047 and 0.009.
BLANK_BELOW = 0.05
_SOFT = 8  # blocks a side that a window is averaged to before its range is taken: noise goes, structure stays
_FINE = 32


def cuts_in(
    height: int, width: int, side: float | tuple[float, float], overlap: float = 0.0, most: int | None = None
) -> Cuts:
    """Spread windows of one size evenly over a picture, from edge to edge.

    Parameters
    ----------
    height, width : int
        Of the picture.
    side : float, or two
        Height and width of a window; where the picture is smaller, the window is, too.
    overlap : float
        Share of a window that its neighbor has as well, at least.
    most : int, optional
        Where more would fit, this many at most, farther apart.

    Returns
    -------
    (n, 4) int32
        Top, left, height and width, line by line.
    """
    sides = side if isinstance(side, tuple) else (side, side)
    sizes = [min(length, max(1, round(one))) for length, one in zip((height, width), sides)]
    counts = [
        1 + math.ceil((length - size) / max(1.0, size * (1 - overlap)) - 1e-9)
        for length, size in zip((height, width), sizes)
    ]
    counts = counts if most is None else _fewer(counts, most)
    tops, lefts = (
        np.rint(np.linspace(0, length - size, count) if count > 1 else [(length - size) / 2]).astype(np.int32)
        for length, size, count in zip((height, width), sizes, counts)
    )
    grid = np.stack(np.meshgrid(tops, lefts, indexing="ij"), axis=-1).reshape(-1, 2)
    return np.concatenate([grid, np.full_like(grid, sizes)], axis=1)


def _fewer(counts: list[int], most: int) -> list[int]:
    rows, columns = counts
    if rows * columns <= most:
        return counts
    shrink = math.sqrt(most / (rows * columns))
    rows = min(max(1, round(rows * shrink)), most)
    return [rows, max(1, min(columns, most // rows))]


def is_blank(window: Gray) -> bool:
    """Tell whether a window shows nothing: its gray range, fine noise averaged out, is a fraction of the picture's.

    Parameters
    ----------
    window : (h, w)
        Cut from a picture whose black is 0 and white 1.
    """
    from PIL import Image

    grain = min(window.shape)
    for blocks in (_FINE, _SOFT):  # fine structure shows in the first, slopes and large grains in the second
        side = min(blocks, grain)
        small = np.asarray(Image.fromarray(window).resize((side, side), Image.Resampling.BOX))
        low, high = np.percentile(small, [5, 95])
        if high - low >= BLANK_BELOW * (1 if blocks == _FINE else 0.5):
            return False
    return True


# ---------------------------------------------------------------------- what a recipe wants of a picture


def uses_scale(recipe: Recipe) -> bool:
    """Tell whether an embedding by this recipe depends on how large a pixel is."""
    return recipe.scale != "own" or (recipe.windows == "pooled" and recipe.window_um > 0)


def zoom_of(recipe: Recipe, um_per_px: float) -> float | None:
    """Return by which factor a picture is brought to the common scale; None where its own scale is kept or unknown."""
    if recipe.scale == "own" or not um_per_px > 0:
        return None
    if recipe.scale == "coarsest":
        raise ValueError("which scale is the coarsest is to be found out for the whole collection before")
    return min(MOST_ENLARGED, um_per_px / recipe.um_per_px)


def window_side(recipe: Recipe, um_per_px: float) -> float | None:
    """Return how many of a picture's own pixels a window is wide; None where the picture is taken as a whole."""
    zoom = zoom_of(recipe, um_per_px)
    if zoom is not None:
        return recipe.side / zoom
    if recipe.windows == "whole":
        return None
    if recipe.scale == "own" and recipe.window_um > 0 and um_per_px > 0:
        return max(recipe.side / MOST_ENLARGED, recipe.window_um / um_per_px)
    return float(recipe.window_px)


def squares_of(picture: Gray, recipe: Recipe, um_per_px: float) -> Squares:
    """Cut what the network is to see out of a picture in its final contrast.

    Blank windows are left out, unless all are. Where the picture is smaller than a window, it goes on mirrored.

    Parameters
    ----------
    picture : (h, w)
        Black 0, white 1, over the whole picture.
    um_per_px : float
        Of this picture; NaN where unknown.
    """
    side = window_side(recipe, um_per_px)
    if side is None:
        return resized(picture, recipe.side, recipe.side)[None]
    zoom = recipe.side / side
    squares = []
    rows, columns = picture.shape
    for top, left, height, width in cuts_in(rows, columns, side, recipe.overlap, recipe.most_windows).tolist():
        window = picture[top : top + height, left : left + width]
        rows, columns = (
            recipe.side if length >= round(side) else max(1, min(recipe.side, round(length * zoom)))
            for length in (height, width)
        )
        square = resized(np.ascontiguousarray(window), rows, columns)
        if (rows, columns) != (recipe.side, recipe.side):
            square = np.pad(square, ((0, recipe.side - rows), (0, recipe.side - columns)), mode="symmetric")
        squares.append(square)
    shown = [square for square in squares if not is_blank(square)] if len(squares) > 1 else squares
    return np.stack(shown or squares)
