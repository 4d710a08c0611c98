"""Pictures to what the network sees, and to thumbnails."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.recipe.contrast import Gray, above_black, are_levels, gray_of, gray_window, windowed
from napari_micromap.recipe.light import evened, locally_equalized
from napari_micromap.recipe.resizing import Blocks, in_blocks, in_blocks_by_strips, resized
from napari_micromap.recipe.steps import Recipe
from napari_micromap.recipe.windows import Squares, squares_of, window_side

THUMBNAIL_SIDE = 192  # pixels of the longer side
CONTRAST = ("low_percent", "high_percent", "even_light", "local_contrast", "invert")  # what of a recipe makes it
NEARLY_GRAY = 8  # of 255: what JPEG leaves between the channels of a gray picture


def prepare(specimen: NDArray[Any], recipe: Recipe) -> Gray:
    """Turn a picture without its data bar into the square that the network sees.

    The window is taken at full depth, before anything is averaged or rounded, so 16-bit and float pictures lose
    nothing; the squeezing averages over all pixels (a triangle filter as wide as the step).

    Parameters
    ----------
    specimen : (h, w) or (h, w, 3), any number format

    Returns
    -------
    (side, side) float32
        0 black to 1 white; a constant picture is 0.5 all over.
    """
    return _in_blocks(specimen, recipe, recipe.side, recipe.side).resized(recipe.side, recipe.side)


def prepare_windows(specimen: NDArray[Any], recipe: Recipe, um_per_px: float = math.nan) -> Squares:
    """Turn a picture without its data bar into all that the network sees of it: one square, or one a window.

    The contrast is that of the whole picture in all of its windows.

    Parameters
    ----------
    um_per_px : float
        Size of a pixel of ``specimen``; NaN where unknown.

    Returns
    -------
    (w, side, side) float32
    """
    if window_side(recipe, um_per_px) is None:
        return prepare(specimen, recipe)[None]
    return squares_of(contrasted(specimen, recipe), recipe, um_per_px)


def prepare_with_thumbnail(
    specimen: NDArray[Any], recipe: Recipe, um_per_px: float = math.nan
) -> tuple[Squares, NDArray[np.uint8]]:
    """Do what :func:`prepare_windows` and :func:`thumbnail` do, in less time where they share the contrast."""
    usual, whole = Recipe(), window_side(recipe, um_per_px) is None
    if specimen.ndim == 3 or any(getattr(recipe, name) != getattr(usual, name) for name in CONTRAST):
        return prepare_windows(specimen, recipe, um_per_px), thumbnail(specimen)
    rows, columns = _small_shape(specimen, THUMBNAIL_SIDE)
    if not whole:
        gray = contrasted(specimen, recipe)
        return squares_of(gray, recipe, um_per_px), _levels(resized(gray, rows, columns))
    blocks = _in_blocks(specimen, recipe, recipe.side, recipe.side)
    enough = blocks if blocks.are_fine_for(rows, columns) else _in_blocks(specimen, recipe, rows, columns)
    return blocks.resized(recipe.side, recipe.side)[None], _levels(enough.resized(rows, columns))


def _in_blocks(specimen: NDArray[Any], recipe: Recipe, rows: int, columns: int) -> Blocks:
    """Average blocks of a picture in the recipe's contrast; of gray levels without holding all of it in floats."""
    plain = specimen.ndim == 2 and specimen.dtype.kind == "u" and not (recipe.even_light or recipe.local_contrast)
    window = gray_window(specimen, recipe.low_percent, recipe.high_percent) if plain else (0.0, 0.0)
    if not are_levels(window, specimen.dtype):
        return in_blocks(contrasted(specimen, recipe), rows, columns)
    white = window[1] - window[0]
    blocks = in_blocks_by_strips(
        lambda first, last: above_black(specimen[first:last], window), specimen.shape, rows, columns
    )
    return replace(blocks, means=white - blocks.means if recipe.invert else blocks.means, white=white)


def contrasted(specimen: NDArray[Any], recipe: Recipe) -> Gray:
    """Return (h, w) gray in the recipe's contrast, before anything is averaged or rounded."""
    whole, percents = gray_of(specimen), (recipe.low_percent, recipe.high_percent)
    gray = windowed(whole, gray_window(whole, *percents))
    if recipe.even_light:
        gray = evened(gray, recipe.even_light, percents)
    if recipe.local_contrast:
        gray = locally_equalized(gray, recipe.local_contrast)
    return 1 - gray if recipe.invert else gray


def thumbnail(specimen: NDArray[Any], side: int = THUMBNAIL_SIDE) -> NDArray[np.uint8]:
    """Make a small picture in the usual window, its aspect ratio kept; small pictures are not enlarged.

    Returns
    -------
    (h, w) uint8, or (h, w, 3) where the picture has colors; nearly gray ones (JPEG leaves traces) are gray.
    """
    usual = Recipe()
    window = gray_window(gray_of(specimen), usual.low_percent, usual.high_percent)
    rows, columns = _small_shape(specimen, side)
    channels = [specimen] if specimen.ndim == 2 else [specimen[..., channel] for channel in range(3)]
    small = np.stack([resized(windowed(channel, window), rows, columns) for channel in channels], axis=-1)
    levels = _levels(small)
    if specimen.ndim == 3 and np.ptp(levels.astype(np.int16), axis=-1).max() > NEARLY_GRAY:
        return levels
    return np.ascontiguousarray(levels[..., len(channels) // 2])


def _levels(small: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.rint(small * 255).astype(np.uint8)


def _small_shape(picture: NDArray[Any], side: int) -> tuple[int, int]:
    height, width = picture.shape[:2]
    shrink = min(1.0, side / max(height, width))
    return max(1, round(height * shrink)), max(1, round(width * shrink))
