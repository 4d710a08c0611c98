"""Folders of the user that the plugin writes to by itself."""

from __future__ import annotations

import os
from pathlib import Path

GIGABYTES = 5.0  # of embeddings that are kept, at most; of thumbnails as many


def cache_folder() -> Path:
    """Return the user's cache folder for this plugin; MICROMAP_CACHE overrides it."""
    from platformdirs import user_cache_path

    named = os.environ.get("MICROMAP_CACHE")
    return Path(named) if named else user_cache_path("napari-micromap", appauthor=False)


def cache_bytes() -> int:
    """Return how large the file of embeddings, and that of thumbnails, may grow; 5 GB, or MICROMAP_CACHE_GB."""
    try:
        return int(1e9 * float(os.environ.get("MICROMAP_CACHE_GB", GIGABYTES)))
    except (ValueError, OverflowError):
        return int(1e9 * GIGABYTES)
