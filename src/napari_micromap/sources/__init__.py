"""Where micrographs come from."""

from __future__ import annotations

from typing import Protocol

from napari_micromap.atlas import Atlas
from napari_micromap.choices import Choices
from napari_micromap.work import Work


class Source(Protocol):
    """A frozen dataclass that gathers micrographs."""

    def __call__(self) -> Work[Atlas]:
        """List and read them; what cannot be read is named in ``unreadable``."""


SOURCES: Choices[Source] = Choices(
    "source",
    {
        "folder": "napari_micromap.sources.folder:Folder",
        "layers": "napari_micromap.sources.layers:Layers",
        "films": "napari_micromap.sources.films:Films",
    },
)
