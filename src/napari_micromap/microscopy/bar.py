"""The data bar, found in the pixels; agreed with the header."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.microscopy.cropping import SIDES, Side
from napari_micromap.microscopy.levels import eight_bit, span_of

FROM_HEADER, FROM_PIXELS, BY_USER = "header", "pixels: panel with writing", "you"
DOUBT = "header says"
NO_PANEL, ONE_GRAY = "no panel with a sharp edge", "one gray beyond a quarter of the picture"

FEWEST_ROWS = 8
LARGEST_SHARE = 0.25  # of the height; a blank frame looks like a bar from top to bottom
NEAR = 8  # gray levels of 256 around the panel's own: what JPEG smears
ABOVE = {0: 0.2, NEAR: 0.45}  # that distance from the panel's level: largest share within it above the panel
OWNED = 0.45  # share of a panel's row that its own gray level has at least; specimen rows stay below, or have no edge
JUMP = 0.3  # by which that share rises at the upper edge
EDGE = 3  # rows that may differ at the very bottom (nanocomp has one of specimen there), or as a drawn line
WRITTEN = (0.003, 0.5)  # share of the panel that is writing; without any it may as well be a dark rim of the specimen


@dataclass(frozen=True)
class Bar:
    """A data bar, or why none is cut.

    Parameters
    ----------
    rows : int
        How thick it is, in pixels; 0 for none.
    side : Side
        Where it is.
    reason : str
        What says so, in a few words.
    """

    rows: int
    side: Side
    reason: str

    @property
    def columns(self) -> dict[str, Any]:
        """What the columns of a micrograph say of it."""
        return {"bar_rows": self.rows, "bar_side": self.side if self.rows else None, "bar_from": self.reason}


def find_bar(pixels: NDArray[Any]) -> Bar:
    """Find the data bar in the pixels alone; where nothing is sure, there is none.

    A bar is a panel of one gray level with writing in it: it reaches the edge of the picture along a whole side, has a
    sharp edge towards the specimen, and is at most a quarter of the picture.

    Parameters
    ----------
    pixels : (h, w) or (h, w, 3)
    """
    whys = []
    for side in SIDES:
        rows, why = _at_bottom(_turned(pixels, side))
        if rows:
            return Bar(rows, side, FROM_PIXELS)
        whys.append(why)
    why = ONE_GRAY if whys[0] == NO_PANEL and _is_one_gray(_strip(pixels)) else whys[0]
    return Bar(0, "bottom", f"none: {why}")


def agreed_bar(header_rows: int | None, pixels: NDArray[Any]) -> Bar:
    """Take the bar that a header tells of where its edge shows in the pixels, else what the pixels show."""
    if header_rows and _edge_shows(pixels, header_rows):
        return Bar(header_rows, "bottom", FROM_HEADER)
    found = find_bar(pixels)
    if header_rows is None:
        return found
    if found.rows:
        return replace(found, reason=f"pixels: {DOUBT} {header_rows or 'none'}")
    return replace(found, reason=f"none: {DOUBT} {header_rows}" if header_rows else "none: header and pixels")


def is_doubtful(reason: object) -> bool:
    """Tell whether header and pixels disagree, so that somebody should look."""
    return isinstance(reason, str) and DOUBT in reason


def _turned(pixels: NDArray[Any], side: Side) -> NDArray[Any]:
    """Return a view of a picture with this side at the bottom."""
    if side == "bottom":
        return pixels
    return pixels[::-1] if side == "top" else np.rot90(pixels, 1 if side == "left" else -1)


def _at_bottom(pixels: NDArray[Any]) -> tuple[int, str]:
    """Count the rows of a bar at the bottom; where there is none, say why."""
    strip = _strip(pixels)
    if len(strip) < FEWEST_ROWS + EDGE + 1 or pixels.shape[1] < 32:
        return 0, "too small a picture"
    span = span_of(strip)
    foot = eight_bit(strip[-FEWEST_ROWS - EDGE :], span)
    level = _panel_level(foot)
    if not _stands_on_panel(foot, level):  # these few rows tell of most pictures that they have no bar
        return 0, NO_PANEL
    gray = np.ascontiguousarray(eight_bit(strip, span))
    apart = np.abs(gray.astype(np.int16) - level)
    # As drawn, which tells a panel also from a specimen of nearly its gray; and as JPEG leaves it.
    shares = [(_shares(apart <= near), above) for near, above in ABOVE.items()]
    lines = _drawn_lines(gray)
    starts = [_upper_edge(share, lines, above) for share, above in shares]
    start = min((start for start in starts if start is not None), default=len(gray))
    if start == len(gray):
        return 0, NO_PANEL
    written = float((apart[start:] > 64).mean())
    if not WRITTEN[0] <= written <= WRITTEN[1]:
        return 0, "a plain rim without writing"
    return len(gray) - start, ""


def _strip(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return one channel of the rows where a bar may be, and a few above it."""
    height = len(pixels)
    return _one_channel(pixels[max(0, height - int(height * LARGEST_SHARE) - EDGE - 1) :])


def _one_channel(pixels: NDArray[Any]) -> NDArray[Any]:
    return pixels if pixels.ndim == 2 else pixels[..., 1]


def _stands_on_panel(foot: NDArray[np.uint8], level: int) -> bool:
    """Tell whether the lowest rows, but for the edge, are of the panel's level or drawn lines."""
    apart = np.abs(foot.astype(np.int16) - level)
    if (apart[-EDGE - 2] <= NEAR).mean() < OWNED:  # the row that drawn lines differ from
        return False
    lines = _drawn_lines(foot)
    return any(((_shares(apart <= near) >= OWNED) | lines)[EDGE:-EDGE].all() for near in ABOVE)


def _is_one_gray(strip: NDArray[Any]) -> bool:
    """Tell whether a panel fills all that is looked at."""
    gray = eight_bit(strip, span_of(strip))
    return bool(np.median(_shares(gray == _panel_level(gray))) >= OWNED)


def _shares(where: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return of each row the share that is True."""
    shares: NDArray[np.float64] = np.count_nonzero(where, axis=1) / where.shape[1]
    return shares


def _panel_level(gray: NDArray[np.uint8]) -> int:
    """Return the commonest gray level just above the bottom edge."""
    return int(np.bincount(gray[-FEWEST_ROWS - EDGE :].ravel(), minlength=256).argmax())


def _drawn_lines(gray: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell for each row whether it is a line drawn in another level than the panel's."""
    middle = np.median(gray, axis=1, keepdims=True).astype(np.int16)
    line = _shares(np.abs(gray.astype(np.int16) - middle) <= NEAR) >= 0.9
    drawn: NDArray[np.bool_] = line & (np.abs(middle[:, 0] - middle[-EDGE - 2, 0]) > 64)
    return drawn


def _upper_edge(shares: NDArray[np.float64], lines: NDArray[np.bool_], most_above: float) -> int | None:
    """Return the row where the panel begins: the first rise below which all rows are of its level or drawn lines.

    Further down there are rises too, below the writing; but there the panel's level is common above as well.
    """
    rows = len(shares)
    other = np.flatnonzero(~((shares >= OWNED) | lines)[: rows - EDGE])
    first = int(other[-1]) + 1 if len(other) else 0
    for row in range(max(first, EDGE), rows - FEWEST_ROWS + 1):
        above = shares[row - EDGE : row].max()
        if above < most_above and shares[row : row + 2].min() - above > JUMP:
            return row
    return None


def _edge_shows(pixels: NDArray[Any], rows: int) -> bool:
    """Tell whether a panel begins where the header says, or at least lies below."""
    height = pixels.shape[0]
    if not FEWEST_ROWS <= rows < height / 2:
        return False
    strip = _one_channel(pixels[height - rows - EDGE :])
    gray = eight_bit(strip, span_of(strip))
    shares = _shares(np.abs(gray.astype(np.int16) - _panel_level(gray)) <= NEAR)
    return bool(np.median(shares[EDGE:]) >= OWNED and shares[EDGE : EDGE + 2].mean() - shares[:EDGE].mean() > JUMP / 2)
