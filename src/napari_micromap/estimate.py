"""How long a map will take on this machine, roughly."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_micromap.recipe import Recipe, cuts_in, window_side

if TYPE_CHECKING:
    from napari_micromap.atlas import Atlas
    from napari_micromap.sources.windows import Cut

# Pictures a second that go through a network once on two cores, float32; measured with two threads on AVX-512.
_RATES = {"efficientnet-lite0": 80.0, "resnet18": 45.0, "resnet50": 15.0}
_OTHER_RATE = 12.0
_LOOKED_AT = 50  # micrographs
_READ = 40.0  # files a second that are read, unpacked and scaled on one core


def seconds_for_map(n: int, backbone: str, views: int, embedded: bool = False, cores: int | None = None) -> float:
    """Estimate the seconds until the final map stands.

    Parameters
    ----------
    n : int
        Number of micrographs.
    backbone : str
        Name of the network in the table of backbones.
    views : int
        How often each picture goes through it.
    embedded : bool
        Whether the micrographs are embedded already.
    cores : int, optional
        Cores to reckon with; those of this machine if left out.
    """
    cores = cores or os.cpu_count() or 2
    layout = 2.0 + n / 500
    if embedded:
        return layout
    rate: float = _RATES.get(backbone, _OTHER_RATE) * (cores / 2) ** 0.8  # more cores help less than they promise
    return 2.0 + n * (max(1, views) / rate + 1 / (_READ * cores)) + layout


def squares_for(atlas: Atlas, recipe: Recipe, cut: Cut | None = None) -> tuple[int, float]:
    """Count the micrographs that a map will have, and the squares that the network sees of each, roughly.

    Parameters
    ----------
    cut : Cut, optional
        How windows are cut that become micrographs of their own.
    """
    n, sizes = len(atlas), atlas.um_per_px
    if not n or (cut is None and recipe.windows == "whole" and recipe.scale == "own"):
        return n, 1.0
    if recipe.scale == "coarsest":
        known = sizes[sizes > 0]
        recipe = replace(recipe, scale="chosen", um_per_px=float(known.max())) if len(known) else Recipe()
    some = np.unique(np.linspace(0, n - 1, min(n, _LOOKED_AT)).round().astype(int))
    shapes = atlas.columns[["height", "width"]].iloc[some].to_numpy(float, na_value=np.nan)
    dots = squares = 0
    for (height, width), um_per_px in zip(np.nan_to_num(shapes, nan=1.0), sizes[some].tolist()):
        if cut is not None and atlas.windows is None:
            side = cut.side_of(um_per_px)
            dots += len(cuts_in(int(height), int(width), side, cut.overlap))
            height, width = min(height, side), min(width, side)
        else:
            dots += 1
        wide = window_side(recipe, um_per_px)
        one = 1 if wide is None else len(cuts_in(int(height), int(width), wide, recipe.overlap, recipe.most_windows))
        squares += one
    return round(n * dots / len(some)), squares / len(some)
