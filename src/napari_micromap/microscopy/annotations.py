"""Scale bars, letter boxes and colored marks drawn onto the specimen."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    seen = _eight_bit(specimen[::step, ::step])
    if min(seen.shape[:2]) < 32:
        return None
    gray = seen if seen.ndim == 2 else seen[..., 1]
    (bar, strokes), (light_bar, light_strokes) = _drawn(gray), _drawn(255 - gray)
    letters = max(_in_line(strokes), _in_line(light_strokes)) >= LETTERS
    found = {"scale bar": bar or light_bar, "letters": letters, "colored marks": seen.ndim == 3 and _is_marked(seen)}
    return ", ".join(name for name, there in found.items() if there) or None


def _eight_bit(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint8:
        return np.ascontiguousarray(pixels)
    values = pixels.astype(np.float32)
    if pixels.dtype.kind == "f":
        values = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    low, high = float(values.min(initial=0.0)), float(values.max(initial=0.0))
    with np.errstate(over="ignore"):
        scaled: NDArray[np.uint8] = ((values - low) * (255 / max(high - low, 1e-30))).clip(0, 255).astype(np.uint8)
    return scaled


def _is_marked(seen: NDArray[np.uint8]) -> bool:
    """Tell whether a picture that is gray has a few pixels of strong color."""
    apart = seen.max(axis=2) - seen.min(axis=2)
    return bool(FEW[0] < (apart > TINT).mean() < FEW[1] and np.median(apart) < GRAY)


def _drawn(gray: NDArray[np.uint8]) -> tuple[bool, list[tuple[slice, slice]]]:
    """Look for dark ink: whether there is a scale bar, and strokes that stand in a light box."""
    from scipy import ndimage

    dark = gray <= INK
    if not dark.any():
        return False, []
    height, width = gray.shape
    labels, count = ndimage.label(dark)
    bar, strokes = False, list[tuple[slice, slice]]()
    for label, place in enumerate(ndimage.find_objects(labels, count), start=1):
        rows, columns = place[0].stop - place[0].start, place[1].stop - place[1].start
        if columns < 4 or rows < 2 or rows > 0.2 * height or columns > 0.6 * width:
            continue
        piece = labels[place] == label
        around = _around(gray, place)
        light = float((around >= 255 - INK).mean()) if len(around) else 0.0
        is_long = columns >= max(LONG[0] * width, LONG[1]) and columns >= SHORT * rows and rows <= THICKEST * height
        if is_long and piece.mean() >= FILLED and (light >= GROUND["bar"] or _stands_out(gray, place)):
            bar = True
        elif light >= GROUND["letter"] and 6 <= rows <= 0.12 * height and columns <= 2 * rows:
            strokes.append(place)
    return bar, strokes


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


def _around(gray: NDArray[np.uint8], place: tuple[slice, slice], margin: int = 3) -> NDArray[np.uint8]:
    """Return the pixels of a frame around a place, one pixel off: the edge itself is smeared."""
    top, bottom, left, right = place[0].start, place[0].stop, place[1].start, place[1].stop
    if top < margin or left < margin or bottom + margin > gray.shape[0] or right + margin > gray.shape[1]:
        return np.empty(0, np.uint8)
    window = gray[top - margin : bottom + margin, left - margin : right + margin]
    inside = np.zeros(window.shape, bool)
    inside[1:-1, 1:-1] = True
    return window[~inside]


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
