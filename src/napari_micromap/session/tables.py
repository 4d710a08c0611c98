"""Tables of measured values: looked at, added, added again, taken away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from psygnal import Signal

from napari_micromap import pipeline
from napari_micromap.atlas import Atlas
from napari_micromap.problems import Problem
from napari_micromap.sources.folder import Folder
from napari_micromap.tables import (
    Several,
    TablePreview,
    Wanted,
    join,
    telling_column,
    with_guessed_sample,
    without_table,
)
from napari_micromap.tables.beside import tables_in
from napari_micromap.tables.origins import file_and_sheet, origin_of
from napari_micromap.work import Work

if TYPE_CHECKING:
    from napari_micromap.session.model import Session


class Tables:
    """The tables of a session; reading them is work in the lane *build*."""

    changed = Signal(object)  # pipeline.Joined | None: the table that was added last, and what of it matched

    def __init__(self, session: Session) -> None:
        self._session = session
        self.joined: pipeline.Joined | None = None
        self._samples_before: dict[str, str | None] = {}  # what named the sample before a table came
        self._added: dict[str, tuple[Path, Wanted]] = {}  # by origin, as atlas.tables has it

    @property
    def added(self) -> Mapping[str, tuple[Path, Wanted]]:
        """The tables that were added, by origin as ``atlas.tables`` has it: the file, and how it was joined."""
        return MappingProxyType(self._added)

    def look_at(self, path: Path | str, done: Callable[[TablePreview], object], wanted: Wanted | None = None) -> None:
        """Read a table and find out how it would be joined, without joining it; ``done`` gets the preview."""
        self._session.build(lambda: pipeline.look_at_table(self._session.atlas, Path(path), wanted), done)

    def look_beside(self, done: Callable[[list[Path]], object]) -> None:
        """List the tables in the folder that was opened; ``done`` gets the paths of those that were not added."""
        source = self._session.source
        if isinstance(source, Folder):
            folder = Path(source.path).expanduser().absolute()
            known = {str(path) for path, _ in self._added.values()}
            self._session.run(lambda: tables_in(folder, known), lane="folder", done=done)
        else:
            done([])

    def add(
        self,
        path: Path | str,
        *,
        sheet: str | None = None,
        header_rows: tuple[int, ...] | None = None,
        micrograph_column: str | None = None,
        table_column: str | None = None,
        several: Several = "mean",
        near: bool = False,
    ) -> None:
        """Join a table of measured values; what fits best is taken where nothing is named.

        Parameters
        ----------
        path : Path
        sheet : str, optional
            Of a spreadsheet.
        header_rows : line numbers, optional
            That name the columns, counted from 1.
        micrograph_column, table_column : str, optional
            What the images are called by, such as ``"folder"``, and the table's column that says the same.
        several : "mean", "newest" or "first"
            What to take where several rows mean the same images.
        near : bool
            Take names as the same that differ only in zeros, case and signs between: F12, F012, f-12.
        """
        wanted = Wanted(sheet, header_rows, micrograph_column, table_column, several, near)
        self._session.build(lambda: pipeline.add_table(self._session.atlas, Path(path), wanted), self._was_joined)

    def reload(self, origin: str | None = None) -> None:
        """Read a table again that was edited, the last one if none is named; map and selections stay."""
        chosen = self._origin(origin)
        file, sheet = file_and_sheet(chosen)
        path, wanted = self._added.get(chosen, (Path(file), Wanted(sheet)))
        self._session.build(lambda: pipeline.add_table(self._session.atlas, path, wanted), self._was_joined)

    def remove(self, origin: str | None = None) -> None:
        """Take the columns of a table away again, of the last one if none is named; map and selections stay."""
        chosen = self._origin(origin)
        joined, atlas = self.joined, without_table(self._session.atlas, chosen)
        last = joined is not None and origin_of(joined.table) == chosen
        if atlas.sample_column is None:
            sample = self._samples_before.pop(chosen, "")
            known = sample is None or sample in atlas.columns
            atlas = atlas.with_sample_column(sample) if known else with_guessed_sample(atlas)
        self._added.pop(chosen, None)
        self._session.take_atlas(atlas)
        if last:
            self.joined = None
            self.changed.emit(None)

    def add_again(self, atlas: Atlas, said: list[str]) -> Work[tuple[Atlas, pipeline.Joined | None]]:
        """Add all tables to micrographs that joined, too; what cannot be read any more is said."""
        joined = None
        for origin in dict.fromkeys(atlas.tables.values()):
            path, wanted = self._added.get(origin, (Path(origin), Wanted()))
            try:
                joined = yield from pipeline.add_table(atlas, path, wanted)
                atlas = joined.atlas
            except (Problem, OSError):
                said.append(f"The table “{path.name}” cannot be read again, so new images have no values of it.")
        return atlas, joined

    def show(self, joined: pipeline.Joined) -> None:
        """Say what of a table matched that was added again."""
        self.joined = joined
        self.changed.emit(joined)

    # ------------------------------------------------------------------ within

    def _origin(self, named: str | None) -> str:
        there = list(dict.fromkeys(self._session.atlas.tables.values()))
        if not there:
            raise Problem("No table has been added; there is nothing to take away or to read again.")
        if named is None:
            return next((origin for origin in reversed(self._added) if origin in there), there[-1])
        for origin in there:
            if named == origin or Path(named).name == Path(origin).name:
                return origin
        raise Problem(f"“{named}” has not been added; there are: {', '.join(there)}.")

    def _was_joined(self, joined: pipeline.Joined) -> None:
        now, before = self._session.atlas, joined.before
        if now is not before:  # tags, roles and the like were said meanwhile
            if not np.array_equal(now.ids, before.ids):
                return
            joined = replace(joined, atlas=join(now, joined.table, joined.match, joined.wanted.several))
        self._session.take_atlas(joined.atlas)
        if self._session.color_by is None or joined.atlas.roles.get(self._session.color_by) != "property":
            self._session.color_by = telling_column(joined.atlas)
        origin = origin_of(joined.table)
        self._samples_before.setdefault(origin, joined.sample_before)
        self._added.pop(origin, None)
        self._added[origin] = (Path(joined.table.attrs["path"]), joined.wanted)
        self.show(joined)

    def state(self) -> dict[str, Any]:
        """Return how tables were added, ready for JSON."""
        return {origin: {"path": str(path), **asdict(wanted)} for origin, (path, wanted) in self._added.items()}

    def restore(self, state: object) -> None:
        """Take over what :meth:`state` gave; what does not fit is left out."""
        told = state if isinstance(state, dict) else {}
        known = set(self._session.atlas.tables.values())
        self._added = {
            str(origin): (Path(said["path"]), _wanted_from(said))
            for origin, said in told.items()
            if isinstance(said, dict) and isinstance(said.get("path"), str) and origin in known
        }

    def forget(self) -> None:
        """Start anew, with no table."""
        self._added, self._samples_before = {}, {}
        if self.joined is not None:
            self.joined = None
            self.changed.emit(None)


def _wanted_from(said: Mapping[str, Any]) -> Wanted:
    texts = {
        name: said[name] for name in ("sheet", "micrograph_column", "table_column") if isinstance(said.get(name), str)
    }
    rows = said.get("header_rows")
    header = tuple(row for row in rows if isinstance(row, int)) if isinstance(rows, list | tuple) else ()
    several: Several = next((one for one in get_args(Several) if one == said.get("several")), "mean")
    return Wanted(
        **texts,
        header_rows=header or None,
        several=several,
        near=said.get("near") is True,
    )
