"""The one scale that a recipe brings a collection to, found out before it is embedded."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_micromap.problems import Problem
from napari_micromap.recipe import MOST_ENLARGED, Recipe, uses_scale

Sizes = NDArray[np.float64]  # (n,) µm per px of each micrograph, NaN where unknown


def settled(recipe: Recipe, um_per_px: Sizes) -> Recipe:
    """Return the recipe with the coarsest scale named as a number, so that micrographs that come later get the same.

    Raises
    ------
    Problem
        If no micrograph says how large its pixels are, or the chosen size is none.
    """
    if recipe.scale == "own":
        return recipe
    if recipe.scale == "chosen":
        if not 0 < recipe.um_per_px < np.inf:
            raise Problem("Say how many µm a pixel is to have, or choose the coarsest of the images.")
        return recipe
    known = um_per_px[um_per_px > 0]
    if not len(known):
        raise Problem(
            "No image says how large its pixels are, so they cannot be brought to one scale; give them a scale, or "
            "take them as they are."
        )
    return replace(recipe, scale="chosen", um_per_px=float(f"{known.max():.4g}"))


@dataclass(frozen=True)
class Scaled:
    """How a collection fares at one scale.

    Parameters
    ----------
    um_per_px : float
        The scale; NaN where windows of one width are cut instead.
    unknown : int
        Micrographs of unknown scale: taken as they are.
    limited : int
        Micrographs that are coarser than this, and would have to be enlarged more than is sensible: enlarged less.
    """

    um_per_px: float
    unknown: int
    limited: int


def scaled(recipe: Recipe, um_per_px: Sizes) -> Scaled | None:
    """Count what cannot be brought to the scale of a settled recipe; None if it asks for none."""
    if not uses_scale(recipe):
        return None
    wanted = recipe.um_per_px if recipe.scale != "own" else recipe.window_um / recipe.side
    known = um_per_px > 0
    limited = known & (um_per_px > wanted * MOST_ENLARGED * (1 + 1e-6))
    return Scaled(wanted, int((~known).sum()), int(limited.sum()))
