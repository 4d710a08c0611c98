"""What was opened last."""

from __future__ import annotations

import json
from pathlib import Path

from napari_micromap.places import cache_folder

_MOST = 8


def recent(folder: Path | None = None) -> list[Path]:
    """Return folders, tables and sessions that were opened last and are still there, the newest first."""
    try:
        named = json.loads(_file(folder).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    paths = [Path(name) for name in named if isinstance(name, str)] if isinstance(named, list) else []
    return [path for path in paths if path.exists()]


def remember(path: Path, folder: Path | None = None) -> None:
    """Put a path in front of the list; where the cache cannot be written, nothing is remembered."""
    path = path.absolute()
    kept = [path, *(old for old in recent(folder) if old != path)][:_MOST]
    file = _file(folder)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        part.write_text(json.dumps([str(each) for each in kept]), encoding="utf-8")
        part.replace(file)
    except OSError:
        return


def _file(folder: Path | None) -> Path:
    return (folder or cache_folder()) / "recent.json"
