"""Data bars cut off, on whichever side they are."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, get_args

from numpy.typing import NDArray

Side: TypeAlias = Literal["bottom", "top", "left", "right"]
SIDES: tuple[Side, ...] = get_args(Side)


def side_of(value: object) -> Side:
    """Return the side that a column names; the bottom where it names none."""
    return next((side for side in SIDES if side == value), "bottom")


def crop_bar(pixels: NDArray[Any], bar_rows: int, side: Side = "bottom") -> NDArray[Any]:
    """Cut the data bar, ``bar_rows`` rows or columns thick, off a picture of (h, w) or (h, w, 3)."""
    top, left, height, width = specimen_box(pixels.shape[0], pixels.shape[1], bar_rows, side)
    return pixels[top : top + height, left : left + width]


def specimen_box(height: int, width: int, bar_rows: int, side: Side = "bottom") -> tuple[int, int, int, int]:
    """Return top, left, height, width of the specimen in a picture with its bar; all of it if nothing would be left."""
    across = side in ("left", "right")
    if not 0 < bar_rows < (width if across else height):
        return 0, 0, height, width
    if across:
        return 0, bar_rows if side == "left" else 0, height, width - bar_rows
    return bar_rows if side == "top" else 0, 0, height - bar_rows, width
