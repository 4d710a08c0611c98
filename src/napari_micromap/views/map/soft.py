"""Few dots: round, with soft edges, each with its own line."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from napari_micromap.views.map.dots import CROSSED, FADED_LINE, FILLED, HOLLOW, Dots, lines_around
from napari_micromap.views.map.packed import Packed, mixed, packed
from napari_micromap.views.map.sheet import Seen, Sheet, disc, spread

_EXACT_UP_TO = 400_000  # pixels of all dots together; more, if widening all pixels would cost more still
# Thickness in logical pixels, of dots of 6 and more; around smaller ones a full line would outshine the color.
_LINE, _STRONG_LINE, _RING, _CROSS = 1.0, 1.5, 1.4, 1.3


@dataclass(frozen=True, eq=False, slots=True)
class _Looks:
    """How each of some dots looks."""

    fill: Packed
    line: Packed
    kind: NDArray[np.uint8]
    outer: float  # radius with the line

    def reach(self, radius: float) -> NDArray[np.float32]:
        """Return this radius for dots with a value, 0 for rings and crosses."""
        return np.where(self.kind == FILLED, np.float32(radius), np.float32(0))


def draw_soft(dots: Dots, seen: Seen, sheet: Sheet) -> tuple[Packed, NDArray[np.int32]]:
    """Draw the dots that are not selected, a halo of those that are, and these."""
    pixels, ids = np.full(sheet.width * sheet.height, dots.colors[0]), sheet.empty()
    first = int(np.searchsorted(seen.index, dots.selected_from))
    _lay(pixels, ids, dots, seen.part(0, first), sheet)
    if first < len(seen.index):
        chosen = seen.part(first, len(seen.index))
        _halo(pixels, dots, chosen, sheet)
        _lay(pixels, ids, dots, chosen, sheet)
    return np.ascontiguousarray(sheet.inner(pixels)), sheet.inner(ids)


def _lay(pixels: Packed, ids: NDArray[np.int32], dots: Dots, seen: Seen, sheet: Sheet) -> None:
    """Lay, at each pixel, the dot on top over the topmost one that hides all beneath it, over what is there."""
    looks = _looks(dots, seen, sheet)
    reached = _reached(seen, np.full(len(seen.index), looks.outer + 0.5, np.float32), sheet)
    top = reached.on_top(seen, sheet, grown=0.71)
    hiding = reached.within(looks.reach(looks.outer - 0.5), seen, sheet).cover(seen, sheet, grown=-0.71)
    below = hiding[top.at] - 1
    under = pixels[top.at]
    shows = np.flatnonzero((below != top.which) & (below >= 0))
    under[shows], _ = _shade(looks, seen, _measured(seen, top.at[shows], below[shows], sheet), sheet)
    pixels[top.at] = mixed(under, *_shade(looks, seen, top, sheet))
    ids[top.at] = seen.index[top.which] + 1


def _halo(pixels: Packed, dots: Dots, seen: Seen, sheet: Sheet) -> None:
    """Draw one strong line around all selected dots that touch: within, their colors shall be seen."""
    looks = _looks(dots, seen, sheet)
    outer = looks.outer + _thickness(_STRONG_LINE, sheet)
    halo = _reached(seen, looks.reach(outer + 0.5), sheet).on_top(seen, sheet, grown=0.71)
    pixels[halo.at] = mixed(pixels[halo.at], packed(dots.ground.strong), _part(outer - halo.distance))


def _looks(dots: Dots, seen: Seen, sheet: Sheet) -> _Looks:
    fill = dots.colors[seen.index + 1]
    line = lines_around(fill, dots.ground)
    if len(seen.index) and seen.index[0] < dots.selected_from < len(dots):
        line = mixed(dots.colors[0], line, FADED_LINE)
    return _Looks(fill, line, dots.kinds[seen.index], sheet.radius + _thickness(_LINE, sheet))


def _thickness(line: float, sheet: Sheet) -> float:
    return line * min(sheet.ratio, sheet.radius / 3)


@dataclass(frozen=True, eq=False, slots=True)
class _Pairs:
    """Pixels, each with a dot that reaches it, dot after dot."""

    at: NDArray[np.intp]
    which: NDArray[np.int32]  # of the seen dots
    distance: NDArray[np.float32]  # from the middle of the pixel to that of the dot


@dataclass(frozen=True, eq=False, slots=True)
class _Reached:
    """What some dots reach; where they have too many pixels to go through them all, only how far that is."""

    radius: NDArray[np.float32]
    pairs: _Pairs | None

    def within(self, radius: NDArray[np.float32], seen: Seen, sheet: Sheet) -> _Reached:
        """Return what the same dots reach within smaller radii."""
        if (pairs := self.pairs) is None:
            return _reached(seen, radius, sheet)
        near = np.flatnonzero(pairs.distance <= radius[pairs.which])
        return _Reached(radius, _Pairs(pairs.at[near], pairs.which[near], pairs.distance[near]))

    def cover(self, seen: Seen, sheet: Sheet, grown: float) -> NDArray[np.int32]:
        """Return, for each pixel, 1 + which of the seen dots is on top; 0 for none.

        Where there are no pairs, whole pixels are widened to discs that are ``grown`` by what that may miss.
        """
        cover = sheet.empty()
        if self.pairs is not None:
            # Of several dots at one pixel the last stays, which is the one on top.
            cover[self.pairs.at] = self.pairs.which + 1
            return cover
        some = np.flatnonzero(self.radius > 0).astype(np.int32)
        if not len(some):
            return cover
        cover[seen.at[some]] = some + 1
        farthest = float(self.radius.max()) if grown > 0 else float(self.radius[some].min())
        return spread(cover, sheet.width, disc(1 + 2 * max(0, int(farthest + grown))))

    def on_top(self, seen: Seen, sheet: Sheet, grown: float) -> _Pairs:
        """Return the pixels that are reached, each with the dot on top."""
        cover = self.cover(seen, sheet, grown)
        if (pairs := self.pairs) is None:
            at = np.flatnonzero(cover)
            return _measured(seen, at, cover[at] - 1, sheet)
        top = np.flatnonzero(cover[pairs.at] == pairs.which + 1)
        return _Pairs(pairs.at[top], pairs.which[top], pairs.distance[top])


def _reached(seen: Seen, radius: NDArray[np.float32], sheet: Sheet) -> _Reached:
    """Find the pixels whose middles lie within the radii of dots; none where a radius is 0."""
    some = np.flatnonzero(radius > 0).astype(np.int32)
    reach = ceil(float(radius.max(initial=0)))
    if len(some) * (2 * reach + 1) ** 2 > max(_EXACT_UP_TO, sheet.width * sheet.height * reach // 8):
        return _Reached(radius, None)
    step = np.arange(-reach, reach + 1)
    x, y = seen.x[some], seen.y[some]
    dx = (np.floor(x) + np.float32(0.5) - x)[:, None] + step.astype(np.float32)
    dy = (np.floor(y) + np.float32(0.5) - y)[:, None] + step.astype(np.float32)
    square = (dx * dx)[:, None, :] + (dy * dy)[:, :, None]
    found = np.flatnonzero(square <= np.square(radius[some])[:, None, None])
    dot = found // len(step) ** 2
    at = seen.at[some][dot] + (step[:, None] * sheet.width + step).ravel()[found - dot * len(step) ** 2]
    return _Reached(radius, _Pairs(at, some[dot], np.sqrt(square.ravel()[found])))


def _offsets(
    seen: Seen, which: NDArray[np.int32], at: NDArray[np.intp], sheet: Sheet
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return how far the middles of pixels lie right of and below the middles of dots."""
    pixel = at.astype(np.int32)
    row = pixel // np.int32(sheet.width)
    dx = pixel - row * np.int32(sheet.width) + (np.float32(0.5) - seen.x)[which]
    dy = row + (np.float32(0.5) - seen.y)[which]
    return dx.astype(np.float32), dy.astype(np.float32)


def _measured(seen: Seen, at: NDArray[np.intp], which: NDArray[np.int32], sheet: Sheet) -> _Pairs:
    dx, dy = _offsets(seen, which, at, sheet)
    return _Pairs(at, which, np.sqrt(dx * dx + dy * dy))


def _shade(looks: _Looks, seen: Seen, pairs: _Pairs, sheet: Sheet) -> tuple[Packed, NDArray[np.float32]]:
    """Return the color (k,) that each dot gives to a pixel, and how much of the pixel it covers (k,)."""
    filled = _part(np.float32(sheet.radius) - pairs.distance)
    covered = _part(np.float32(looks.outer) - pairs.distance)
    if looks.kind.any():
        kind = looks.kind[pairs.which]
        for other, part_of in ((HOLLOW, _ring), (CROSSED, _cross)):
            some = np.flatnonzero(kind == other)
            covered[some] = part_of(*_offsets(seen, pairs.which[some], pairs.at[some], sheet), sheet)
            filled[some] = 1
    return mixed(looks.line[pairs.which], looks.fill[pairs.which], filled), covered


def _part(inward: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how much of a pixel lies inside a border that is so far from its middle."""
    part: NDArray[np.float32] = np.clip(inward + np.float32(0.5), 0, 1)
    return part


def _ring(dx: NDArray[np.float32], dy: NDArray[np.float32], sheet: Sheet) -> NDArray[np.float32]:
    distance = np.sqrt(dx * dx + dy * dy)
    outer = np.float32(sheet.radius + 0.25 * sheet.ratio)
    return _part(outer - distance) - _part(outer - np.float32(_RING * sheet.ratio) - distance)


def _cross(dx: NDArray[np.float32], dy: NDArray[np.float32], sheet: Sheet) -> NDArray[np.float32]:
    along, across = np.abs(dx + dy) * np.float32(0.5**0.5), np.abs(dx - dy) * np.float32(0.5**0.5)
    half, length = np.float32(_CROSS * sheet.ratio / 2), np.float32(sheet.radius * 0.8)
    rising = _part(half - across) * _part(length - along)
    falling = _part(half - along) * _part(length - across)
    covered: NDArray[np.float32] = np.maximum(rising, falling)
    return covered
