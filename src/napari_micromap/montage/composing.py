"""Tiles composed to one picture, on any level, when it is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_micromap.montage.arrangement import Arrangement
from napari_micromap.montage.grid import Grid
from napari_micromap.montage.tiles import Eight, TilePixels, part_of
from napari_micromap.recipe import gray_of

Want: TypeAlias = tuple[int, float]  # a tile, and the pixels a scene unit it should be read at
Sight: TypeAlias = tuple[float, float, float, float]  # top, bottom, left, right of what is looked at, in scene units

_EMPTY = 0.22  # how far from the ground to middle gray a tile stands whose pixels are still to come
_CHUNK = 512  # pixels: viewers that know chunks ask for whole ones, and so less often while panning
_MOST_FINE_BYTES = 2**28  # of pixels that were read for a closer look


class Montage:
    """A page of micrographs as an 8-bit picture of several levels.

    Parameters
    ----------
    arrangement : Arrangement
        Where the tiles stand.
    grid : Grid
        Where its pixels are.
    tiles : mapping of tile to TilePixels
        What was read so far.
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
        grid: Grid,
        tiles: Mapping[int, TilePixels] | None = None,
        colored: bool = False,
        ground: tuple[int, int, int] = (0, 0, 0),
        shared_contrast: bool = False,
    ) -> None:
        self.arrangement, self.grid = arrangement, grid
        self.colored, self.ground, self.shared_contrast = colored, ground, shared_contrast
        self.tiles: dict[int, TilePixels] = dict(tiles or {})
        self._tables: dict[int, Eight] = self._shared_tables()
        last = len(grid.shapes) - 1
        self._last = self.region(last, 0, grid.shapes[last][0], 0, grid.shapes[last][1])
        # The coarsest level is an array that is painted in place: viewers keep it.
        self.levels: list[Any] = [*(_Level(self, level) for level in range(last)), self._last]

    def like(self, **changes: Any) -> Montage:
        """Return the same page with another grid or other looks."""
        names = ("grid", "tiles", "colored", "ground", "shared_contrast")
        return Montage(self.arrangement, **{**{name: getattr(self, name) for name in names}, **changes})

    def put(self, tiles: Mapping[int, TilePixels]) -> None:
        """Take over tiles that were read."""
        new = {tile for tile, pixels in tiles.items() if self._better(tile, pixels)}
        self.tiles.update({tile: tiles[tile] for tile in new})
        tables = self._shared_tables()
        others = self.tiles.keys() if tables.keys() - new != self._tables.keys() - new else ()
        self._tables = tables
        self._paint_last(new.union(others) if self.shared_contrast else new)

    def region(self, level: int, top: int, bottom: int, left: int, right: int) -> Eight:
        """Compose (bottom − top, right − left) pixels of a level, with a last axis of 3 where colored."""
        shape = (bottom - top, right - left, 3) if self.colored else (bottom - top, right - left)
        picture = np.empty(shape, np.uint8)
        picture[...] = self.ground if self.colored else _brightness(self.ground)
        first, start, height, width = self.grid.places(level)
        sight = first + top * height, first + bottom * height, start + left * width, start + right * width
        for tile in self.inside(sight).tolist():
            self._paint(picture, tile, level, top, left)
        return picture

    def inside(self, sight: Sight) -> NDArray[np.intp]:
        """Return the tiles of which something is in sight."""
        tops, lefts, heights, widths = self.arrangement.boxes.T
        top, bottom, left, right = sight
        return np.flatnonzero((tops < bottom) & (tops + heights > top) & (lefts < right) & (lefts + widths > left))

    def lacking(self, sight: Sight, resolution: float) -> list[Want]:
        """Return the tiles in sight that could be finer, up to some pixels a scene unit."""
        return self._wants(self.inside(sight).tolist(), resolution)

    def unread(self) -> list[Want]:
        """Return the tiles that are not as fine yet as the whole page is kept."""
        return self._wants(range(len(self.arrangement)), self.arrangement.kept)

    def forget_fine(self, keep: NDArray[np.intp]) -> None:
        """Drop pixels that were read for a closer look, of tiles not in ``keep``, once they are too many."""
        widths = self.arrangement.boxes[:, 3] * self.arrangement.kept * 1.01 + 1
        fine = {tile: pixels for tile, pixels in self.tiles.items() if pixels.width > widths[tile]}
        if sum(pixels.halved[0].nbytes for pixels in fine.values()) > _MOST_FINE_BYTES:
            for tile in fine.keys() - set(keep.tolist()):
                self.tiles[tile] = fine[tile].no_wider(widths[tile])

    def _wants(self, tiles: Iterable[int], resolution: float) -> list[Want]:
        wanted = np.minimum(self.arrangement.own, resolution)
        wants = [(tile, float(wanted[tile])) for tile in tiles]
        return [(tile, fine) for tile, fine in wants if not self._fine_enough(tile, fine)]

    def _fine_enough(self, tile: int, resolution: float) -> bool:
        pixels = self.tiles.get(tile)
        if pixels is None or pixels.preview:
            return False
        return bool(pixels.trouble) or pixels.width >= 0.99 * resolution * self.arrangement.boxes[tile, 3] - 1

    def _better(self, tile: int, pixels: TilePixels) -> bool:
        known = self.tiles.get(tile)
        return known is not pixels and (known is None or known.preview or pixels.width >= known.width)

    def _shared_tables(self) -> dict[int, Eight]:
        """Return for each tile how its own gray becomes that of a contrast that all share."""
        read = {tile: pixels for tile, pixels in self.tiles.items() if pixels.halved}
        if not self.shared_contrast or not read:
            return {}
        low = min(pixels.low for pixels in read.values())
        high = max(pixels.high for pixels in read.values())
        gray = np.arange(256) / 255
        return {
            tile: np.rint(((pixels.high - pixels.low) * gray + pixels.low - low) / (high - low) * 255).astype(np.uint8)
            for tile, pixels in read.items()
        }

    def _paint_last(self, tiles: Iterable[int]) -> None:
        for tile in tiles:
            self._paint(self._last, tile, len(self.levels) - 1, 0, 0)

    def _paint(self, picture: Eight, tile: int, level: int, top: int, left: int) -> None:
        """Paint what of a tile is inside a picture that begins at pixel (top, left) of a level."""
        first, start, height, width = self.grid.places(level)
        box = self.arrangement.boxes[tile]
        rows = _covered(float(box[0] - first) / height, float(box[0] + box[2] - first) / height, top, picture.shape[0])
        columns = _covered(
            float(box[1] - start) / width, float(box[1] + box[3] - start) / width, left, picture.shape[1]
        )
        if rows[0] >= rows[1] or columns[0] >= columns[1]:
            return
        target = picture[rows[0] - top : rows[1] - top, columns[0] - left : columns[1] - left]
        known = self.tiles.get(tile)
        pixels = None if known is None else known.for_width(columns[3] - columns[2])
        if pixels is None:
            ground = _brightness(self.ground)
            target[...] = round(ground + _EMPTY * (128 - ground))
            return
        part = part_of(pixels, rows, columns)
        part = self._tables[tile][part] if tile in self._tables else part
        if part.ndim == 3 and not self.colored:
            part = np.rint(gray_of(part)).astype(np.uint8)
        target[...] = part[..., None] if self.colored and part.ndim == 2 else part


class _Level:
    """One level as an array that is composed when it is sliced."""

    def __init__(self, montage: Montage, level: int) -> None:
        self._montage, self._level = montage, level
        self.shape: tuple[int, ...] = (*montage.grid.shapes[level], *((3,) if montage.colored else ()))
        self.ndim = len(self.shape)
        self.size = int(np.prod(self.shape))
        self.dtype = np.dtype(np.uint8)
        self.chunks = (_CHUNK, _CHUNK, 3)[: self.ndim]

    def __getitem__(self, key: Any) -> Eight:
        keys = key if isinstance(key, tuple) else (key,)
        keys = (*keys, *(slice(None),) * (2 - len(keys)))
        (top, bottom), (left, right) = (_span(k, side) for k, side in zip(keys[:2], self.shape))
        rest = tuple(slice(None, None, k.step) if isinstance(k, slice) else 0 for k in keys[:2])
        return self._montage.region(self._level, top, bottom, left, right)[rest + tuple(keys[2:])]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        whole = self[:, :]
        return whole if dtype is None else whole.astype(dtype)


def _span(key: Any, side: int) -> tuple[int, int]:
    """Return begin and end of a slice or number, never empty: a viewer may ask for where a larger page was."""
    begin, end = (key.indices(side)[:2]) if isinstance(key, slice) else (int(key) % side, int(key) % side + 1)
    begin = min(begin, side - 1)
    return begin, max(end, begin + 1)


def _covered(begin: float, end: float, first: int, count: int) -> tuple[int, int, float, float]:
    """Return the pixels, of those there are, whose middle lies between two places; and the places."""
    inside = int(np.ceil(begin - 0.5)), max(int(np.ceil(end - 0.5)), int(np.ceil(begin - 0.5)) + 1)
    return max(inside[0], first), min(inside[1], first + count), begin, end


def _brightness(color: tuple[int, int, int]) -> int:
    return round(0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2])
