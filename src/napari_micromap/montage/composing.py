"""Tiles composed to one picture, on any level, when it is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.montage.arrangement import Arrangement
from napari_micromap.montage.tiles import TilePixels, to_8bit

_EMPTY = 0.22  # how far from the ground to middle gray a tile stands whose pixels are still to come
_CHUNK = 512  # pixels: viewers that know chunks ask for whole ones, and so less often while panning
MOST_FINE_BYTES = 2**28  # of pixels that are finer than the level that is kept for all


class Montage:
    """A page of micrographs as 8-bit picture of several levels.

    Parameters
    ----------
    arrangement : Arrangement
        Where the tiles stand.
    colored : bool
        Whether it is an RGB picture; gray tiles are gray in it.
    ground : 3 int
        Color between the tiles; its brightness where the picture is gray.
    shared_contrast : bool
        Whether all tiles have the same black and white, so that their brightness can be compared.
    """

    def __init__(
        self,
        arrangement: Arrangement,
        tiles: Mapping[int, TilePixels] | None = None,
        colored: bool = False,
        ground: tuple[int, int, int] = (0, 0, 0),
        shared_contrast: bool = False,
    ) -> None:
        self.arrangement = arrangement
        self.colored = colored
        self.ground = ground
        self.shared_contrast = shared_contrast
        self.tiles: dict[int, TilePixels] = dict(tiles or {})
        self._last = self._compose(arrangement.coarsest)
        fine = [_Level(self, level) for level in range(arrangement.coarsest)]
        # The coarsest level is an array that is painted in place: viewers keep it.
        self.levels: list[Any] = [*fine, self._last]

    def like(self, tiles: Mapping[int, TilePixels], **changes: Any) -> Montage:
        """Return the same page with other tiles or looks."""
        looks = {"colored": self.colored, "ground": self.ground, "shared_contrast": self.shared_contrast}
        return Montage(self.arrangement, tiles, **{**looks, **changes})

    def put(self, tiles: Mapping[int, TilePixels]) -> None:
        """Take over tiles that were read."""
        windows = self._shared_window()
        for tile, pixels in tiles.items():
            known = self.tiles.get(tile)
            if known is None or known.preview or pixels.finest <= known.finest:
                self.tiles[tile] = pixels
        if windows != self._shared_window():
            tiles = self.tiles
        last = self.arrangement.coarsest
        for tile in tiles:
            self._paint(self._last, tile, last, 0, 0)

    def region(self, level: int, top: int, bottom: int, left: int, right: int) -> NDArray[np.uint8]:
        """Compose (bottom − top, right − left) pixels of a level, with a last axis of 3 where colored."""
        shape = (bottom - top, right - left, 3) if self.colored else (bottom - top, right - left)
        picture = np.empty(shape, np.uint8)
        picture[...] = self.ground if self.colored else _brightness(self.ground)
        for tile in self.inside(level, top, bottom, left, right):
            self._paint(picture, int(tile), level, top, left)
        return picture

    def inside(self, level: int, top: int, bottom: int, left: int, right: int) -> NDArray[np.intp]:
        """Return the tiles of which something is in a region of a level."""
        tops, lefts, heights, widths = self.arrangement.pixel_boxes(level).T
        return np.flatnonzero(
            (tops < bottom) & (tops + heights > top) & (lefts < right) & (lefts + widths > left)
        )  # fmt: skip

    def lacking(self, level: int, top: int, bottom: int, left: int, right: int) -> list[tuple[int, int]]:
        """Return the tiles in a region that could be finer there, and the level they should be read at."""
        wanted = np.maximum(self.arrangement.own_levels, level)
        return [
            (int(tile), int(wanted[tile]))
            for tile in self.inside(level, top, bottom, left, right)
            if not self._fine_enough(int(tile), int(wanted[tile]))
        ]

    def unread(self) -> list[tuple[int, int]]:
        """Return the tiles that are not read yet, and the level they should be read at."""
        wanted = np.maximum(self.arrangement.own_levels, self.arrangement.kept)
        return [
            (tile, int(wanted[tile]))
            for tile in range(len(self.arrangement))
            if not self._fine_enough(tile, int(wanted[tile]))
        ]

    def forget_fine(self, keep: NDArray[np.intp]) -> None:
        """Drop pixels that were read for a closer look, of tiles that are not in ``keep``, once they are too many."""
        level = self.arrangement.kept
        fine = {
            tile: sum(p.nbytes for k, p in pixels.levels.items() if k < level) for tile, pixels in self.tiles.items()
        }
        if sum(fine.values()) > MOST_FINE_BYTES:
            for tile in set(fine) - set(keep.tolist()):
                self.tiles[tile] = self.tiles[tile].coarser(level)

    def window_of(self, tile: int) -> tuple[float, float]:
        """Return what is black and white in a tile."""
        shared = self._shared_window()
        return shared or (self.tiles[tile].low, self.tiles[tile].high)

    def _fine_enough(self, tile: int, level: int) -> bool:
        pixels = self.tiles.get(tile)
        return pixels is not None and not pixels.preview and (bool(pixels.trouble) or pixels.finest <= level)

    def _shared_window(self) -> tuple[float, float] | None:
        read = [pixels for pixels in self.tiles.values() if pixels.levels]
        if not self.shared_contrast or not read:
            return None
        return min(pixels.low for pixels in read), max(pixels.high for pixels in read)

    def _compose(self, level: int) -> NDArray[np.uint8]:
        height, width = self.arrangement.levels[level]
        return self.region(level, 0, height, 0, width)

    def _paint(self, picture: NDArray[np.uint8], tile: int, level: int, top: int, left: int) -> None:
        """Paint what of a tile is inside a picture that begins at (top, left) of a level."""
        y, x, height, width = (int(value) for value in self.arrangement.pixel_boxes(level)[tile])
        y0, y1 = max(y, top), min(y + height, top + picture.shape[0])
        x0, x1 = max(x, left), min(x + width, left + picture.shape[1])
        if y0 >= y1 or x0 >= x1:
            return
        target = picture[y0 - top : y1 - top, x0 - left : x1 - left]
        known = self.tiles.get(tile)
        pixels = None if known is None else known.at(level)
        if pixels is None:
            ground = _brightness(self.ground)
            target[...] = round(ground + _EMPTY * (128 - ground))
            return
        part = _part(pixels, (y0 - y, y1 - y, height), (x0 - x, x1 - x, width))
        part = to_8bit(part, *self.window_of(tile))
        target[...] = part[..., None] if self.colored and part.ndim == 2 else _gray(part) if not self.colored else part


class _Level:
    """One level as an array that is composed when it is sliced."""

    def __init__(self, montage: Montage, level: int) -> None:
        self._montage, self._level = montage, level
        self.shape: tuple[int, ...] = (*montage.arrangement.levels[level], *((3,) if montage.colored else ()))
        self.ndim = len(self.shape)
        self.size = int(np.prod(self.shape))
        self.dtype = np.dtype(np.uint8)
        self.chunks = (_CHUNK, _CHUNK, 3)[: self.ndim]

    def __getitem__(self, key: Any) -> NDArray[np.uint8]:
        keys = key if isinstance(key, tuple) else (key,)
        keys = (*keys, *(slice(None),) * (2 - len(keys)))
        (top, bottom), (left, right) = (_span(k, side) for k, side in zip(keys, self.shape))
        rest = tuple(0 if not isinstance(k, slice) else slice(None, None, k.step) for k in keys[:2])
        return self._montage.region(self._level, top, bottom, left, right)[rest + tuple(keys[2:])]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        whole = self[:, :]
        return whole if dtype is None else whole.astype(dtype)


def _span(key: Any, side: int) -> tuple[int, int]:
    """Return begin and end of a slice or number, never empty: a viewer may ask for where a larger page was."""
    begin, end = (key.indices(side)[:2]) if isinstance(key, slice) else (int(key) % side, int(key) % side + 1)
    begin = min(begin, side - 1)
    return begin, max(end, begin + 1)


def _part(pixels: NDArray[Any], ys: tuple[int, int, int], xs: tuple[int, int, int]) -> NDArray[Any]:
    """Take rows and columns (first, end, of how many) of pixels that may be coarser than that."""
    if pixels.shape[:2] == (ys[2], xs[2]):
        return pixels[ys[0] : ys[1], xs[0] : xs[1]]
    rows, columns = (
        ((np.arange(first, end) + 0.5) * have / count).astype(np.intp)
        for (first, end, count), have in zip((ys, xs), pixels.shape)
    )
    part: NDArray[Any] = pixels[rows[:, None], columns]
    return part


def _gray(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return pixels if pixels.ndim == 2 else np.rint(pixels @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)


def _brightness(color: tuple[int, int, int]) -> int:
    return round(0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2])
