"""Saved sessions: immutable pieces, and an entry file that names them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_micromap.atlas import LATER_COLUMNS, OWN_COLUMNS, Atlas, Role, Rows, UnreadableFile
from napari_micromap.neighbors import Neighbors
from napari_micromap.problems import Problem
from napari_micromap.store import pieces
from napari_micromap.store.columns import columns_from, csv_of
from napari_micromap.store.packing import packed, unpack
from napari_micromap.store.whereabouts import Whereabouts, are_gone, sentences_of, whereabouts_of
from napari_micromap.work import Progress, Work

if TYPE_CHECKING:
    from napari_micromap.store.thumbnails import Thumbnails

T = TypeVar("T")


ENTRY = "open.micromap"
ENDING = ".micromap"
FORMAT = "napari-micromap session"
VERSION = 1
ROLES = get_args(Role)
_SPACE = "space-"


def save_session(
    folder: Path, atlas: Atlas, state: Mapping[str, Any], thumbnails: Thumbnails | None = None
) -> Work[Path]:
    """Save a session; what was saved there before opens until the very last step has succeeded.

    Parameters
    ----------
    folder : Path
        ``NAME.micromap``; the ending is put behind a name without it.
    atlas : Atlas
    state : mapping
        Selection, color and so on, ready for JSON.
    thumbnails : Thumbnails, optional
        Those of micrographs that live in layers, or that may move, go along.

    Returns
    -------
    Path
        The folder.
    """
    folder = session_folder(folder)
    named_before = _named_in(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        entry = yield from _write_pieces(folder, atlas, state, thumbnails)
        text = json.dumps(entry, indent=1, ensure_ascii=False, allow_nan=True, default=_plain)
        pieces.replace_file(folder / ENTRY, [text.encode()])  # the commit
    except OSError as reason:
        raise Problem(
            f"The session could not be saved in “{folder}” ({reason.strerror or reason}); what was saved there before "
            "is untouched. Save it elsewhere."
        ) from reason
    # Another napari may have saved here meanwhile: then its pieces are not ours to remove.
    if _read_json(folder / ENTRY) == json.loads(text):
        pieces.remove_unnamed(folder, _names(entry), named_before)
    yield Progress("Saving", 1, 1)
    return folder


def load_session(path: Path, thumbnails: Thumbnails | None = None) -> Work[tuple[Path, Atlas, dict[str, Any]]]:
    """Open a saved session; nothing in it is executed.

    Parameters
    ----------
    path : Path
        The folder, or its entry file ``open.micromap``.
    thumbnails : Thumbnails, optional
        Receives the thumbnails that were saved along.

    Returns
    -------
    folder : Path
    atlas : Atlas
        With embeddings as read-only memory maps.
    state : dict
        As it was saved; ``state["warnings"]`` lists in sentences what was missing or damaged, and
        ``state["images_missing"]`` says whether files of images are.

    Raises
    ------
    Problem
        If there is no session, or a newer version has saved it.
    """
    folder = session_folder(path)
    entry = _entry_in(folder)
    yield Progress("Opening", note=folder.name)
    loading = _Loading(folder, entry)
    places = loading.places()
    yield Progress("Opening", note="looking for the images")
    found = places.found_from(folder)
    columns = loading.columns(places)
    yield Progress("Opening", note="reading the map")
    atlas = loading.atlas(found, columns)
    if thumbnails is not None:
        loading.thumbnails(atlas, thumbnails)
    warnings = [*loading.warnings, *sentences_of(places, found, folder)]
    missing = bool(are_gone(found.paths).any())
    return folder, atlas, {**_mapping(entry.get("state")), "warnings": warnings, "images_missing": missing}


def session_folder(path: Path) -> Path:
    """Return the session's folder for the folder itself, its entry file, or a name without the ending."""
    path = Path(path).expanduser().absolute()
    if path.name == ENTRY and not path.is_dir():
        return path.parent
    return path if path.suffix == ENDING or (path / ENTRY).is_file() else path.with_name(path.name + ENDING)


# ---------------------------------------------------------------------- writing


def _write_pieces(
    folder: Path, atlas: Atlas, state: Mapping[str, Any], thumbnails: Thumbnails | None
) -> Work[dict[str, Any]]:
    from napari_micromap import __version__

    places = whereabouts_of(atlas, folder)
    table, types = csv_of(atlas.columns, atlas.ids)
    files = {
        "micrographs": pieces.write_bytes(folder, "micrographs", ".json", places.to_json()),
        "table": pieces.write_bytes(folder, "table", ".csv", table),
    }
    arrays = _arrays_of(atlas)
    for done, (kind, array) in enumerate(arrays.items()):
        yield Progress("Saving", done, len(arrays) + 1, note=kind)
        files[kind] = pieces.write_array(folder, kind, array)
    yield Progress("Saving", len(arrays), len(arrays) + 1, note="thumbnails")
    try:
        small = packed(atlas, thumbnails) if thumbnails is not None else b""
    except sqlite3.Error:  # the cache is on a full or read-only disk: the session is more than its thumbnails
        small = b""
    if small:
        files["thumbnails"] = pieces.write_bytes(folder, "thumbnails", ".zip", small)
    return {
        "format": FORMAT,
        "version": VERSION,
        "saved_by": f"napari-micromap {__version__}",
        "saved": datetime.now(UTC).isoformat(timespec="seconds"),
        "micrographs": len(atlas),
        "files": files,
        "columns": types,
        "roles": dict(atlas.roles),
        "tables": dict(atlas.tables),
        "synthetic": list(atlas.synthetic),
        "unreadable": [{"path": file.path, "reason": file.reason} for file in atlas.unreadable],
        "made_by": dict(atlas.made_by),
        "space": None if atlas.space is None else type(atlas.space).__name__,
        "layout": atlas.layout,
        "state": dict(state),
    }


def _arrays_of(atlas: Atlas) -> dict[str, NDArray[Any]]:
    """Return what is numbers, by the name of its piece."""
    arrays: dict[str, NDArray[Any] | None] = {
        "embeddings": atlas.embeddings,
        "features": atlas.features,
        "positions": atlas.positions,
        "windows": atlas.windows,
        "neighbors": None if atlas.neighbors is None else atlas.neighbors.rows,
        "distances": None if atlas.neighbors is None else atlas.neighbors.distances,
        "fitted": None if atlas.fitted_to is None else atlas.fitted_to.astype(np.int32),
    }
    if atlas.space is not None:
        arrays |= {f"{_SPACE}{name}": array for name, array in atlas.space.arrays().items()}
    return {name: array for name, array in arrays.items() if array is not None}


def _plain(value: Any) -> Any:
    """Write numpy's numbers as numbers, tuples of settings as lists, and all else as text."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def _named_in(folder: Path) -> list[str]:
    """Return the pieces that the session which stands there names, none if it cannot be read."""
    return _names(_mapping(_read_json(folder / ENTRY)))


def _names(entry: Mapping[str, Any]) -> list[str]:
    return [str(name) for name in _mapping(entry.get("files")).values()]


# ---------------------------------------------------------------------- reading


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _entry_in(folder: Path) -> dict[str, Any]:
    path = folder / ENTRY
    if not path.is_file():
        raise Problem(f"“{folder}” is no saved session: there is no {ENTRY} in it.")
    entry = _mapping(_read_json(path))
    version = entry.get("version")
    if entry.get("format") != FORMAT or not isinstance(version, int):
        raise Problem(f"“{path}” is damaged or no saved session; open another copy of the folder.")
    if version > VERSION:
        raise Problem(
            f"“{folder.name}” was saved by a newer version ({entry.get('saved_by', 'unknown')}); update this plugin "
            "to open it."
        )
    return entry


@dataclass
class _Loading:
    """What of a session could be read, and in sentences what could not."""

    folder: Path
    entry: Mapping[str, Any]
    warnings: list[str] = field(default_factory=list)

    def places(self) -> Whereabouts:
        name = self._name("micrographs")
        try:
            pieces.check(self.folder, name)
            places = Whereabouts.from_json(pieces.read_bytes(self.folder, name))
        except (OSError, ValueError) as reason:
            raise Problem(
                f"“{self.folder.name}” cannot be opened: its list of micrographs ({name or 'unnamed'}) is missing or "
                f"damaged. Open another copy of the folder."
            ) from reason
        return places

    def columns(self, places: Whereabouts) -> pd.DataFrame:
        types = [t for t in _list(self.entry.get("columns")) if isinstance(t, dict) and {"name", "type"} <= t.keys()]
        name = self._name("table")

        def read() -> pd.DataFrame:
            columns = columns_from(pieces.read_bytes(self.folder, name), types, places.ids)
            for later in LATER_COLUMNS:
                if later not in columns:  # saved before there was such a column
                    columns[later] = pd.Series(None, index=columns.index, dtype=object)
            if not set(OWN_COLUMNS) <= set(columns):
                raise ValueError("columns are missing")
            if not pieces.is_whole(self.folder / name):
                self.warnings.append(f"The table {name} was changed since the session was saved; it is taken as it is.")
            return columns

        columns = self._tried(read, name, "the table of columns", "Add your table again; corrected data bars are lost")
        return columns if columns is not None else places.bare_columns()

    def atlas(self, places: Whereabouts, columns: pd.DataFrame) -> Atlas:
        n = len(places.ids)
        positions = self._array("positions", "the map", "Make the map again", (n, 2))
        return Atlas(
            columns=columns,
            ids=places.ids,
            paths=places.paths,
            pages=places.pages,
            unreadable=tuple(
                UnreadableFile(str(file.get("path", "")), str(file.get("reason", "")))
                for file in _list(self.entry.get("unreadable"))
                if isinstance(file, dict)
            ),
            roles=MappingProxyType({name: role for name, role in self._said_of(columns, "roles") if role in ROLES}),
            tables=MappingProxyType({name: str(path) for name, path in self._said_of(columns, "tables")}),
            synthetic=tuple(str(name) for name in columns if name in _list(self.entry.get("synthetic"))),
            embeddings=self._array("embeddings", "the embeddings", "Make the map again", (n, None)),
            made_by=MappingProxyType(_mapping(self.entry.get("made_by"))),
            space=self._space(),
            features=self._array("features", "the features", "Make the map again", (n, None)),
            neighbors=self._neighbors(n),
            fitted_to=self._fitted(n),
            windows=self._array("windows", "where windows lie", "Open the images again", (n, 4), np.int32),
            positions=None if positions is None else np.array(positions),
            layout=str(self.entry.get("layout") or "") if positions is not None else "",
        )

    def _said_of(self, columns: pd.DataFrame, what: str) -> list[tuple[str, Any]]:
        return [(name, value) for name, value in _mapping(self.entry.get(what)).items() if name in columns]

    def thumbnails(self, atlas: Atlas, thumbnails: Thumbnails) -> None:
        name = self._name("thumbnails")
        if name:
            self._tried(
                lambda: unpack(pieces.read_bytes(self.folder, name), atlas, thumbnails),
                name,
                "thumbnails",
                "They are made anew where the images are found",
            )

    def _neighbors(self, n: int) -> Neighbors | None:
        rows = self._array("neighbors", "the neighbors", "They are found anew with the next map", (n, None), np.int32)
        distances = self._array("distances", "the distances", "They are found anew with the next map", (n, None))
        if rows is None or distances is None or rows.shape != distances.shape:
            return None
        return Neighbors(rows, distances)

    def _fitted(self, n: int) -> Rows | None:
        rows = self._array("fitted", "which micrographs shaped the map", "Make the map again", (None,), np.int32)
        return None if rows is None else np.unique(rows[(rows >= 0) & (rows < n)]).astype(np.intp)

    def _space(self) -> Any:
        from napari_micromap.space import SPACES

        name = self.entry.get("space")
        if not isinstance(name, str):
            return None

        def read() -> Any:
            if name not in SPACES:
                raise ValueError("this version does not know it")
            kinds = [kind for kind in _mapping(self.entry.get("files")) if kind.startswith(_SPACE)]
            arrays = {kind: np.array(pieces.read_array(self.folder, self._name(kind))) for kind in kinds}
            return SPACES[name].from_arrays({kind.removeprefix(_SPACE): array for kind, array in arrays.items()})

        return self._tried(read, name, "space", "Make the map again")

    def _array(
        self, kind: str, what: str, remedy: str, shape: tuple[int | None, ...], dtype: type = np.float32
    ) -> NDArray[Any] | None:
        name = self._name(kind)
        if not name:
            return None

        def read() -> NDArray[Any]:
            array = pieces.read_array(self.folder, name)
            fits = array.ndim == len(shape) and all(b in (None, a) for a, b in zip(array.shape, shape, strict=True))
            if not fits or array.dtype != dtype:
                raise ValueError(f"it is {array.dtype} of {array.shape}")
            return array

        return self._tried(read, name, what, remedy)

    def _tried(self, read: Callable[[], T], name: str, what: str, remedy: str) -> T | None:
        try:
            return read()
        except (OSError, ValueError, KeyError, TypeError, EOFError) as reason:
            why = "is missing" if isinstance(reason, FileNotFoundError) else f"is damaged ({reason})"
            self.warnings.append(f"Of the session {what} ({name}) {why}. {remedy}.")
            return None

    def _name(self, kind: str) -> str:
        name = _mapping(self.entry.get("files")).get(kind)
        return name if isinstance(name, str) else ""
