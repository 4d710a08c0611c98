"""The pixels of one tile, as fine as they were read so far."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_micromap import recipe
from napari_micromap.atlas import Micrograph
from napari_micromap.microscopy.parts import Wholes
from napari_micromap.montage.arrangement import Arrangement
from napari_micromap.problems import Problem
from napari_micromap.recipe import Recipe

Eight: TypeAlias = NDArray[np.uint8]  # (h, w) or (h, w, 3)

_PALE, _FEW_PIXELS = 0.12, 0.005  # channels that differ less, of the gray range, and in fewer pixels, are no color
_ENLARGED = 0.5  # pixels of a picture, or fewer, in one of the screen
_SMALLEST = 48  # pixels: the side at which halving ends


@dataclass(frozen=True, eq=False)
class TilePixels:
    """A specimen's pixels, from fine to coarse.

    Parameters
    ----------
    halved : tuple of (h, w) or (h, w, 3) uint8
        The picture in its own contrast, then each time half as large.
    low, high : float
        What became black and white.
    trouble : str
        Why there is nothing to see, "" where there is.
    preview : bool
        From a thumbnail: to be replaced by the picture itself.
    changed : bool
        Whether it is another picture than the one that was put on the map.
    """

    halved: tuple[Eight, ...] = ()
    low: float = 0.0
    high: float = 255.0
    trouble: str = ""
    preview: bool = False
    changed: bool = False

    @property
    def width(self) -> int:
        """Pixels across where it is finest; 0 where there are none."""
        return self.halved[0].shape[1] if self.halved else 0

    @property
    def colored(self) -> bool:
        """Whether it is more than gray."""
        return bool(self.halved) and self.halved[0].ndim == 3

    def no_wider(self, width: float) -> TilePixels:
        """Drop what is finer; something always stays."""
        return replace(self, halved=tuple(p for p in self.halved if p.shape[1] <= width) or self.halved[-1:])

    def for_width(self, width: float) -> Eight | None:
        """Return pixels to make this width of: the coarsest with twice as many, or the finest there are."""
        if not self.halved:
            return None
        return next((pixels for pixels in reversed(self.halved) if pixels.shape[1] >= 2 * width - 1), self.halved[0])


def read_tile(
    micrograph: Micrograph, arrangement: Arrangement, tile: int, resolution: float, wholes: Wholes | None = None
) -> TilePixels:
    """Read a micrograph without its data bar; what goes wrong is told, not raised.

    Parameters
    ----------
    resolution : float
        Pixels a scene unit that are wanted; the picture has fewer where it is smaller.
    """
    height, width = (max(1, round(float(side) * resolution)) for side in arrangement.boxes[tile][2:])
    cut = None if arrangement.cuts is None else arrangement.cuts[tile]
    try:
        enough = max(height, width) if cut is None else round(max((height, width) / cut[2:]))
        pixels = micrograph.specimen(enough, wholes)
        # of a window it would take as long as reading the whole picture
        changed = micrograph.live is not None and micrograph.window is None and micrograph.live.changed
    except (Problem, OSError) as problem:
        return TilePixels(trouble=str(problem) or type(problem).__name__)
    if min(pixels.shape[:2]) < 1:
        return TilePixels(trouble="This picture has no pixels.")
    return tile_of(pixels if cut is None else cut_of(pixels, cut), height, width, changed=changed)


def cut_of(pixels: NDArray[Any], cut: NDArray[np.float64]) -> NDArray[Any]:
    """Cut a part of a picture: top, left, height and width, as shares of it."""
    (top, left), (tall, wide) = (np.rint(part * pixels.shape[:2]).astype(int) for part in (cut[:2], cut[2:]))
    return pixels[top : top + max(1, tall), left : left + max(1, wide)]


def tile_of(pixels: NDArray[Any], height: int, width: int, preview: bool = False, changed: bool = False) -> TilePixels:
    """Make a tile of a picture, no larger than asked."""
    from PIL import Image

    pixels = gray_if_pale(pixels)
    low, high = gray_window(pixels)
    eight = to_8bit(pixels, low, high)
    if width < eight.shape[1]:
        eight = np.asarray(Image.fromarray(eight).resize((width, height), Image.Resampling.HAMMING))
    halved = [eight]
    while min(eight.shape[:2]) > 2 * _SMALLEST:
        half = -(-eight.shape[1] // 2), -(-eight.shape[0] // 2)
        eight = np.asarray(Image.fromarray(eight).resize(half, Image.Resampling.BOX))
        halved.append(eight)
    return TilePixels(tuple(halved), low, high, preview=preview, changed=changed)


def gray_if_pale(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return gray where an RGB picture has no real color: lossy files tint what was gray."""
    if pixels.ndim == 2:
        return pixels
    low, high = gray_window(pixels)
    some = np.asarray(pixels[::4, ::4], np.float32)
    colorful = np.ptp(some, axis=-1) > _PALE * (high - low)
    if np.count_nonzero(colorful) > _FEW_PIXELS * colorful.size:
        return pixels
    gray = recipe.gray_of(pixels)
    return np.rint(gray).astype(pixels.dtype) if pixels.dtype.kind in "ui" else gray


def gray_window(pixels: NDArray[Any]) -> tuple[float, float]:
    """Return the gray values that become black and white, the same as in thumbnails."""
    usual = Recipe()
    low, high = recipe.gray_window(recipe.gray_of(pixels), usual.low_percent, usual.high_percent)
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def to_8bit(pixels: NDArray[Any], low: float, high: float) -> Eight:
    """Bring pixels to 0 … 255, with ``low`` black and ``high`` white; holes become black."""
    scale = 255.0 / (high - low)
    if pixels.dtype == np.uint8:
        table = np.clip((np.arange(256) - low) * scale + 0.5, 0, 255).astype(np.uint8)
        by_table: Eight = table[pixels]
        return by_table
    bright = (pixels.astype(np.float32) - np.float32(low)) * np.float32(scale) + np.float32(0.5)
    computed: Eight = np.clip(np.nan_to_num(bright), 0, 255).astype(np.uint8)
    return computed


def part_of(pixels: Eight, rows: tuple[int, int, float, float], columns: tuple[int, int, float, float]) -> Eight:
    """Resample to a part of a pixel grid in which the picture lies between two places that need not be whole.

    Parameters
    ----------
    rows, columns : (first, end, begin of the picture, its end)
        Pixels of the grid that are wanted, and where the picture lies among them; wanted are only pixels of which at
        least half is covered.
    """
    from PIL import Image

    (y0, y1, top, bottom), (x0, x1, left, right) = rows, columns
    down, across = pixels.shape[0] / (bottom - top), pixels.shape[1] / (right - left)
    if across <= _ENLARGED:  # each pixel is seen: the one that a middle lies in, whichever part is looked at
        ys, xs = (
            (np.arange(f, e) + 0.5 - begin) * step for (f, e, begin, _), step in ((rows, down), (columns, across))
        )
        return pixels[np.ix_(*(np.clip(at.astype(int), 0, side - 1) for at, side in zip((ys, xs), pixels.shape)))]
    inner = [
        (max(first, int(np.ceil(begin - 1e-6))), min(end, int(np.floor(stop + 1e-6))))
        for first, end, begin, stop in (rows, columns)
    ]
    # A pixel at the picture's edge that is covered in part repeats its neighbor; one that holds all of it is its mean.
    (iy0, iy1), (ix0, ix1) = ((a, b) if a < b else (f, f + 1) for (a, b), f in zip(inner, (y0, x0)))
    box = np.array([(ix0 - left) * across, (iy0 - top) * down, (ix1 - left) * across, (iy1 - top) * down])
    box = np.clip(box, 0, [pixels.shape[1], pixels.shape[0]] * 2)
    reach = int(np.ceil(max(across, down, 1))) + 1  # of the filter around what is wanted
    fx, fy = (max(0, int(edge) - reach) for edge in box[:2])
    cut = np.ascontiguousarray(pixels[fy : int(np.ceil(box[3])) + reach, fx : int(np.ceil(box[2])) + reach])
    a, b, c, d = np.clip(box - [fx, fy, fx, fy], 0, [cut.shape[1], cut.shape[0]] * 2).tolist()
    # Of PIL's filters Hamming's comes closest to the mean of the area (r > .98; box .91), as it weighs parts of pixels.
    small = Image.fromarray(cut).resize((ix1 - ix0, iy1 - iy0), Image.Resampling.HAMMING, box=(a, b, c, d))
    around = ((iy0 - y0, y1 - iy1), (ix0 - x0, x1 - ix1), (0, 0))
    return np.pad(np.asarray(small), around[: pixels.ndim], mode="edge")
