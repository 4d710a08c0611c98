"""What is kept on disk."""

from napari_micromap.places import cache_folder

__all__ = ["cache_folder"]
