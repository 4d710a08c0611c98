"""Indexed pictures: when the index is the gray value, and when it is not."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

GRAY_SHARE = 0.75  # of the entries must be gray for the others to be an overlay; on Zeiss files at least 0.95 are


def without_palette(index: NDArray[Any], palette: NDArray[Any]) -> NDArray[Any]:
    """Return the (h, w) gray or (h, w, 3) RGB picture that an indexed one stands for.

    A palette that is a gray ramp but for some overlay colors (Zeiss marks measurements so) takes nothing from the
    picture: where the ramp is the identity, the index array comes back as it is.

    Parameters
    ----------
    index : (h, w) unsigned integers
    palette : (entries, 3), 8 or 16 bit
    """
    colors = _eight_bit(palette)
    levels = _gray_levels(colors)
    if levels is None:
        return np.take(colors, index, axis=0, mode="clip")
    if np.array_equal(levels, np.arange(len(levels))) or _is_even_ramp(levels, index):
        return index
    return np.take(levels, index, mode="clip")


def _eight_bit(palette: NDArray[Any]) -> NDArray[np.uint8]:
    wide = palette.max(initial=0) > 255
    return (palette >> 8 if wide else palette).astype(np.uint8)


def _gray_levels(colors: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Return the gray level of each entry, overlay entries taking that of their neighbors; None for real colors."""
    spread = np.ptp(colors.astype(np.int16), axis=1)
    gray = spread <= 1
    levels = colors[:, 1]
    if gray.all():
        return levels
    steps = np.diff(levels[gray].astype(np.int16))
    ramp = len(steps) > 0 and ((steps >= 0).all() or (steps <= 0).all()) and np.ptp(levels[gray]) > 0
    if gray.mean() < GRAY_SHARE or not ramp:
        return None
    entries = np.arange(len(colors))
    filled: NDArray[np.uint8] = np.rint(np.interp(entries, entries[gray], levels[gray])).astype(np.uint8)
    return filled


def _is_even_ramp(levels: NDArray[np.uint8], index: NDArray[Any]) -> bool:
    """Tell a 16-bit index whose palette is a plain ramp: the index has the depth, the palette only 8 bits of it."""
    if index.dtype.itemsize == 1 or len(levels) < 2:
        return False
    even = np.linspace(0, 255, len(levels))
    return bool(np.abs(levels - even).max() <= 1)
