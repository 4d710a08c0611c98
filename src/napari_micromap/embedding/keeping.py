"""What a run finds out, put on disk as it comes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from napari_micromap.store.embeddings import EmbeddingCache
    from napari_micromap.store.thumbnails import Thumbnails

PUT_EVERY = 0.5  # seconds


class Keeper:
    """What is new since it was last put on disk.

    Parameters
    ----------
    cache, thumbnails : EmbeddingCache, Thumbnails
        Where it is put.
    """

    def __init__(self, cache: EmbeddingCache, thumbnails: Thumbnails) -> None:
        self._cache = cache
        self._thumbnails = thumbnails
        self.vectors: dict[str, NDArray[np.float32]] = {}
        self.jpegs: dict[str, bytes] = {}
        self.memos: dict[str, str] = {}
        self._put_at = time.monotonic()

    def put_if_due(self) -> None:
        """Put it if the last time is a while ago: each time costs a write to the disk."""
        if time.monotonic() - self._put_at > PUT_EVERY:
            self.put()

    def put(self) -> None:
        """Put all of it."""
        if self.jpegs:
            self._thumbnails.put_jpegs(list(self.jpegs.items()))
        if self.vectors:
            self._cache.put(self.vectors)
        if self.memos:
            self._cache.note(self.memos)
        self.vectors, self.jpegs, self.memos = {}, {}, {}
        self._put_at = time.monotonic()
