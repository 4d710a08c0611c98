"""What happens to each picture, as flat fields."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

VERSION = 1  # goes up when the same recipe would give other numbers; a part of the cache's keys

# Said always; what came later is said where it is not as it was before, so that older caches and sessions hold.
ALWAYS_SAID = ("depths", "views", "side", "low_percent", "high_percent", "precision")


@dataclass(frozen=True, repr=False)
class Recipe:
    """What happens to each picture before, in and after the network.

    Parameters
    ----------
    depths : "several" or "last"
        "several" pools the maps of several depths, fine to coarse, each L2-normalized; "last" takes the last layer
        alone, as in the paper.
    views : 1 or 8
        8 averages over all flips and rotations, so that direction does not matter; 1 takes the picture as it stands,
        for directional structures.
    side : int
        Pixels a side to which the picture is squeezed for the network.
    low_percent, high_percent : float
        Gray percentiles that become black and white.
    precision : "float32", "bfloat16" or "auto"
        Number format of the network, one for a whole collection; "auto" takes bfloat16 where the device is fast in it.
    scale : "own", "coarsest" or "chosen"
        "own" takes pictures as they are; else all are brought to one size of pixel, and windows of ``side`` pixels are
        cut from them, so that the network sees equal fields: the coarsest of the collection, or the chosen one.
        Nothing is enlarged more than 1.5 times, and a picture of unknown scale is taken as it is.
    um_per_px : float
        The chosen size of a pixel, in µm.
    windows : "whole" or "pooled"
        "whole" squeezes each picture as a whole; "pooled" cuts windows, drops blank ones, and averages over them.
    window_um : float
        Width of such a window in µm; 0 to take ``window_px`` for all.
    window_px : int
        The same in the picture's own pixels, where its scale is unknown or no width in µm is given.
    overlap : float
        Share of a window that its neighbor has as well, at least.
    most_windows : int
        Of one picture; where more would fit, they are spread farther apart.
    even_light : float
        Takes away shading, a slope and what is larger than this share of the picture's shorter side (0.5 is usual); 0
        leaves it. It also takes away large features.
    local_contrast : float
        Raises contrast in each part of the picture by itself (CLAHE; 0.01 is usual, more raises noise as well); 0
        leaves it. What was bright or dark as a whole, as phases are, no longer is.
    invert : bool
        Black becomes white: for images of which the negative is like the others.
    """

    depths: Literal["several", "last"] = "several"
    views: Literal[1, 8] = 8
    side: Annotated[int, {"min": 32, "max": 1024, "step": 32}] = 224
    low_percent: Annotated[float, {"min": 0.0, "max": 49.0, "step": 0.5}] = 0.5
    high_percent: Annotated[float, {"min": 51.0, "max": 100.0, "step": 0.5}] = 99.5
    precision: Literal["float32", "bfloat16", "auto"] = "float32"
    scale: Literal["own", "coarsest", "chosen"] = "own"
    um_per_px: Annotated[float, {"min": 0.0, "max": 1e4, "step": 0.001}] = 0.0
    windows: Literal["whole", "pooled"] = "whole"
    window_um: Annotated[float, {"min": 0.0, "max": 1e6, "step": 0.1}] = 0.0
    window_px: Annotated[int, {"min": 32, "max": 16384, "step": 32}] = 448
    overlap: Annotated[float, {"min": 0.0, "max": 0.9, "step": 0.05}] = 0.25
    most_windows: Annotated[int, {"min": 1, "max": 400}] = 9
    even_light: Annotated[float, {"min": 0.0, "max": 2.0, "step": 0.05}] = 0.0
    local_contrast: Annotated[float, {"min": 0.0, "max": 0.5, "step": 0.005}] = 0.0
    invert: bool = False

    def __repr__(self) -> str:
        return f"Recipe({', '.join(f'{name}={value!r}' for name, value in _said(self))})"


def recipe_key(recipe: Recipe) -> str:
    """Return a recipe as text for keys of a cache; "auto" must have been decided before."""
    return f"{VERSION}:{','.join(f'{name}={value}' for name, value in _said(recipe))}"


def _said(recipe: Recipe) -> list[tuple[str, Any]]:
    said = ((step, getattr(recipe, step.name)) for step in fields(recipe))
    return [(step.name, value) for step, value in said if step.name in ALWAYS_SAID or value != step.default]
