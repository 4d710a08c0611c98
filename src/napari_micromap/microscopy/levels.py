"""Gray values of any number format in 256 levels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

STRIP = 2**16  # values, about, that are turned at once: they stay in the processor's caches


def span_of(values: NDArray[Any]) -> tuple[float, float]:
    """Return the least and the largest finite value, zeros where there is none; of 8 bits the least and the largest."""
    if values.dtype == np.uint8:
        return 0.0, 255.0
    if values.dtype.kind == "f":
        with np.errstate(all="ignore"):
            values = values.astype(np.float32, copy=False)
        values = values[np.isfinite(values)]
    return (float(np.float32(values.min())), float(np.float32(values.max()))) if values.size else (0.0, 0.0)


def eight_bit(values: NDArray[Any], span: tuple[float, float]) -> NDArray[np.uint8]:
    """Return values within a span in 256 levels; what is no number becomes 0. Those of 8 bits stay as they are."""
    if values.dtype == np.uint8:
        return values
    low, width = np.float32(span[0]), np.float32(max(float(np.float32(span[1]) - np.float32(span[0])), 1e-30))
    levels = np.empty(values.shape, np.uint8)
    rows = max(1, STRIP // max(1, values[:1].size))
    for first in range(0, len(values), rows):
        with np.errstate(all="ignore"):
            strip = values[first : first + rows].astype(np.float32)
            strip -= low
            strip /= width
            strip *= np.float32(255)
        if values.dtype.kind == "f":
            np.nan_to_num(strip, copy=False, nan=0.0, posinf=255.0, neginf=0.0)
            np.clip(strip, 0, 255, out=strip)
        levels[first : first + rows] = strip
    return levels
