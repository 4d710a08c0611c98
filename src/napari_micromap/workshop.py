"""What the stages need beside their input: caches on disk, and the layout process."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from napari_micromap.work import Work

if TYPE_CHECKING:
    from napari_micromap.atlas import Features
    from napari_micromap.layouts.process import LayoutProcess
    from napari_micromap.neighbors import Neighbors
    from napari_micromap.store.embeddings import EmbeddingCache
    from napari_micromap.store.measurements import Measurements
    from napari_micromap.store.thumbnails import Thumbnails


class Workshop:
    """Caches and layout process, each opened when it is first used.

    Parameters
    ----------
    cache : Path, optional
        Folder for embeddings and thumbnails; the user's cache folder if left out.
    """

    def __init__(self, cache: Path | None = None) -> None:
        from napari_micromap.store import cache_folder

        self.cache = cache if cache is not None else cache_folder()
        self._layout_process: LayoutProcess | None = None

    @cached_property
    def embeddings(self) -> EmbeddingCache:
        """Embeddings on disk."""
        from napari_micromap.store.embeddings import EmbeddingCache

        return EmbeddingCache(self.cache)

    @cached_property
    def thumbnails(self) -> Thumbnails:
        """Thumbnails on disk."""
        from napari_micromap.store.thumbnails import Thumbnails

        return Thumbnails(self.cache)

    @cached_property
    def measurements(self) -> Measurements:
        """What was counted in micrographs, on disk."""
        from napari_micromap.store.measurements import Measurements

        return Measurements(self.cache)

    @property
    def layout_process(self) -> LayoutProcess:
        """The process that runs layouts that hold the interpreter; started and warmed when first asked for."""
        if self._layout_process is None:
            from napari_micromap.layouts.process import LayoutProcess

            self._layout_process = LayoutProcess()
            self._layout_process.start()
        return self._layout_process

    def search(self, features: Features, k: int) -> Work[Neighbors]:
        """Find nearly all of the k nearest others of each row, in the layout process."""
        return (yield from self.layout_process.find_neighbors(features, k))

    def warm(self) -> None:
        """Start the layout process, so that it gets ready while other work goes on."""
        _ = self.layout_process

    def close(self) -> None:
        """End the layout process and close what is open on disk."""
        if self._layout_process is not None:
            self._layout_process.close()
            self._layout_process = None
        for name in ("embeddings", "thumbnails", "measurements"):
            opened = self.__dict__.pop(name, None)
            if opened is not None:
                opened.close()
