"""Folders that are offered for what is opened, saved and written."""

from __future__ import annotations

import os
from pathlib import Path

from napari_micromap.session import Session
from napari_micromap.store.recent import recent
from napari_micromap.wording import folder_of


def beside(session: Session) -> Path | None:
    """Return the folder that holds the open micrographs, else the one beside what was opened last."""
    shared = folder_of(session.atlas)
    return Path(shared) if shared and Path(shared).is_dir() else somewhere()


def outside(session: Session) -> Path:
    """Return a folder for figures and tables outside that of the micrographs, where they would be read as such."""
    shared, saved = folder_of(session.atlas), session.saving.folder
    offered = ([] if saved is None else [saved.parent]) + ([Path(shared).parent] if shared else [])
    free = (path for path in offered if not (shared and path.is_relative_to(shared)))
    return next((path for path in free if path.is_dir() and os.access(path, os.W_OK)), Path.home())


def somewhere() -> Path | None:
    """Return the folder beside what was opened last."""
    last = recent()
    return last[0].parent if last else None
