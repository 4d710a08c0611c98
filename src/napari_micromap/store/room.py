"""How much disk the plugin's folder takes, and giving it back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from napari_micromap.store.database import clear_file
from napari_micromap.work import Progress, Work

Kept: TypeAlias = Mapping[str, int]  # bytes by what they hold: "embeddings", "thumbnails", …, and "other"


def kept_in(folder: Path) -> Kept:
    """Return how much lies in the plugin's folder, by kind; nothing where there is none."""
    sizes = {"embeddings": 0, "thumbnails": 0}
    for file in sorted(folder.rglob("*")):
        name, sqlite, _ = file.name.partition(".sqlite")
        kind = name if sqlite and file.parent == folder and "." not in name else "other"
        sizes[kind] = sizes.get(kind, 0) + _size(file)
    return sizes


def clear(folder: Path) -> Work[Kept]:
    """Let go of embeddings, thumbnails and the like, which can be made again; saved maps lie elsewhere and keep theirs.

    Other windows and processes may go on meanwhile: what they need they make again.

    Returns
    -------
    Kept
        What is left.
    """
    files = sorted(folder.glob("*.sqlite"))
    for done, file in enumerate(files):
        yield Progress("Clearing", done, len(files))
        if ".damaged-" in file.name:
            file.unlink(missing_ok=True)
        else:
            clear_file(file)
    return kept_in(folder)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size if file.is_file() else 0
    except OSError:  # another process has just removed it
        return 0
