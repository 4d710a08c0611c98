"""The selected micrographs, and the opened one, in the viewer."""

from napari_micromap.views.gallery.view import Gallery

__all__ = ["Gallery"]
