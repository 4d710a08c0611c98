"""Reading the tiles of a page, as work."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_micromap.atlas import Atlas, Micrograph, Rows, specimen_sizes
from napari_micromap.microscopy.parts import Wholes
from napari_micromap.montage.arrangement import Arrangement, arrange, typical_first
from napari_micromap.montage.composing import Want
from napari_micromap.montage.tiles import TilePixels, cut_of, read_tile, tile_of
from napari_micromap.streaming import in_order
from napari_micromap.work import Progress, Work

PER_PAGE = 100
_EVERY = 0.2  # seconds between two pictures of a page that fills
_STAGE = "Reading"


class Thumbnails(Protocol):
    """Small pictures that are on disk already."""

    def key_of(self, micrograph: Micrograph) -> str:
        """Return under which key a micrograph's is kept."""

    def get(self, key: str) -> NDArray[Any] | None:
        """Return a small picture of the specimen, or None where there is none."""


@dataclass(frozen=True, eq=False)
class Filled:
    """A page, and the tiles that were read so far."""

    arrangement: Arrangement
    tiles: dict[int, TilePixels]


def arrange_page(
    atlas: Atlas, rows: Rows, page: int, aspect: float, thumbnails: Thumbnails | None = None, same_scale: bool = False
) -> Work[Filled]:
    """Arrange a page of these rows, most typical first, with what thumbnails show of it.

    With ``same_scale`` pictures are cut so that all tiles of the page have the same scale, where one is known.
    """
    yield Progress(_STAGE)
    ordered = typical_first(rows, atlas.features)
    pages = max(1, -(-len(ordered) // PER_PAGE))
    page = min(max(page, 0), pages - 1)
    shown = ordered[page * PER_PAGE : (page + 1) * PER_PAGE]
    um_per_px = atlas.um_per_px[shown] if same_scale else None
    arrangement = arrange(shown, _sizes(atlas, shown), aspect, page, pages, len(ordered), um_per_px)
    return Filled(arrangement, _previews(atlas, arrangement, thumbnails))


def counts_on(page: Arrangement) -> str:
    """Say what of all is on a page: "1–100 of 2,310", or "23" where all are."""
    if page.pages == 1:
        return f"{page.total:,}"
    first = page.page * PER_PAGE
    return f"{first + 1:,}–{first + len(page):,} of {page.total:,}"


def whole_page(arrangement: Arrangement) -> list[Want]:
    """Return all tiles of a page, as fine as it is kept."""
    return list(enumerate(np.minimum(arrangement.own, arrangement.kept).tolist()))


def fill(atlas: Atlas, arrangement: Arrangement, wants: Sequence[Want]) -> Work[Filled]:
    """Read tiles of a page; what is there already can be shown meanwhile."""
    filled: dict[int, TilePixels] = {}
    wholes = Wholes()

    def read(want: Want) -> TilePixels:
        return read_tile(atlas[int(arrangement.rows[want[0]])], arrangement, *want, wholes)

    told = time.monotonic()
    for done, (want, pixels) in enumerate(zip(wants, in_order(read, wants, workers=2)), start=1):
        filled[want[0]] = pixels
        if time.monotonic() - told > _EVERY:
            told = time.monotonic()
            yield Progress(_STAGE, done, len(wants), partial=Filled(arrangement, dict(filled)))
        else:
            yield Progress(_STAGE, done, len(wants))
    return Filled(arrangement, filled)


def _sizes(atlas: Atlas, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return (k, 2) height without data bar, and width."""
    return specimen_sizes(atlas.columns.iloc[rows])


def _previews(atlas: Atlas, arrangement: Arrangement, thumbnails: Thumbnails | None) -> dict[int, TilePixels]:
    if thumbnails is None:
        return {}
    tiles = {}
    for tile, row in enumerate(arrangement.rows.tolist()):
        small = thumbnails.get(thumbnails.key_of(atlas[row]))
        if small is not None:
            small = small if arrangement.cuts is None else cut_of(small, arrangement.cuts[tile])
            tiles[tile] = tile_of(small, small.shape[0], small.shape[1], True)
    return tiles
