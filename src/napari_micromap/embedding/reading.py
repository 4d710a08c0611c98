"""Micrographs read and prepared for the network, each on some thread."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_micromap.atlas import Atlas
from napari_micromap.microscopy.parts import Wholes
from napari_micromap.problems import Problem
from napari_micromap.recipe import Recipe, prepare_windows, prepare_with_thumbnail, thumbnail, window_side
from napari_micromap.store.embeddings import content_hash
from napari_micromap.store.thumbnails import jpeg_of

FINE_ENOUGH = 4  # pixels of an open layer, a side, that are averaged to one of the network's
KEPT_BYTES = 10**9  # of prepared pictures between the two passes


@dataclass(slots=True)
class Picture:
    """One micrograph on its way."""

    row: int
    content: str = ""  # hash of its pixels
    prepared: NDArray[np.float32] | None = None  # (w, side, side): all that the network sees of it
    jpeg: bytes | None = None  # its thumbnail, where there was none
    vector: NDArray[np.float32] | None = None
    whole: NDArray[np.float32] | None = None  # by the whole recipe, if the cache knew it
    computed: bool = False
    reason: str = ""  # why it cannot be read


class Reader:
    """Reads rows of an atlas once: content, thumbnail and prepared picture.

    Parameters
    ----------
    atlas : Atlas
        The collection.
    recipe : Recipe
        How pictures are prepared.
    with_thumbnail, with_vector : container of int
        Rows that need the one or the other.
    """

    def __init__(
        self, atlas: Atlas, recipe: Recipe, with_thumbnail: Container[int], with_vector: Container[int]
    ) -> None:
        self._atlas = atlas
        self._recipe = recipe
        self._um_per_px = atlas.um_per_px
        self._wholes = Wholes()
        self._with_thumbnail = with_thumbnail
        self._with_vector = with_vector
        self._kept: dict[int, Picture] = {}
        self._bytes = 0

    def keep(self, picture: Picture) -> None:
        """Keep a prepared picture for the next pass, if there is room."""
        if picture.prepared is not None and self._bytes + picture.prepared.nbytes <= KEPT_BYTES:
            self._bytes += picture.prepared.nbytes
            self._kept[picture.row] = Picture(picture.row, picture.content, picture.prepared)

    def __call__(self, row: int) -> Picture:
        """Read a row; what cannot be read comes with the reason."""
        if row in self._kept:
            return self._kept.pop(row)
        try:
            return self._read(row)
        except (Problem, OSError) as error:
            return Picture(row, reason=str(error))
        except MemoryError:
            return Picture(row, reason="It is too large for the memory of this machine.")

    def _read(self, row: int) -> Picture:
        um_per_px = float(self._um_per_px[row])
        whole = window_side(self._recipe, um_per_px) is None  # windows are cut from all there is
        specimen = self._atlas[row].specimen(FINE_ENOUGH * self._recipe.side if whole else None, self._wholes)
        if not specimen.size:
            return Picture(row, reason="There is nothing left of it above its data bar.")
        picture = Picture(row, content_hash(specimen))
        small = None
        if row in self._with_thumbnail and row in self._with_vector:
            picture.prepared, small = prepare_with_thumbnail(specimen, self._recipe, um_per_px)
        elif row in self._with_thumbnail:
            small = thumbnail(specimen)
        elif row in self._with_vector:
            picture.prepared = prepare_windows(specimen, self._recipe, um_per_px)
        picture.jpeg = None if small is None else jpeg_of(small)
        return picture
