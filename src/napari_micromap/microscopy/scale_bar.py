"""Burnt-in scale bars: the line, its length, what is written there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_micromap.microscopy.cropping import Side, specimen_box

Mask: TypeAlias = NDArray[np.bool_]
Box: TypeAlias = tuple[int, int, int, int]  # top, bottom, left, right; ends are not included
Place: TypeAlias = Literal["bar", "corner"]

SHORTEST, SHORTEST_SHARE = 16, 0.015  # pixels, and share of the picture's width: strokes of letters are shorter
LONGEST_SHARE = 0.9  # a longer line is the panel's edge
SLENDER = 3.0  # a line is at least so many times longer than thick
DRAWN = 100  # gray levels of 256 between a line and its ground: nothing fainter is called drawn
SMEARED = 24  # gray levels around a drawn one: what JPEG leaves of it, twice
TICKS = 0.15  # of a line's length at either end, where it may have a stroke across
PHRASE = 0.7  # of a letter's height: wider gaps part what is written
BESIDE = 1.5  # of a letter's height: so near beside a line stands its length
NEAR = 0.5  # of a letter's height: so far beyond its ends may stand what is written above or below
CORNER = 0.35  # of the height, at top and bottom, where scale bars are put into pictures
FAINT = 0.15  # share of a pixel's ink that is noise of lossy files
SAME_LENGTH = 0.6  # pixels by which two lines may differ that are the same
SAME_LETTER = 0.12  # share of a letter's ink that lossy files may change


@dataclass(frozen=True, eq=False)
class ScaleBar:
    """A scale bar as it was drawn into a picture.

    Parameters
    ----------
    length : float
        Pixels from end to end, to a fraction.
    top, left : int
        Where its picture begins in the whole one.
    picture : (h, w) uint8
        The line and what is written beside it.
    phrases : tuple of tuples of masks
        The letters of each phrase beside it, from left to right.
    size : (height, width)
        Of the whole picture, in pixels.
    place : "bar" or "corner"
        Whether it stands in the data bar, or in the picture itself.
    """

    length: float
    top: int
    left: int
    picture: NDArray[np.uint8]
    phrases: tuple[tuple[Mask, ...], ...]
    size: tuple[int, int]
    place: Place


def find_scale_bar(pixels: NDArray[Any], bar_rows: int = 0, side: Side = "bottom") -> ScaleBar | None:
    """Find the scale bar in the data bar, or on a patch that was drawn into a corner; None where none is sure.

    Parameters
    ----------
    pixels : (h, w) or (h, w, 3)
        With its data bar.
    bar_rows : int
        How thick the data bar is.
    """
    gray = eight_bit(pixels)
    height, width = gray.shape
    top, left, tall, wide = specimen_box(height, width, bar_rows, side)
    if (tall, wide) != (height, width):
        box = {
            "bottom": (tall, height, 0, width), "top": (0, top, 0, width),
            "left": (0, height, 0, left), "right": (0, height, wide, width),
        }[side]  # fmt: skip
        found = _in_panel(gray, box, "bar")
        if found is not None:
            return found
    return _in_corner(gray, (top, top + tall, left, left + wide))


def same_bar(one: ScaleBar, other: ScaleBar) -> bool:
    """Tell whether two scale bars are the same picture: of the same length, with the same written beside it."""
    if one.size != other.size or abs(one.length - other.length) > SAME_LENGTH:
        return False
    if [len(phrase) for phrase in one.phrases] != [len(phrase) for phrase in other.phrases]:
        return False
    return all(
        _same_letter(a, b)
        for phrase, its_like in zip(one.phrases, other.phrases, strict=True)
        for a, b in zip(phrase, its_like, strict=True)
    )


def eight_bit(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return one channel in 256 levels."""
    gray = pixels if pixels.ndim == 2 else pixels[..., 1]
    if gray.dtype == np.uint8:
        return gray
    values = gray.astype(np.float32)
    finite = np.isfinite(values)
    if not finite.any():
        return np.zeros(gray.shape, np.uint8)
    low, high = float(values[finite].min()), float(values[finite].max())
    scaled = (np.where(finite, values, low) - low) / max(high - low, 1e-30) * 255
    return scaled.astype(np.uint8)


# ---------------------------------------------------------------------- where it is


def _in_panel(gray: NDArray[np.uint8], box: Box, place: Place) -> ScaleBar | None:
    """Find the scale bar on a drawn panel: the longest line that nothing touches but the strokes at its ends."""
    top, bottom, left, right = box
    panel = gray[top:bottom, left:right]
    level = int(np.bincount(panel.ravel(), minlength=256).argmax())
    apart = np.abs(panel.astype(np.int16) - level)
    strongest = int(apart.max(initial=0))
    if strongest < DRAWN:
        return None
    ink: Mask = apart > strongest / 2
    lines = _lines(ink, shortest=max(SHORTEST, round(SHORTEST_SHARE * gray.shape[1])))
    lines = [line for line in lines if line[3] - line[2] <= LONGEST_SHARE * panel.shape[1]]
    if not lines:
        return None
    line = max((_mended(line, lines) for line in lines), key=lambda line: line[3] - line[2])
    length = _length(apart / strongest, line)
    chosen = _beside(line, *_phrases(ink, line))
    around = _around([line, *(_whole(phrase) for phrase in chosen)], panel.shape)
    return ScaleBar(
        length, top + around[0], left + around[2],
        np.ascontiguousarray(panel[around[0] : around[1], around[2] : around[3]]),
        tuple(tuple(ink[a:b, c:d] for a, b, c, d in phrase) for phrase in chosen),
        (gray.shape[0], gray.shape[1]), place,
    )  # fmt: skip


def _in_corner(gray: NDArray[np.uint8], box: Box) -> ScaleBar | None:
    """Find a scale bar on a patch of one gray level near the lower or upper edge of the specimen."""
    top, bottom, left, right = box
    specimen = gray[top:bottom, left:right]
    share = round(CORNER * specimen.shape[0])
    if share < SHORTEST or specimen.shape[1] < 4 * SHORTEST:
        return None
    for first, stop in ((specimen.shape[0] - share, specimen.shape[0]), (0, share)):
        strip = specimen[first:stop]
        for dark in (True, False):
            ink: Mask = strip <= SMEARED if dark else strip >= 255 - SMEARED
            lines = _lines(ink, shortest=max(SHORTEST, round(2 * SHORTEST_SHARE * gray.shape[1])))
            for line in sorted(lines, key=lambda line: line[2] - line[3]):
                patch = _patch(strip, line)
                if patch is not None:
                    a, b, c, d = patch
                    return _in_panel(gray, (top + first + a, top + first + b, left + c, left + d), "corner")
    return None


def _patch(strip: NDArray[np.uint8], line: Box) -> Box | None:
    """Return the drawn patch around a line, None where it lies on the specimen itself."""
    top, bottom, left, right = line
    thick = max(2, bottom - top)
    reach = max(4, min(thick, 8))
    a, b, c, d = top - 4, min(bottom + 4, strip.shape[0]), left - reach, right + reach
    if a < 0 or c < 0 or d > strip.shape[1]:
        return None
    # The pixels next to the line may be halfway between it and the ground.
    ring = np.concatenate([strip[a : top - 2, c:d].ravel(), strip[bottom + 2 : b, c:d].ravel()])
    ends = np.concatenate([strip[top:bottom, c : left - 2].ravel(), strip[top:bottom, right + 2 : d].ravel()])
    level = float(np.median(ring))
    on_ground = np.abs(strip.astype(np.float32) - level) <= SMEARED
    inside = float(np.median(strip[top:bottom, left:right]))
    even = (np.abs(ring - level) <= SMEARED).mean() > 0.8 and (np.abs(ends - level) <= SMEARED).mean() > 0.8
    if abs(inside - level) < DRAWN or not even:
        return None
    box = [a, b, c, d]
    for _ in range(max(strip.shape)):
        before = list(box)
        a, b, c, d = box
        if a > 0 and on_ground[a - 1, c:d].mean() > 0.3:
            box[0] -= 1
        if b < strip.shape[0] and on_ground[b, c:d].mean() > 0.3:
            box[1] += 1
        if c > 0 and on_ground[a:b, c - 1].mean() > 0.3:
            box[2] -= 1
        if d < strip.shape[1] and on_ground[a:b, d].mean() > 0.3:
            box[3] += 1
        if box == before:
            break
    # A scale bar's patch is small; what grows over the picture is a bright or dark specimen.
    if box[3] - box[2] > 0.6 * strip.shape[1] or on_ground[box[0] : box[1], box[2] : box[3]].mean() < 0.4:
        return None
    return box[0], box[1], box[2], box[3]


# ---------------------------------------------------------------------- the line


def _lines(ink: Mask, shortest: int) -> list[Box]:
    """Return drawn lines: upright rectangles of ink that are slender and free above and below."""
    runs: list[Box] = []
    open_: list[list[int]] = []
    for row in range(ink.shape[0]):
        here = _runs(ink[row], shortest)
        still = []
        for line in open_:
            match = next((run for run in here if abs(run[0] - line[2]) <= 2 and abs(run[1] - line[3]) <= 2), None)
            if match is None:
                runs.append((line[0], line[1], line[2], line[3]))
            else:
                here.remove(match)
                still.append([line[0], row + 1, min(line[2], match[0]), max(line[3], match[1])])
        open_ = still + [[row, row + 1, begin, end] for begin, end in here]
    runs += [(line[0], line[1], line[2], line[3]) for line in open_]
    return [run for run in runs if _is_line(ink, run)]


def _runs(row: Mask, shortest: int) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], row.view(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= shortest]


def _is_line(ink: Mask, line: Box) -> bool:
    top, bottom, left, right = line
    length, thick = right - left, bottom - top
    if length < SLENDER * thick or top == 0 or bottom == ink.shape[0]:
        return False
    inner = slice(left + round(TICKS * length), right - round(TICKS * length))
    return bool(ink[top - 1, inner].mean() < 0.25 and ink[bottom, inner].mean() < 0.25)


def _mended(line: Box, lines: Sequence[Box]) -> Box:
    """Join a line with its other half, where its length is written in its middle."""
    top, bottom, left, right = line
    for other in lines:
        gap = other[2] - right
        same_rows = abs(other[0] - top) <= 1 and abs(other[1] - bottom) <= 1
        long, short = max(right - left, other[3] - other[2]), min(right - left, other[3] - other[2])
        if same_rows and 0 < gap <= 2.5 * long and long - short <= max(3, 0.1 * long):
            return min(top, other[0]), max(bottom, other[1]), left, other[3]
    return line


def _length(strength: NDArray[np.float64], line: Box) -> float:
    """Measure a line from end to end to a fraction of a pixel: an edge pixel counts as far as it is covered."""
    top, bottom, left, right = line
    rows = strength[top:bottom]
    solid = float(np.median(rows[:, left + 2 : max(left + 3, (left + right) // 2)]))
    covered = np.clip(rows / max(solid, 1e-6), 0, 1)
    covered[covered < FAINT] = 0
    # What lies between is whole; at the ends, two pixels to either side may be covered in part.
    ends = [*range(max(0, left - 2), left + 2), *range(right - 2, min(right + 2, rows.shape[1]))]
    return float(right - left - 4 + np.median(covered[:, ends].sum(axis=1)))


# ---------------------------------------------------------------------- what is written


def _phrases(ink: Mask, line: Box) -> tuple[list[list[Box]], float]:
    """Return the letters of each phrase on a panel, from left to right, and how tall letters are."""
    from scipy.ndimage import find_objects, label

    numbered, _ = label(ink, np.ones((3, 3), int))
    lines = set(np.unique(numbered[line[0] : line[1], line[2] : line[3]]).tolist())
    letters = [
        (rows.start, rows.stop, columns.start, columns.stop)
        for number, (rows, columns) in enumerate(find_objects(numbered), start=1)
        if number not in lines and columns.stop - columns.start < 0.5 * ink.shape[1]
        # dust of lossy files, and what lies across the panel's edges, is no writing
        and (rows.stop - rows.start) * (columns.stop - columns.start) >= 2
        and rows.start > 0 and rows.stop < ink.shape[0]
    ]  # fmt: skip
    if not letters:
        return [], 1.0
    heights = np.array([bottom - top for top, bottom, *_ in letters])
    tall = float(np.percentile(heights, 75))
    phrases: list[list[Box]] = []
    for letter in sorted(letters, key=lambda letter: letter[2]):
        home = next((phrase for phrase in phrases if _continues(phrase, letter, tall)), None)
        if home is None:
            phrases.append([letter])
        else:
            home.append(letter)
    return phrases, tall


def _continues(phrase: list[Box], letter: Box, tall: float) -> bool:
    top, bottom, _, right = _whole(phrase)
    return letter[2] - right <= PHRASE * tall and min(bottom, letter[1]) - max(top, letter[0]) > -0.25 * tall


def _beside(line: Box, phrases: list[list[Box]], tall: float) -> list[list[Box]]:
    """Choose the phrases that say how long a line is: in its row, else above or below, else the nearest."""
    top, bottom, left, right = line
    middle = (top + bottom) / 2

    def gap(phrase: list[Box]) -> float:
        _, _, begin, end = _whole(phrase)
        return max(begin - right, left - end)

    in_row = [phrase for phrase in phrases if _whole(phrase)[0] <= middle < _whole(phrase)[1]]
    near = [phrase for phrase in in_row if gap(phrase) <= BESIDE * tall]
    if not near:
        near = [phrase for phrase in phrases if gap(phrase) <= NEAR * tall]
    if not near and phrases:
        near = [min(phrases, key=gap)]
    return sorted(near, key=lambda phrase: (_whole(phrase)[2], _whole(phrase)[0]))


def _whole(boxes: Sequence[Box]) -> Box:
    tops, bottoms, lefts, rights = zip(*boxes, strict=True)
    return min(tops), max(bottoms), min(lefts), max(rights)


def _around(boxes: Sequence[Box], shape: tuple[int, ...]) -> Box:
    top, bottom, left, right = _whole(boxes)
    return max(0, top - 3), min(shape[0], bottom + 3), max(0, left - 4), min(shape[1], right + 4)


def _same_letter(one: Mask, other: Mask) -> bool:
    if abs(one.shape[0] - other.shape[0]) > 1 or abs(one.shape[1] - other.shape[1]) > 1:
        return False
    height, width = max(one.shape[0], other.shape[0]), max(one.shape[1], other.shape[1])
    drawn = max(int(one.sum()), int(other.sum()), 1)

    def placed(mask: Mask, down: int, across: int) -> Mask:
        canvas = np.zeros((height + 1, width + 1), bool)
        canvas[down : down + mask.shape[0], across : across + mask.shape[1]] = mask
        return canvas

    at_corner = placed(one, 0, 0)
    shifts = [(0, 0), (0, 1), (1, 0), (1, 1)] if one.shape != other.shape else [(0, 0)]
    return min(int((at_corner ^ placed(other, *shift)).sum()) for shift in shifts) <= SAME_LETTER * drawn
