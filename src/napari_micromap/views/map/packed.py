"""Colors as four bytes in one number, mixed many at a time."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Rgb: TypeAlias = tuple[int, int, int]
Packed: TypeAlias = NDArray[np.uint32]  # (k,) opaque RGBA

_EVERY_OTHER = np.uint32(0x00FF00FF)


def packed(rgb: Rgb) -> np.uint32:
    """Return an opaque color."""
    color: np.uint32 = np.array([*rgb, 255], np.uint8).view(np.uint32)[0]
    return color


def mixed(under: Packed | np.uint32, over: Packed | np.uint32, part: NDArray[np.float32] | float) -> Packed:
    """Return colors that are ``part`` (0 to 1) of the ones above and the rest of the ones below."""
    share = np.asarray(np.asarray(part, np.float32) * np.float32(256) + np.float32(0.5)).astype(np.uint32)
    rest = np.uint32(256) - share
    # Two bytes at a time: 255 · 256 needs no more than the 16 bits that each of them has to itself.
    even = ((under & _EVERY_OTHER) * rest + (over & _EVERY_OTHER) * share) >> np.uint32(8) & _EVERY_OTHER
    odd = (under >> np.uint32(8) & _EVERY_OTHER) * rest + (over >> np.uint32(8) & _EVERY_OTHER) * share
    color: Packed = even | odd & ~_EVERY_OTHER
    return color
