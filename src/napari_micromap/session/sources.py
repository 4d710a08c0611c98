"""Where micrographs come from, as a saved session says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_micromap import growing
from napari_micromap.atlas import Atlas
from napari_micromap.sources.folder import Folder
from napari_micromap.sources.several import Several
from napari_micromap.sources.windows import Cut, Windows

if TYPE_CHECKING:
    from napari_micromap.sources import Source


def state_of(source: Source | None) -> dict[str, Any] | None:
    """Return a source ready for JSON; None where it cannot be looked through again."""
    match source:
        case Folder(path, recursive):
            return {"folder": str(Path(path).absolute()), "recursive": recursive}
        case Several(paths):
            return {"paths": [str(Path(path).absolute()) for path in paths]}
        case Windows(of, cut):
            inner = state_of(of)
            return None if inner is None else {**inner, "windows": asdict(cut)}
    return None


def source_from(state: object, atlas: Atlas) -> Source | None:
    """Return the source that was saved; where it is not there any more, the folder that the micrographs lie in now."""
    said: Mapping[str, Any] = state if isinstance(state, dict) else {}
    whole = _whole_source_from(said, atlas)
    if "windows" in said or atlas.windows is not None:
        cut = _cut_from(said.get("windows"))
        return None if cut is None or whole is None else Windows(whole, cut)
    return whole


def _whole_source_from(said: Mapping[str, Any], atlas: Atlas) -> Source | None:
    paths, folder = said.get("paths"), said.get("folder")
    if isinstance(paths, list) and paths and all(isinstance(p, str) and Path(p).exists() for p in paths):
        return Several(tuple(map(Path, paths)))
    recursive = said.get("recursive", True) is not False
    if isinstance(folder, str) and Path(folder).exists():
        return Folder(Path(folder), recursive)
    base = growing.base_of(atlas)
    return None if base is None else Folder(base, recursive)


def _cut_from(state: object) -> Cut | None:
    try:
        return Cut(**state) if isinstance(state, dict) else None
    except TypeError:
        return None
