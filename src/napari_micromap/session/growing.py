"""Collections that change while they are open: new micrographs join, rows are renumbered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_micromap import growing, pipeline
from napari_micromap.atlas import Atlas, Positions
from napari_micromap.growing import Growth
from napari_micromap.problems import Problem
from napari_micromap.session.maps import Map
from napari_micromap.session.marking import Marking
from napari_micromap.session.tables import Tables
from napari_micromap.sources.folder import Folder
from napari_micromap.sources.several import Several
from napari_micromap.sources.windows import Cut, Windows
from napari_micromap.wording import counted
from napari_micromap.work import Work

if TYPE_CHECKING:
    from napari_micromap.sources import Source


class Growing(Marking):
    """The verb that looks for new micrographs, and what keeps all else where it is when the collection changes."""

    map_changed = Signal(object)
    waiting_map_changed = Signal(object)
    current_changed = Signal(object)
    warned = Signal(str)
    grown = Signal(object)  # growing.Growth: what a look at the source found
    fresh_changed = Signal(object)  # frozenset[str]: see `fresh`
    workshop: pipeline.Workshop
    tables: Tables
    _map: Map | None
    _waiting_map: Map | None
    _current: int | None
    _map_touched: bool

    def __init__(self) -> None:
        super().__init__()
        self._source: Source | None = None
        self.images_missing = False  # whether files were not found when it was last looked for them
        self._cut: Cut | None = None
        self._wholes: tuple[Atlas, Source | None] | None = None  # what the open windows were cut from
        self._fresh: frozenset[str] = frozenset()

    @property
    def source(self) -> Source | None:
        """Where the micrographs come from, if that can be looked through again."""
        return self._source

    @property
    def cut(self) -> Cut | None:
        """How the open windows were cut, if that is known."""
        if self._atlas.windows is None:
            return None
        return self._source.cut if isinstance(self._source, Windows) else self._cut

    def cut_windows(self, cut: Cut | None = None) -> None:
        """Cut the open images into windows, each a micrograph of its own; what was said of an image is said of each.

        Named selections, tests and the map are of the images, and go; :meth:`uncut` brings the images back.
        """

        def done(built: tuple[tuple[Atlas, Source | None], Atlas]) -> None:
            wholes, atlas = built
            color, (_, source) = self.color_by, wholes
            self._cut = cut or Cut()
            self._start_anew(atlas)
            self._wholes = wholes
            self._source = None if source is None else Windows(source, cut or Cut())
            if color in atlas.columns:
                self.color_by = color

        self.build(lambda: self._cutting(cut or Cut()), done)

    def _cutting(self, cut: Cut) -> Work[tuple[tuple[Atlas, Source | None], Atlas]]:
        wholes = self._atlas, self._source
        if self._wholes is not None and self._atlas.windows is not None:
            wholes = self._wholes
        return wholes, (yield from cut(wholes[0]))

    def uncut(self) -> None:
        """Open the whole images again that windows were cut from."""
        if self._wholes is not None:
            atlas, source = self._wholes
            self._start_anew(atlas)
            self._source = source
            return
        if not isinstance(self._source, Windows):
            raise Problem("The whole images are not known any more; open their folder again.")
        source = self._source.of

        def done(atlas: Atlas) -> None:
            self._start_anew(atlas)
            self._source = source

        self.build(lambda: pipeline.gather(source), done)

    def _start_anew(self, atlas: Atlas) -> None:
        raise NotImplementedError

    def build(self, start: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Queue work; the session does."""
        raise NotImplementedError

    @property
    def fresh(self) -> frozenset[str]:
        """Ids of micrographs that joined since the map was made: it was not made of them."""
        return self._fresh

    def grow(self, source: Source | None = None) -> None:
        """Look through the source again, or through another one, and take in what is new.

        Only new micrographs are embedded; what is on the map does not move, and they appear among those they are most
        like. A table that was added is applied to them, too. What is gone is told.
        """
        wanted = source or self._source
        if wanted is None:
            raise Problem("These images did not come from a folder; open the folder that holds them to find new ones.")
        self.build(lambda: self._growth(wanted, self._atlas), self._has_grown)

    def find_images(self, folder: Path | str) -> None:
        """Look in a folder for images that are not where they were; they are known by their content."""
        before = self._atlas

        def done(found: tuple[Atlas, int, int]) -> None:
            atlas, count, still = found
            if self._atlas is not before:
                return
            self.take_atlas(atlas)
            self.images_missing = still > 0
            rest = f"; {counted(still, 'image')} {'is' if still == 1 else 'are'} still missing" if still else ""
            self.warned.emit(f"{counted(count, 'image')} found in “{Path(folder).name}”{rest}.")

        self.build(lambda: growing.refound(before, Folder(Path(folder))), done)

    # ------------------------------------------------------------------ within

    def _growth(self, source: Source, before: Atlas) -> Work[tuple[Atlas, Growth, pipeline.Joined | None, list[str]]]:
        """Grow, then add the tables again."""
        said = list[str]()
        steps = growing.grow(before, source, self.workshop)
        while True:
            try:
                yield replace(next(steps), partial=None)  # a preview would be of the new ones alone
            except StopIteration as end:
                growth: Growth = end.value
                break
        joined = None
        if len(growth.new):
            atlas, joined = yield from self.tables.add_again(growth.atlas, said)
            growth = replace(growth, atlas=atlas)
        return before, growth, joined, said

    def _has_grown(self, result: tuple[Atlas, Growth, pipeline.Joined | None, list[str]]) -> None:
        before, growth, joined, said = result
        atlas = growing.caught_up_growth(growth.atlas, before, self._atlas)
        if atlas is None:  # others are open now, or data bars were corrected: those images are to be embedded anew
            return
        new = frozenset(map(str, growth.atlas.ids[growth.new]))
        self._bars.update(growing.corrected_among(growth))
        self.take_atlas(atlas, atlas.positions)
        if joined is not None:
            self.tables.show(joined)
        self._set_fresh(self._fresh | new)
        self.images_missing = len(growth.gone) > 0
        if self.images_missing:
            name = PurePath(str(growth.atlas.paths[growth.gone[0]])).name
            said.insert(0, f"{counted(len(growth.gone), 'image')} cannot be found any more, such as “{name}”: "
                           "dots and thumbnails stay; exclude them if they are not to count.")  # fmt: skip
        if len(growth.changed):
            name = PurePath(str(growth.atlas.paths[growth.changed[0]])).name
            said.insert(0, f"{counted(len(growth.changed), 'file')} with other content than before, such as “{name}”: "
                           "what is in there now joined as new; exclude the older dots.")  # fmt: skip
        self.grown.emit(growth)
        if said:
            self.warned.emit(" ".join(said))

    def _set_fresh(self, fresh: Iterable[str]) -> None:
        fresh = frozenset(fresh)
        if fresh != self._fresh:
            self._fresh = fresh
            self.fresh_changed.emit(fresh)

    def _like(self) -> Positions | None:
        """Return the map that a new one is to be turned like; a preview that nobody saw turns nothing."""
        shown = self._map
        if shown is None or len(shown.positions) != len(self._atlas) or (shown.preview and not len(self.map_changed)):
            return None
        return shown.positions

    def _source_state(self, source: Source | None = None) -> dict[str, Any] | None:
        match source or self._source:
            case Folder(path, recursive):
                return {"folder": str(Path(path).absolute()), "recursive": recursive}
            case Several(paths):
                return {"paths": [str(Path(path).absolute()) for path in paths]}
            case Windows(of, cut):
                inner = self._source_state(of)
                return None if inner is None else {**inner, "windows": asdict(cut)}
        return None

    def _source_from(self, state: object) -> Source | None:
        """Return the source that was saved; where it is not there any more, the folder that the images lie in now."""
        said: Mapping[str, Any] = state if isinstance(state, dict) else {}
        if "windows" in said or self._atlas.windows is not None:
            cut = _cut_from(said.get("windows"))
            whole = self._whole_source_from(said)
            return None if cut is None or whole is None else Windows(whole, cut)
        return self._whole_source_from(said)

    def _whole_source_from(self, said: Mapping[str, Any]) -> Source | None:
        paths, folder = said.get("paths"), said.get("folder")
        if isinstance(paths, list) and paths and all(isinstance(p, str) and Path(p).exists() for p in paths):
            return Several(tuple(map(Path, paths)))
        recursive = said.get("recursive", True) is not False
        if isinstance(folder, str) and Path(folder).exists():
            return Folder(Path(folder), recursive)
        base = growing.base_of(self._atlas)
        return None if base is None else Folder(base, recursive)

    def _renumber(self, where: NDArray[np.intp], placed: Positions | None = None) -> Callable[[], None]:
        """Let map, selection and current mean the same micrographs as before; the result tells the views.

        All is right before the first of them hears of it. ``placed``, (n, 2), says where new ones lie on the final map.
        """
        n = len(self._atlas)
        had_map, had_waiting, current = self._map, self._waiting_map, self._current
        final = had_waiting or (None if had_map is None or had_map.preview else had_map)
        self._map, self._waiting_map = (
            None if one is None else one.renumbered(where, n, placed if one is final else None)
            for one in (had_map, had_waiting)
        )
        self._current = None if current is None or where[current] < 0 else int(where[current])
        selected = self.selection.renumber(where)

        def tell() -> None:
            if had_map is not None:
                self.map_changed.emit(self._map)
            if had_waiting is not None:
                self.waiting_map_changed.emit(self._waiting_map)
            if selected:
                self.selection.changed.emit(self.selection.rows)
            if self._current != current:
                self.current_changed.emit(self._current)

        return tell


def _cut_from(state: object) -> Cut | None:
    """Return how windows were cut, if that is what is written there."""
    try:
        return Cut(**state) if isinstance(state, dict) else None
    except TypeError:
        return None
