"""Saving a session and opening it again; what of it is not saved yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_micromap import pipeline
from napari_micromap.atlas import Atlas
from napari_micromap.problems import Problem
from napari_micromap.session.maps import Map
from napari_micromap.session.sources import source_from, state_of
from napari_micromap.work import Work

if TYPE_CHECKING:
    from napari_micromap.session.model import Session
    from napari_micromap.sources import Source

# What one does in passing: it is saved along, but nobody would miss it.
_PASSING = frozenset({"selection", "current", "color_by", "map_title", "property_seen", "source", "fresh"})


@dataclass(frozen=True, eq=False)
class Mark:
    """How a session stood at a moment.

    Parameters
    ----------
    atlas : Atlas
    state : mapping
        As the session saves it.
    saved : bool
        Whether it was saved just then, or opened from disk; else it was begun.
    """

    atlas: Atlas
    state: Mapping[str, Any]
    saved: bool

    def is_behind(self, atlas: Atlas, state: Mapping[str, Any]) -> bool:
        """Say whether something was done since that somebody would miss.

        A map of one's own images is work; one of made-up images is not.
        """
        if _said(state) != _said(self.state):
            return True
        return atlas is not self.atlas if self.saved else atlas.positions is not None and not atlas.synthetic


def _said(state: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in state.items() if name not in _PASSING}


class Saving:
    """Writes the session to disk and brings it back; work in the lane *build*."""

    changed = Signal(object)  # Path | None: `folder`

    def __init__(self, session: Session) -> None:
        self._session = session
        self._folder: Path | None = None
        self._mark = self._being_saved = Mark(session.atlas, {}, saved=True)

    @property
    def folder(self) -> Path | None:
        """Where the session was saved or opened from; None if nowhere yet."""
        return self._folder

    @property
    def unsaved(self) -> bool:
        """Whether something was done since the last save that somebody would miss."""
        atlas = self._session.atlas
        return len(atlas) > 0 and self._mark.is_behind(atlas, self.state())

    def save(self, folder: Path | str | None = None, then: Callable[[], object] | None = None) -> None:
        """Save all as a folder NAME.micromap, where it was saved before if none is named; go on once that is done."""
        target = Path(folder) if folder is not None else self._folder
        if target is None:
            raise Problem("Name a folder to save the session in, such as my_films.micromap.")
        session = self._session

        def start() -> Work[Path]:
            # As all is when its turn comes: the map may be in the making.
            self._being_saved = Mark(session.atlas, self.state(), saved=True)
            return pipeline.save(target, session.atlas, self._being_saved.state, session.workshop)

        def done(folder: Path) -> None:
            self._was_saved(folder)
            if then is not None:
                then()

        session.build(start, done)

    def restore(self, folder: Path | str) -> None:
        """Open a saved session folder, or its open.micromap."""
        self._session.build(lambda: self._opened(Path(folder)), lambda opened: self.take(*opened))

    def state(self) -> dict[str, Any]:
        """Return what is neither atlas nor layout, ready for JSON."""
        s = self._session
        final = s.waiting_map or s.map
        return {
            "color_by": s.color_by,
            "selection": [str(id_) for id_ in s.atlas.ids[s.selection.rows]],
            "current": None if s.current is None else str(s.atlas.ids[s.current]),
            "map_title": final.title if final is not None and not final.preview else "",
            "scope": s.scope.state(),
            "named": s.named.state(),
            "property_seen": s.property_seen,
            "bars": s.bars.state(),
            "source": state_of(s.source),
            "fresh": sorted(s.growing.fresh),
            "tables": s.tables.state(),
            "tests": s.questions.state(),
        }

    def begin(self) -> None:
        """Take what is open now for a beginning: what is done from now on can be missed."""
        self._mark = Mark(self._session.atlas, self.state(), saved=False)

    def forget(self) -> None:
        """Start anew, saved nowhere."""
        was, self._folder = self._folder, None
        if was is not None:
            self.changed.emit(None)

    def _opened(self, folder: Path) -> Work[tuple[pipeline.Restored, Source | None]]:
        """Read it, and look where its images came from: a drive that does not answer must not hold the window."""
        restored = yield from pipeline.restore(folder, self._session.workshop)
        return restored, source_from(restored.state.get("source"), restored.atlas)

    def take(self, restored: pipeline.Restored, source: Source | None = None) -> None:
        """Open what was read; it may have been written by anybody, so what does not fit is left out."""
        s, atlas, state = self._session, restored.atlas, restored.state
        s.start_anew(atlas, source)
        if atlas.positions is not None:
            s.show(Map(atlas.positions, str(state.get("map_title") or "Map")))
        color = state.get("color_by", s.color_by)
        if color is None or (isinstance(color, str) and color in atlas.columns):
            s.color_by = color
        s.scope.restore(state.get("scope"))
        s.named.restore(state.get("named"))
        s.tables.restore(state.get("tables"))
        s.questions.restore(state.get("tests"))
        s.property_seen |= state.get("property_seen") is True
        s.bars.restore(state.get("bars"))
        s.growing.set_fresh(_texts(state.get("fresh")))
        s.selection.begin_with(atlas.rows_of(_texts(state.get("selection"))))
        s.current = next(iter(atlas.rows_of(_texts([state.get("current")])).tolist()), None)
        s.history.forget()
        s.growing.images_missing = state.get("images_missing") is True
        self._being_saved = Mark(s.atlas, self.state(), saved=True)
        self._was_saved(restored.folder)
        if warnings := _texts(state.get("warnings")):
            s.warned.emit(" ".join(warnings))

    def _was_saved(self, folder: Path) -> None:
        self._folder, self._mark = folder, self._being_saved
        self.changed.emit(folder)


def _texts(values: object) -> list[str]:
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
