"""Many dots: hard ones, with one line around all that touch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_micromap.views.map.dots import FADED_LINE, HOLLOW, Dots, lines_around
from napari_micromap.views.map.packed import Packed, mixed, packed
from napari_micromap.views.map.sheet import Seen, Sheet, disc, spread

_LINE_SHOWS = 0.2  # of the line's color, per pixel across; a full one would outshine dots hardly larger than it


def draw_crowd(dots: Dots, seen: Seen, sheet: Sheet) -> tuple[Packed, NDArray[np.int32]]:
    """Write each dot's number into its pixel, widen the numbers to dots, and look their colors up."""
    middles = sheet.empty()
    middles[seen.at] = seen.index + 1  # of several in one pixel the last stays, which is the one on top
    across = max(1, round(2 * sheet.radius))
    padded = spread(middles, sheet.width, disc(across))
    line = disc(1 + 2 * max(1, round(sheet.ratio)))
    ids, around = sheet.inner(padded), sheet.inner(spread(padded, sheet.width, line))
    pixels: Packed = np.take(dots.colors, ids)
    if across > 2 and dots.kinds.any():
        inner = sheet.inner(spread(middles, sheet.width, disc(max(1, across - 2 * round(sheet.ratio)))))
        hollow = np.concatenate([[False], dots.kinds == HOLLOW])
        pixels[(inner == ids) & hollow[ids]] = dots.colors[0]
    edge = np.flatnonzero((ids == 0) & (around > 0))
    tinted = lines_around(dots.colors[around.ravel()[edge]], dots.ground)
    fading = FADED_LINE if dots.selected_from < len(dots) else 1.0
    pixels.ravel()[edge] = mixed(dots.colors[0], tinted, min(0.8, _LINE_SHOWS * across) * fading)
    if dots.selected_from < len(dots):
        pixels[(ids <= dots.selected_from) & (around > dots.selected_from)] = packed(dots.ground.strong)
    return pixels, ids
