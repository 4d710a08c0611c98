"""The stage that embeds: a quick pass for the preview, then the whole recipe; all of it cached as it comes."""

from napari_micromap.embedding.preview import Preview
from napari_micromap.embedding.run import Run

__all__ = ["Preview", "Run"]
