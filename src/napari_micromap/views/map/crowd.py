"""Many dots: hard ones, with one line around all that touch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_micromap.views.map.dots import CROSSED, FADED_LINE, HOLLOW, Dots, lines_around
from napari_micromap.views.map.packed import Packed, mixed, packed
from napari_micromap.views.map.sheet import Line, Seen, Sheet, disc, spread

_LINE_SHOWS = 0.2  # of the line's color, per pixel across; a full one would outshine dots hardly larger than it
_BAND = 1 << 16  # pixels worked on at a time: few enough to stay in the processor's own memory


@dataclass(frozen=True, eq=False, slots=True)
class _Brush:
    """What is the same for all parts of the picture."""

    dots: Dots
    dot: list[Line]
    line: list[Line]  # around it
    tint: float  # of the line
    holes: _Holes | None


def draw_crowd(dots: Dots, seen: Seen, sheet: Sheet) -> tuple[Packed, NDArray[np.int32]]:
    """Write each dot's number into its pixel, widen the numbers to dots, and look their colors up."""
    middles = sheet.empty()
    middles[seen.at] = seen.index + 1  # of several in one pixel the last stays, which is the one on top
    across = max(1, round(2 * sheet.radius))
    fading = FADED_LINE if dots.selected_from < len(dots) else 1.0
    brush = _Brush(
        dots, disc(across), disc(1 + 2 * max(1, round(sheet.ratio))), min(0.8, _LINE_SHOWS * across) * fading,
        _holes(dots, seen, sheet, across),
    )  # fmt: skip
    pixels = np.empty((sheet.inner_height, sheet.inner_width), np.uint32)
    ids = np.empty((sheet.inner_height, sheet.inner_width), np.int32)
    lines = max(8, _BAND // sheet.width)
    for top in range(0, sheet.inner_height, lines):
        bottom = min(top + lines, sheet.inner_height)
        colored, numbers = _band(middles, top, bottom, sheet, brush)
        pixels[top:bottom] = colored.reshape(bottom - top, -1)[:, sheet.pad : -sheet.pad]
        ids[top:bottom] = numbers.reshape(bottom - top, -1)[:, sheet.pad : -sheet.pad]
    return pixels, ids


def _band(
    middles: NDArray[np.int32], top: int, bottom: int, sheet: Sheet, brush: _Brush
) -> tuple[Packed, NDArray[np.int32]]:
    """Draw some lines of the picture, flat, with the rim at their ends."""
    dots, rim = brush.dots, sheet.pad * sheet.width
    begin, end = top * sheet.width, bottom * sheet.width
    padded = spread(middles[begin : end + 2 * rim], sheet.width, brush.dot)
    ids, around = padded[rim:-rim], spread(padded, sheet.width, brush.line)[rim:-rim]
    pixels: Packed = np.take(dots.colors, ids, mode="clip")
    if brush.holes is not None:
        pixels[brush.holes.among(ids, begin + rim)] = dots.colors[0]
    edge = np.flatnonzero((ids == 0) & (around > 0))
    pixels[edge] = mixed(dots.colors[0], lines_around(dots.colors[around[edge]], dots.ground), brush.tint)
    if dots.selected_from < len(dots):
        np.putmask(pixels, (ids <= dots.selected_from) & (around > dots.selected_from), packed(dots.ground.strong))
    return pixels, ids


@dataclass(frozen=True, eq=False, slots=True)
class _Holes:
    """Where dots without a value are open: few are seen, so they are looked for one by one."""

    first: int  # number of the first hollow dot that is not selected
    last: int
    selected: int | None  # after which numbers are of selected dots; None where none of them is hollow
    hollow: NDArray[np.bool_]  # by number
    places: NDArray[np.intp]  # of the middles of hollow dots, by number
    reach: int  # how far before its middle a dot begins
    within: NDArray[np.bool_]  # whether the pixel so far after a dot's begin lies in the hole

    def among(self, ids: NDArray[np.int32], begin: int) -> NDArray[np.intp]:
        """Return which of some pixels in a row, the first of them at ``begin``, lie in holes."""
        may = (ids >= self.first) & (ids <= self.last)
        if self.selected is not None:
            may |= ids > self.selected
        at = np.flatnonzero(may)
        numbers = ids[at]
        if self.selected is not None:
            hollow = self.hollow[numbers]
            at, numbers = at[hollow], numbers[hollow]
        found: NDArray[np.intp] = at[self.within[at + (begin + self.reach) - self.places[numbers]]]
        return found


def _holes(dots: Dots, seen: Seen, sheet: Sheet, across: int) -> _Holes | None:
    """Return where dots without a value are open; None where none is seen, or dots are too small."""
    of_seen = np.flatnonzero(dots.kinds[seen.index] == HOLLOW) if across > 2 and dots.kinds.any() else ()
    if not len(of_seen):
        return None
    hollow, places = np.zeros(1 + len(dots), bool), np.zeros(1 + len(dots), np.intp)
    np.equal(dots.kinds, HOLLOW, out=hollow[1:])
    places[seen.index[of_seen] + 1] = seen.at[of_seen]
    others = dots.kinds[: dots.selected_from]
    first = 1 + int(np.count_nonzero(others == CROSSED))
    last = first - 1 + int(np.count_nonzero(others == HOLLOW))
    reach = (across // 2 + 1) * (sheet.width + 1)
    within = np.zeros(2 * reach + 1, bool)
    for line, begin, end in disc(max(1, across - 2 * round(sheet.ratio))):
        within[reach + line * sheet.width + begin : reach + line * sheet.width + end + 1] = True
    selected = dots.selected_from if hollow[dots.selected_from + 1 :].any() else None
    return _Holes(first, last, selected, hollow, places, reach, within)
