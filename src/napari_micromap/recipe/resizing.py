"""Pictures made smaller or larger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.recipe.contrast import Gray

GAP = 2.0  # how many times larger than wanted a picture stays where whole blocks are averaged first
STRIP = 2**17  # pixels, about, that are averaged at once: they stay in the processor's caches


def resized(gray: Gray, rows: int, columns: int) -> Gray:
    """Average (shrinking) or interpolate (enlarging) to (rows, columns)."""
    return gray if gray.shape == (rows, columns) else in_blocks(gray, rows, columns).resized(rows, columns)


def in_blocks(gray: Gray, rows: int, columns: int) -> Blocks:
    """Average whole blocks where a picture is much larger than (rows, columns): 4 times faster on 6144×4096."""
    return Blocks(gray, gray.shape).averaged(rows, columns)


def in_blocks_by_strips(
    strip: Callable[[int, int], NDArray[Any]], shape: tuple[int, ...], rows: int, columns: int
) -> Blocks:
    """Do the same with a picture of this shape that is made strip by strip, and never held as a whole.

    Parameters
    ----------
    strip : callable
        Gives the rows from the first number up to the second, as float32 or in 8 or 16 bits.
    """
    (height, width), (down, along) = shape, _blocks_for(shape, rows, columns)
    means = np.empty((-(-height // down), -(-width // along)), np.float32)
    tall = down * max(1, STRIP // (width * down))
    for top in range(0, height, tall):
        part = strip(top, min(height, top + tall))
        into = means[top // down : (top + len(part) - 1) // down + 1]
        if (down, along) == (1, 2) and width % 2 == 0 and part.dtype.kind == "u":
            into[:] = _pairs(part)
            into *= np.float32(0.5)
        else:
            into[:] = _averaged(part.astype(np.float32, copy=False), down, along)
    return Blocks(means, (height / down, width / along))


@dataclass(frozen=True, eq=False)
class Blocks:
    """A picture of which whole blocks of pixels were averaged.

    Parameters
    ----------
    means : (h, w)
    held : float, float
        How many rows and columns of ``means`` the picture takes: the last block may reach beyond its edge.
    white : float
        What of ``means`` is white; 0 is black.
    """

    means: Gray
    held: tuple[float, ...]
    white: float = 1.0

    def averaged(self, rows: int, columns: int) -> Blocks:
        """Average as much more as (rows, columns) bear."""
        height, width = self.held
        down, along = _blocks_for(self.held, rows, columns)
        return replace(self, means=_averaged(self.means, down, along), held=(height / down, width / along))

    def resized(self, rows: int, columns: int) -> Gray:
        """Bring the picture to (rows, columns): each is a mean of those around it, weighted by a triangle."""
        height, width = self.means.shape
        upright = _triangles(height, self.held[0], rows) @ self.means
        small = _turned(_triangles(width, self.held[1], columns) @ _turned(upright))
        if self.white != 1:
            small /= np.float32(self.white)
        return small.clip(0, 1, out=small)

    def are_fine_for(self, rows: int, columns: int) -> bool:
        """Say whether enough is left of the picture to be brought to (rows, columns)."""
        return self.held[0] >= GAP * rows and self.held[1] >= GAP * columns


def _blocks_for(held: tuple[float, ...], rows: int, columns: int) -> tuple[int, int]:
    """Return height and width of the blocks that may be averaged."""
    return max(1, int(held[0] / rows / GAP)), max(1, int(held[1] / columns / GAP))


@lru_cache(maxsize=64)
def _triangles(there: int, held: float, wanted: int) -> Any:
    """Return a sparse (wanted, there) matrix that resizes ``held`` pixels of ``there``, as Pillow's BILINEAR does.

    A triangle reaches as far as the step where the picture shrinks, else to the next pixel. As a product with sparse
    weights it takes a third of Pillow's time.
    """
    from scipy.sparse import csr_array

    step = held / wanted
    reach = max(1.0, step)
    centers = (np.arange(wanted) + 0.5) * step
    first = np.maximum(0, (centers - reach + 0.5).astype(np.int32))
    last = np.minimum(there, (centers + reach + 0.5).astype(np.int32))
    counts = last - first
    ends = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    columns = np.arange(ends[-1], dtype=np.int32) - np.repeat(ends[:-1] - first, counts)
    weights = np.maximum(0, 1 - np.abs(columns + 0.5 - np.repeat(centers, counts)) / reach)
    weights /= np.repeat(np.add.reduceat(weights, ends[:-1]), counts)
    return csr_array((weights.astype(np.float32), columns, ends), shape=(wanted, there))


def _turned(gray: Gray) -> Gray:
    """Return the transpose, in order: padded first, as rows powers of two apart push one another out of caches."""
    padded = np.empty((gray.shape[0], gray.shape[1] + 16), np.float32)[:, : gray.shape[1]]
    padded[:] = gray
    return np.ascontiguousarray(padded.T)


def _averaged(gray: Gray, down: int, along: int) -> Gray:
    height, width = gray.shape
    if (down, along) == (1, 1):
        return gray
    # Pairs, as in pictures about 1024 wide: the same in a third of the time.
    if (down, along) == (1, 2) and width % 2 == 0:
        return _mean(gray[:, 0::2], gray[:, 1::2])
    if (down, along) == (2, 1) and height % 2 == 0:
        return _mean(gray[0::2], gray[1::2])
    from PIL import Image

    return np.asarray(Image.fromarray(gray).reduce((along, down)), np.float32)


def _pairs(levels: NDArray[Any]) -> NDArray[Any]:
    """Add neighbors along rows of 8 or 16 bits: two at once, as the halves of one number."""
    bits = 8 * levels.itemsize
    both = np.ascontiguousarray(levels).view(f"u{2 * levels.itemsize}")
    sums: NDArray[Any] = both >> bits
    sums += both & (2**bits - 1)
    return sums.view(f"i{sums.itemsize}")  # turned to floats more quickly, and never as large as its sign


def _mean(one: Gray, other: Gray) -> Gray:
    both: Gray = one + other
    both *= np.float32(0.5)
    return both
