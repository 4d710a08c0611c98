"""New micrographs join a collection that is on the map already."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_micromap import pipeline
from napari_micromap.atlas import Atlas, Rows, same_bars
from napari_micromap.backbones import BACKBONES, Backbone
from napari_micromap.choices import arguments_of
from napari_micromap.corrections import corrected_as, told_by_user
from napari_micromap.layouts.placing import among_nearest
from napari_micromap.microscopy.bar import BY_USER
from napari_micromap.problems import Problem
from napari_micromap.recipe import Recipe
from napari_micromap.sources.windows import whole_id
from napari_micromap.store.whereabouts import are_gone
from napari_micromap.tables.names import file_names, pieces_of, stem_of
from napari_micromap.wording import counted
from napari_micromap.work import Progress, Work

if TYPE_CHECKING:
    from napari_micromap.sources import Source


@dataclass(frozen=True, eq=False)
class Growth:
    """What a look at the source found.

    Parameters
    ----------
    atlas : Atlas
        The grown collection; old rows first and in their order, their positions bit for bit as they were.
    new : rows
        Those that joined.
    moved : int
        Micrographs whose file lies elsewhere now, or has another name.
    gone : rows
        Old ones whose file was not found again; they stay on the map.
    changed : rows
        Old ones in whose file another picture is now; they stay on the map, too, and that picture is among the new.
    said : tuple of str
        What else there is to tell, as of tables that were added again.
    """

    atlas: Atlas
    new: Rows
    moved: int
    gone: Rows
    changed: Rows
    said: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What a user is told of it."""
        return " ".join((self._joined(), *self._changes(), *self.said))

    def _joined(self) -> str:
        if not len(self.new):
            return "No new images."
        scaled = int(told_by_user(self.atlas)[self.new].sum())
        also = f" {scaled:,} took the scale that you gave others like them." if scaled else ""
        if self.atlas.positions is None:
            return f"{counted(len(self.new), 'new image')}.{also}"
        said = f"{counted(len(self.new), 'new image')} since the map was made, placed beside what they are most like."
        return f"{said}{also}"

    def _changes(self) -> Iterator[str]:
        if len(self.changed):
            yield (
                f"{counted(len(self.changed), 'file')} with other content than before, such as “"
                f"{self._name(self.changed)}”: what is in there now joined as new; exclude the older dots."
            )
        if len(self.gone):
            yield (
                f"{counted(len(self.gone), 'image')} cannot be found any more, such as “{self._name(self.gone)}”: "
                "dots and thumbnails stay; exclude them if they are not to count."
            )

    def _name(self, rows: Rows) -> str:
        """Name the first by its folder and name: in folders of samples names come again."""
        return "/".join(PurePath(str(self.atlas.paths[rows[0]])).parts[-2:])


def grow(atlas: Atlas, source: Source, workshop: pipeline.Workshop, device: str = "auto") -> Work[Growth]:
    """Gather a source again, or another one, and take in what is new.

    Only new micrographs are embedded, by the same backbone and recipe. The space stays as it was fitted, and the old
    ones do not move; the new ones are placed beside those they are most like.
    """
    found = yield from source()
    known = pd.Index(atlas.ids).get_indexer(pd.Index(found.ids))
    # Of a picture that is known no other windows join: it is cut otherwise only where bars or scales were corrected.
    fresh = np.flatnonzero((known < 0) & ~np.isin(_whole_ids(found), _whole_ids(atlas))).astype(np.intp)
    atlas, moved = _with_paths(atlas, found, known)
    gone, changed = _gone(atlas, found), _changed(atlas, found)
    if not len(fresh):
        return Growth(replace(atlas, unreadable=found.unreadable), fresh, moved, gone, changed)
    part = yield from corrected_as(atlas, taken(found, fresh))
    if atlas.embeddings is not None:
        backbone, recipe = made_by(atlas)
        part = yield from pipeline.embed(part, backbone, recipe, workshop, device)
        _check_same(atlas, part)
    both = _with_name_pieces(joined(atlas, part), len(atlas))
    if atlas.features is not None:
        both = yield from _with_places(atlas, both, workshop)
    return Growth(both, np.arange(len(atlas), len(both), dtype=np.intp), moved, gone, changed)


def corrected_among(growth: Growth) -> dict[str, int]:
    """Return how thick the data bars of new micrographs are that were cut as the user cut those of others, by id."""
    columns = growth.atlas.columns.iloc[growth.new]
    if "bar_from" not in columns or growth.atlas.windows is not None:
        return {}
    rows = growth.new[(columns["bar_from"] == BY_USER).to_numpy(bool)]
    return {str(growth.atlas.ids[row]): int(growth.atlas.columns["bar_rows"].iloc[row]) for row in rows}


def refound(atlas: Atlas, source: Source) -> Work[tuple[Atlas, int, int]]:
    """Look for micrographs whose files are not where they were, and know them by their content.

    Returns
    -------
    Atlas
        Whose paths are right again; nothing else changes.
    int
        How many were found.
    int
        How many are still missing.
    """
    lost = np.flatnonzero(are_gone(atlas.paths))
    found = yield from source()
    known = pd.Index(found.ids).get_indexer(pd.Index(_whole_ids(atlas)))  # a window lies in the file of the whole
    rows = lost[known[lost] >= 0]
    return *_with_paths_of(atlas, rows, found, known[rows]), len(lost) - len(rows)


def caught_up_growth(grown: Atlas, before: Atlas, now: Atlas) -> Atlas | None:
    """Return a grown collection beside what was said of the old one meanwhile; None if it is of no use any more."""
    if now is before:
        return grown
    n = len(now)
    if n != len(before) or not np.array_equal(now.ids, before.ids) or now.embeddings is not before.embeddings:
        return None
    if not same_bars(now.columns, before.columns):
        return None
    columns = pd.concat([now.columns, grown.columns.iloc[n:].reindex(columns=now.columns.columns)], ignore_index=True)
    for name in ("file", "folder", "width", "height", "bar_rows", "bar_side"):  # a file may have been found elsewhere
        columns[name] = grown.columns[name]
    grown = replace(grown, columns=columns, roles=now.roles, tables=now.tables, synthetic=now.synthetic)
    if now.positions is before.positions:
        return grown
    return None  # another map was made meanwhile


def base_of(atlas: Atlas) -> Path | None:
    """Return the folder that was opened, as it follows from where the first file lies and from its column *folder*."""
    gone: set[str] = set()  # folders: one by one, 100,000 files that are not there take a second
    for path, folder in zip(atlas.paths.tolist(), atlas.columns["folder"]):
        where = os.path.dirname(path)
        if where in gone:
            continue
        if not os.path.isdir(where):
            gone.add(where)
        elif os.path.isfile(path):
            below = Path(str(folder)) if isinstance(folder, str) else Path()
            base = Path(path).parent
            if below.parts and base.parts[-len(below.parts) :] != below.parts:
                return base
            return Path(*base.parts[: len(base.parts) - len(below.parts)])
    return None


def taken(atlas: Atlas, rows: Rows) -> Atlas:
    """Return some micrographs as a collection of their own, without a map."""
    ids = atlas.ids[rows]
    return replace(
        atlas,
        columns=atlas.columns.iloc[rows].reset_index(drop=True), ids=ids, paths=atlas.paths[rows],
        pages=atlas.pages[rows], live=MappingProxyType({i: atlas.live[i] for i in map(str, ids) if i in atlas.live}),
        embeddings=None if atlas.embeddings is None else atlas.embeddings[rows],
        windows=None if atlas.windows is None else atlas.windows[rows],
        space=None, features=None, neighbors=None, fitted_to=None, positions=None, layout="",
    )  # fmt: skip


def joined(atlas: Atlas, part: Atlas) -> Atlas:
    """Append a part to an atlas; columns that only one of them has are missing in the other. The map is dropped."""
    columns = pd.concat([atlas.columns, part.columns.reindex(columns=_all_columns(atlas, part))], ignore_index=True)
    for name in atlas.columns:  # an empty part must not change what a column holds
        if atlas.columns[name].dtype == bool or pd.api.types.is_integer_dtype(atlas.columns[name].dtype):
            columns[name] = columns[name].astype(atlas.columns[name].dtype, errors="ignore")
    embeddings = None
    if atlas.embeddings is not None and part.embeddings is not None:
        embeddings = np.vstack([atlas.embeddings, part.embeddings])
    return replace(
        atlas,
        columns=columns,
        ids=np.concatenate([atlas.ids, part.ids]), paths=np.concatenate([atlas.paths, part.paths]),
        pages=np.concatenate([atlas.pages, part.pages]), live=MappingProxyType({**atlas.live, **part.live}),
        windows=_all_windows(atlas, part),
        unreadable=part.unreadable, roles=MappingProxyType({**part.roles, **atlas.roles}),
        embeddings=embeddings, space=None, features=None, neighbors=None, fitted_to=None, positions=None, layout="",
    )  # fmt: skip


def _all_windows(atlas: Atlas, part: Atlas) -> NDArray[np.int32] | None:
    if (atlas.windows is None) != (part.windows is None) and len(atlas) and len(part):
        raise Problem("Whole images and windows of images cannot stand on one map; open one or the other.")
    if atlas.windows is None or part.windows is None:
        return atlas.windows if len(atlas) else part.windows
    return np.concatenate([atlas.windows, part.windows])


def made_by(atlas: Atlas) -> tuple[Backbone, Recipe]:
    """Return backbone and recipe that an atlas was embedded with.

    Raises
    ------
    Problem
        If it was not embedded here, so that new micrographs cannot be treated alike.
    """
    try:
        backbone = BACKBONES[str(atlas.made_by["name"])](**arguments_of(str(atlas.made_by["backbone"])))
        recipe = Recipe(**arguments_of(str(atlas.made_by["recipe"])))
    except (KeyError, TypeError, ValueError, Problem) as error:
        raise Problem(
            "This map was not made from its images here, so new ones cannot join it; make it anew."
        ) from error
    # the precision that was used, not the wish for the best: one for a whole collection
    return backbone, replace(recipe, precision=atlas.made_by.get("precision", recipe.precision))


def _with_places(old: Atlas, both: Atlas, workshop: pipeline.Workshop) -> Work[Atlas]:
    from napari_micromap.neighbors import find_neighbors, grown_neighbors

    assert old.space is not None and old.features is not None and both.embeddings is not None
    new_features = old.space(both.embeddings[len(old) :])
    features = np.vstack([old.features, new_features])
    k = pipeline.NEIGHBORS_KEPT
    known = old.neighbors
    if known is None:
        neighbors = yield from find_neighbors(features, k, workshop.search)
    else:
        neighbors = yield from grown_neighbors(known, features, k, workshop.search)
    fitted_to = np.arange(len(old), dtype=np.intp) if old.fitted_to is None else old.fitted_to
    both = both.with_features(old.space, features, neighbors, fitted_to)
    if old.positions is None:
        return both
    yield Progress("Placing", 0, len(new_features))
    places = among_nearest(new_features, old.features, old.positions)
    return both.with_positions(np.vstack([old.positions, places]), old.layout)


def _with_name_pieces(both: Atlas, n: int) -> Atlas:
    """Fill the columns that are pieces of the file names for the new micrographs, from row n on."""
    cut = [pieces_of(stem_of(name)) for name in file_names(both)[n:]]
    columns = both.columns.copy()
    for name in columns:
        found = re.fullmatch(r"piece (\d+)", str(name))
        if found and name not in both.tables and columns[name].iloc[n:].isna().all():
            place = int(found[1]) - 1
            values = columns[name].to_numpy(object, copy=True)
            values[n:] = [pieces[place] if place < len(pieces) else np.nan for pieces in cut]
            columns[name] = pd.Series(values, index=columns.index, dtype=object).infer_objects()
    return replace(both, columns=columns)


def _with_paths(atlas: Atlas, found: Atlas, known: Rows) -> tuple[Atlas, int]:
    """Let known micrographs point to where their files lie now; what users see of the place follows."""
    here = np.flatnonzero(known >= 0)
    return _with_paths_of(atlas, known[here], found, here)


def _with_paths_of(atlas: Atlas, rows: Rows, found: Atlas, here: Rows) -> tuple[Atlas, int]:
    """Let ``rows`` point to where the rows ``here`` of what was found lie."""
    moved = atlas.paths[rows] != found.paths[here]
    if not moved.any():
        return atlas, 0
    rows, here = rows[moved], here[moved]
    paths = atlas.paths.astype(object)
    paths[rows] = found.paths[here]
    columns = atlas.columns.copy()
    for name in ("file", "folder"):
        values = columns[name].to_numpy(object, copy=True)
        values[rows] = found.columns[name].to_numpy(object)[here]
        columns[name] = values
    return replace(atlas, paths=paths.astype(np.str_), columns=columns), len(rows)


def _gone(atlas: Atlas, found: Atlas) -> Rows:
    return np.flatnonzero(_not_in(atlas, found) & are_gone(atlas.paths)).astype(np.intp)


def _changed(atlas: Atlas, found: Atlas) -> Rows:
    other = _not_in(atlas, found) & (atlas.paths != "") & np.isin(atlas.paths, found.paths)
    return np.flatnonzero(other).astype(np.intp)


def _not_in(atlas: Atlas, found: Atlas) -> NDArray[np.bool_]:
    return ~np.isin(_whole_ids(atlas), _whole_ids(found))


def _whole_ids(atlas: Atlas) -> NDArray[np.str_]:
    return atlas.ids if atlas.windows is None else np.array([whole_id(id_) for id_ in atlas.ids.tolist()], np.str_)


def _check_same(atlas: Atlas, part: Atlas) -> None:
    for what in ("weights_sha256", "recipe", "precision"):
        before, now = atlas.made_by.get(what), part.made_by.get(what)
        if before != now and what != "recipe":
            raise Problem(
                f"The new images were treated differently ({what}: {now}, before {before}); make the map anew."
            )


def _all_columns(atlas: Atlas, part: Atlas) -> list[str]:
    return [*atlas.columns, *(name for name in part.columns if name not in atlas.columns)]
