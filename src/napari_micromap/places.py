"""Folders of the user that the plugin writes to by itself."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the user's cache folder for this plugin; MICROMAP_CACHE overrides it."""
    from platformdirs import user_cache_path

    named = os.environ.get("MICROMAP_CACHE")
    return Path(named) if named else user_cache_path("napari-micromap", appauthor=False)
