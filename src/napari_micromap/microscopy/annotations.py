"""Scale bars, letter boxes and colored marks drawn onto the specimen."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.microscopy.levels import eight_bit, span_of

LARGEST = 4_000_000  # pixels that are looked at; beyond, every second one and so on
TINT = 60  # gray levels of 256 between the channels of a colored mark
FEW = (0.0002, 0.05)  # share of the picture that is colored, where color is a mark and not the picture's own
GRAY = 12  # gray levels between the channels of a picture that is gray but for its marks: what JPEG tints
INK, SMEAR = 40, 14  # levels from black or white that count as drawn; around the middle of a drawn piece, by JPEG
LONG, SHORT = (0.02, 14), 3  # a scale bar: share of the width and pixels; how often it is longer than thick
THICKEST = 0.08  # of the height
FILLED = 0.94  # share of a drawn bar's box that is ink
GROUND = {
    "bar": 0.9,
    "letter": 0.7,
}  # share around ink in a letter box that is of the opposite extreme; letters are close
APART, ALONG = 60, 0.85  # gray levels between a bar drawn straight onto the specimen and what is next to it; share
LETTERS = 3  # strokes in one line from which it is lettering: "(a)", "2 µm"; pores lie about in other ways


def annotation(specimen: NDArray[Any]) -> str | None:
    """Say what is drawn onto a specimen, where that is sure: "scale bar", "letters", "colored marks", or several.

    Nothing is altered; fine letters that were drawn without a box around them are not found.

    Parameters
    ----------
    specimen : (h, w) or (h, w, 3)
        Without its data bar.
    """
    step = 1 + int(np.sqrt(specimen.shape[0] * specimen.shape[1] / LARGEST))
    looked_at = specimen[::step, ::step]
    low, high = span_of(looked_at)
    seen = eight_bit(looked_at, (min(low, 0), max(high, 0)))
    if min(seen.shape[:2]) < 32:
        return None
    gray = seen if seen.ndim == 2 else seen[..., 1]
    (bar, strokes), (light_bar, light_strokes) = _drawn(gray), _drawn(255 - gray)
    letters = max(_in_line(strokes), _in_line(light_strokes)) >= LETTERS
    found = {"scale bar": bar or light_bar, "letters": letters, "colored marks": seen.ndim == 3 and _is_marked(seen)}
    return ", ".join(name for name, there in found.items() if there) or None


def _is_marked(seen: NDArray[np.uint8]) -> bool:
    """Tell whether a picture that is gray has a few pixels of strong color."""
    red, green, blue = (seen[..., channel] for channel in range(3))
    apart = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    colored = np.count_nonzero(apart > TINT) / apart.size
    return bool(FEW[0] < colored < FEW[1] and np.median(apart) < GRAY)


def _drawn(gray: NDArray[np.uint8]) -> tuple[bool, list[tuple[slice, slice]]]:
    """Look for dark ink: whether there is a scale bar, and strokes that stand in a light box."""
    boxes, filled = _pieces(gray <= INK)
    height, width = gray.shape
    rows, columns = boxes[:, 1] - boxes[:, 0], boxes[:, 3] - boxes[:, 2]
    fits = (columns >= 4) & (rows >= 2) & (rows <= 0.2 * height) & (columns <= 0.6 * width)
    is_long = (columns >= max(LONG[0] * width, LONG[1])) & (columns >= SHORT * rows) & (rows <= THICKEST * height)
    may_be_bar = fits & is_long & (filled >= FILLED * rows * columns)
    may_be_stroke = fits & (rows >= 6) & (rows <= 0.12 * height) & (columns <= 2 * rows)
    bar, strokes = False, list[tuple[slice, slice]]()
    for one in np.flatnonzero(may_be_bar | may_be_stroke):
        top, bottom, left, right = boxes[one].tolist()
        place = slice(top, bottom), slice(left, right)
        light = _light_around(gray, place)
        if may_be_bar[one] and (light >= GROUND["bar"] or _stands_out(gray, place)):
            bar = True
        elif may_be_stroke[one] and light >= GROUND["letter"]:
            strokes.append(place)
    return bar, strokes


def _pieces(ink: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return (n, 4) top, bottom, left and right of what hangs together along rows and columns, and how much ink it has.

    From runs along rows rather than labeled pixels: a quarter of the time where there is little ink.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    height, line = ink.shape[0], ink.shape[1] + 1  # each row begins with an empty pixel
    flat = np.zeros(height * line + 1, bool)
    flat[:-1].reshape(height, line)[:, 1:] = ink
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    starts, stops = changes[0::2], changes[1::2]
    if not len(starts):
        return np.empty((0, 4), np.intp), np.empty(0, np.intp)
    # Those of the row above that each run touches are neighbors in the list, too.
    first = np.searchsorted(stops + line, starts, "right")
    counts = np.maximum(np.searchsorted(starts + line, stops, "left") - first, 0)
    ends = np.concatenate([[0], np.cumsum(counts)])
    above = np.arange(ends[-1]) - np.repeat(ends[:-1] - first, counts)
    touching = csr_array((np.ones(len(above), np.int8), above, ends), shape=(len(starts), len(starts)))
    _, piece = connected_components(touching, directed=False)
    order = np.argsort(piece, kind="stable")
    begins = np.flatnonzero(np.diff(piece[order], prepend=-1))
    rows, lefts, rights = starts[order] // line, starts[order] % line, stops[order] % line
    sides = [
        np.minimum.reduceat(rows, begins), np.maximum.reduceat(rows, begins) + 1,
        np.minimum.reduceat(lefts, begins), np.maximum.reduceat(rights, begins),
    ]  # fmt: skip
    return np.stack(sides, axis=1), np.add.reduceat(rights - lefts, begins)


def _in_line(strokes: list[tuple[slice, slice]]) -> int:
    """Count the strokes of the longest line of them: as tall as one another, side by side."""
    if not strokes:
        return 0
    edges = np.array([(rows.start, rows.stop, columns.start, columns.stop) for rows, columns in strokes])
    tall, middle = edges[:, 1] - edges[:, 0], edges[:, :2].mean(axis=1)
    alike = np.maximum.outer(tall, tall) <= 1.8 * np.minimum.outer(tall, tall)
    level = np.abs(np.subtract.outer(middle, middle)) < 0.35 * np.minimum.outer(tall, tall)
    gap = np.maximum(np.subtract.outer(edges[:, 2], edges[:, 3]), np.subtract.outer(edges[:, 2], edges[:, 3]).T)
    return int((alike & level & (gap < np.minimum.outer(tall, tall))).sum(axis=1).max())


def _light_around(gray: NDArray[np.uint8], place: tuple[slice, slice], margin: int = 3) -> float:
    """Return the share of light pixels in a frame around a place, one pixel off: the edge itself is smeared."""
    top, bottom, left, right = place[0].start, place[0].stop, place[1].start, place[1].stop
    if top < margin or left < margin or bottom + margin > gray.shape[0] or right + margin > gray.shape[1]:
        return 0.0
    light = gray[top - margin : bottom + margin, left - margin : right + margin] >= 255 - INK
    frame = light.size - light[1:-1, 1:-1].size
    return float((np.count_nonzero(light) - np.count_nonzero(light[1:-1, 1:-1])) / frame)


def _stands_out(gray: NDArray[np.uint8], place: tuple[slice, slice]) -> bool:
    """Tell whether a straight bar of one level was drawn onto a specimen, with a sharp edge all along."""
    top, bottom, left, right = place[0].start, place[0].stop, place[1].start, place[1].stop
    if top < 2 or left < 2 or bottom + 2 > gray.shape[0] or right + 2 > gray.shape[1]:
        return False
    inside = gray[place].astype(np.int16)
    if np.abs(inside - np.median(inside)).max(initial=0) > SMEAR:
        return False
    above, below = gray[top - 2, left:right].astype(int), gray[bottom + 1, left:right].astype(int)
    level = int(np.median(inside))
    return bool(min((above - level > APART).mean(), (below - level > APART).mean()) >= ALONG)
