"""The pixels of one tile, as fine as they were read so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.atlas import Micrograph
from napari_micromap.montage.arrangement import Arrangement
from napari_micromap.problems import Problem

_LOW_PERCENT, _HIGH_PERCENT = 0.5, 99.5
_ENOUGH_PIXELS = 500_000  # for percentiles


@dataclass(frozen=True, eq=False)
class TilePixels:
    """A specimen's pixels on the levels of a montage.

    Parameters
    ----------
    levels : mapping of level to (h, w) or (h, w, 3)
        From the finest that was read to the coarsest, in the picture's own number format.
    low, high : float
        What becomes black and white when each picture has its own contrast.
    trouble : str
        Why there is nothing to see, "" where there is.
    preview : bool
        From a thumbnail: to be replaced by the picture itself.
    changed : bool
        Whether it is another picture than the one that was put on the map.
    """

    levels: Mapping[int, NDArray[Any]] = field(default_factory=dict)
    low: float = 0.0
    high: float = 255.0
    trouble: str = ""
    preview: bool = False
    changed: bool = False

    @property
    def finest(self) -> int:
        """The finest level that is here; a large number where there is none."""
        return min(self.levels, default=99)

    @property
    def colored(self) -> bool:
        """Whether it is more than gray."""
        return any(pixels.ndim == 3 for pixels in self.levels.values())

    def at(self, level: int) -> NDArray[Any] | None:
        """Return the pixels for a level: its own, or the next coarser there are."""
        return next((self.levels[k] for k in sorted(self.levels) if k >= level), None)

    def coarser(self, level: int) -> TilePixels:
        """Drop what is finer than a level."""
        kept = {k: pixels for k, pixels in self.levels.items() if k >= level}
        return replace(self, levels=kept) if kept else self


def read_tile(micrograph: Micrograph, arrangement: Arrangement, tile: int, level: int) -> TilePixels:
    """Read a micrograph without its data bar, as finely as a level asks; what goes wrong is told, not raised."""
    height, width = (int(side) for side in arrangement.pixel_boxes(level)[tile][2:])
    try:
        pixels = micrograph.specimen(max(height, width))
        changed = micrograph.live is not None and micrograph.live.changed
    except (Problem, OSError) as problem:
        return TilePixels(trouble=str(problem) or type(problem).__name__)
    if min(pixels.shape[:2]) < 1:
        return TilePixels(trouble="This picture has no pixels.")
    low, high = gray_window(pixels)
    return TilePixels(pyramid(pixels, arrangement, tile, level), low, high, changed=changed)


def preview_tile(thumbnail: NDArray[Any], arrangement: Arrangement, tile: int) -> TilePixels:
    """Make a first, coarse tile of a thumbnail."""
    low, high = gray_window(thumbnail)
    return TilePixels(pyramid(thumbnail, arrangement, tile, arrangement.coarsest), low, high, preview=True)


def pyramid(pixels: NDArray[Any], arrangement: Arrangement, tile: int, level: int) -> dict[int, NDArray[Any]]:
    """Resample a picture to each level from this one to the coarsest."""
    pixels = _plain_numbers(pixels)
    levels = {}
    for k in range(level, len(arrangement.levels)):
        height, width = (int(side) for side in arrangement.pixel_boxes(k)[tile][2:])
        pixels = levels[k] = resampled(pixels, height, width)
    return levels


def gray_window(pixels: NDArray[Any]) -> tuple[float, float]:
    """Return the gray values that become black and white: percentiles, so that a few bright dots do not count."""
    step = max(1, int(np.sqrt(pixels.size / _ENOUGH_PIXELS)))
    some = np.asarray(pixels[::step, ::step], np.float64)
    some = some[np.isfinite(some)]
    if not some.size:
        return 0.0, 1.0
    low, high = np.percentile(some, [_LOW_PERCENT, _HIGH_PERCENT])
    return (float(low), float(high)) if high > low else (float(low) - 0.5, float(low) + 0.5)


def resampled(pixels: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Resample (h, w) or (h, w, 3) pixels: the mean of the area where smaller, straight lines where larger."""
    from PIL import Image

    if pixels.shape[:2] == (height, width):
        return pixels
    smaller = height <= pixels.shape[0] and width <= pixels.shape[1]
    how = Image.Resampling.BOX if smaller else Image.Resampling.BILINEAR
    if pixels.dtype == np.uint8:
        return np.asarray(Image.fromarray(pixels).resize((width, height), how))
    channels = pixels[..., None] if pixels.ndim == 2 else pixels
    parts = [
        np.asarray(Image.fromarray(np.ascontiguousarray(channels[..., c], np.float32)).resize((width, height), how))
        for c in range(channels.shape[2])
    ]
    new = parts[0] if pixels.ndim == 2 else np.stack(parts, axis=-1)
    return np.rint(new).astype(pixels.dtype) if pixels.dtype == np.uint16 else new


def to_8bit(pixels: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Bring pixels to 0 … 255, with ``low`` black and ``high`` white."""
    scale = 255.0 / (high - low)
    if pixels.dtype == np.uint8:
        table = np.clip((np.arange(256) - low) * scale + 0.5, 0, 255).astype(np.uint8)
        dark_to_light: NDArray[np.uint8] = table[pixels]
        return dark_to_light
    bright = (pixels.astype(np.float32) - np.float32(low)) * np.float32(scale) + np.float32(0.5)
    eight: NDArray[np.uint8] = np.clip(np.nan_to_num(bright), 0, 255).astype(np.uint8)
    return eight


def _plain_numbers(pixels: NDArray[Any]) -> NDArray[Any]:
    """Keep 8 and 16 bits, which are small; bring all else to float32, without holes."""
    if pixels.dtype == np.bool_:
        return pixels.astype(np.uint8)
    if pixels.dtype in (np.uint8, np.uint16):
        return np.ascontiguousarray(pixels)
    numbers = np.ascontiguousarray(pixels, np.float32)
    finite = np.isfinite(numbers)
    return numbers if finite.all() else np.where(finite, numbers, numbers[finite].min() if finite.any() else 0)
