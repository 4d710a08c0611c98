"""Where a session's micrographs lie, also after the folder has moved."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_micromap.atlas import OWN_COLUMNS, Atlas
from napari_micromap.wording import counted


@dataclass(frozen=True, eq=False)
class Whereabouts:
    """Who the micrographs are and where they lie.

    Parameters
    ----------
    ids, paths, pages : (n,)
        As the atlas has them.
    relative : (n,) array of str
        Path from the session's folder, "" where there is none, such as on another drive.
    layers : mapping of id to str
        The layer, and slice, of micrographs that live in layers.
    """

    ids: NDArray[np.str_]
    paths: NDArray[np.str_]
    pages: NDArray[np.int32]
    relative: NDArray[np.str_]
    layers: Mapping[str, tuple[str, list[int]]]

    def to_json(self) -> bytes:
        """Write all, ready to be read by :meth:`from_json`."""
        content = {
            "ids": self.ids.tolist(), "paths": self.paths.tolist(), "pages": self.pages.tolist(),
            "relative": self.relative.tolist(), "layers": dict(self.layers),
        }  # fmt: skip
        return json.dumps(content, ensure_ascii=True).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Whereabouts:
        """Read all; ValueError where something is missing."""
        content = json.loads(data)
        try:
            ids, paths, relative = (np.array(content[name], np.str_) for name in ("ids", "paths", "relative"))
            pages = np.array(content["pages"], np.int32)
            layers = {id_: (str(layer), [int(k) for k in index]) for id_, (layer, index) in content["layers"].items()}
        except (KeyError, TypeError, AttributeError) as reason:
            raise ValueError(str(reason)) from reason
        if not ids.shape == paths.shape == pages.shape == relative.shape == (len(ids),):
            raise ValueError("lists of different lengths")
        return cls(ids, paths, pages, relative, layers)

    def found_from(self, folder: Path) -> Whereabouts:
        """Look for each file where it was, else at the same place seen from the session's folder."""
        listed, beside = _Listed(), str(folder)
        found = [
            path if not (path and relative) or listed.has(path) else listed.first(_normal(beside, relative), path)
            for path, relative in zip(self.paths.tolist(), self.relative.tolist())
        ]
        return replace(self, paths=np.array(found, np.str_))

    def bare_columns(self) -> pd.DataFrame:
        """Return the columns that can be told from the paths alone."""
        columns = pd.DataFrame({name: np.full(len(self.ids), np.nan) for name in OWN_COLUMNS})
        columns["file"] = [
            PurePath(path).name if path else self.layers.get(id_, ("", []))[0]
            for id_, path in zip(self.ids.tolist(), self.paths.tolist())
        ]
        columns["folder"] = [str(PurePath(path).parent) if path else "" for path in self.paths.tolist()]
        columns["bar_rows"] = 0
        columns["bar_side"] = None
        return columns


def whereabouts_of(atlas: Atlas, folder: Path) -> Whereabouts:
    """Return where the micrographs lie, seen also from the session's folder."""
    files = dict(zip(atlas.ids.tolist(), atlas.columns["file"].astype(str)))
    # A session that was opened and is saved again has its layers' names in the column only.
    layers = {id_: (files[id_], list[int]()) for id_, path in zip(atlas.ids.tolist(), atlas.paths.tolist()) if not path}
    layers |= {id_: (live.layer_name, list(live.index)) for id_, live in atlas.live.items() if id_ in files}
    seen: dict[str, str] = {}
    relative = [_relative(path, folder, seen) for path in atlas.paths.tolist()]
    return Whereabouts(atlas.ids, atlas.paths, atlas.pages, np.array(relative, np.str_).reshape(len(atlas)), layers)


def sentences_of(saved: Whereabouts, found: Whereabouts, folder: Path) -> list[str]:
    """Say which layers are to be loaded, and which images are not where they were."""
    said = []
    pathless = [id_ for id_, path in zip(saved.ids.tolist(), saved.paths.tolist()) if not path]
    names = list(dict.fromkeys(saved.layers[id_][0] for id_ in pathless if id_ in saved.layers))
    if pathless:
        which = f"the {_listed_names('layer', names)}" if names else "layers"
        said.append(
            f"{counted(len(pathless), 'image')} came from {which}, not from a file; load that again to see them at "
            "full resolution."
        )
    lost = [path for path, gone in zip(found.paths.tolist(), are_gone(found.paths)) if gone]
    if lost:
        said.append(
            f"{counted(len(lost), 'image')} cannot be found, such as “{lost[0]}”: dots and thumbnails stay; put the "
            f"images back, or beside “{folder.name}” as they were."
        )
    return said


def are_gone(paths: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Say which files are not there; "" stands for a micrograph that has none."""
    listed = _Listed()
    return np.array([bool(path) and not listed.has(path) for path in paths.tolist()], bool)


class _Listed:
    """Which files exist, asked once a folder: one by one is slow on a network."""

    def __init__(self) -> None:
        self._names: dict[str, set[str]] = {}

    def has(self, path: str) -> bool:
        folder, name = os.path.split(path)
        if folder not in self._names:
            try:
                self._names[folder] = set(os.listdir(folder))
            except OSError:
                self._names[folder] = set()
        return name in self._names[folder]

    def first(self, path: str, otherwise: str) -> str:
        return path if self.has(path) else otherwise


def _normal(folder: str, relative: str) -> str:
    return os.path.normpath(f"{folder}{os.sep}{relative}")


def _relative(path: str, folder: Path, seen: dict[str, str]) -> str:
    if not path:
        return ""
    above, name = os.path.split(path)
    if above not in seen:
        try:
            seen[above] = os.path.relpath(above, folder).replace(os.sep, "/")
        except ValueError:  # another drive
            seen[above] = ""
    return f"{seen[above]}/{name}" if seen[above] else ""


def _listed_names(noun: str, names: Iterable[str]) -> str:
    quoted = [f"“{name}”" for name in names]
    more = f" and {len(quoted) - 3} more" if len(quoted) > 3 else ""
    return f"{noun if len(quoted) == 1 else noun + 's'} {', '.join(quoted[:3])}{more}"
