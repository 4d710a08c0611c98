"""Gray values, and which become black and white."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Gray: TypeAlias = NDArray[np.float32]  # (h, w), 0 black to 1 white

SAMPLED = 2**18  # pixels, about, that percentiles are taken from
LUMA = (0.299, 0.587, 0.114)  # weights of red, green and blue, ITU-R BT.601


def gray_of(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return (h, w) gray of (h, w) or (h, w, 3) pixels, at full depth; a gray picture comes back as it is."""
    if pixels.ndim == 2:
        return pixels
    red, green, blue = (pixels[..., channel] * np.float32(weight) for channel, weight in enumerate(LUMA))
    gray: NDArray[Any] = red + green + blue
    return gray


def gray_window(gray: NDArray[Any], low_percent: float, high_percent: float) -> tuple[float, float]:
    """Return the gray values that become black and white.

    Pixels that are not finite do not count. Where the percentiles coincide, as in a picture with a few bright specks
    on nothing, the extremes take their place; they coincide in a constant picture only.
    """
    step = max(1, math.ceil((gray.size / SAMPLED) ** 0.5))
    low, high = _percentiles(gray[::step, ::step], (low_percent, high_percent))
    return (low, high) if high > low else _percentiles(gray, (0.0, 100.0))


def windowed(gray: NDArray[Any], window: tuple[float, float]) -> Gray:
    """Scale a window of gray values to 0–1; what is no number takes the mean, so that it makes no edge of its own."""
    low, high = window
    if high <= low:
        return np.full(gray.shape, 0.5, np.float32)
    if are_levels(window, gray.dtype):
        quick: Gray = np.divide(above_black(gray, window), np.float32(high - low), dtype=np.float32)
        return quick
    if gray.dtype == np.uint8:
        table = ((np.arange(256, dtype=np.float64) - low) / (high - low)).clip(0, 1).astype(np.float32)
        return np.take(table, gray)
    # Only single floats and small integers keep their differences as float32.
    exact = np.float32 if gray.dtype.itemsize <= 2 or gray.dtype == np.float32 else np.float64
    scaled: NDArray[Any] = gray.astype(exact)
    with np.errstate(over="ignore", invalid="ignore"):
        np.subtract(scaled, exact(low), out=scaled)
        np.divide(scaled, exact(high - low), out=scaled)
    missing = np.isnan(scaled) if gray.dtype.kind == "f" else None
    np.clip(scaled, 0, 1, out=scaled)
    if missing is not None and missing.any():
        scaled[missing] = scaled[~missing].mean()
    return scaled.astype(np.float32, copy=False)


def above_black(gray: NDArray[Any], window: tuple[float, float]) -> NDArray[Any]:
    """Return how far pixels are above black, at most to white, as the small integers that they are."""
    black, white = (gray.dtype.type(level) for level in window)
    above: NDArray[Any] = np.clip(gray, black, white)
    above -= black
    return above


def are_levels(window: tuple[float, float], dtype: np.dtype[Any]) -> bool:
    """Tell whether black and white are levels of pixels of 8 or 16 bits."""
    small = dtype in (np.uint8, np.uint16) and window[1] > window[0]
    return small and all(float(level).is_integer() and 0 <= level <= np.iinfo(dtype).max for level in window)


def _percentiles(gray: NDArray[Any], percents: tuple[float, float]) -> tuple[float, float]:
    values = gray.ravel()
    if gray.dtype.kind == "f":
        values = values[np.isfinite(values)]
    elif gray.dtype in (np.uint8, np.uint16):
        return _percentiles_of_counts(np.bincount(values), percents)
    if not values.size:
        return 0.0, 0.0
    low, high = np.percentile(values, percents)
    return float(low), float(high)


def _percentiles_of_counts(counts: NDArray[np.intp], percents: tuple[float, float]) -> tuple[float, float]:
    """Do the same from counts of gray levels, which is faster; without interpolation between levels."""
    reached = np.cumsum(counts)
    low, high = (int(np.searchsorted(reached, max(1.0, reached[-1] * percent / 100))) for percent in percents)
    return float(low), float(high)
